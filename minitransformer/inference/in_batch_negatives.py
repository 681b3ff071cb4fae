"""In-batch negatives: each text of a batch against the second texts of all the others.

The second text of pair i is right for its first, and those of the other pairs are taken as wrong. They can all count
alike, or by how hard they are to tell from right (Sun et al. 2019, "RotatE", arXiv 1902.10197, equation 5):

    w_ij = exp(s_ij / T) / sum over k != i of exp(s_ik / T)       for j != i,     w_ii = 0

At a high temperature T that is the same for all, at a low one only the hardest counts.
"""

import numpy as np

from minitransformer.ops.softmax import softmax_forward


def equal_weights(num_pairs: int) -> np.ndarray:
    """(S, S): each wrong one alike, and 0 on the diagonal; S is at least 2."""
    return (1 - np.eye(num_pairs)) / (num_pairs - 1)


def weights_by_hardness(scores: np.ndarray, temperature: float) -> np.ndarray:
    """(S, S) of scores (S, S), whose diagonal is what is right: each row adds up to 1, and is 0 on the diagonal."""
    of_wrong = np.where(np.eye(len(scores), dtype=bool), -np.inf, scores / temperature)
    return softmax_forward(of_wrong)[0]
