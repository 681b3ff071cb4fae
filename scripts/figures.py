"""The figures of docs/: a program docs/figures/NAME.py with data() and draw(data), and what that drew, NAME.svg.

    python -m scripts.figures                           draws those anew that need nothing
    python -m scripts.figures NAME ARGUMENT ...         draws one; the arguments are those of its data()

The data are in the SVG too, under <metadata>. So the test run (tests/scripts/test_figures.py) computes data() anew,
compares it with what is in the file, draws that and compares the drawings: no number of a figure is out of date.
"""

import inspect
import json
import runpy
import sys
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

FIGURES = Path(__file__).parents[1] / "docs" / "figures"
METADATA = "{http://www.w3.org/2000/svg}metadata"
DIGITS = 6  # of a number in a figure


class Figure(NamedTuple):
    data: Any
    draw: Any
    file: Path

    @property
    def arguments(self) -> int:
        """How many data() takes: a figure that takes some can't be drawn from nothing."""
        return len(inspect.signature(self.data).parameters)

    def text(self, data: Any) -> str:
        return f"{self.draw(data)}\n"


def figures() -> dict[str, Figure]:
    return {file.stem: load(file) for file in sorted(FIGURES.glob("*.py"))}


def load(file: Path) -> Figure:
    program = runpy.run_path(str(file))
    return Figure(program["data"], program["draw"], file.with_suffix(".svg"))


def data_in(svg: str) -> Any:
    """What a figure was drawn from."""
    found = ElementTree.fromstring(svg).find(METADATA)
    assert found is not None, "the figure has no data"
    return json.loads(found.text or "")


def rounded(value: Any) -> Any:
    """With numbers of DIGITS digits."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def main() -> None:
    known, (name, *arguments) = figures(), sys.argv[1:] or [None]
    chosen = [known[name]] if name else [figure for figure in known.values() if not figure.arguments]
    for figure in chosen:
        figure.file.write_text(figure.text(rounded(figure.data(*arguments))), encoding="utf-8", newline="\n")
        print(figure.file)


if __name__ == "__main__":
    main()
