"""One suggestion for how a text goes on that somebody is typing, or none: the lecture's e-mail completion.

At each keystroke (Chen et al. 2019, "Gmail Smart Compose", arXiv 1906.00080, sections 3 and 4):

1. The half-typed word at the end is set aside. The model has read what is before it already, but for what is new.
2. Beam search goes on from there. The first tokens are restricted to those that spell what was typed of the word, and
   a text ends with a sentence or after max_new_tokens.
3. Of the best text (by the mean log-probability of its tokens, since a sum would favour short ones), what may be
   suggested is kept: whole words, up to the first name, number or pronoun.
4. The confidence in some words is the probability that all of them come. As many are suggested as have min_confidence;
   if the first one hasn't, none. (Smart Compose shows all words or none, by a mean over their length. Measured in
   docs/completing-emails.md, that shows long texts too often, of which one word is wrong.)
"""

import copy
import math
import re
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from minitransformer.errors import UserError
from minitransformer.inference.completion.personal_ngrams import PersonalNgrams
from minitransformer.inference.completion.suggestible import suggestible_part
from minitransformer.inference.generation.beam_search import Beam, best_continuations
from minitransformer.inference.generation.continuations import Continuations
from minitransformer.models.gpt import Gpt
from minitransformer.text.lossless_tokenizer import LosslessTokenizer

ENDS = frozenset(b".!?\n")  # of a sentence


class Suggestion(NamedTuple):
    """What to put after the typed text, and how sure the model is of it, between 0 and 1."""

    text: str
    confidence: float


class Completer:
    """Completes texts with a GPT, and with the n-grams of one mailbox if there are any.

    The probability of a token is personal_share times the mailbox's plus 1 - personal_share times the model's (Smart
    Compose, section 6.1, found 0.4 best). What consecutive texts share is read once: ask as often as a key is struck.
    """

    def __init__(
        self,
        model: Gpt,
        tokenizer: LosslessTokenizer,
        num_beams: int = 4,
        max_new_tokens: int = 16,
        personal: PersonalNgrams | None = None,
        personal_share: float = 0.4,
    ) -> None:
        if max_new_tokens >= model.config.max_position_embeddings:
            raise UserError(
                f"max_new_tokens is {max_new_tokens}, which leaves none of the model's positions for a text"
            )
        self.model, self.tokenizer = model, tokenizer
        self.num_beams, self.max_new_tokens = num_beams, max_new_tokens
        self.personal, self.personal_share = personal, personal_share
        self._read: tuple[list[int], Continuations] | None = None
        self._spelling = lru_cache(maxsize=256)(self._tokens_that_spell)

    def suggest(self, text: str, min_confidence: float = 0.0) -> Suggestion | None:
        """As many words as are sure enough to come after the text; None if there is none."""
        sure = [suggestion for suggestion in self.suggestions(text) if suggestion.confidence >= min_confidence]
        return sure[-1] if sure else None

    def suggestions(self, text: str) -> list[Suggestion]:
        """The first word of the best suggestion, the first two, ...: the more words, the less confidence."""
        before, typed = split_last_word(text)
        beams = self._search(self._ids(before), typed.encode())
        for beam in sorted(beams, key=lambda beam: -beam.score(length_penalty=1)):
            if suggestions := self._suggestions(beam, before, typed):
                return suggestions
        return []

    def _ids(self, text: str) -> list[int]:
        """The ids to go on from. Of a long text the beginning is left out, a quarter of the positions at a time."""
        ids = [self.tokenizer.eos_token_id, *self.tokenizer.encode(text)]
        room = self.model.config.max_position_embeddings - self.max_new_tokens + 1
        quarter = max(1, room // 4)
        left_out = -(-max(0, len(ids) - room) // quarter) * quarter
        return ids[left_out:]

    def _continuations(self, ids: list[int]) -> Continuations:
        """The text of these ids, read; the branches of a search leave it as it is."""
        if self._read is None:
            self._read = ids, Continuations(self.model, [ids])
        read_ids, text = self._read
        shared = next((i for i, (old, new) in enumerate(zip(read_ids, ids, strict=False)) if old != new), None)
        shared = min(len(read_ids), len(ids)) if shared is None else shared
        if shared < len(ids) or len(ids) < len(read_ids):
            text.go_back_to(min(shared, len(ids) - 1))
            text.extend(ids[min(shared, len(ids) - 1) :])
            self._read = ids, text
        return text

    def _search(self, ids: list[int], typed: bytes) -> list[Beam]:
        """Beams that spell what was typed and end with a sentence, or have max_new_tokens."""
        text = copy.copy(self._continuations(ids))
        text.select(np.zeros(1, int))
        running, finished = [Beam([], [])], []
        for number in range(1, self.max_new_tokens + 1):
            log_probabilities = self._log_probabilities(text, ids, running, typed)
            candidates = best_continuations(running, log_probabilities, 2 * self.num_beams)
            finished += [beam for _, beam in candidates[: self.num_beams] if self._ends(beam, typed)]
            going_on = [(parent, beam) for parent, beam in candidates if not self._ends(beam, typed)][: self.num_beams]
            running = [beam for _, beam in going_on]
            if not running or len(finished) >= self.num_beams or number == self.max_new_tokens:
                break
            text.select(np.array([parent for parent, _ in going_on]))
            text.append(np.array([beam.token_ids[-1] for beam in running]))
        return [*finished, *running]

    def _log_probabilities(self, text: Continuations, ids: list[int], running: list[Beam], typed: bytes) -> np.ndarray:
        """(R, V) for the next token of each beam: where what was typed isn't spelt yet, among those that spell it."""
        log_probabilities = text.log_probabilities.astype(np.float64)
        for row, beam in zip(log_probabilities, running, strict=True):
            if self.personal is not None:
                own = self.personal.probabilities([*ids, *beam.token_ids])
                row[:] = np.log(self.personal_share * own + (1 - self.personal_share) * np.exp(row))
            if rest := typed[len(self._bytes(beam)) :]:
                row[~self._spelling(rest)] = -np.inf
                row -= np.logaddexp.reduce(row)
        return log_probabilities

    def _tokens_that_spell(self, rest: bytes) -> np.ndarray:
        """(V,) the tokens that begin with these bytes, or with which these bytes begin."""
        spells = [
            token.startswith(rest) or (token != b"" and rest.startswith(token)) for token in self.tokenizer.token_bytes
        ]
        return np.array(spells)

    def _ends(self, beam: Beam, typed: bytes) -> bool:
        """Whether the last token ends a sentence, or is the end of a document."""
        last = beam.token_ids[-1]
        is_spelt = len(self._bytes(beam)) > len(typed)
        return last == self.tokenizer.eos_token_id or (
            is_spelt and not ENDS.isdisjoint(self.tokenizer.token_bytes[last])
        )

    def _suggestions(self, beam: Beam, before: str, typed: str) -> list[Suggestion]:
        """What may be suggested of a beam: its first word, its first two, ..."""
        spelt = self._bytes(beam).decode(errors="ignore")
        shown = suggestible_part(before + typed, spelt[len(typed) :])
        ends = np.cumsum([len(self.tokenizer.token_bytes[i]) for i in beam.token_ids])
        log_probabilities = np.cumsum(beam.log_probabilities)
        texts = [shown[: word.end()] for word in re.finditer(r"\S+", shown)]
        last_tokens = [int(np.searchsorted(ends, len((typed + text).encode()))) for text in texts]
        return [Suggestion(text, math.exp(log_probabilities[i])) for text, i in zip(texts, last_tokens, strict=True)]

    def _bytes(self, beam: Beam) -> bytes:
        return b"".join(self.tokenizer.token_bytes[i] for i in beam.token_ids)


def split_last_word(text: str) -> tuple[str, str]:
    """What is before the word that is being typed, and what there is of it: with the space before it, or that alone.

    >>> split_last_word("Let me kn"), split_last_word("Let me "), split_last_word("Let")
    (('Let me', ' kn'), ('Let me', ' '), ('', 'Let'))
    """
    start = max(text.rfind(" "), text.rfind("\n"))
    return (text[:start], text[start:]) if start >= 0 else ("", text)


def confidence_for(confidences: np.ndarray, coverage: float) -> float:
    """The lowest min_confidence with which suggestions are made at no more than this share of places.

    `confidences` has that of the first word for each place, 0 where there is no suggestion.
    """
    in_order = np.sort(confidences)[::-1]
    num_shown = int(coverage * len(in_order))
    return float(np.nextafter(in_order[num_shown], np.inf)) if num_shown < len(in_order) else 0.0
