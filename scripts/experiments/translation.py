"""Translating captions of pictures, English to German: what a run of `train-seq2seq` is worth, and what an epoch costs.

    python -m scripts.experiments.translation pairs train.en.gz train.de.gz > train.tsv
    python -m scripts.experiments.translation pairs val.en.gz val.de.gz > val.tsv
    minitransformer train-seq2seq --train train.tsv --dev val.tsv --size mini --vocab-size 5000 --out en-de
    python -m scripts.experiments.translation measure en-de

The files are Multi30k's (Elliott et al. 2016, arXiv 1605.00459), a sentence a line, of which line i is the same picture
in every language. BLEU is sacrebleu's with its default tokenizer, 13a, upper and lower case told apart. An epoch's
time is that of some of its steps, in processor seconds, which two cores share.
"""

from __future__ import annotations

import gzip
import time
from pathlib import Path

import click
import numpy as np

from minitransformer import AdamW, Workers, clip_scale
from minitransformer.evaluation.translation import translation_quality
from minitransformer.inference.translation import translate
from minitransformer.randomness import generator
from minitransformer.training.memory import keep_freed_memory
from minitransformer.training.metrics import read_metrics
from minitransformer.training.runs.translation import TranslationRun
from scripts.pages import table

BEAMS = 4


@click.group()
def main() -> None:
    """Translating captions."""


@main.command()
@click.argument("sources", type=click.Path(path_type=Path))
@click.argument("targets", type=click.Path(path_type=Path))
def pairs(sources: Path, targets: Path) -> None:
    """Print two gzipped files, a sentence a line, as a table of pairs."""
    click.echo("source\ttarget")
    for pair in zip(sentences(sources), sentences(targets), strict=True):
        click.echo("\t".join(pair))


@main.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--timed", default=12, show_default=True, help="Steps to measure the time of an epoch with.")
def measure(run: Path, timed: int) -> None:
    """Measure a finished RUN on its --dev table."""
    finished = TranslationRun.open(run)
    sources, references = finished.dev.texts
    contenders = {
        "the source as it is": sources,
        "greedy": translations(finished, num_beams=1),
        f"{BEAMS} beams": translations(finished, num_beams=BEAMS),
    }
    print(f"{run_line(finished)}\n\n{quality_table(contenders, references)}\n")
    seconds = epoch_seconds(finished, timed)  # after the translations, since it changes the model
    print(f"An epoch takes {seconds:.0f} s of one processor, by {timed} of its steps.")


def sentences(file: Path) -> list[str]:
    """The lines of a gzipped file. A tab would divide columns, so it becomes a space."""
    text = gzip.decompress(file.read_bytes()).decode("utf-8")
    return [" ".join(line.split()) for line in text.removesuffix("\n").split("\n")]


def run_line(run: TranslationRun) -> str:
    steps = [line for line in read_metrics(run.metrics_file) if "tokens" in line]
    tokens = sum(step["tokens"] for step in steps)
    return (
        f"{len(run.pairs):,} pairs, {run.settings.epochs} epochs, {tokens / 1e6:.1f} M tokens read in {len(steps):,} "
        f"steps; {run.tokenizer.vocab_size:,} byte pairs of both languages, {run.model.num_parameters:,} parameters."
    )


def translations(run: TranslationRun, num_beams: int) -> list[str]:
    found = translate(run.model, run.dev_pairs.sources, num_beams=num_beams)
    return [run.tokenizer.decode(ids) for ids in found]


def quality_table(contenders: dict[str, list[str]], references: list[str]) -> str:
    rows = []
    for name, texts in contenders.items():
        quality = translation_quality(texts, references)
        rows.append([name, *(f"{number:.1f}" for number in (quality.bleu, quality.chrf, quality.exact_match))])
    return table([f"{len(references):,} sentences", "BLEU (13a)", "chrF2", "exactly the reference, %"], rows)


def epoch_seconds(run: TranslationRun, num_timed: int) -> float:
    """Processor seconds of an epoch on one worker, by num_timed steps after a first one. The model goes on learning."""
    keep_freed_memory()
    optimizer, seconds = AdamW(run.model.storage), []
    with Workers(run.model, 1) as workers:
        for step in range(num_timed + 1):
            began = time.process_time()
            _, norm = run.task.gradients(workers, run.task.batch(step), generator(0, "dropout", step))
            optimizer.step(1e-5, clip_scale(norm, run.settings.max_gradient_norm), workers.spread)
            seconds.append(time.process_time() - began)
    return float(np.mean(seconds[1:])) * run.steps / run.settings.epochs


if __name__ == "__main__":
    main()
