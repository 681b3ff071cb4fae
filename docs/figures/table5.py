"""Table 5: what a logistic regression reads off embeddings, ours (docs/experiments.md) beside the paper's."""

import re
from pathlib import Path

from minitransformer.pictures.dot_plot import dot_plots
from minitransformer.pictures.drawing import svg

PAGE = Path(__file__).parents[1] / "experiments.md"
TASKS = ("MR", "CR", "SUBJ", "MPQA", "SST", "TREC", "MRPC")
PUBLISHED = {  # Reimers, Gurevych 2019, Table 5
    "GloVe, averaged": (77.25, 78.30, 91.17, 87.85, 80.18, 83.0, 72.87),
    "fastText, averaged": (77.96, 79.23, 91.68, 87.81, 82.15, 83.6, 74.49),
    "BERT, averaged": (78.66, 86.25, 94.37, 88.66, 84.40, 92.8, 69.45),
    "BERT, CLS": (78.68, 84.85, 94.21, 88.23, 84.13, 91.4, 71.13),
    "InferSent": (81.57, 86.54, 92.50, 90.38, 84.18, 88.2, 75.77),
    "USE": (80.09, 85.19, 93.98, 86.70, 86.38, 93.2, 70.14),
    "SBERT-NLI-base": (83.64, 89.43, 94.39, 89.86, 88.96, 89.6, 76.00),
    "SBERT-NLI-large": (84.88, 90.07, 94.52, 90.33, 90.66, 87.4, 75.94),
}
OURS = {  # what is compared with the paper's row
    "GloVe, averaged": "averaged token embeddings",
    "BERT, averaged": "averaged BERT",
    "BERT, CLS": "CLS of BERT",
    "SBERT-NLI-base": "sbert-nli-stsb",
}


def data():
    section = PAGE.read_text(encoding="utf-8").partition("<!-- sentence_tables, SentEval -->")[2]
    measured = dict(re.findall(r"^\| (\S.*?) \| ([\d.]+ \| [\d.]+) \|", section, re.MULTILINE))
    ours = [
        [float(number) for number in measured[OURS[name]].split(" | ")] if name in OURS else None for name in PUBLISHED
    ]
    panels = {
        of: {
            "ours": [found and found[i] for found in ours],
            "paper": [row[TASKS.index(of)] for row in PUBLISHED.values()],
        }
        for i, of in enumerate(("CR", "MRPC"))
    }
    means = [round(sum(row) / len(row), 2) for row in PUBLISHED.values()]
    return {"rows": [*PUBLISHED], **panels, "mean of seven": {"ours": [None] * len(means), "paper": means}}


def draw(data):
    names, panels = data["rows"], {name: series for name, series in data.items() if name != "rows"}
    glove, _, mean, cls, *_ = panels["mean of seven"]["paper"]
    return svg(
        dot_plots(names, panels),
        "Table 5: right answers in 100, read off by a logistic regression",
        f"In the paper BERT's CLS row has {cls}, nearly as much as its averaged rows with {mean}, and more than "
        f"averaged word vectors with {glove}. Ours, far smaller, are within a few points of each other on both tasks.",
        data,
    )
