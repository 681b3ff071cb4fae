"""Results as Markdown tables, and into the pages of docs/.

    python -m scripts.pages docs/experiments.md ice2 scripts/recipes/ice2.py
    python -m scripts.pages docs/benchmarks.md encode -m scripts.benchmarks.encode --rounds 3

Runs the program that the arguments after the first two name to Python, and puts what it prints into the page, between
the comments <!-- ice2 --> and <!-- /ice2 -->. If the program fails, the page stays as it is.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


def main() -> None:
    page, section, *program = sys.argv[1:]
    printed = subprocess.run([sys.executable, *program], check=True, stdout=subprocess.PIPE, text=True).stdout
    print(printed)
    fill_section(Path(page), section, printed.strip())


def fill_section(page: Path, section: str, markdown: str) -> None:
    """Replace what is between the two comments of a section. Raises ValueError if the page lacks them."""
    begin, end = f"<!-- {section} -->", f"<!-- /{section} -->"
    before, _, rest = page.read_text(encoding="utf-8").partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise ValueError(f"{page} has no section {section!r}; first write {begin} and {end} where it should be")
    page.write_text(f"{before}{begin}\n{markdown}\n{end}{after}", encoding="utf-8", newline="\n")


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table: the first column to the left, the others, which are numbers, to the right."""
    ruler = ["---"] + ["---:"] * (len(header) - 1)
    escaped = [[cell.replace("|", "\\|") for cell in cells] for cells in [header, ruler, *rows]]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in escaped)


if __name__ == "__main__":
    main()
