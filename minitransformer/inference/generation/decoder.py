"""What generation asks of a model."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from minitransformer.models.id_check import Limits
from minitransformer.text.packed_tokens import PackedTokens


class Decoder(Protocol):
    """A Gpt, or a translator over sources that it has read: what continues texts, token by token.

    head(hidden (N, H)) are the logits (N, V) of what comes after each row.
    """

    @property
    def config(self) -> Limits: ...

    @property
    def head(self) -> Any: ...

    def key_values(self, num_sequences: int) -> list[Any]:
        """What each layer has seen of so many texts at their start; it can be selected from, as KeyValues can."""

    def hidden(self, tokens: PackedTokens, seen: Sequence[Any]) -> np.ndarray:
        """hidden (N, H) of tokens that continue the texts, which are remembered in `seen`."""
