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
        columns = zip(*self.rows, strict=True)
        classes = ["number" if all(map(is_number, column)) else None for column in columns] or [None] * len(self.header)
        head = element(
            "tr", *(element("th", cell, scope="col", class_=c) for cell, c in zip(self.header, classes, strict=True))
        )
        body = [
            element(
                "tr",
                element("th", first, scope="row"),
                *(element("td", cell, class_=c) for cell, c in zip(rest, classes[1:], strict=True)),
            )
            for first, *rest in self.rows
        ]
        caption = element("caption", self.caption)
        return scrolling(
            element("table", caption, element("thead", head), element("tbody", *body), id=name), self.caption
        )


def scrolling(content: Element, name: str) -> Element:
    """A box with that name, which the keyboard reaches and scrolls too."""
    return element("div", content, class_="scrolling", role="region", aria_label=name, tabindex=0)
