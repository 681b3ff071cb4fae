"""Does a sentence's embedding know the order of its words? The lecture's two pairs, each of the same words.

    python -m scripts.experiments.word_order path/to/all-MiniLM-L6-v2          or any BERT or sentence encoder

Cosines of the two sentences of a pair, from averaged token embeddings, from the encoder with a position table of
zeros, and from the encoder as it is. Attention alone doesn't see order: without positions, the same words in another
order are the same rows in another order, and their mean is the same.
"""

from __future__ import annotations

import click
import numpy as np

from minitransformer import SentenceEncoder
from minitransformer.evaluation.encode import Encode, averaged_token_embeddings
from minitransformer.ops.cosine_similarity import cosine_similarity_forward
from scripts.pages import table

PAIRS = [
    ("Me loves my friend", "My friend loves me"),
    ("I like chocolate milk", "I like milk chocolate"),
    ("Me loves my friend", "I like chocolate milk"),  # to compare with: two sentences on different things
]


@click.command()
@click.argument("model")
def main(model: str) -> None:
    """Print the cosines of sentences that differ only in word order, by MODEL, a folder or a name on the hub."""
    encoder = SentenceEncoder.from_pretrained(model)
    encoders = {
        "averaged token embeddings": averaged_token_embeddings(encoder.encoder, encoder.tokenizer),
        "encoder, position table of zeros": without_positions(encoder).encode,
        "encoder": encoder.encode,
    }
    rows = [[name, *(f"{cosine:.4f}" for cosine in cosines(encode))] for name, encode in encoders.items()]
    print(table(["", *(f"{first} / {second}" for first, second in PAIRS)], rows))


def without_positions(encoder: SentenceEncoder) -> SentenceEncoder:
    """The same encoder with every position embedding 0."""
    values = encoder.storage.values
    blind = SentenceEncoder(encoder.config, encoder.tokenizer, encoder.settings, dtype=values.dtype)
    blind.storage.values[...] = values
    blind.encoder.embeddings.position.table.value[...] = 0
    return blind


def cosines(encode: Encode) -> np.ndarray:
    """The cosine of each pair."""
    first, second = (encode(list(texts)) for texts in zip(*PAIRS, strict=True))
    return cosine_similarity_forward(first, second)[0]


if __name__ == "__main__":
    main()
