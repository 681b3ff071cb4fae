"""Results as tables, put into the pages of docs/ by the scripts that found them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from minitransformer.files import replacing, write_text


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table: the first column to the left, the others, which are numbers, to the right."""
    ruler = ["---"] + ["---:"] * (len(header) - 1)
    escaped = [[cell.replace("|", "\\|") for cell in cells] for cells in [header, ruler, *rows]]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in escaped)


def publish(name: str, markdown: str, page: Path | None) -> None:
    """Print a section; with a page, also put it between the page's two comments <!-- name --> and <!-- /name -->."""
    print(markdown)
    if page is None:
        return
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    text = page.read_text(encoding="utf-8") if page.exists() else f"# {page.stem.capitalize()}\n"
    if begin not in text:
        text = f"{text.rstrip()}\n\n{begin}\n{end}\n"
    before, rest = text.split(begin, 1)
    with replacing(page) as beside:
        write_text(f"{before}{begin}\n{markdown}\n{end}{rest.split(end, 1)[1]}", beside)
