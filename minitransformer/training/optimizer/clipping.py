"""Clipping by the global norm: a step's gradient, as one long vector, gets no longer than a limit.

Pascanu, Mikolov, Bengio 2012 (arXiv 1211.5063), section 3.2; BERT clips at 1.0 (google-research/bert, optimization.py).
"""

import itertools
import math
from collections.abc import Sequence

import numpy as np

from minitransformer.parallel import PARTS_BEGIN_AT, Spread, on_this_thread

BLOCK = PARTS_BEGIN_AT  # entries summed in the vector's own precision; the sum of the blocks is float64


def global_norm(gradients: np.ndarray, spread: Spread = on_this_thread) -> float:
    """The length of the vector (P,) of all gradients. inf or nan if an entry is, or if squares overflow.

    With Workers.spread, each thread takes a part of the vector; the result is the same, bit for bit.
    """
    return sum_and_norm(gradients, [], spread)


def sum_and_norm(total: np.ndarray, others: Sequence[np.ndarray], spread: Spread = on_this_thread) -> float:
    """Add the vectors `others` to `total` (P,), in place, and return the global norm of the sum.

    Both in one pass, because reading memory is what costs.
    """

    def block_sums(start: int, end: int) -> list[float]:
        with np.errstate(over="ignore", invalid="ignore"):
            return [sum_of_squares(slice(i, min(i + BLOCK, end))) for i in range(start, end, BLOCK)]

    def sum_of_squares(place: slice) -> float:
        block = total[place]
        for other in others:
            block += other[place]
        return float(block @ block)

    return math.sqrt(sum(itertools.chain.from_iterable(spread(block_sums, len(total)))))


def clip_scale(norm: float, max_norm: float) -> float:
    """What to multiply gradients of this norm by: min(1, max_norm / (norm + 1e-6)), torch.nn.utils.clip_grad_norm_'s.

    AdamW.step takes it as gradient_scale, so that clipping needs no pass of its own over the gradients.
    """
    return min(1.0, max_norm / (norm + 1e-6))
