"""Masked language modelling: which tokens are to be predicted, and what takes their place.

Devlin et al. 2018 (arXiv 1810.04805, section 3.1, task 1, and appendix A.1), in the way of google-research/bert: 15 %
of a sequence's tokens are chosen, [CLS] and [SEP] counted but never chosen, at least one. A chosen token becomes
[MASK] with probability 0.8, a random token with 0.1, and stays what it is with 0.1. Whole-word masking chooses the
same share, but whole words: a word whose pieces would exceed the sequence's number is passed over.

The masks are drawn anew each time a sequence is seen (as in RoBERTa, Liu et al. 2019, arXiv 1907.11692). The random
tokens are drawn from the vocabulary without the special tokens, which the original draws too: a [PAD] or [CLS] in
running text is something that the model never meets again.
"""

import numpy as np
from numpy.typing import NDArray

from minitransformer.errors import UserError
from minitransformer.text.bert_tokenizer import BertTokenizer
from minitransformer.text.packed_tokens import IntArray, PackedTokens, span_offsets, unchecked

MASK_SHARE, RANDOM_SHARE = 0.8, 0.1  # of the chosen tokens; the rest stays

BoolArray = NDArray[np.bool_]


class TokenMasker:
    """Masks sequences in the vocabulary of a tokenizer."""

    def __init__(self, tokenizer: BertTokenizer, probability: float = 0.15, whole_words: bool = False) -> None:
        """probability is the share of each sequence's tokens to be predicted."""
        if not 0 < probability < 1:
            raise UserError(f"the share of masked tokens must be between 0 and 1, found {probability}")
        self.probability = probability
        self.whole_words = whole_words
        self.mask_token_id = tokenizer.mask_token_id
        self.is_continuation = tokenizer.is_continuation
        self.is_special = np.zeros(tokenizer.vocab_size, dtype=bool)
        self.is_special[tokenizer.special_token_ids] = True
        self.ordinary_ids = np.flatnonzero(~self.is_special)

    def __call__(self, tokens: PackedTokens, rng: np.random.Generator) -> tuple[PackedTokens, IntArray, IntArray]:
        """Returns the masked tokens, the chosen rows (M,) in ascending order, and the ids that were there (M,)."""
        choose = self._choose_words if self.whole_words else self._choose_tokens
        rows = np.flatnonzero(choose(tokens, rng))
        masked_ids = tokens.token_ids[rows]
        fate = rng.random(len(rows))
        random_ids = rng.choice(self.ordinary_ids, len(rows))
        token_ids = tokens.token_ids.copy()
        token_ids[rows] = np.where(
            fate < MASK_SHARE, self.mask_token_id, np.where(fate < MASK_SHARE + RANDOM_SHARE, random_ids, masked_ids)
        )
        masked = unchecked(PackedTokens, token_ids, tokens.segment_ids, tokens.position_ids, tokens.lengths)
        return masked, rows, masked_ids

    def _choose_tokens(self, tokens: PackedTokens, rng: np.random.Generator) -> BoolArray:
        """(N,) True at the chosen rows: of each sequence the first few in a random order."""
        may_choose = ~self.is_special[tokens.token_ids]
        sequence = np.repeat(np.arange(len(tokens)), tokens.lengths)
        order = np.argsort(sequence + np.where(may_choose, 0.5 * rng.random(len(sequence)), 0.75))  # special ones last
        is_first = span_offsets(tokens.lengths) < np.repeat(self._numbers(tokens), tokens.lengths)
        chosen = np.zeros(len(sequence), dtype=bool)
        chosen[order[is_first]] = True
        return chosen & may_choose

    def _choose_words(self, tokens: PackedTokens, rng: np.random.Generator) -> BoolArray:
        """(N,) True at the rows of the chosen words: in a random order, each word that still fits the number."""
        may_choose = ~self.is_special[tokens.token_ids]
        follows_special = np.concatenate([[True], ~may_choose[:-1]])
        begins_word = may_choose & (follows_special | ~self.is_continuation[tokens.token_ids])
        word = np.cumsum(begins_word) - 1  # of each row; meaningless at special tokens
        sequence = np.repeat(np.arange(len(tokens)), tokens.lengths)[begins_word]
        word_length = np.bincount(word[may_choose], minlength=len(sequence))
        words_per_sequence = np.bincount(sequence, minlength=len(tokens))
        first_word = np.cumsum(words_per_sequence) - words_per_sequence
        order = np.argsort(sequence + rng.random(len(sequence)))
        room = self._numbers(tokens)
        chosen = np.zeros(len(sequence), dtype=bool)
        for turn in range(words_per_sequence.max(initial=0)):  # every sequence tries its next word at once
            trying = np.flatnonzero((words_per_sequence > turn) & (room > 0))
            if not len(trying):
                break
            candidate = order[first_word[trying] + turn]
            fits = word_length[candidate] <= room[trying]
            chosen[candidate[fits]] = True
            room[trying[fits]] -= word_length[candidate[fits]]
        return may_choose & chosen[word] if len(chosen) else np.zeros_like(may_choose)

    def _numbers(self, tokens: PackedTokens) -> IntArray:
        """(S,) how many tokens of each sequence to choose."""
        return np.maximum(1, np.rint(tokens.lengths * self.probability).astype(np.int64))
