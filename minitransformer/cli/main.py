"""The entry point: finds the command, runs it, and turns a user's mistake into one sentence."""

import os
import signal
import sys
import warnings

import click

from minitransformer import __version__
from minitransformer.cli._command_group import CommandGroup
from minitransformer.cli._texts import DASH_ADVICE, TEXT
from minitransformer.errors import UserError, printable
from minitransformer.parallel import num_processes

SECTIONS = {
    "Train": ("pretrain", "pretrain-gpt", "train-seq2seq", "finetune", "train-sbert", "train-towers", "merge-lora"),
    "Ask": ("generate", "complete", "translate", "fill-mask", "next-sentence", "predict", "embed", "similarity"),
    "Shop": ("index", "search", "suggest", "serve", "train-suggest", "export"),
    "Look": ("show", "inspect", "doctor"),
    "Measure": ("evaluate",),
}


@click.command(
    cls=CommandGroup,
    package="minitransformer.cli",
    sections=SECTIONS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="minitransformer")
def minitransformer() -> None:
    """The Transformer in pure NumPy: BERT, Sentence-BERT, GPT, and search.

    `minitransformer COMMAND -h` explains a command. To begin with, pretrain a BERT on text that is already here:

    \b
    Example:
      minitransformer pretrain

    The exit status is 0 for success, 1 for an error, 2 for a wrong command line, 130 for Ctrl-C and 143 for SIGTERM.
    """


def main() -> None:
    """Run the command line, and exit with its status."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # which cleans up, as Ctrl-C does
    with warnings.catch_warnings():
        warnings.showwarning = _print_note
        if num_processes() > 1:
            from minitransformer.cli._processes import run_with_others  # brings NumPy, which takes a moment

            sys.exit(run_with_others(_run))
        sys.exit(_run())


def _run() -> int:
    try:
        status = minitransformer(standalone_mode=False)
        return status if isinstance(status, int) else 0
    except click.NoSuchOption as error:
        error.show()
        if error.ctx and any(parameter.type is TEXT for parameter in error.ctx.command.params):
            click.echo(DASH_ADVICE, err=True)
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except UserError as error:
        click.echo(f"Error: {error}", err=True)
        return 1
    except click.Abort as error:  # what click makes of KeyboardInterrupt, which training raises for SIGTERM, too
        return 128 + getattr(error.__cause__, "signal_number", signal.SIGINT)
    except OSError as error:
        if error.filename is not None:
            raise
        # Python writes what is left of the output when it exits; where that failed once, it would fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        click.echo(f"Error: standard output can't be written: {error.strerror}", err=True)
        return 1


def _print_note(message: Warning | str, *_: object, **__: object) -> None:
    """What `warnings` calls to show a warning: a user wants the message, not the line of code that it came from."""
    click.echo(f"Note: {printable(message)}", err=True)
