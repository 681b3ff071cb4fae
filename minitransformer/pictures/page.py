"""A page that is one file: it asks for nothing else, from a disk as from a server."""

from collections.abc import Sequence
from pathlib import Path

from minitransformer.pictures.colours import ink_on, share_colour, signed_colour
from minitransformer.pictures.elements import Element, Raw, element

FOLDER = Path(__file__).parent
STEPS = 10  # of the ramps of colours that a page has classes for: c0 to c10, and n1 to n10 under 0


def page(title: str, finding: str, contents: Sequence[Element], scripts: Sequence[str] = ()) -> str:
    """The page's text: its title, the sentence that says what is to be seen, and what shows it.

    `scripts` are names of files of this folder. Without scripts the page shows what is in it.
    """
    head = [
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("link", rel="icon", href="data:,"),
        element("style", Raw(_text("page.css") + _ramps())),
    ]
    body = [element("h1", title), element("p", finding, id="finding", aria_live="polite"), *contents]
    run = [element("script", Raw(_text(script))) for script in scripts]
    html = element("html", element("head", *head), element("body", element("main", *body), *run), lang="en")
    return f"<!doctype html>\n{html}\n"


def step_class(value: float) -> str:
    """The class of a value between -1 and 1 that gives its cell a colour.

    >>> step_class(0.64), step_class(-0.28), step_class(0.01)
    ('c6', 'n3', 'c0')
    """
    step = round(STEPS * abs(value))
    return f"n{step}" if value < 0 < step else f"c{step}"


def _ramps() -> str:
    shares = {f"c{step}": share_colour(step / STEPS) for step in range(STEPS + 1)}
    negative = {f"n{step}": signed_colour(-step / STEPS) for step in range(1, STEPS + 1)}
    return "".join(
        f".{name}{{background:{colour};color:{ink_on(colour)}}}" for name, colour in {**shares, **negative}.items()
    )


def _text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
