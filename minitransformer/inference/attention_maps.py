"""Who looks at whom: the attention of every head of a model on one text, and which heads are worth a look.

A large weight alone says little. In some heads all tokens look at the same one: "it" gives "animal" 0.65 of its
attention, and so does every other token. So a look is measured by what it gives more than the other tokens do:

    above_ij = w_ij - mean of w_kj over the other tokens k that can see j

Left out are looks of a token at itself, and at tokens such as [CLS] and [SEP], where heads look that find nothing else
(Clark et al. 2019, arXiv 1906.04341, section 3.2).
"""

from typing import NamedTuple

import numpy as np

from minitransformer.models.gpt import Gpt
from minitransformer.models.transformer_encoder import TransformerEncoder
from minitransformer.text.packed_tokens import PackedTokens


class Look(NamedTuple):
    """What one token gives to another in one head, and the mean of what the other tokens give to that."""

    layer: int
    head: int
    query: int  # the place of the token that looks
    key: int  # and of the one that it looks at
    weight: float
    others: float

    @property
    def above(self) -> float:
        return self.weight - self.others


class AttentionMaps(NamedTuple):
    """The attention of L layers with A heads in a sequence of T tokens: row i is what token i gives, column j gets."""

    weights: np.ndarray  # (L, A, T, T), each row adds up to 1
    others: np.ndarray  # (L, A, T, T), the mean that the other tokens give: 0 where no other can
    can_see: np.ndarray  # (T, T), False where causal attention hides token j from token i

    def look(self, layer: int, head: int, query: int, key: int) -> Look:
        place = layer, head, query, key
        return Look(*place, float(self.weights[place]), float(self.others[place]))

    def best_looks(self, queries: np.ndarray, keys: np.ndarray) -> list[Look]:
        """The look of each head that is furthest above the others, the head with the furthest first.

        Of the tokens at the places `queries`, at those at the places `keys`; none if these can't see each other.
        """
        num_layers, num_heads, num_tokens, _ = self.weights.shape
        counts = np.zeros((num_tokens, num_tokens), bool)
        counts[np.ix_(queries, keys)] = True
        counts &= self.can_see & ~np.eye(num_tokens, dtype=bool)
        if not counts.any():
            return []
        above = np.where(counts, self.weights - self.others, -np.inf).reshape(num_layers, num_heads, -1)
        places = above.argmax(axis=2)
        looks = [self.look(*head, *divmod(int(places[head]), num_tokens)) for head in np.ndindex(num_layers, num_heads)]
        return sorted(looks, key=lambda look: -look.above)


def attention_maps(model: TransformerEncoder | Gpt, tokens: PackedTokens) -> AttentionMaps:
    """The attention of each layer on one sequence, from what the layer gets in inference.

    Raises ValueError if there isn't one sequence.
    """
    if len(tokens) != 1:
        raise ValueError(f"attention maps are of one sequence, found {len(tokens)}")
    x, maps = model.embedded(tokens), []
    for layer in model.layers:
        maps.append(layer.attention_weights(x))
        x = layer(x, tokens.lengths)
    everything = np.ones((len(x), len(x)), bool)
    can_see = np.tril(everything) if isinstance(model, Gpt) else everything
    weights = np.stack(maps)
    return AttentionMaps(weights, _means_of_others(weights, can_see), can_see)


def _means_of_others(weights: np.ndarray, can_see: np.ndarray) -> np.ndarray:
    num_others = can_see.sum(axis=0) - can_see
    return np.where(can_see, (weights.sum(axis=-2, keepdims=True) - weights) / np.maximum(num_others, 1), 0)
