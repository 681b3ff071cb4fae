"""A table of words and numbers, as lines for a terminal and as an element of a page."""

from collections.abc import Sequence
from typing import NamedTuple

from minitransformer.formatting import format_table, is_number
from minitransformer.pictures.elements import Element, element


class Table(NamedTuple):
    """The first cell of each row names it."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]

    def as_text(self) -> str:
        return f"{self.caption}\n{format_table([self.header, *self.rows])}"

    def as_element(self, name: str | None = None) -> Element:
        """In a box that scrolls by itself where the page is narrower than the table; `name` is the table's id."""
        head = element("tr", *(element("th", cell, scope="col") for cell in self.header))
        body = [
            element("tr", element("th", first, scope="row"), *(_cell(cell) for cell in rest))
            for first, *rest in self.rows
        ]
        caption = element("caption", self.caption)
        return scrolling(
            element("table", caption, element("thead", head), element("tbody", *body), id=name), self.caption
        )


def scrolling(content: Element, name: str) -> Element:
    """A box with that name, which the keyboard reaches and scrolls too."""
    return element("div", content, class_="scrolling", role="region", aria_label=name, tabindex=0)


def _cell(text: str) -> Element:
    return element("td", text, class_="number" if is_number(text) else None)
