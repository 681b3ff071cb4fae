"""How much two embeddings are alike: one number for each pair."""

import numpy as np

from minitransformer.ops.cosine_similarity import cosine_matrix_forward


def similarity_matrix(a: np.ndarray, b: np.ndarray, similarity: str = "cosine") -> np.ndarray:
    """Every row of a (S, D) with every row of b (C, D): (S, C). A larger number is more alike.

    "cosine"                    of the angle between them, from -1 to 1
    "dot"                       the product
    "euclidean", "manhattan"    the distance, as a negative number
    """
    if similarity == "cosine":
        return cosine_matrix_forward(a, b)[0]
    if similarity == "dot":
        return a @ b.T
    from scipy.spatial.distance import cdist  # slow to import, and rarely asked for

    metric = {"euclidean": "euclidean", "manhattan": "cityblock"}[similarity]
    return -cdist(a, b, metric).astype(a.dtype)
