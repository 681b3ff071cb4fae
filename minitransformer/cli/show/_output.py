"""Where a picture goes: a file of the form that its name asks for, the browser, or the terminal."""

import json
import tempfile
import webbrowser
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, NamedTuple

import click

from minitransformer.cli._json import json_option, plain, print_json
from minitransformer.errors import UserError
from minitransformer.files import replacing, write_text
from minitransformer.pictures.picture import Picture

FORMS: dict[str, Callable[[Picture], str]] = {
    ".html": Picture.as_page,
    ".svg": Picture.as_svg,
    ".json": lambda picture: json.dumps(plain(picture.data), ensure_ascii=False, allow_nan=False) + "\n",
}
OPTIONS = [
    click.option("--out", type=click.Path(), metavar="FILE", help="A file to write, ending in .html, .svg or .json."),
    click.option("--open", "to_open", is_flag=True, help="Show the page in a browser."),
    json_option,
]


class Output(NamedTuple):
    out: str | None
    to_open: bool
    as_json: bool

    def show(self, picture: Picture) -> None:
        """Print the picture's numbers, unless it goes to a file or a browser."""
        if self.out is not None:
            _write(picture, Path(self.out))
        if self.to_open:
            _open(picture, self.out)
        if self.as_json:
            print_json(picture.data)
        elif self.out is None and not self.to_open:
            click.echo(picture.as_text())


def picture_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--out, --open and --json of a command, which gets them as its argument `output`."""

    @wraps(command)
    def with_output(out: str | None, to_open: bool, as_json: bool, **arguments: Any) -> Any:
        if out is not None and Path(out).suffix not in FORMS:
            raise UserError(f"--out is {out!r}; the file's name must end in .html, .svg or .json")
        return command(output=Output(out, to_open, as_json), **arguments)

    with_options: Callable[..., Any] = with_output
    for option in reversed(OPTIONS):
        with_options = option(with_options)
    return with_options


def _write(picture: Picture, file: Path) -> None:
    with replacing(file) as beside:
        write_text(FORMS[file.suffix](picture), beside)
    click.echo(f"{file}: {picture.finding}", err=True)


def _open(picture: Picture, out: str | None) -> None:
    """The page that was just written, or one in the folder for temporary files, which has to stay there."""
    if out is not None and out.endswith(".html"):
        file = Path(out)
    else:
        file = Path(tempfile.mkdtemp(), "picture.html")
        write_text(picture.as_page(), file)
    if not webbrowser.open(file.resolve().as_uri()):
        click.echo(f"There is no browser to open here; the page is {file}", err=True)
