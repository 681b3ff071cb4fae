"""The lecture's in-class exercise #0: two tokens, one attention head. Which token does token 2 attend to?

    python ice0.py

Prints every matrix on the way from x to the output, with the scores as they are and divided by sqrt(D), and then what
float32 makes of the softmax as the formula has it. docs/attention.md walks through the same numbers.
"""

import math

import numpy as np

from minitransformer.ops.attention import attention_forward
from minitransformer.ops.softmax import softmax_forward

# The exercise's numbers: a row of x for each token, and the matrices of one head, (H, D) = (4, 3).
X = np.array([[1, 2, 3, -1], [3, -4, -7, 5]], float)
W_Q = np.array([[-1, 2, 0], [2, 3, -5], [1, 0, 0], [-3, 1, 2]], float)
W_K = np.array([[1, 2, 3], [2, 4, 3], [3, 0, 3], [-1, 5, 2]], float)
W_V = np.array([[-1, -2, 3], [2, -4, 0], [0, 0, 1], [1, 0, -7]], float)


def main():
    show("x", X)
    q, k, v = X @ W_Q, X @ W_K, X @ W_V
    show("Q = x W^Q", q)
    show("K = x W^K", k)
    show("V = x W^V", v)
    attend("unscaled", q, k, v, scale=1.0)
    attend("scaled by 1 / sqrt(3)", q, k, v, scale=1 / math.sqrt(3))
    softmax_by_the_bare_formula((q @ k.T)[1])


def attend(title, q, k, v, scale):
    """Print attention step by step: scores, weights and output, row i for token i."""
    print(f"---- {title} ----\n")
    scores = q @ k.T * scale
    weights, _ = softmax_forward(scores)
    y, _ = attention_forward(q, k, v, scale=scale)  # does all of it in one call
    show("scores = Q K^T * scale", scores)
    show("weights = softmax(scores)", weights)
    show("log(weights)", np.log(weights))
    show("y = weights V", y)
    print(f"Token 2 attends to token {weights[1].argmax() + 1}.\n")


def softmax_by_the_bare_formula(scores):
    """Print exp(s) / sum(exp(s)) of one row, which overflows in float32."""
    print("---- softmax of token 2's unscaled scores, without subtracting the maximum first the maximum first ----\n")
    for dtype in (np.float64, np.float32):
        with np.errstate(over="ignore", invalid="ignore"):
            exps = np.exp(scores.astype(dtype))
            show(f"exp(scores), {exps.dtype}", exps[None])
            show(f"exp(scores) / sum(exp(scores)), {exps.dtype}", (exps / exps.sum())[None])


def show(name, matrix):
    rows = [[f"{number:.12g}" for number in row] for row in matrix]
    width = max(len(number) for row in rows for number in row)
    print(f"{name}  {matrix.shape}")
    for row in rows:
        print("".join(f"  {number:>{width}}" for number in row))
    print()


if __name__ == "__main__":
    main()
