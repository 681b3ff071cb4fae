"""What a command shows, in four forms: text for a terminal, a drawing, a page, and the data that they are made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from minitransformer.pictures.drawing import Drawing, svg
from minitransformer.pictures.elements import Element, element
from minitransformer.pictures.page import page
from minitransformer.pictures.table import Table, scrolling


@dataclass(frozen=True)
class Picture:
    """title     what it is a picture of
    finding   a sentence that says what is to be seen, and that the data bears
    data      arrays and words, for programs
    tables    the numbers that matter most, for people
    drawing   the picture itself
    contents  what the page has under the finding, if it isn't the tables and the drawing
    script    the file of pictures/ that makes it answer to the reader
    """

    title: str
    finding: str
    data: Mapping[str, Any]
    tables: tuple[Table, ...]
    drawing: Drawing
    contents: tuple[Element, ...] = ()
    script: str | None = None

    def as_text(self) -> str:
        return "\n\n".join([self.finding, *(table.as_text() for table in self.tables)])

    def as_svg(self) -> str:
        return f"{svg(self.drawing, self.title, self.finding)}\n"

    def as_page(self) -> str:
        drawing = element("figure", scrolling(svg(self.drawing, self.title, self.finding), "The drawing"))
        contents = self.contents or (*(table.as_element() for table in self.tables), drawing)
        return page(self.title, self.finding, contents, [*([self.script] if self.script else []), "save.js"])
