"""minitransformer show training RUN [...]: the curves of training runs."""

from pathlib import Path

import click

from minitransformer.cli.show._output import Output, picture_options
from minitransformer.errors import UserError
from minitransformer.evaluation.pretraining import pretraining_baselines, token_counts
from minitransformer.pictures.training import TrainedRun, training_picture
from minitransformer.training.metrics import read_metrics
from minitransformer.training.runs.gpt_pretraining import GptPretrainingRun
from minitransformer.training.runs.pretraining import PretrainingRun


@click.command()
@click.argument("runs", type=click.Path(), nargs=-1, required=True, metavar="RUN [...]")
@picture_options
def command(output: Output, runs: tuple[str, ...]) -> None:
    """Show losses, learning rate and gradient norm of training runs.

    Beside the losses of pretraining stands what they must beat: ln V, all tokens equally likely; the entropy of the
    text's tokens, which is what guessing by frequency gets; and for next sentences ln 2. A RUN is the folder that a
    training command writes, finished or not.

    \b
    Example:
      minitransformer show training my-bert --out curves.svg
    """
    output.show(training_picture([read_run(Path(folder)) for folder in runs]))


def read_run(folder: Path) -> TrainedRun:
    lines = [line for line in read_metrics(folder / "metrics.jsonl") if "step" in line]
    if not any("loss" in line for line in lines):
        raise UserError(f"{folder} has no record of a training step: {folder / 'metrics.jsonl'} is missing or empty")
    return TrainedRun(folder.name, lines, to_beat(folder))


def to_beat(folder: Path) -> dict[str, float]:
    """The losses that a model gets which reads nothing; none for a run that isn't pretraining."""
    try:
        run = PretrainingRun.open(folder)
    except UserError:
        return _gpt_to_beat(folder)
    counts = token_counts(run.corpus, run.training.documents, run.tokenizer)
    baselines = pretraining_baselines(counts, run.held_out_batches)
    losses = {"ln V": baselines.uniform, "unigram entropy": baselines.unigram_entropy}
    return {**losses, "ln 2": baselines.even_chance} if run.settings.next_sentence else losses


def _gpt_to_beat(folder: Path) -> dict[str, float]:
    try:
        baselines = GptPretrainingRun.open(folder).baselines
    except UserError:
        return {}
    return {"ln V": baselines.uniform_per_token, "unigrams": baselines.unigram_per_token}
