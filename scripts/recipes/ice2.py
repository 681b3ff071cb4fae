"""The lecture's in-class exercise #2: which sizes do BERT-base's outputs have, and is "pooled" the same as CLS?

    python scripts/ice2.py          takes some seconds and 0.5 GB: BERT-base has 109 million parameters

The weights are drawn at random: sizes don't depend on them, and neither does how "pooled" comes from CLS.
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
from commands import start, write_option
from pages import publish, table

from minitransformer import Bert, BertConfig, PackedTokens
from minitransformer.randomness import generator

NUM_TOKENS = 20  # of the exercise's sentence


@click.command()
@write_option
def main(write: Path | None) -> None:
    """Print the sizes of what BERT-base returns for a sentence of 20 tokens."""
    publish("ice2", outputs(Bert(BertConfig.preset("base"))), write)


def outputs(bert: Bert) -> str:
    """A table of BERT's outputs for one sentence, and how two of them hang together."""
    tokens = PackedTokens.pack([generator(0, "tokens").integers(bert.config.vocab_size, size=NUM_TOKENS)])
    last_hidden, pooled = bert(tokens)
    cls = last_hidden[tokens.starts]
    rows = [
        ["pooled", *size_of(pooled[0])],
        ["CLS, the first row of the last layer", *size_of(cls[0])],
        ["last hidden states, a row for each token", *size_of(last_hidden)],
    ]
    dense = bert.pooler.dense
    by_hand = np.tanh(cls @ dense.weight.value + dense.bias.value)
    cosine = cls[0] @ pooled[0] / (np.linalg.norm(cls) * np.linalg.norm(pooled))
    return (
        f"{table(['output', 'shape', 'numbers'], rows)}\n\n"
        f"|tanh(CLS W + b) - pooled| is at most {np.abs(by_hand - pooled).max():.1e}, "
        f"|CLS - pooled| up to {np.abs(cls - pooled).max():.1f}; the cosine of CLS and pooled is {cosine:.2f}."
    )


def size_of(x: np.ndarray) -> list[str]:
    return [" x ".join(map(str, x.shape)), f"{x.size:,}"]


if __name__ == "__main__":
    start(main)
