"""A sentence encoder from nothing but text, in three stages, each a folder that you can look at, use and compare.

    python from_scratch.py corpus.txt --nli nli.tsv --sts-train stsb/train.tsv --sts-dev stsb/dev.tsv --out DIR

    DIR/1-bert   BERT-tiny, pretrained on the corpus: masked tokens and next sentences
    DIR/2-nli    a premise is closer to what it entails than to what contradicts it: ranking
    DIR/3-sts    the cosine is the score that people gave: regression

The corpus is as for `minitransformer pretrain`, the tables are as for `minitransformer train-sbert`. If you stop the
program and start it again, it resumes the stage that was stopped and leaves the finished ones alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from minitransformer import UserError
from minitransformer.interop.safetensors_files import WEIGHTS_FILE
from minitransformer.training.runs.pretraining import PretrainingRun, PretrainingSettings
from minitransformer.training.runs.run import Run, settings_file
from minitransformer.training.runs.sentences import SentencesRun, SentencesTrainingSettings


@click.command()
@click.argument("corpus", nargs=-1, required=True)
@click.option("--nli", required=True, help="Labelled pairs: entailment, contradiction, others.")
@click.option("--sts-train", required=True, help="Scored pairs to learn from.")
@click.option("--sts-dev", required=True, help="Scored pairs to choose the best model by.")
@click.option("--out", required=True, type=click.Path(path_type=Path))
@click.option("--steps", default=3_400, show_default=True, help="Of pretraining.")
def main(corpus: tuple[str, ...], nli: str, sts_train: str, sts_dev: str, out: Path, steps: int) -> None:
    """Pretrain on CORPUS, then train sentence embeddings."""
    bert, entailment, sts = (out / name for name in ("1-bert", "2-nli", "3-sts"))
    pretrain(bert, corpus, steps)
    train(entailment, bert, nli, sts_dev, objective="ranking", learning_rate=1e-3, batch_size=64, epochs=2)
    train(sts, entailment, sts_train, sts_dev, objective="regression", learning_rate=3e-4, epochs=4)


def pretrain(folder: Path, corpus: tuple[str, ...], steps: int) -> None:
    settings = PretrainingSettings(
        corpus=list(corpus),
        vocab_size=8192,
        batch_size=64,
        steps=steps,
        save_every=1000,
        held_out_every=100,
    )
    finish(PretrainingRun, folder, settings)


def train(folder: Path, model: Path, train: str, dev: str, **settings: Any) -> None:
    """A stage that begins with the model of the one before."""
    settings = {"model": str(model), "train": train, "dev": dev, "max_length": 64, **settings}
    finish(SentencesRun, folder, SentencesTrainingSettings(**settings))


def finish(run_type: type[Run], folder: Path, settings: Any) -> None:
    """Start a stage or resume it, unless it is finished, and report what it has learnt."""
    if not (folder / WEIGHTS_FILE).exists():
        run = run_type.resume(folder) if settings_file(folder).exists() else run_type.start(folder, settings)
        click.echo(run.report(run.train()))


if __name__ == "__main__":
    try:
        main()
    except UserError as error:  # a file that is missing or broken: one sentence says it all
        raise SystemExit(f"Error: {error}") from None
