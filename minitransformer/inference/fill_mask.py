"""What BERT puts in place of [MASK]."""

from typing import NamedTuple

import numpy as np

from minitransformer.models.bert_for_masked_lm import BertForMaskedLM
from minitransformer.models.bert_for_pretraining import BertForPreTraining
from minitransformer.models.finite_answers import finite
from minitransformer.ops.softmax import softmax_forward
from minitransformer.text.packed_tokens import PackedTokens


class Filling(NamedTuple):
    """A token for a masked position, and its probability according to the model."""

    token_id: int
    probability: float


def fill_mask(
    model: BertForPreTraining | BertForMaskedLM,
    tokens: PackedTokens,
    mask_token_id: int,
    top: int = 5,
    known_ids: np.ndarray | None = None,
) -> list[list[Filling]]:
    """The `top` most probable tokens for each row of the batch that holds [MASK], from the first row to the last.

    Each mask is filled on its own, while the others are still [MASK]. A model may have more rows than its tokenizer has
    tokens: `known_ids` are those that can be answers.
    """
    masked = np.flatnonzero(tokens.token_ids == mask_token_id)
    hidden = model.bert.hidden(tokens)
    probabilities, _ = softmax_forward(finite(model.mlm_head(hidden[masked]), model))
    candidates = np.arange(model.config.vocab_size) if known_ids is None else known_ids
    candidates = candidates[candidates < model.config.vocab_size]
    best = candidates[np.argsort(-probabilities[:, candidates], axis=1, kind="stable")[:, :top]]
    return [
        [Filling(int(token_id), float(row[token_id])) for token_id in ids]
        for ids, row in zip(best, probabilities, strict=True)
    ]
