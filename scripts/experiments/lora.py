"""LoRA against training all weights, and against none: how good, how large?

    python -m scripts.experiments.lora path/to/all-MiniLM-L6-v2 --train emotion/train.tsv --dev emotion/val.tsv

Each way is `minitransformer finetune` in a process of its own, with the same seed, epochs and batches, and with mean
pooling. The memory is the most that the process held.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import click

from minitransformer import UserError
from minitransformer.training.runs.classification import ClassificationRun
from scripts.pages import table


class Way(NamedTuple):
    name: str
    options: tuple[str, ...]


class Measured(NamedTuple):
    trained: int  # weights
    accuracy: float  # of the best evaluation
    memory: int  # bytes
    saved: int  # bytes


WAYS = (
    Way("all weights", ("--learning-rate", "2e-4")),
    Way("LoRA, rank 8", ("--lora", "8", "--learning-rate", "2e-3")),
    Way("only the classifier", ("--freeze-encoder", "--learning-rate", "2e-2")),
)
HEADER = ["trained", "weights", "share", "accuracy", "of all weights'", "memory, MB", "saved, MB"]


@click.command()
@click.argument("base")
@click.option("--train", required=True, help="Labelled texts to learn from (TSV).")
@click.option("--dev", required=True, help="Labelled texts to evaluate on (TSV).")
@click.option("--epochs", default=3, show_default=True, type=click.IntRange(1))
@click.option("--max-length", default=64, show_default=True, type=click.IntRange(3), help="Tokens per text.")
def main(base: str, train: str, dev: str, epochs: int, max_length: int) -> None:
    """Fine-tune BASE, a folder of a pretrained BERT, in every way."""
    shared = ["--train", train, "--dev", dev, "--epochs", str(epochs), "--max-length", str(max_length)]
    found = {}
    for way in WAYS:
        with tempfile.TemporaryDirectory() as folder:
            found[way.name] = measure(base, [*shared, "--pooling", "mean", *way.options], Path(folder, "run"))
        click.echo(f"{way.name}: {found[way.name]}", err=True)
    print(table(HEADER, rows_of(found)))


def measure(base: str, options: list[str], folder: Path) -> Measured:
    """Fine-tune in another process, and look at what it leaves."""
    command = [sys.executable, "-m", "minitransformer", "finetune", base, *options, "--out", str(folder)]
    process = subprocess.Popen(command, stdout=sys.stderr)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise UserError(f"{' '.join(command)} failed")
    best = json.loads((folder / "training/best.json").read_text(encoding="utf-8"))
    saved = sum(file.stat().st_size for file in folder.glob("*.safetensors"))
    trained = ClassificationRun.open(folder).model.storage.values.size
    return Measured(trained, best["accuracy"], 1024 * usage.ru_maxrss, saved)


def rows_of(found: dict[str, Measured]) -> list[list[str]]:
    """Each way beside the first, which trains all weights."""
    whole = next(iter(found.values()))
    return [
        [
            name,
            f"{way.trained:,}",
            f"{way.trained / whole.trained:.2%}",
            f"{way.accuracy:.2%}",
            f"{way.accuracy / whole.accuracy:.1%}",
            f"{way.memory / 1e6:.0f}",
            f"{way.saved / 1e6:.1f}",
        ]
        for name, way in found.items()
    ]


if __name__ == "__main__":
    main()
