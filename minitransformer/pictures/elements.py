"""SVG and HTML as trees of elements, so that what is text stays text.

>>> print(element("text", "1 < 2", x=3.0, class_="label"))
<text x="3" class="label">1 &lt; 2</text>
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

VOID = ("meta", "link", "input", "br")  # elements of HTML that have no end


class Raw(str):
    """What goes into the file as it is: a style, a script."""


@dataclass(frozen=True)
class Element:
    name: str
    attributes: Mapping[str, str]
    children: tuple["Element | str", ...]

    def __str__(self) -> str:
        start = " ".join([self.name, *(f'{name}="{escape(value)}"' for name, value in self.attributes.items())])
        if self.name in VOID:
            return f"<{start}>"
        inside = "".join(_text(child) for child in self.children)
        return f"<{start}>{inside}</{self.name}>"


def element(name: str, /, *children: Element | str, **attributes: Any) -> Element:
    """An element. class_="a" is the attribute class, stroke_width stroke-width; numbers have two decimals at most.

    True is an attribute without a value, False or None none at all.
    """
    given = {key: value for key, value in attributes.items() if value is not None and value is not False}
    return Element(name, {_name(key): _value(value) for key, value in given.items()}, children)


def json_script(name: str, content: Any) -> Element:
    """Data for a page's script, which finds it by its name."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return element("script", Raw(text), type="application/json", id=name)


def _text(child: Element | str) -> str:
    return str(child) if isinstance(child, Element | Raw) else escape(child, quote=False)


def _name(key: str) -> str:
    return key.rstrip("_").replace("_", "-")


def _value(value: Any) -> str:
    if value is True:
        return ""
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
