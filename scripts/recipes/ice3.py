"""The lecture's in-class exercise #3: why pool? A classifier of all rows of the last layer against one of their mean.

    python ice3.py path/to/all-MiniLM-L6-v2 train.tsv dev.tsv          takes some minutes

The tables have the columns text and label, with a tab between them. The encoder stays as it is. A logistic regression
learns the labels from

    flat      the rows of the first 32 tokens side by side, with zeros where a text is shorter
    pooled    the mean of all rows
"""

import sys
import time

import numpy as np

from minitransformer import SentenceEncoder
from minitransformer.corpora.tables import LABELLED_TEXTS, read_table
from minitransformer.corpora.targets import label_ids, label_names
from minitransformer.evaluation.logistic_regression import fit_logistic_regression
from minitransformer.ops.pooling import mean_pooling_forward

MAX_TEXTS = 2000  # of each table, from its beginning
FLAT_TOKENS = 32
BATCH_SIZE = 100
C = 1.0  # how much the data count against the penalty on large weights


def main(model, train_file, dev_file):
    encoder = SentenceEncoder.from_pretrained(model)
    train, dev = (read_table(file, LABELLED_TEXTS) for file in (train_file, dev_file))
    names = label_names(train)
    labels, dev_labels = (label_ids(table, names)[:MAX_TEXTS] for table in (train, dev))
    flat, pooled = features(encoder, train.columns["text"][:MAX_TEXTS])
    dev_flat, dev_pooled = features(encoder, dev.columns["text"][:MAX_TEXTS])

    print(f"{len(labels):,} texts of {len(names)} classes to learn from, {len(dev_labels):,} held out.\n")
    print("|  | features | weights | fit, s | right on TRAIN | right on DEV |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for kind, x, dev_x in [("flat", flat, dev_flat), ("pooled", pooled, dev_pooled)]:
        began = time.perf_counter()
        classifier = fit_logistic_regression(x, labels, len(names), C)
        seconds = time.perf_counter() - began
        right = (classifier.predict(x) == labels).mean()
        dev_right = (classifier.predict(dev_x) == dev_labels).mean()
        sizes = f"{x.shape[1]:,} | {classifier.weight.size:,} | {seconds:.1f}"
        print(f"| {kind} | {sizes} | {right:.1%} | {dev_right:.1%} |")


def features(encoder, texts):
    """Flat features (S, 32 H) and pooled features (S, H) of S texts."""
    flat, pooled = [], []
    for start in range(0, len(texts), BATCH_SIZE):
        tokens = encoder.tokenize(texts[start : start + BATCH_SIZE])
        hidden = encoder.encoder.hidden(tokens)  # (N, H), a row for each token of the batch
        rows = np.zeros((len(tokens), FLAT_TOKENS, hidden.shape[1]), hidden.dtype)
        padded = tokens.to_padded(hidden)[:, :FLAT_TOKENS]
        rows[:, : padded.shape[1]] = padded
        flat.append(rows.reshape(len(tokens), -1))
        pooled.append(mean_pooling_forward(hidden, tokens.lengths)[0])
    return np.concatenate(flat), np.concatenate(pooled)


if __name__ == "__main__":
    main(*sys.argv[1:])
