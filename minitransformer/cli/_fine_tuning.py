"""What `train-sbert` and `finetune` share: their common options, and the way from a run to a finished model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from minitransformer.cli._options import (
    ABOVE_0,
    POSITIVE,
    Function,
    refuse_options_beside_resume,
    resume_option,
    settings_options,
    stopped_message,
    workers_option,
)
from minitransformer.training.loop import TrainingInterrupted
from minitransformer.training.runs.fine_tuning import FineTuningRun, FineTuningSettings

REQUIRED = ("model", "train", "dev", "out")

Run = TypeVar("Run", bound=FineTuningRun)


def fine_tuning_options(settings_type: type[FineTuningSettings]) -> Callable[[Function], Function]:
    """MODEL and the options of every fine-tuning run, with the defaults of these settings."""
    setting = settings_options(settings_type)
    options = [
        click.argument("model", required=False),
        click.option("--train", metavar="TSV", help="Examples to learn from."),
        click.option("--dev", metavar="TSV", help="Examples to evaluate on; the best model on them is kept."),
        click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="The new model's folder."),
        resume_option,
        setting("epochs", POSITIVE, "Times through the training examples."),
        setting("batch_size", POSITIVE, "Examples of a step."),
        setting("learning_rate", ABOVE_0, "At its peak, after a tenth of the steps."),
        setting("max_length", POSITIVE, "Tokens of a text.  [default: what the model takes]"),
        setting("evaluations_per_epoch", POSITIVE, "How often the model is evaluated and a checkpoint saved."),
        setting("num_shards", POSITIVE, "Parts of a batch, each for one core; more need less memory."),
        setting("seed", click.IntRange(min=0), "Of first weights, order and dropout."),
        workers_option,
    ]

    def decorate(function: Function) -> Function:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def start_or_resume(
    run_type: type[Run], context: click.Context, resume: Path | None, required: tuple[str, ...] = REQUIRED
) -> Run:
    """The run that the command line asks for."""
    if resume:
        refuse_options_beside_resume(context)
        return run_type.resume(resume)
    given = {name: value for name, value in context.params.items() if name not in ("resume", "workers")}
    missing = ["MODEL" if name == "model" else f"--{name}" for name in required if given[name] is None]
    if missing:
        raise click.UsageError(f"missing: {', '.join(missing)} (or --resume DIR)")
    out = given.pop("out")
    settings: dict[str, Any] = {
        name: list(value) if isinstance(value, tuple) else value for name, value in given.items()
    }
    for name in ("model", "train", "dev"):  # the run may be resumed from elsewhere
        if Path(given[name]).exists():
            settings[name] = str(Path(given[name]).resolve())
    return run_type.start(out, run_type.settings_type(**settings))


def train(run: FineTuningRun, evaluate: Callable[[], Any], workers: int | None, command: str) -> dict[str, float]:
    """Train to the end, write the best model into the run's folder, and return the evaluation of that."""
    settings = run.settings
    click.echo(
        f"Model: {settings.model}, {run.model.num_parameters:,} parameters\n"
        f"Training: {run.num_examples:,} examples of {settings.train}; epochs: {settings.epochs}, steps: {run.steps:,} "
        f"of {settings.batch_size} examples, cores: {settings.cores(workers)}"
    )
    try:
        run.loop(evaluate).run(workers)
    except TrainingInterrupted as stopped:
        click.echo(stopped_message(stopped, command, run.folder))
        raise
    return run.finish()


def described(scores: dict[str, float]) -> str:
    """
    >>> described({"accuracy": 0.92971, "macro_f1": 0.891})
    'accuracy 0.930, macro f1 0.891'
    """
    return ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in scores.items())
