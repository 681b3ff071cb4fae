"""Options that the training commands share."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from minitransformer.training.loop import TrainingInterrupted
from minitransformer.training.settings import TrainingSettings

POSITIVE = click.IntRange(min=1)

Function = TypeVar("Function", bound=Callable[..., Any])


class FiniteFloatRange(click.FloatRange):
    """A range that nan and inf aren't in."""

    def convert(self, value: Any, param: click.Parameter | None, context: click.Context | None) -> float:
        number = super().convert(value, param, context)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, context)
        return number


ABOVE_0 = FiniteFloatRange(min=0, min_open=True)
SHARE = FiniteFloatRange(0, 1, max_open=True)

resume_option = click.option(
    "--resume", type=click.Path(path_type=Path), metavar="DIR", help="Go on with the stopped run in DIR."
)
workers_option = click.option("--workers", type=POSITIVE, help="Cores to use, --num-shards at most.  [default: all]")


def settings_options(settings_type: type[TrainingSettings]) -> Callable[..., Callable[[Function], Function]]:
    """A decorator setting(name, kind, what) for options that are entries of these settings, with their defaults."""
    defaults = {field.name: field.default for field in dataclasses.fields(settings_type)}

    def setting(name: str, kind: click.ParamType, what: str) -> Callable[[Function], Function]:
        default = defaults[name]
        option = f"--{name.replace('_', '-')}"
        return click.option(option, type=kind, default=default, show_default=default is not None, help=what)

    return setting


def refuse_options_beside_resume(context: click.Context) -> None:
    given = [name for name in context.params if context.get_parameter_source(name) == ParameterSource.COMMANDLINE]
    fixed = [name for name in given if name not in ("resume", "workers")]
    if fixed:
        words = ["MODEL" if name == "model" else f"--{name.replace('_', '-')}" for name in fixed]
        raise click.UsageError(
            f"--resume goes on with the settings that the run began with; leave out {', '.join(words)}"
        )


def stopped_message(stopped: TrainingInterrupted, command: str, folder: Path) -> str:
    return f"Stopped after step {stopped.step}. Go on with: minitransformer {command} --resume {folder}"
