"""The n-grams of one person's texts: what they, and not people at large, write next.

    P_n(t | h) = (N(h t) + D(h) P_(n-1)(t | h')) / (N(h) + D(h))

with the counts of evaluation/ngrams.py, Witten and Bell's, here of tokens: h are the n - 1 tokens before t, h' those
without the first, and D(h) different tokens have followed h.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import numpy as np


class PersonalNgrams:
    """Counted on some texts as token ids; n goes up to `order`."""

    def __init__(self, texts: Iterable[Sequence[int]], vocab_size: int, order: int = 3) -> None:
        self.vocab_size, self.order = vocab_size, order
        self.followers: dict[tuple[int, ...], Counter[int]] = defaultdict(Counter)
        for ids in texts:
            for place, token_id in enumerate(ids):
                for length in range(min(order, place + 1)):
                    self.followers[tuple(ids[place - length : place])][token_id] += 1

    def probabilities(self, ids: Sequence[int]) -> np.ndarray:
        """(V,) of the token that comes after these."""
        p = np.full(self.vocab_size, 1 / self.vocab_size)
        for length in range(min(self.order, len(ids) + 1)):
            followers = self.followers.get(tuple(ids[len(ids) - length :]))
            if followers is None:
                break  # a longer context hasn't been seen either
            num_different = len(followers)
            p *= num_different
            p[[*followers]] += [*followers.values()]
            p /= followers.total() + num_different
        return p
