"""The lecture's in-class exercise #0: two tokens, one attention head. Which token does token 2 attend to?

    python scripts/ice0.py

Prints every matrix on the way, with the scores as they are and divided by sqrt(D), and what the softmax of the
formula does with such scores in float32. docs/attention.md walks through the same numbers.
"""

import math

import numpy as np

from minitransformer.ops.attention import attention_forward
from minitransformer.ops.softmax import softmax_forward

# The exercise gives Q, K and V. The x (2, 4) and the three W (4, 3) here are ours: small whole numbers with just these
# Q = x W^Q, K = x W^K and V = x W^V.
X = np.array([[1, -3, -2, 1], [1, 3, 2, 3]], float)
W_Q = np.array([[-4, 1, 1], [-3, -1, 3], [-4, -1, 4], [-4, 1, 4]], float)
W_K = np.array([[-2, 2, 1], [-4, 1, -3], [-4, -1, -3], [-3, 4, 0]], float)
W_V = np.array([[0, 0, -4], [-1, 2, -4], [0, 2, -4], [-1, 0, -3]], float)


def main() -> None:
    q, k, v = X @ W_Q, X @ W_K, X @ W_V
    show("x", X)
    show("Q = x W^Q", q)
    show("K = x W^K", k)
    show("V = x W^V", v)
    attend("unscaled", q, k, v, scale=1.0)
    attend("scaled by 1 / sqrt(3)", q, k, v, scale=1 / math.sqrt(3))
    naive_softmax((q @ k.T)[1])


def attend(title: str, q: np.ndarray, k: np.ndarray, v: np.ndarray, scale: float) -> None:
    """Print attention step by step: scores, weights and output, row i for token i."""
    print(f"---- {title} ----\n")
    scores = q @ k.T * scale
    weights, _ = softmax_forward(scores)
    y, _ = attention_forward(q, k, v, scale=scale)
    show("scores = Q K^T * scale", scores)
    show("weights = softmax(scores)", weights)
    show("log(weights)", np.log(weights))
    show("y = weights V", y)
    print(f"Token 2 attends to token {weights[1].argmax() + 1}.\n")


def naive_softmax(scores: np.ndarray) -> None:
    """Print the softmax of one row by the bare formula, exp(s) / sum(exp(s)), which overflows."""
    print("---- softmax of token 2's unscaled scores, without taking the maximum away first ----\n")
    for dtype in (np.float64, np.float32):
        with np.errstate(over="ignore", invalid="ignore"):
            exps = np.exp(scores.astype(dtype))
            show(f"exp(scores), {exps.dtype}", exps[None])
            show(f"exp(scores) / sum(exp(scores)), {exps.dtype}", (exps / exps.sum())[None])


def show(name: str, matrix: np.ndarray) -> None:
    rows = [[f"{number:.12g}" for number in row] for row in matrix]
    width = max(len(number) for row in rows for number in row)
    print(f"{name}  {matrix.shape}")
    for row in rows:
        print("".join(f"  {number:>{width}}" for number in row))
    print()


if __name__ == "__main__":
    main()
