"""Table 1: embeddings compared by their cosine, ours (docs/experiments.md) beside the paper's (docs/evaluation.md)."""

import re
from pathlib import Path

from minitransformer.pictures.dot_plot import dot_plots
from minitransformer.pictures.drawing import svg

DOCS = Path(__file__).parents[1]
OURS = {  # what is compared with the paper's row
    "GloVe, averaged": "averaged token embeddings",
    "BERT, averaged": "averaged BERT",
    "BERT, CLS": "CLS of BERT",
    "SBERT-NLI-base": "sbert-nli",
}


def data():
    published = re.findall(
        r"^\.\.\. (\S.{19})((?: +[\d.]+){8})$", (DOCS / "evaluation.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    section = (DOCS / "experiments.md").read_text(encoding="utf-8").split("sentence_tables, STS -->")[1]
    measured = dict(re.findall(r"^\| (\S.*?) \| ([\d.]+ \| [\d.]+) \|", section, re.MULTILINE))
    names = [name.strip() for name, _ in published]
    paper = [[float(number) for number in numbers.split()[-3:]] for _, numbers in published]
    ours = [[float(number) for number in measured[OURS[name]].split(" | ")] if name in OURS else None for name in names]
    panels = {
        of: {"ours": [found and found[i] for found in ours], "paper": [found[i] for found in paper]}
        for i, of in enumerate(("STS-B", "SICK-R"))
    }
    return {"rows": names, **panels, "mean of seven": {"ours": [None] * len(names), "paper": [row[2] for row in paper]}}


def draw(data):
    names, panels = data["rows"], {name: series for name, series in data.items() if name != "rows"}
    glove, mean, cls, _, _, sbert, *_ = panels["mean of seven"]["paper"]
    _, our_mean, our_cls, _, _, our_sbert, *_ = panels["STS-B"]["ours"]
    return svg(
        dot_plots(names, panels),
        "Table 1: Spearman x 100 of cosines and people's scores",
        f"In the paper BERT's CLS row is worst with {cls}, its averaged rows are behind averaged word vectors with "
        f"{mean} against {glove}, and Sentence-BERT has {sbert}. Ours, far smaller, have {our_cls}, {our_mean} and "
        f"{our_sbert} for CLS, averaged rows and Sentence-BERT on STS-B.",
        data,
    )
