"""Have the embeddings collapsed? Two numbers show it before any score does.

mean_cosine is the mean over all pairs of different embeddings: near 0 if they point everywhere, 1 if all point the same
way. Raw BERT's are in a narrow cone (Ethayarajh 2019, arXiv 1909.00512), one reason why its cosines say little.

    sum over i != j of u_i . u_j = |sum_i u_i|^2 - S        with u_i of length 1, so no S x S matrix is needed

effective_rank is the number of dimensions in use (Roy, Vetterli 2007, "The effective rank"). With the singular values s
of the S x E matrix of embeddings of length 1, and p = s / sum(s),

    effective_rank = exp(-sum_k p_k log p_k)

which is E for E equal singular values, and 1 if all embeddings are the same up to length.
"""

from typing import NamedTuple

import numpy as np

from minitransformer.ops.normalise import normalise_forward


class EmbeddingHealth(NamedTuple):
    mean_cosine: float
    effective_rank: float
    size: int  # E, the largest possible effective rank

    def __str__(self) -> str:
        return f"mean cosine {self.mean_cosine:.3f}, effective rank {self.effective_rank:.1f} of {self.size}"


def embedding_health(embeddings: np.ndarray) -> EmbeddingHealth:
    """The health of embeddings (S, E); the mean cosine is nan for fewer than two."""
    num_texts, size = embeddings.shape
    unit, _ = normalise_forward(np.asarray(embeddings, float))
    total = unit.sum(axis=0)
    pairs = num_texts * (num_texts - 1)
    mean_cosine = float(total @ total - (unit * unit).sum()) / pairs if pairs else float("nan")
    return EmbeddingHealth(mean_cosine, effective_rank(unit), size)


def effective_rank(x: np.ndarray) -> float:
    """exp of the entropy of the singular values of x (S, E), as shares of their sum."""
    eigenvalues = np.linalg.eigvalsh(x.T @ x if x.shape[0] > x.shape[1] else x @ x.T)
    singular_values = np.sqrt(np.maximum(eigenvalues, 0))
    shares = singular_values[singular_values > 0] / singular_values.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))
