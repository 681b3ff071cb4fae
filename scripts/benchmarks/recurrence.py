"""One step after the other, or all at once: an LSTM's layer against one of self-attention, by the length of the text.

    python -m scripts.benchmarks.recurrence

Forward and backward of one layer each, of one text and of a batch of 16, with rows of 256 numbers in float32: how many
times attention's multiplications the LSTM needs, and how many times its time. Both are
minitransformer's, on one thread of BLAS, since a product of a few rows gains nothing from a second one. A step of the
LSTM costs some calls of NumPy, as it would cost some launches on a GPU.
"""

from __future__ import annotations

import click
import numpy as np
from threadpoolctl import threadpool_limits

from minitransformer.nn.attention import SelfAttention
from minitransformer.nn.lstm import Lstm
from minitransformer.nn.module import Module
from scripts.benchmarks.measure import Contenders, in_turn
from scripts.pages import table

HIDDEN_SIZE, HEADS, BATCH_SIZE = 256, 4, 16
LENGTHS = 16, 64, 256, 512


@click.command()
@click.option("--rounds", default=7, show_default=True)
def main(rounds: int) -> None:
    """Measure the two layers in turn."""
    rows = []
    for num_texts in (1, BATCH_SIZE):
        for length in LENGTHS:
            times = in_turn(layers(num_texts, length), rounds, f"{num_texts} x {length}", calls=3)
            arithmetic, time = multiplications(length), times.ratio("lstm", "attention")
            rows.append([f"{num_texts} x {length}", f"{length}", f"{arithmetic:.1f}", f"{time:.1f}"])
    print(table(["texts x tokens", "steps of the LSTM", "multiplications", "time"], rows))


def multiplications(length: int) -> float:
    """How many of the LSTM's there are for one of attention's: 8 H^2 a token, and 4 H^2 + 2 T H."""
    return 8 * HIDDEN_SIZE / (4 * HIDDEN_SIZE + 2 * length)


def layers(num_texts: int, length: int) -> Contenders:
    """Forward and backward of each layer over the same rows."""
    lengths = np.full(num_texts, length)
    x = np.random.default_rng(0).standard_normal((num_texts * length, HIDDEN_SIZE), np.float32)
    lstm = Lstm(HIDDEN_SIZE, HIDDEN_SIZE).initialise()
    attention = SelfAttention(HIDDEN_SIZE, HEADS, 0.0, 0.0, init_std=HIDDEN_SIZE**-0.5).initialise()

    def step(layer: Module) -> None:
        with threadpool_limits(1, user_api="blas"):
            y, cache = layer.forward(x, lengths)
            layer.backward(y, cache)

    return {"lstm": lambda: step(lstm), "attention": lambda: step(attention)}


if __name__ == "__main__":
    main()
