"""Emotion detection, fine-tuned in the four steps that the lecture lists. The loop is all here.

    python scripts/emotion.py train.tsv dev.tsv
    python scripts/emotion.py train.tsv dev.tsv --pooling cls --pooling mean --hidden 0 --hidden 384

The tables (TSV) have the columns text and label. With several poolings or sizes of the dense layer, each combination
is trained. `minitransformer finetune` does the same, with checkpoints, and keeps the best model.
"""

from __future__ import annotations

import warnings
from itertools import product
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
from commands import minilm_folder, start, write_option
from pages import publish, table
from tqdm import tqdm

from minitransformer import BertForSequenceClassification, BertTokenizer, ClassifierSettings, PackedTokens
from minitransformer.batches.shards import equal_shards
from minitransformer.corpora.tables import LABELLED_TEXTS, read_table
from minitransformer.corpora.targets import label_ids, label_names
from minitransformer.evaluation.classification_metrics import ClassificationMetrics, classification_metrics
from minitransformer.randomness import generator
from minitransformer.training.optimizer.adamw import AdamW
from minitransformer.training.optimizer.clipping import clip_scale
from minitransformer.training.optimizer.schedule import linear_warm_up_and_decay
from minitransformer.training.workers import Workers

BATCH_SIZE, NUM_SHARDS = 32, 2  # texts of a step, and its parts, one for each core
WARM_UP_SHARE, MAX_NORM = 0.1, 1.0
MAX_LENGTH = 128  # tokens of a text
SEED = 0


@click.command()
@click.argument("train_file", metavar="TRAIN")
@click.argument("dev_file", metavar="DEV")
@click.option("--model", "base", help="A folder with a BERT.  [default: the real all-MiniLM-L6-v2]")
@click.option("--pooling", "poolings", multiple=True, default=["mean"], type=click.Choice(["cls", "mean"]))
@click.option(
    "--hidden", "sizes", multiple=True, default=[0], help="Size of a dense layer before the last, 0 for none."
)
@click.option("--epochs", default=1, show_default=True)
@click.option("--learning-rate", default=1e-4, show_default=True, help="At its peak.")
@write_option
def main(
    train_file: str,
    dev_file: str,
    base: str | None,
    poolings: tuple[str, ...],
    sizes: tuple[int, ...],
    epochs: int,
    learning_rate: float,
    write: Path | None,
) -> None:
    """Fine-tune a BERT on the labels of TRAIN, and say how often it is right on DEV."""
    names = label_names(read_table(train_file, LABELLED_TEXTS))
    folder = base or minilm_folder()  # step 1: a base model
    tokenizer = BertTokenizer.from_pretrained(folder)
    train, dev = (read_texts(file, tokenizer, names) for file in (train_file, dev_file))
    rows = []
    for pooling, size in product(poolings, sizes):  # steps 2 and 3: CLS or mean pooling; dense layers and a softmax
        settings = ClassifierSettings(names, pooling=pooling, hidden_sizes=(size,) if size else ())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the classifier: it is new
            model = BertForSequenceClassification.from_pretrained(folder, seed=SEED, settings=settings)
        fine_tune(model, train, epochs, learning_rate)  # step 4: the schedule, Adam, and their hyper-parameters
        metrics = evaluate(model, dev)
        layers = f"{size} + softmax" if size else "softmax"
        rows.append([f"{pooling.upper()}, {layers}", f"{metrics.accuracy:.2%}", f"{metrics.macro_f1:.3f}"])
    about = (
        f"{len(train.labels):,} texts, {epochs} epoch(s) of batches of {BATCH_SIZE}, learning rate {learning_rate:g}; "
        f"{len(dev.labels):,} held-out texts of {len(names)} classes."
    )
    publish("emotion", f"{about}\n\n{table(['pooling, dense layers', 'accuracy', 'macro F1'], rows)}", write)


class LabelledTexts(NamedTuple):
    tokens: PackedTokens
    labels: np.ndarray  # (S,)

    def select(self, texts: np.ndarray) -> LabelledTexts:
        return LabelledTexts(self.tokens.select(texts), self.labels[texts])


def read_texts(file: str, tokenizer: BertTokenizer, names: tuple[str, ...]) -> LabelledTexts:
    texts = read_table(file, LABELLED_TEXTS)
    return LabelledTexts(tokenizer(texts.columns["text"], max_length=MAX_LENGTH), label_ids(texts, names))


class Shard(NamedTuple):
    """A part of a step's batch, for one core."""

    texts: LabelledTexts
    rng: np.random.Generator  # for dropout
    count: int  # the texts of the whole batch, which the mean loss divides by


def fine_tune(model: BertForSequenceClassification, train: LabelledTexts, epochs: int, peak_rate: float) -> None:
    """Train the whole model. Its learning rate rises for a tenth of the steps, then falls to 0."""
    optimizer = AdamW(model.storage)
    batches = [batch for epoch in range(epochs) for batch in shuffled_batches(len(train.labels), epoch)]
    with Workers(model) as workers, tqdm(batches, unit="step", disable=None) as progress:
        for step, chosen in enumerate(progress):
            losses = workers.gradients(shards_of(train.select(chosen), step), add_gradients)
            scale = clip_scale(workers.gradient_norm, MAX_NORM)
            factor = linear_warm_up_and_decay(step, round(WARM_UP_SHARE * len(batches)), len(batches))
            optimizer.step(peak_rate * factor, scale, workers.spread)
            progress.set_postfix_str(f"loss {sum(losses):.2f}", refresh=False)


def shuffled_batches(count: int, epoch: int) -> list[np.ndarray]:
    order = generator(SEED, "order", epoch).permutation(count)
    return [order[start : start + BATCH_SIZE] for start in range(0, count, BATCH_SIZE)]


def shards_of(batch: LabelledTexts, step: int) -> list[Shard]:
    parts = equal_shards(batch.tokens.lengths, NUM_SHARDS)
    return [
        Shard(batch.select(texts), generator(SEED, "dropout", step, index), len(batch.labels))
        for index, texts in enumerate(parts)
    ]


def add_gradients(model: BertForSequenceClassification, shard: Shard, index: int) -> float:
    """Add the gradients of a shard to the model's, and return its share of the batch's loss."""
    loss, cache = model.forward(shard.texts.tokens, shard.texts.labels, shard.rng, shard.count)
    model.backward(cache)
    return loss


def evaluate(model: BertForSequenceClassification, dev: LabelledTexts) -> ClassificationMetrics:
    batches = np.array_split(np.arange(len(dev.labels)), -(-len(dev.labels) // BATCH_SIZE))
    predicted = [model(dev.tokens.select(batch)).argmax(axis=1) for batch in batches]
    return classification_metrics(dev.labels, np.concatenate(predicted))


if __name__ == "__main__":
    start(main)
