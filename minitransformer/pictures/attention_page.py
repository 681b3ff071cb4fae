"""The page of attention: any token and any head can be chosen (attention.js), and a text can stand beside another."""

import base64
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from minitransformer.inference.attention_maps import Look
from minitransformer.pictures.attention_tables import AttendedText, Question, head_table, look_numbers
from minitransformer.pictures.elements import Element, element, json_script
from minitransformer.pictures.page import step_class
from minitransformer.pictures.table import Table, scrolling

HEADS_OF_A_TOKEN = 8  # in the table, once a token is chosen
HINT = "Choose the token that looks, and a head; in the grid of heads the arrow keys go from one to the next."
GRID = "All heads: how far the chosen token's best look is above the other tokens', in hundredths"


def attention_page(
    texts: Sequence[AttendedText], heads: Table, question: Question, chosen: Look
) -> tuple[Element, ...]:
    """What stands under the finding; without scripts, the best heads and the chosen one."""
    switch = element("label", element("input", type="checkbox", id="minus"), " minus the mean of the other tokens")
    num_layers, num_heads = texts[0].maps.weights.shape[:2]
    return (
        heads.as_element("ranking"),
        element("h2", "Who looks at whom"),
        element("p", HINT, class_="quiet"),
        *(_words(text, f"text {number}") for number, text in enumerate(texts, 1)),
        switch,
        element("div", *(_map(text, chosen) for text in texts), class_="pair"),
        _grid(num_layers, num_heads),
        json_script("data", _for_the_script(texts, question, chosen)),
    )


def _words(text: AttendedText, name: str) -> Element:
    buttons = [element("button", token, class_="c0") for token in text.tokens]
    return element("div", *buttons, class_="words", role="group", aria_label=name)


def _map(text: AttendedText, look: Look) -> Element:
    """The look's head as a table whose cells have colours."""
    table = head_table(text, look)
    head = element("tr", element("td"), *(element("th", token, scope="col") for token in table.header[1:]))
    *rows, means = [
        element("tr", element("th", first, scope="row"), *map(_cell, shares)) for first, *shares in table.rows
    ]
    parts = element("thead", head), element("tbody", *rows), element("tfoot", means)
    return scrolling(element("table", element("caption", table.caption), *parts, class_="map"), " ".join(text.tokens))


def _cell(hundredths: str) -> Element:
    return element("td", hundredths, class_=step_class(int(hundredths) / 100) if hundredths else None)


def _grid(num_layers: int, num_heads: int) -> Element:
    """A button for each head, in which the script writes a number."""
    names = [element("th", str(head), scope="col") for head in range(num_heads)]
    buttons = [element("td", element("button", str(head), class_="c0")) for head in range(num_heads)]
    rows = [element("tr", element("th", f"layer {layer}", scope="row"), *buttons) for layer in range(num_layers)]
    parts = element("caption", GRID), element("thead", element("tr", element("td"), *names)), element("tbody", *rows)
    return scrolling(element("table", *parts, class_="heads"), "All heads")


def _for_the_script(texts: Sequence[AttendedText], question: Question, chosen: Look) -> dict[str, Any]:
    """All weights in whole hundredths, a byte each, compressed; and the best looks of each token."""
    maps = texts[0].maps
    num_layers, num_heads, num_tokens, _ = maps.weights.shape
    hundredths = np.stack([np.rint(100 * text.maps.weights) for text in texts]).astype(np.uint8)
    best = [maps.best_looks(np.array([query]), question.keys)[:HEADS_OF_A_TOKEN] for query in range(num_tokens)]
    return {
        "tokens": [text.tokens for text in texts],
        "layers": num_layers,
        "heads": num_heads,
        "causal": not bool(maps.can_see.all()),
        "keys": question.keys.tolist(),
        "looks": [[[look.layer, look.head, look.key, *_floats(texts, look)] for look in looks] for looks in best],
        "chosen": [chosen.layer, chosen.head, chosen.query],
        "weights": base64.b64encode(zlib.compress(hundredths.tobytes(), 9)).decode("ascii"),
    }


def _floats(texts: Sequence[AttendedText], look: Look) -> list[float]:
    return [float(number) for number in look_numbers(texts, look)]
