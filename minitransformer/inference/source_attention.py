"""Which words of a source a decoder looks at while it writes: words against words (Bahdanau et al. 2015, figure 3).

Large weights are no proof of what a word was made from, but where a source and its translation have their words in
different places, they often say which belongs to which.
"""

import numpy as np

from minitransformer.inference.attention_maps import Look
from minitransformer.models.translator import Translator
from minitransformer.text.packed_tokens import PackedTokens


def source_attention(model: Translator, source: PackedTokens, target: PackedTokens) -> np.ndarray:
    """(L, A, T, M): for each decoder layer and head, what the row that predicts target token t gives to source token m.

    source and target are one sequence each; every row adds up to 1. An LSTM has one layer, and one head. Raises
    ValueError if there are more sequences, and UserError for a model without attention.
    """
    if len(source) != 1 or len(target) != 1:
        raise ValueError(f"it is of one source and one target, found {len(source)} and {len(target)}")
    return model.source_weights(source, target)


def source_looks(weights: np.ndarray) -> list[Look]:
    """The look of each head of weights (L, A, T, M) that is furthest above what the other rows give, that one first.

    A look's query is a row of the target, its key one of the source.
    """
    num_layers, num_heads, num_rows, num_keys = weights.shape
    others = (weights.sum(axis=2, keepdims=True) - weights) / max(num_rows - 1, 1)
    best = (weights - others).reshape(num_layers, num_heads, -1).argmax(axis=2)
    looks = []
    for layer, head in np.ndindex(num_layers, num_heads):
        row, key = divmod(int(best[layer, head]), num_keys)
        place = layer, head, row, key
        looks.append(Look(*place, float(weights[place]), float(others[place])))
    return sorted(looks, key=lambda look: look.above, reverse=True)
