"""Table 6, MEAN pooling: the concatenations of docs/experiments.md, ours beside the paper's."""

import re
from pathlib import Path

from minitransformer.pictures.dot_plot import Dot, dot_plot
from minitransformer.pictures.drawing import svg

PAGE = Path(__file__).parents[1] / "experiments.md"
ROW = re.compile(r"^\| (\(.*?\)) \| ([\d.]+) ± ([\d.]+) \|[^|]*\|[^|]*\| ([\d.]+) \|", re.MULTILINE)


def data():
    section = PAGE.read_text(encoding="utf-8").partition("<!-- concatenations -->")[2].partition("What |u-v| adds")[0]
    return [
        {"of": name.replace("\\|", "|"), "ours": float(ours), "standard error": float(error), "paper": float(paper)}
        for name, ours, error, paper in ROW.findall(section)
    ]


def draw(data):
    ours = [Dot(row["ours"], row["standard error"]) for row in data]
    paper = [Dot(row["paper"]) for row in data]
    best, worst = (choose(data, key=lambda row: row["paper"]) for choose in (max, min))
    return svg(
        dot_plot([row["of"] for row in data], {"ours": ours, "paper": paper}),
        "What the classifier of a pair sees: Spearman x 100 on STS",
        f"In the paper {worst['of']} is worst with {worst['paper']} and {best['of']} best with {best['paper']}; ours "
        f"have {worst['ours']} and {best['ours']}.",
        data,
    )
