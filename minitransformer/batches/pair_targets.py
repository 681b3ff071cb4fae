"""What an objective on queries and products has to know of a batch of pairs, besides their embeddings."""

from typing import NamedTuple

import numpy as np


class PairTargets(NamedTuple):
    """Of S pairs of a query and its product:

    negatives        (S, S) True where product j is taken as wrong for query i; False on the diagonal
    log_q_queries    (S,) the logarithm of how often query i is in a batch; log_q_products the same for product j
    """

    negatives: np.ndarray
    log_q_queries: np.ndarray
    log_q_products: np.ndarray
