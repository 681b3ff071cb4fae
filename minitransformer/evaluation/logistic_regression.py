"""Multinomial logistic regression with an L2 penalty: the probe that SentEval puts on frozen embeddings.

    logits = x W + b
    loss = mean over the rows of -log softmax(logits)_label + |W|^2 / (2 C n)

for n examples x (n, num_features). C is the weight of the data against the penalty, as in scikit-learn; b isn't
penalised. Also as there, two classes share one column of weights (the logits of class 0 are 0), while more than two
have a column each.

Backward: dlogits = (softmax(logits) - 1[label]) / n, dW = x^T dlogits + W / (C n), db = sum over rows of dlogits.

The loss is convex, and SciPy's L-BFGS finds its minimum (Liu, Nocedal 1989). It needs few steps if the loss curves
equally in all directions, so it works on W / scale, where scale_i is the curvature along feature i at W = 0,

    var(x_i) (1 - 1/K) / K + 1 / (C n),   to the power of -1/2

That is all of the curvature if the features are uncorrelated, and principal_axes makes them so.
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

from minitransformer.ops.cross_entropy import cross_entropy_backward, cross_entropy_forward
from minitransformer.ops.linear import linear_forward

_TOLERANCE = 1e-5  # of the largest entry of the scaled gradient; far below what changes a prediction
_MAX_STEPS = 1000


class LogisticRegression(NamedTuple):
    weight: np.ndarray  # (num_features, K), or (num_features, 1) for two classes
    bias: np.ndarray  # (K,) or (1,)

    def logits(self, x: np.ndarray) -> np.ndarray:
        """Logits (n, K) of x (n, num_features)."""
        logits, _ = linear_forward(x, self.weight, self.bias)
        return logits if logits.shape[1] > 1 else np.concatenate([np.zeros_like(logits), logits], axis=1)

    def predict(self, x: np.ndarray) -> np.ndarray:
        """The most probable class (n,) of each row of x (n, num_features)."""
        return self.logits(x).argmax(axis=1)


def fit_logistic_regression(x: np.ndarray, labels: np.ndarray, num_classes: int, c: float) -> LogisticRegression:
    """Minimise the loss for x (n, num_features), labels (n,) from 0 to num_classes - 1, and C = c > 0."""
    n, columns = len(x), num_classes if num_classes > 2 else 1
    curvature = x.var(axis=0) * (1 - 1 / num_classes) / num_classes + 1 / (c * n)
    scale = (1 / np.sqrt(curvature))[:, None]

    def regression(parameters: np.ndarray) -> LogisticRegression:
        scaled_weight, bias = np.split(parameters.reshape(-1, columns).astype(x.dtype), [-1])
        return LogisticRegression(scaled_weight * scale, bias[0])

    def loss_and_gradient(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        model = regression(parameters)
        losses, cache = cross_entropy_forward(model.logits(x), labels)
        dlogits = cross_entropy_backward(np.full(n, 1 / n, x.dtype), cache)[:, -columns:]
        dweight = x.T @ dlogits + model.weight / (c * n)
        loss = losses.mean(dtype=float) + (model.weight**2).sum(dtype=float) / (2 * c * n)
        return loss, np.concatenate([dweight * scale, dlogits.sum(axis=0)[None]]).ravel().astype(float)

    start = np.zeros((x.shape[1] + 1) * columns)
    options = {"maxiter": _MAX_STEPS, "gtol": _TOLERANCE, "ftol": 0}
    return regression(minimize(loss_and_gradient, start, jac=True, method="L-BFGS-B", options=options).x)


def principal_axes(x: np.ndarray) -> np.ndarray:
    """x (n, num_features) with its mean subtracted, and rotated so that no two features are correlated.

    This changes no prediction, since b absorbs the shift, W absorbs the rotation, and the penalty |W|^2 is the same in
    all rotations. It only changes the number of steps to the minimum.
    """
    centred = x - x.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    return centred @ axes
