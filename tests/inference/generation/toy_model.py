"""A language model whose every probability is known: a table of which token follows which."""

import numpy as np

from minitransformer.models.gpt import Gpt
from minitransformer.models.gpt_config import GptConfig


def bigram_gpt(probabilities, positions=20):
    """A Gpt for which token i is followed by token j with probabilities[i][j], whatever came before."""
    table = np.asarray(probabilities, float)
    size = len(table)
    # As many columns again as there are tokens hold the negative of the first, so that LayerNorm finds the mean 0.
    config = GptConfig(
        vocab_size=size,
        hidden_size=2 * size,
        num_hidden_layers=1,
        num_attention_heads=1,
        max_position_embeddings=positions,
        tie_word_embeddings=False,
        layer_norm_eps=1e-12,
    )
    model = Gpt(config, dtype=np.float64)
    model.storage.values[...] = 0
    model.norm.gamma.value[...] = 1
    model.embeddings.token.table.value[...] = np.hstack([np.eye(size), -np.eye(size)])
    # A normalised row has sqrt(size) and -sqrt(size) in two columns, so its product with the head's rows is this:
    with np.errstate(divide="ignore"):
        logits = np.maximum(np.log(table), -1e3)
    model.head.table.value[...] = np.hstack([logits.T, -logits.T]) / (2 * np.sqrt(size))
    return model
