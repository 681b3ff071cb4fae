"""Sentence-BERT's Tables 1 and 5 for what can be run here: averaged embeddings, averaged BERT, CLS, sentence encoders.

    minitransformer train-sbert bert --objective ranking --train nli.tsv --dev stsb-dev.tsv --out sbert
    python -m scripts.experiments.sentence_tables bert --encoder sbert --sts stsb-dev.tsv --sts sick.tsv
    python -m scripts.experiments.sentence_tables bert --encoder sbert --senteval senteval

bert is a pretrained BERT, the encoders are whatever it should be compared with. Table 1 asks for the order of cosines,
with nothing fitted; Table 5 fits a logistic regression to the frozen embeddings (Reimers, Gurevych 2019,
arXiv 1908.10084, sections 4 and 5). The paper's figures are below ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np

from minitransformer import SentenceEncoder
from minitransformer.corpora.tables import SCORED_PAIRS, read_table
from minitransformer.corpora.targets import scores
from minitransformer.evaluation.embedding_health import EmbeddingHealth
from minitransformer.evaluation.encode import Encode, averaged_token_embeddings
from minitransformer.evaluation.senteval import evaluate_task
from minitransformer.evaluation.senteval_files import TASKS, read_tasks
from minitransformer.evaluation.sts import evaluate_sts
from scripts.pages import table

PUBLISHED_STS = {  # Table 1: Spearman x 100 on the test parts of STS-B and SICK-R
    "averaged GloVe": (58.02, 53.76),
    "averaged BERT-base": (46.35, 58.40),
    "CLS of BERT-base": (16.50, 42.63),
    "SBERT-NLI-base": (77.03, 72.91),
}
PUBLISHED_SENTEVAL = {  # Table 5: accuracy on MR, CR, SUBJ, MPQA, SST, TREC, MRPC
    "averaged GloVe": (77.25, 78.30, 91.17, 87.85, 80.18, 83.0, 72.87),
    "averaged BERT-base": (78.66, 86.25, 94.37, 88.66, 84.40, 92.8, 69.45),
    "CLS of BERT-base": (78.68, 84.85, 94.21, 88.23, 84.13, 91.4, 71.13),
    "SBERT-NLI-base": (83.64, 89.43, 94.39, 89.86, 88.96, 89.6, 76.00),
}


@click.command()
@click.argument("bert")
@click.option("--encoder", "names", multiple=True, help="A sentence encoder to compare with; may be repeated.")
@click.option("--sts", "sts_files", multiple=True, help="Scored pairs (TSV) for Table 1; may be repeated.")
@click.option("--senteval", "folders", multiple=True, type=click.Path(path_type=Path), help="SentEval's data, Table 5.")
@click.option("--task", "tasks", multiple=True, type=click.Choice(TASKS), help="Only this task; may be repeated.")
def main(
    bert: str, names: tuple[str, ...], sts_files: tuple[str, ...], folders: tuple[Path, ...], tasks: tuple[str, ...]
) -> None:
    """Evaluate a pretrained BERT in three ways, and sentence encoders."""
    if not sts_files and not folders:
        raise click.UsageError("no data: give scored pairs with --sts or SentEval's data with --senteval")
    encoders = encoders_of(bert, names)
    if sts_files:
        print(sts_table(encoders, sts_files))
    if folders:
        print(senteval_table(encoders, folders, tasks or TASKS))


def encoders_of(bert: str, names: Sequence[str]) -> dict[str, Encode]:
    """What is compared, by the names of the tables' rows."""
    mean, cls = (SentenceEncoder.from_pretrained(bert, pooling=pooling) for pooling in ("mean", "cls"))
    encoders = {
        "averaged token embeddings": averaged_token_embeddings(mean.encoder, mean.tokenizer),
        "averaged BERT": mean.encode,
        "CLS of BERT": cls.encode,
    }
    return encoders | {Path(name).name: SentenceEncoder.from_pretrained(name).encode for name in names}


def sts_table(encoders: dict[str, Encode], files: Sequence[str]) -> str:
    """Table 1: Spearman x 100 on each file, and the health of the embeddings of the first."""
    tables = [read_table(file, SCORED_PAIRS) for file in files]
    names = [f"{table.path.parent.name} {table.path.stem}" for table in tables]
    rows = []
    for name, encode in encoders.items():
        found = [evaluate_sts(encode, *table.texts, scores(table)) for table in tables]
        rows.append([name, *(f"{score.spearman:.2f}" for score in found), *cells_of(found[0].health)])
    header = ["ours, Spearman x 100", *names, "mean cosine", "effective rank"]
    published = [[name, *(f"{score:.2f}" for score in figures)] for name, figures in PUBLISHED_STS.items()]
    return f"{table(header, rows)}\n\n{table(['published, test parts', 'STS-B', 'SICK-R'], published)}"


def senteval_table(encoders: dict[str, Encode], folders: Sequence[Path], tasks: Sequence[str]) -> str:
    """Table 5: accuracy on each task that the folders have, and the health of the embeddings of the first."""
    found = read_tasks(folders, tasks)
    rows = []
    for name, encode in encoders.items():
        results = [evaluate_task(encode, parts, show_progress=True) for parts in found.values()]
        rows.append([name, *cells_with_mean([result.accuracy for result in results]), *cells_of(results[0].health)])
        click.echo(" ".join(rows[-1]), err=True)
    header = ["ours", *found, "mean", "mean cosine", "effective rank"]
    published = [
        [name, *cells_with_mean([figures[TASKS.index(task)] for task in found])]
        for name, figures in PUBLISHED_SENTEVAL.items()
    ]
    return f"{table(header, rows)}\n\n{table(['published', *found, 'mean'], published)}"


def cells_with_mean(accuracies: list[float]) -> list[str]:
    return [f"{accuracy:.2f}" for accuracy in [*accuracies, float(np.mean(accuracies))]]


def cells_of(health: EmbeddingHealth) -> list[str]:
    return [f"{health.mean_cosine:.3f}", f"{health.effective_rank:.0f} of {health.size}"]


if __name__ == "__main__":
    main()
