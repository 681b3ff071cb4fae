"""What all encoders have in common: embeddings, and a stack of layers."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from minitransformer.models.encoder import Encoder
from minitransformer.models.id_check import check_ids
from minitransformer.models.pretrained_model import PretrainedModel
from minitransformer.nn.stack import Stack
from minitransformer.text.packed_tokens import PackedTokens


class HiddenCache(NamedTuple):
    embeddings: Any  # None if they are frozen
    layers: list[Any]


class StackedEncoder(PretrainedModel[Any], Encoder):
    """hidden = layers(embeddings(tokens)), a row for each token.

    A subclass says what the two are (`_embeddings`, `_layers`), and what the embeddings want of the tokens (`_ids`).
    The seed None leaves the parameters without values: for a model that this one becomes a part of.
    """

    config: Any

    def __init__(self, config: Any, seed: int | None = 0, dtype: DTypeLike = np.float32) -> None:
        self.config = config
        self.hidden_size = config.hidden_size
        self.embeddings = self._embeddings()
        self.layers = Stack(self._layers())
        self._add_parts()
        if seed is not None:
            self.initialise(seed, dtype)

    def __call__(self, tokens: PackedTokens) -> Any:
        """hidden (N, H) for inference: no dropout, no cache."""
        return self.hidden(tokens)

    def forward(self, tokens: PackedTokens, rng: np.random.Generator | None = None) -> tuple[Any, Any]:
        """hidden (N, H), and the cache. Dropout happens only with an rng."""
        return self.hidden_forward(tokens, rng)

    def backward(self, *gradients_and_cache: Any) -> None:
        """Add the gradients of all parameters, for d_hidden (N, H) and the cache."""
        self.hidden_backward(*gradients_and_cache)

    def hidden(self, tokens: PackedTokens) -> np.ndarray:
        """hidden (N, H) alone, for inference."""
        return self.layers(self.embedded(tokens), tokens.lengths)

    def embedded(self, tokens: PackedTokens) -> np.ndarray:
        """x, a row for each token: what goes into the first layer, for inference."""
        self.check(tokens)
        return self.embeddings(*self._ids(tokens))

    def hidden_forward(
        self, tokens: PackedTokens, rng: np.random.Generator | None = None
    ) -> tuple[np.ndarray, HiddenCache]:
        """hidden (N, H), and the cache. Dropout happens only with an rng, and not in what is frozen at the bottom."""
        self.check(tokens)
        ids = self._ids(tokens)
        if self.embeddings.is_trained:
            x, embeddings_cache = self.embeddings.forward(*ids, rng)
        else:
            x, embeddings_cache = self.embeddings(*ids), None
        hidden, layer_caches = self.layers.forward(x, tokens.lengths, rng, x_is_frozen=embeddings_cache is None)
        return hidden, HiddenCache(embeddings_cache, layer_caches)

    def hidden_backward(self, d_hidden: np.ndarray, cache: HiddenCache) -> None:
        dx = self.layers.backward(d_hidden, cache.layers)
        if dx is not None and cache.embeddings is not None:
            self.embeddings.backward(dx, cache.embeddings)

    def check(self, tokens: PackedTokens) -> None:
        """The ids must have rows in the tables; a larger one would end in an IndexError without a word on why."""
        config = self.config
        check_ids(tokens.token_ids, config.vocab_size, "token id {} is outside the vocabulary of {} tokens")
        check_ids(tokens.position_ids, config.num_positions, "position {} is outside the {} positions")

    def _ids(self, tokens: PackedTokens) -> tuple[np.ndarray, ...]:
        raise NotImplementedError

    def _embeddings(self) -> Any:
        raise NotImplementedError

    def _layers(self) -> list[Any]:
        raise NotImplementedError

    def _add_parts(self) -> None:
        """What comes after the layers."""
