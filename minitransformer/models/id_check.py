"""Ids that a model has no row for, refused in words: they would end in an IndexError without a word on why."""

from typing import Protocol

import numpy as np

from minitransformer.errors import UserError
from minitransformer.text.packed_tokens import PackedTokens


class Limits(Protocol):
    """What BertConfig and GptConfig have in common here."""

    @property
    def vocab_size(self) -> int: ...
    @property
    def max_position_embeddings(self) -> int: ...


def check_tokens(tokens: PackedTokens, config: Limits) -> None:
    """Raise UserError for a token id outside the vocabulary, and for a sequence longer than the positions."""
    check_ids(
        tokens.token_ids,
        config.vocab_size,
        "token id {} is outside the vocabulary of {} tokens of this model; use the model's own tokenizer",
    )
    check_ids(
        tokens.position_ids,
        config.max_position_embeddings,
        "position {} is outside the {} positions of this model; shorten the text",
    )


def check_ids(ids: np.ndarray, limit: int, what: str) -> None:
    """Raise UserError if an id has no row in a table of `limit` rows; `what` has places for the id and the limit."""
    if len(ids) and ids.max() >= limit:
        raise UserError(what.format(ids.max(), limit))
