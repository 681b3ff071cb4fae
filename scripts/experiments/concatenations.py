"""Table 6 of Sentence-BERT at a small scale: what should a classifier of pairs see, and how should one pool?

    minitransformer pretrain --corpus text.txt --vocab-size 8192 --out bert-tiny
    python -m scripts.experiments.concatenations bert-tiny --nli snli.tsv --nli mnli.tsv --sts stsb-dev.tsv

For each of 3 poolings and 7 concatenations of the embeddings u and v, a pretrained BERT learns to tell entailment,
contradiction and neutral apart. Then the classifier is put aside, and the cosines of scored pairs are ranked
(Reimers, Gurevych 2019, arXiv 1908.10084, sections 3 and 6). Every seed draws a classifier and an order of the data.
"""

from __future__ import annotations

import math
import sys
from itertools import product
from typing import NamedTuple

import click
import numpy as np
from tqdm import tqdm

from minitransformer import AdamW, PackedTokens, SentenceEncoder, clip_scale, linear_warm_up_and_decay
from minitransformer.batches.epochs import Epochs
from minitransformer.corpora.tables import LABELLED_PAIRS, SCORED_PAIRS, Table, read_table
from minitransformer.corpora.targets import label_ids, label_names, scores
from minitransformer.evaluation.sts import evaluate_sts
from minitransformer.models.siamese_network import SiameseNetwork
from minitransformer.objectives.classification import ClassificationObjective
from minitransformer.ops.pair_features import CONCATENATIONS
from minitransformer.parallel import map_on_cores
from minitransformer.randomness import generator
from minitransformer.training.optimizer.clipping import global_norm
from scripts.pages import table

POOLINGS = ("mean", "max", "cls")
BATCH_SIZE, WARM_UP_SHARE, MAX_NORM = 32, 0.1, 1.0

Scores = dict[tuple[str, tuple[str, ...]], list[float]]  # of each pooling and concatenation, a score for each seed


class Run(NamedTuple):
    seed: int  # of the classifier's first weights and of the order of the pairs
    pooling: str
    concatenation: tuple[str, ...]

    def __str__(self) -> str:
        return f"seed {self.seed}, {self.pooling.upper()} {name_of(self.concatenation)}"


# Spearman x 100 on STS-B dev after SNLI and MultiNLI: BERT-base, mean of 10 seeds. The paper varies one at a time.
PUBLISHED = dict(zip(CONCATENATIONS, (66.04, 69.78, 70.54, 78.37, 77.44, 80.78, 80.44), strict=True))
PUBLISHED_POOLINGS = {"mean": 80.78, "max": 79.07, "cls": 79.80}  # with (u, v, |u-v|)


@click.command()
@click.argument("base")
@click.option("--nli", "nli_files", multiple=True, required=True, help="Labelled pairs to learn (TSV); several add up.")
@click.option("--sts", "sts_file", required=True, help="Scored pairs to rank (TSV).")
@click.option("--seeds", default=3, show_default=True, type=click.IntRange(1), help="Runs of each configuration.")
@click.option("--epochs", default=1, show_default=True)
@click.option("--learning-rate", default=1e-3, show_default=True, help="At its peak.")
def main(base: str, nli_files: tuple[str, ...], sts_file: str, seeds: int, epochs: int, learning_rate: float) -> None:
    """Train BASE, a folder of a small pretrained BERT, in every configuration, and rank the pairs of an STS table."""
    pairs = read_pairs(SentenceEncoder.from_pretrained(base), [read_table(file, LABELLED_PAIRS) for file in nli_files])
    sts = read_table(sts_file, SCORED_PAIRS)
    untrained = [spearman(SentenceEncoder.from_pretrained(base, pooling=pooling), sts) for pooling in POOLINGS]
    runs = [Run(seed, *configuration) for seed in range(seeds) for configuration in product(POOLINGS, CONCATENATIONS)]
    found: Scores = {(run.pooling, run.concatenation): [] for run in runs}
    scores_of_runs = map_on_cores(lambda run: spearman(trained(base, pairs, run, epochs, learning_rate), sts), runs)
    for run, score in zip(tqdm(runs, unit="run", disable=None), scores_of_runs, strict=True):
        found[run.pooling, run.concatenation].append(score)
        tqdm.write(f"{score:.2f}  {run}", file=sys.stderr)
    print(
        f"{len(pairs.labels):,} pairs, {epochs} epoch of batches of {BATCH_SIZE}, learning rate {learning_rate:g}, "
        f"{seeds} seeds; mean ± standard error of Spearman x 100 on {len(sts.lines):,} pairs.",
        table_6(found, untrained),
        "What |u-v| adds where all else is equal, seed by seed:",
        table_of_gains(found),
        sep="\n\n",
    )


# -- training ----------------------------------------------------------------------------------------------------------


class LabelledPairs(NamedTuple):
    tokens: PackedTokens  # 2 S sequences: the first texts of all pairs, then the second ones
    labels: np.ndarray  # (S,)

    def select(self, pairs: np.ndarray) -> LabelledPairs:
        both = np.concatenate([pairs, pairs + len(self.labels)])
        return LabelledPairs(self.tokens.select(both), self.labels[pairs])


def read_pairs(encoder: SentenceEncoder, tables: list[Table]) -> LabelledPairs:
    """The pairs of all tables, tokenised."""
    names = label_names(tables[0])
    labels = np.concatenate([label_ids(table, names) for table in tables])
    texts = [text for side in range(2) for table in tables for text in table.texts[side]]
    return LabelledPairs(encoder.tokenize(texts), labels)


def trained(base: str, pairs: LabelledPairs, run: Run, num_epochs: int, peak_rate: float) -> SentenceEncoder:
    """The encoder in a folder, after it has learnt to classify the pairs."""
    encoder = SentenceEncoder.from_pretrained(base, pooling=run.pooling)
    num_labels = int(pairs.labels.max()) + 1
    objective = ClassificationObjective(encoder.embedding_size, num_labels, run.concatenation)
    network = SiameseNetwork(encoder, objective, seed=run.seed)  # one vector of parameters for both
    optimizer = AdamW(network.storage)
    epochs = Epochs(len(pairs.labels), BATCH_SIZE, run.seed)
    steps = num_epochs * epochs.steps_per_epoch
    for step in range(steps):
        network.zero_grad()
        add_gradients(network, pairs.select(epochs.examples(step)), generator(run.seed, "dropout", step))
        factor = linear_warm_up_and_decay(step, round(WARM_UP_SHARE * steps), steps)
        optimizer.step(peak_rate * factor, clip_scale(global_norm(network.storage.gradients), MAX_NORM))
    return encoder


def add_gradients(network: SiameseNetwork, pairs: LabelledPairs, rng: np.random.Generator) -> None:
    """Add the gradients of the pairs' mean loss. Both texts of all pairs go through the encoder as one batch."""
    embeddings, encoder_cache = network.encoder.forward(pairs.tokens, rng)
    u, v = np.split(embeddings, 2)
    _, cache = network.objective.forward((u, v), pairs.labels)
    du, dv = network.objective.backward(cache)
    network.encoder.backward(np.concatenate([du, dv]), encoder_cache)


def spearman(encoder: SentenceEncoder, sts: Table) -> float:
    """Spearman x 100 of the cosines of scored pairs."""
    return evaluate_sts(encoder.encode, *sts.texts, scores(sts)).spearman


# -- tables ------------------------------------------------------------------------------------------------------------


def table_6(found: Scores, untrained: list[float]) -> str:
    """A row for each concatenation: ours for each pooling, and the paper's."""
    header = ["", *(f"{pooling.upper()}, ours" for pooling in POOLINGS), *(f"{p.upper()}, paper" for p in POOLINGS)]
    rows = [["before training", *(f"{score:.2f}" for score in untrained), "", "", ""]]
    for parts in CONCATENATIONS:
        published = dict.fromkeys(POOLINGS, "") | {"mean": f"{PUBLISHED[parts]:.2f}"}
        if parts == ("u", "v", "|u-v|"):
            published = {pooling: f"{score:.2f}" for pooling, score in PUBLISHED_POOLINGS.items()}
        rows.append([name_of(parts), *(spread(found[p, parts]) for p in POOLINGS), *published.values()])
    return table(header, rows)


def table_of_gains(found: Scores) -> str:
    """A row for each two concatenations that |u-v| alone sets apart: the difference, with its standard error."""
    rows = []
    for parts in CONCATENATIONS:
        without = tuple(part for part in parts if part != "|u-v|")
        if without != parts and without in CONCATENATIONS:
            gains = [np.subtract(found[pooling, parts], found[pooling, without]) for pooling in POOLINGS]
            published = PUBLISHED[parts] - PUBLISHED[without]
            rows.append([f"{name_of(parts)} over {name_of(without)}", *map(spread, gains), f"{published:.2f}"])
    return table(["", *(f"{pooling.upper()}, ours" for pooling in POOLINGS), "MEAN, paper"], rows)


def name_of(parts: tuple[str, ...]) -> str:
    return f"({', '.join(parts)})"


def spread(values: list[float] | np.ndarray) -> str:
    """Mean and standard error; of a single value, that one."""
    mean = f"{np.mean(values):.2f}"
    return f"{mean} ± {np.std(values, ddof=1) / math.sqrt(len(values)):.2f}" if len(values) > 1 else mean


if __name__ == "__main__":
    main()
