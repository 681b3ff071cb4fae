"""Emotion detection: a BERT is fine-tuned in the four steps that the lecture lists, with the whole loop in sight.

    python emotion.py path/to/all-MiniLM-L6-v2 train.tsv dev.tsv

The first argument is a folder with any BERT. The tables have the columns text and label, with a tab between them.
`minitransformer finetune` does the same, with checkpoints, and keeps the best model.
"""

import sys

import numpy as np
from tqdm import tqdm

from minitransformer import (
    AdamW,
    BertForSequenceClassification,
    BertTokenizer,
    ClassificationBatch,
    ClassifierSettings,
    Workers,
    clip_scale,
    linear_warm_up_and_decay,
)
from minitransformer.batches.epochs import Epochs
from minitransformer.corpora.tables import LABELLED_TEXTS, read_table
from minitransformer.corpora.targets import label_ids, label_names
from minitransformer.evaluation.classification import classification_metrics
from minitransformer.randomness import generator

SEED = 0
MAX_LENGTH = 128  # tokens of a text
HIDDEN_SIZES = ()  # of dense layers between pooling and the last one: (384,) would add one
BATCH_SIZE, NUM_EPOCHS = 32, 1
PEAK_LEARNING_RATE, WARM_UP_SHARE, MAX_GRADIENT_NORM = 1e-4, 0.1, 1.0


def main(base, train_file, dev_file):
    # Step 1: a base model, which brings its tokenizer.
    tokenizer = BertTokenizer.from_pretrained(base)
    train, dev = (read_table(file, LABELLED_TEXTS) for file in (train_file, dev_file))
    names = label_names(train)
    labels, dev_labels = (label_ids(table, names) for table in (train, dev))
    tokens, dev_tokens = (tokenizer(table.columns["text"], max_length=MAX_LENGTH) for table in (train, dev))
    print(f"{len(labels):,} texts to learn from, {len(dev_labels):,} held out, {len(names)} classes.\n")
    print("| pooling | accuracy | macro F1 |\n| --- | ---: | ---: |")

    # Step 2: CLS (through BERT's pooler) or mean pooling. We try both.
    for pooling in ("mean", "pooler"):
        # Step 3: dense layers and a softmax on top.
        settings = ClassifierSettings(names, pooling=pooling, hidden_sizes=HIDDEN_SIZES)
        model = BertForSequenceClassification.from_pretrained(base, seed=SEED, settings=settings)
        # Step 4: training, with a schedule, Adam and their hyper-parameters.
        fine_tune(model, ClassificationBatch(tokens, labels))
        metrics = classification_metrics(dev_labels, predict(model, dev_tokens))
        print(f"| {pooling} | {metrics.accuracy:.2%} | {metrics.macro_f1:.3f} |", flush=True)


def fine_tune(model, examples):
    """Train the whole model. The learning rate rises for a tenth of the steps, then falls to 0."""
    optimizer = AdamW(model.storage)
    epochs = Epochs(len(examples), BATCH_SIZE, SEED)  # every text once in each epoch, in a new order
    steps = NUM_EPOCHS * epochs.steps_per_epoch
    with Workers(model) as workers:  # one for each core
        for step in tqdm(range(steps), unit="step", disable=None):
            batch = examples.select(epochs.examples(step))
            _, norm = workers.gradients(batch, generator(SEED, "dropout", step))
            learning_rate = PEAK_LEARNING_RATE * linear_warm_up_and_decay(step, round(WARM_UP_SHARE * steps), steps)
            optimizer.step(learning_rate, clip_scale(norm, MAX_GRADIENT_NORM), workers.spread)


def predict(model, tokens):
    """The id of the most probable label of each text."""
    batches = np.array_split(np.arange(len(tokens)), -(-len(tokens) // BATCH_SIZE))
    return np.concatenate([model(tokens.select(batch)).argmax(axis=1) for batch in batches])


if __name__ == "__main__":
    main(*sys.argv[1:])
