"""What all training commands share: their common options, and the way from these to a finished model."""

import dataclasses
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from minitransformer.cli._ranges import ABOVE_0, POSITIVE, SHARE
from minitransformer.training.loop import TrainingInterrupted
from minitransformer.training.lora import LoraTrainingSettings
from minitransformer.training.machines import Machines, this_job
from minitransformer.training.runs.run import RunType
from minitransformer.training.settings import TrainingSettings

NOT_SETTINGS = ("out", "resume")
PATHS = ("corpus", "model", "train", "dev", "further", "tokenizer_from", "log", "products")

Function = TypeVar("Function", bound=Callable[..., Any])


def setting_options(settings_type: type[TrainingSettings]) -> Callable[..., Callable[[Function], Function]]:
    """A decorator setting(name, kind, what) for options that are entries of these settings, with their defaults."""
    defaults = {field.name: field.default for field in dataclasses.fields(settings_type)}

    def setting(name: str, kind: click.ParamType, what: str) -> Callable[[Function], Function]:
        default = defaults[name]
        return click.option(
            f"--{name.replace('_', '-')}", type=kind, default=default, show_default=default is not None, help=what
        )

    return setting


def run_options(settings_type: type[TrainingSettings]) -> Callable[[Function], Function]:
    """The options of every training command, with the defaults of these settings."""
    setting = setting_options(settings_type)
    return _all_of(
        click.option("--resume", type=click.Path(path_type=Path), metavar="DIR", help="Resume the run in DIR."),
        setting("batch_size", POSITIVE, "Examples per step."),
        setting("learning_rate", ABOVE_0, "Learning rate at its peak, after a tenth of the steps."),
        setting("seed", click.IntRange(min=0), "Random seed for initial weights, data order and dropout."),
        setting("num_shards", POSITIVE, "Parts of a batch, each for one core; more parts need less memory."),
        click.option("--workers", type=POSITIVE, help="Cores to train on, at most --num-shards.  [default: all]"),
    )


def lora_options(settings_type: type[LoraTrainingSettings]) -> Callable[[Function], Function]:
    """The options of every command that can train updates of low rank in place of a model's weights."""
    setting = setting_options(settings_type)
    lora = "Train updates of this rank in place of the weights, with a larger --learning-rate, and save an adapter."
    return _all_of(
        click.option("--lora", type=POSITIVE, metavar="RANK", help=lora),
        setting("lora_alpha", ABOVE_0, "What the updates are multiplied by, times RANK.  [default: twice RANK]"),
        setting("lora_dropout", SHARE, "Dropout of what goes into the updates."),
    )


def fine_tuning_options(settings_type: type[LoraTrainingSettings]) -> Callable[[Function], Function]:
    """MODEL and the options of every command that trains it further on tables."""
    setting = setting_options(settings_type)
    return _all_of(
        click.argument("model", required=False),
        click.option("--train", metavar="TSV", help="Examples to learn from."),
        click.option("--dev", metavar="TSV", help="Examples to evaluate on; the best model on them is kept."),
        click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="The new model's folder."),
        setting("epochs", POSITIVE, "Times through the training examples."),
        setting("max_length", POSITIVE, "Tokens per text.  [default: as many as the model takes]"),
        setting("evaluations_per_epoch", POSITIVE, "How often the model is evaluated and a checkpoint saved."),
        lora_options(settings_type),
        run_options(settings_type),
    )


def _all_of(*options: Callable[[Function], Function]) -> Callable[[Function], Function]:
    def decorate(function: Function) -> Function:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def train(run_type: type[RunType], context: click.Context, default_out: str | None = None) -> RunType:
    """Start or resume the run that the command line asks for, train it to the end, and report what it has learnt.

    A new run needs the options of settings without a default, and --out if there is no default_out.
    """
    command, workers, machines = context.info_name, context.params["workers"], this_job()
    if context.params["resume"]:
        run = _resume(run_type, context, machines)
    else:
        run = _start(run_type, context, default_out, machines)
    processes = f" in each of {machines.size} processes" if machines.size > 1 else ""
    click.echo(f"{run.describe()}\nCores: {run.settings.cores(workers, machines.size)}{processes}")
    try:
        metrics = run.train(workers)
    except TrainingInterrupted as stopped:
        click.echo(f"Stopped after step {stopped.step}. Resume with: minitransformer {command} --resume {run.folder}")
        raise
    if machines.rank == 0:
        click.echo(f"\n{run.report(metrics)}\n")
    return run


def _resume(run_type: type[RunType], context: click.Context, machines: Machines) -> RunType:
    given = [name for name in context.params if context.get_parameter_source(name) == ParameterSource.COMMANDLINE]
    fixed = [_option(context, name) for name in given if name not in ("resume", "workers")]
    if fixed:
        raise click.UsageError(f"--resume keeps the settings of the start; leave out {', '.join(fixed)}")
    return _begin(machines, partial(run_type.resume, context.params["resume"]), run_type, context.params["resume"])


def _start(run_type: type[RunType], context: click.Context, default_out: str | None, machines: Machines) -> RunType:
    options = {**context.params, "out": context.params["out"] or default_out, "processes": machines.size}
    if context.get_parameter_source("num_shards") == ParameterSource.DEFAULT:
        options["num_shards"] = max(options["num_shards"], machines.size)
    if options["num_shards"] < machines.size:
        raise click.UsageError(f"--num-shards {options['num_shards']} gives {machines.size} processes too little to do")
    fields = dataclasses.fields(run_type.settings_type)
    needed = [field.name for field in fields if field.default is field.default_factory is dataclasses.MISSING]
    missing = [_option(context, name) for name in (*needed, "out") if options[name] is None]
    if missing:
        raise click.UsageError(f"missing: {', '.join(missing)} (or --resume DIR)")
    settings = {name: _setting(name, value) for name, value in options.items() if name not in NOT_SETTINGS}
    folder = Path(options["out"])
    return _begin(machines, partial(run_type.start, folder, run_type.settings_type(**settings)), run_type, folder)


def _begin(machines: Machines, begin: Callable[..., RunType], run_type: type[RunType], folder: Path) -> RunType:
    """The run that the first process begins. The others open what it has prepared in the folder."""
    runs: list[RunType] = []
    machines.first(lambda: runs.append(begin(machines=machines)))
    machines.all(lambda: None if runs else runs.append(run_type.open(folder, machines)))
    return runs[0]


def _option(context: click.Context, name: str) -> str:
    """How the command line calls a setting."""
    [parameter] = [parameter for parameter in context.command.params if parameter.name == name]
    return name.upper() if isinstance(parameter, click.Argument) else parameter.opts[0]


def _setting(name: str, value: Any) -> Any:
    """An option's value as it is saved with the run, which may be resumed from another folder."""
    if isinstance(value, tuple):
        return [_setting(name, item) for item in value]
    is_path = name in PATHS and value is not None
    return str(Path(value).resolve()) if is_path and Path(value).exists() else value
