"""The lecture's in-class exercise #3: why pool? A classifier on all rows of the last layer against one on their mean.

    python scripts/ice3.py train.tsv dev.tsv          tables with the columns text and label

The encoder, the real all-MiniLM-L6-v2 or another, stays as it is; a logistic regression learns the labels from

    flat      the rows of the first 32 tokens side by side, with zeros where a text is shorter
    pooled    the mean of all rows
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
from commands import minilm_folder, start, write_option
from pages import publish, table
from tqdm import tqdm

from minitransformer import SentenceEncoder
from minitransformer.corpora.tables import LABELLED_TEXTS, Table, read_table
from minitransformer.corpora.targets import label_ids, label_names
from minitransformer.evaluation.logistic_regression import fit_logistic_regression
from minitransformer.ops.pooling import mean_pooling_forward

FLAT_TOKENS = 32
TEXTS_PER_BATCH = 100
C = 1.0  # how much the data weigh against the penalty on large weights


class Features(NamedTuple):
    flat: np.ndarray  # (n, 32 H)
    pooled: np.ndarray  # (n, H)


@click.command()
@click.argument("train_file", metavar="TRAIN")
@click.argument("dev_file", metavar="DEV")
@click.option("--model", help="A sentence encoder.  [default: the real all-MiniLM-L6-v2]")
@click.option("--texts", default=2000, show_default=True, help="Texts of TRAIN to learn from, from its beginning.")
@write_option
def main(train_file: str, dev_file: str, model: str | None, texts: int, write: Path | None) -> None:
    """Compare classifiers of frozen features: size, time, accuracy."""
    train, dev = (read_table(file, LABELLED_TEXTS) for file in (train_file, dev_file))
    names = label_names(train)
    labels, dev_labels = label_ids(train, names)[:texts], label_ids(dev, names)
    encoder = SentenceEncoder.from_pretrained(model or minilm_folder())
    features, dev_features = features_of(encoder, train, texts), features_of(encoder, dev)
    rows = [
        [kind, *cells_of(x, labels, dev_x, dev_labels)]
        for kind, x, dev_x in zip(Features._fields, features, dev_features, strict=True)
    ]
    header = ["", "features", "weights", "fit, s", "right on TRAIN", "right on DEV"]
    about = f"{len(labels):,} texts of {len(names)} classes to learn from, {len(dev_labels):,} held out."
    publish("ice3", f"{about}\n\n{table(header, rows)}", write)


def features_of(encoder: SentenceEncoder, texts: Table, count: int | None = None) -> Features:
    """Flat and pooled features of the first `count` texts, all unless given."""
    tokens = encoder.tokenize(texts.columns["text"][:count])
    flat, pooled = [], []
    for start_of_batch in tqdm(range(0, len(tokens), TEXTS_PER_BATCH), "encoding", disable=None):
        batch = tokens.select(slice(start_of_batch, start_of_batch + TEXTS_PER_BATCH))
        hidden, _ = encoder.bert(batch)
        padded = batch.to_padded(hidden)[:, :FLAT_TOKENS]
        rows = np.zeros((len(batch), FLAT_TOKENS, hidden.shape[1]), hidden.dtype)
        rows[:, : padded.shape[1]] = padded
        flat.append(rows.reshape(len(batch), -1))
        pooled.append(mean_pooling_forward(hidden, batch.lengths)[0])
    return Features(np.concatenate(flat), np.concatenate(pooled))


def cells_of(x: np.ndarray, labels: np.ndarray, dev_x: np.ndarray, dev_labels: np.ndarray) -> list[str]:
    """Sizes, seconds and accuracies of a classifier of x (n, D)."""
    began = time.perf_counter()
    regression = fit_logistic_regression(x, labels, int(labels.max()) + 1, C)
    seconds = time.perf_counter() - began
    right, dev_right = ((regression.predict(f) == truth).mean() for f, truth in ((x, labels), (dev_x, dev_labels)))
    return [f"{x.shape[1]:,}", f"{regression.weight.size:,}", f"{seconds:.1f}", f"{right:.1%}", f"{dev_right:.1%}"]


if __name__ == "__main__":
    start(main)
