"""Texts that a model is going on with."""

from collections.abc import Sequence

import numpy as np

from minitransformer.errors import UserError
from minitransformer.inference.generation.decoder import Decoder
from minitransformer.parallel import one_blas_thread
from minitransformer.text.packed_tokens import PackedTokens


class Continuations:
    """S texts: what the model has seen of them, and `logits` (S, V), what it holds likely to come next.

        texts = Continuations(model, [[17, 4, 9], [3, 8]])
        while texts.room.min() > 1:
            texts.append(texts.logits.argmax(axis=1))

    Prompts may have different lengths. A step costs one row a text: the past is remembered (nn/key_values.py).
    Raises UserError for a prompt that is empty, has more tokens than the model has positions, or an id outside the
    vocabulary.
    """

    def __init__(self, model: Decoder, prompts: Sequence[Sequence[int]]) -> None:
        self.model = model
        self.lengths = np.array([len(prompt) for prompt in prompts])
        if self.lengths.min(initial=1) == 0:
            raise UserError("the prompt is empty; a language model needs at least one token to go on from")
        positions = model.config.max_position_embeddings
        if (longest := self.lengths.max(initial=0)) > positions:
            raise UserError(f"the prompt has {longest} tokens, but the model has {positions} positions; shorten it")
        self._seen = model.key_values(len(prompts))
        self.logits = self._read(PackedTokens.pack(prompts))

    @property
    def log_probabilities(self) -> np.ndarray:
        """The logarithms (S, V) of softmax(logits)."""
        shifted = self.logits - self.logits.max(axis=1, keepdims=True)
        return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))

    @property
    def room(self) -> np.ndarray:
        """(S,) the tokens that each text can still get; the last one needs no position, since it isn't read."""
        return self.model.config.max_position_embeddings - self.lengths + 1

    def append(self, token_ids: np.ndarray) -> None:
        """Each text goes on with its one of token_ids (S,)."""
        self.lengths = self.lengths + 1
        with one_blas_thread():  # products of so few rows take longer on several threads
            self.logits = self._read(PackedTokens.pack([*token_ids[:, None]]))

    def extend(self, token_ids: Sequence[int]) -> None:
        """A single text goes on with all of these."""
        self.lengths = self.lengths + len(token_ids)
        with one_blas_thread():
            self.logits = self._read(PackedTokens.pack([token_ids]))

    def go_back_to(self, length: int) -> None:
        """Forget what a single text has after its first tokens; extend() then gives it another end."""
        self.lengths = np.array([length])
        for layer in self._seen:
            layer.lengths = self.lengths

    def select(self, texts: np.ndarray) -> None:
        """Go on with these texts (numbers, or a mask) in this order; a text that is named twice branches."""
        self._seen = [layer.select(texts) for layer in self._seen]
        self.lengths, self.logits = self.lengths[texts], self.logits[texts]

    def _read(self, tokens: PackedTokens) -> np.ndarray:
        hidden = self.model.hidden(tokens, self._seen)
        return self.model.head(hidden[tokens.starts + tokens.lengths - 1])
