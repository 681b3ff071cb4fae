"""A command as one of several processes that mpiexec has started: the first of them speaks for all."""

import sys
import traceback
from collections.abc import Callable
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from io import StringIO

import click

from minitransformer.errors import UserError
from minitransformer.training.machines import this_job


def run_with_others(run: Callable[[], int]) -> int:
    """The exit status of run(). What processes but the first would print is lost, and shown of one that fails alone."""
    try:
        job = this_job()
    except UserError as error:
        click.echo(f"Error: {error}", err=True)
        return 1
    said = StringIO()
    with ExitStack() as muted:
        if job.rank > 0:
            muted.enter_context(redirect_stdout(StringIO()))
            muted.enter_context(redirect_stderr(said))
        try:
            status = run()
        except Exception:
            traceback.print_exc()
            status = 1
    if not job.end(status):
        if job.rank > 0:
            print(f"process {job.rank} of {job.size}: {said.getvalue().strip()}", file=sys.stderr, flush=True)
        job.abort(status)
    return status
