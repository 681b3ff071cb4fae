"""How time and memory of training grow: the tables of docs/benchmarks.md as curves."""

import re
from pathlib import Path

import numpy as np

from minitransformer.pictures.drawing import svg, titled, under
from minitransformer.pictures.line_chart import Curve, line_chart

PAGE = Path(__file__).parents[1] / "benchmarks.md"
NUMBER = re.compile(r"[\d.,]+")


def data():
    text = PAGE.read_text(encoding="utf-8").partition("<!-- scaling -->")[2].partition("<!-- /scaling -->")[0]
    _, by_length, by_batch, by_layers = (columns(section) for section in text.split("\n### "))
    length, layer, attention, *_, kept, again = by_length
    rest = [round(whole - part, 1) for whole, part in zip(layer, attention, strict=True)]
    return {
        "a layer, forward and backward: µs a token": {
            "of": "tokens of a text",
            "x": length,
            "curves": {"attention": attention, "all else": rest},
        },
        "one head: MB": {"of": "tokens of a text", "x": length, "curves": {"weights kept": kept, "made again": again}},
        "a training step, by the batch: ms": workers("texts of 128 tokens", by_batch),
        "a training step of 16 texts, by the layers: ms": workers("layers", by_layers),
    }


def columns(section):
    """The numbers of a table."""
    rows = [line for line in section.splitlines() if line.startswith("|")][2:]
    cells = [[float(NUMBER.search(cell)[0].replace(",", "")) for cell in row.strip("|").split("|")] for row in rows]
    return [list(column) for column in zip(*cells, strict=True)]


def workers(of, table):
    x, one, two, *_ = table
    return {"of": of, "x": x, "curves": {"one worker": one, "two workers": two}}


def draw(data):
    charts = []
    for title, chart in data.items():
        x = np.array(chart["x"])
        curves = [Curve(name, x, np.array(y), kind) for kind, (name, y) in enumerate(chart["curves"].items())]
        charts.append(titled(title, line_chart(curves, x_name=chart["of"])))
    layer, head, *_ = (chart["curves"] for chart in data.values())
    first, *_, last = data["one head: MB"]["x"]
    attention, kept, again = layer["attention"], head["weights kept"], head["made again"]
    return svg(
        under(charts),
        "How time and memory of training grow",
        f"From {first:.0f} to {last:,.0f} tokens attention grows from {attention[0]} to {attention[-1]} µs a token, "
        f"while all else stays near {layer['all else'][0]}. A head's weights take {kept[-1]} MB at the end if they are "
        f"kept, and {again[-1]} if they are made again. The time of a step grows in a line with the batch and with the "
        "layers.",
        data,
    )
