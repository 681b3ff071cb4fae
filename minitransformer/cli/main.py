"""The entry point: finds the command, runs it, and turns a user's mistake into one sentence."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
import warnings
from types import ModuleType
from typing import Any

import click

from minitransformer import __version__, cli
from minitransformer.errors import UserError

INTERRUPTED = 130  # a shell's status for a command that Ctrl-C ended


class CommandPerModule(click.Group):
    """`minitransformer fill-mask` is `command` in minitransformer/cli/fill_mask.py, imported when it is called."""

    def __init__(self, package: ModuleType, **options: Any) -> None:
        super().__init__(**options)
        self.package = package

    def list_commands(self, context: click.Context) -> list[str]:
        names = {module.name for module in pkgutil.iter_modules(self.package.__path__)} - {"main"}
        return sorted(name.replace("_", "-") for name in names if not name.startswith("_"))

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in self.list_commands(context):
            return None
        return importlib.import_module(f"{self.package.__name__}.{name.replace('-', '_')}").command


@click.command(cls=CommandPerModule, package=cli, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="minitransformer")
def minitransformer() -> None:
    """BERT and Sentence-BERT in pure NumPy."""


def main() -> None:
    """Run the command line. A UserError becomes its sentence on standard error and status 1, a warning a note there."""
    with warnings.catch_warnings():
        warnings.showwarning = _print_note
        _run()


def _run() -> None:
    try:
        status = minitransformer(standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        sys.exit(2)
    except (UserError, click.ClickException) as error:
        message = error.format_message() if isinstance(error, click.ClickException) else str(error)
        click.echo(f"Error: {message}", err=True)
        sys.exit(2 if isinstance(error, click.UsageError) else 1)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(INTERRUPTED)
    except BrokenPipeError:  # the reader of our output, such as `head`, has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print_note(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: object = None,
    line: object = None,
) -> None:
    """What `warnings` calls to show a warning: a user wants the message, not the line of code that it came from."""
    click.echo(f"Note: {message}", err=True)
