"""Have the embeddings collapsed? Two numbers that show it before any score does.

mean_cosine, of all pairs of different embeddings: near 0 if they point everywhere, 1 if all point the same way. Raw
BERT's lie in a narrow cone (Ethayarajh 2019, arXiv 1909.00512), which is one reason why its cosines say little.

    sum over i != j of u_i . u_j = |sum_i u_i|^2 - n        with u_i of length 1, so no n x n matrix is needed

effective_rank, the number of dimensions in use (Roy, Vetterli 2007, "The effective rank"): with the singular values
s of the n x D matrix of embeddings of length 1, and p = s / sum(s),

    effective_rank = exp(-sum_k p_k log p_k)

which is D for D equal singular values, and 1 if all embeddings are the same up to length.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minitransformer.ops.normalise import normalise_forward


class EmbeddingHealth(NamedTuple):
    mean_cosine: float
    effective_rank: float
    size: int  # D, the most that the effective rank could be

    def __str__(self) -> str:
        return f"mean cosine {self.mean_cosine:.3f}, effective rank {self.effective_rank:.1f} of {self.size}"


def embedding_health(embeddings: np.ndarray) -> EmbeddingHealth:
    """The health of embeddings (n, D); the mean cosine is nan for fewer than two."""
    n, size = embeddings.shape
    unit, _ = normalise_forward(np.asarray(embeddings, float))
    total = unit.sum(axis=0)
    pairs = n * (n - 1)
    mean_cosine = float(total @ total - (unit * unit).sum()) / pairs if pairs else float("nan")
    return EmbeddingHealth(mean_cosine, effective_rank(unit), size)


def effective_rank(x: np.ndarray) -> float:
    """exp of the entropy of the singular values of x (n, D), as shares of their sum."""
    eigenvalues = np.linalg.eigvalsh(x.T @ x if x.shape[0] > x.shape[1] else x @ x.T)
    singular_values = np.sqrt(np.maximum(eigenvalues, 0))
    shares = singular_values[singular_values > 0] / singular_values.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))
