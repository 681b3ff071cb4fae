"""What a tokenizer puts around texts: BERT's [CLS] text [SEP], and [CLS] text [SEP] pair [SEP].

RoBERTa writes <s> text </s>, and <s> text </s> </s> pair </s>, all in segment 0. The format is read from the
post-processor of the `tokenizers` library, by what it makes of a text.
"""

from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from tokenizers import Tokenizer

from minitransformer.errors import UserError

_MOST_PROBES = 1000  # tokens of the vocabulary


class SequenceFormat(NamedTuple):
    """The ids before a text, between two, and after the last; and the segment of the second text and what follows."""

    before: list[int]
    between: list[int]
    after: list[int]
    second_segment: int

    @property
    def num_around_one(self) -> int:
        return len(self.before) + len(self.after)

    @property
    def num_around_two(self) -> int:
        return self.num_around_one + len(self.between)

    def around_one(self, ids: Sequence[int]) -> list[int]:
        return [*self.before, *ids, *self.after]

    def around_two(self, first: Sequence[int], second: Sequence[int]) -> tuple[list[int], list[int]]:
        """The ids of a pair, and their segments."""
        head = [*self.before, *first, *self.between]
        tail = [*second, *self.after]
        return [*head, *tail], [0] * len(head) + [self.second_segment] * len(tail)


def read_format(backend: Tokenizer, has_segments: bool) -> SequenceFormat:
    """The format of a backend's post-processor. Raises UserError for one that isn't of this kind."""
    text, ids = _some_tokens(backend)
    num_tokens = len(ids)
    one, two = backend.encode(text), backend.encode(text, text)
    num_before = (*one.special_tokens_mask, 0).index(0)
    before, after = one.ids[:num_before], one.ids[num_before + num_tokens :]
    between = two.ids[num_before + num_tokens : len(two.ids) - num_tokens - len(after)]
    found = SequenceFormat(before, between, after, max(two.type_ids, default=0))
    if found.around_one(ids) != one.ids or found.around_two(ids, ids) != (two.ids, two.type_ids):
        raise UserError("its post-processor puts other things around texts than what is built here can")
    return found if has_segments else found._replace(second_segment=0)


def _some_tokens(backend: Tokenizer) -> tuple[str, list[int]]:
    """A text that has tokens, and their ids."""
    for text in ("a", *islice(backend.get_vocab(), _MOST_PROBES)):
        if ids := backend.encode(text, add_special_tokens=False).ids:
            return text, ids
    raise UserError("it makes no tokens of any text; is its vocabulary empty?")
