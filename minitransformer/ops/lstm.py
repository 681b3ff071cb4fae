"""Long short-term memory: a row for each token, which knows the tokens before it through a state that is handed on.

    z = x W + h U + b,   cut into four:   i, f, o = sigmoid(z_i, z_f, z_o),   g = tanh(z_g)
    c' = f * c + i * g,   h' = o * tanh(c')

The cell c is the memory: f says how much of it is kept, i how much of what is new (g) is added, o how much of it is
shown as h'. Hochreiter, Schmidhuber 1997, with the forget gate of Gers et al. 2000; the order i, f, g, o is PyTorch's.

A batch is packed rows, as everywhere (text/packed_tokens.py). x W + b is one product for all rows. The rest can't be
one: step t needs the states of step t - 1. It takes the sequences that have a token t, so the batch shrinks as they
end, and there is no padding. With the sequences sorted by length, those that go on are the first ones.

Back through the cell: c' reaches the loss through h' and through the next step, dh' and dc' being given:

    dc' += dh' o (1 - tanh(c')^2)
    dz = (dc' g i (1 - i),   dc' c f (1 - f),   dc' i (1 - g^2),   dh' tanh(c') o (1 - o)),   dc = dc' f

where s (1 - s) is the slope of the sigmoid, and 1 - t^2 that of tanh. Back through the layer, from the last step to the
first, dh of a step is what its own row gets from above and dz U^T of the step after it; and for all rows at once

    dx = dz W^T,   dW = x^T dz,   dU = h^T dz,   db = the sum of the rows of dz
"""

from typing import NamedTuple

import numpy as np
from scipy.special import expit

from minitransformer.ops.sequences import starts_of
from minitransformer.ops.sums import column_sums


class LstmCellCache(NamedTuple):
    gates: np.ndarray  # (S, 4 H): i, f, g, o
    c: np.ndarray  # (S, H) before the step
    tanh_c: np.ndarray  # (S, H) of the c after it


class LstmCache(NamedTuple):
    x: np.ndarray  # (N, in)
    h_before: np.ndarray  # (N, H) what each row's step began with
    weight: np.ndarray  # (in, 4 H)
    recurrent: np.ndarray  # (H, 4 H)
    lengths: np.ndarray  # (S,)
    order: np.ndarray  # (S,) the sequences, the longest first
    steps: list[np.ndarray]  # the rows of each step, those of the longest sequence first
    cells: list[LstmCellCache]


def lstm_cell_forward(z: np.ndarray, c: np.ndarray) -> tuple[tuple[np.ndarray, np.ndarray], LstmCellCache]:
    """h and c (S, H) after a step, for z = x W + h U + b (S, 4 H) and the cells c (S, H) before it; and the cache."""
    gates = expit(z)
    i, f, g, o = _four(gates)
    np.tanh(_four(z)[2], out=g)
    c_after = f * c + i * g
    tanh_c = np.tanh(c_after)
    return (o * tanh_c, c_after), LstmCellCache(gates, c, tanh_c)


def lstm_cell_backward(dh: np.ndarray, dc: np.ndarray, cache: LstmCellCache) -> tuple[np.ndarray, np.ndarray]:
    """Gradients of z (S, 4 H) and of the cells before the step (S, H), for those of h and c after it."""
    gates, c, tanh_c = cache
    i, f, g, o = _four(gates)
    dc = dc + dh * o * (1 - tanh_c * tanh_c)
    dz = [dc * g * i * (1 - i), dc * c * f * (1 - f), dc * i * (1 - g * g), dh * tanh_c * o * (1 - o)]
    return np.hstack(dz), dc * f


def lstm_forward(
    x: np.ndarray,
    h: np.ndarray,
    c: np.ndarray,
    weight: np.ndarray,
    recurrent: np.ndarray,
    bias: np.ndarray,
    lengths: np.ndarray,
) -> tuple[tuple[np.ndarray, np.ndarray], LstmCache]:
    """y (N, H), the h of every row, and the last c (S, H) of each sequence; and the cache.

    x (N, in) are rows that `lengths` (S,) cut into sequences, h and c (S, H) the states that they begin with;
    weight (in, 4 H), recurrent (H, 4 H), bias (4 H,).
    """
    order, steps = lstm_steps(lengths)
    z = x @ weight + bias
    y, h_before, cells = np.empty((len(x), h.shape[1]), x.dtype), np.empty((len(x), h.shape[1]), x.dtype), []
    h, c = h[order], c[order]
    for rows in steps:
        active = slice(len(rows))
        h_before[rows] = h[active]
        (h[active], c_after), cell = lstm_cell_forward(z[rows] + h[active] @ recurrent, c[active].copy())
        c[active] = c_after
        y[rows] = h[active]
        cells.append(cell)
    return (y, in_the_batch(c, order)), LstmCache(x, h_before, weight, recurrent, lengths, order, steps, cells)


def lstm_backward(dy: np.ndarray, dc: np.ndarray, cache: LstmCache) -> tuple[np.ndarray, ...]:
    """Gradients of x (N, in), h, c (S, H), weight, recurrent and bias, for dy (N, H) and the last dc (S, H)."""
    x, h_before, weight, recurrent, _, order, steps, cells = cache
    dz = np.empty((len(x), recurrent.shape[1]), dy.dtype)
    dh, dc = np.zeros_like(dc), dc[order]
    for rows, cell in zip(reversed(steps), reversed(cells), strict=True):
        active = slice(len(rows))
        dz[rows], dc[active] = lstm_cell_backward(dy[rows] + dh[active], dc[active], cell)
        dh[active] = dz[rows] @ recurrent.T
    dh, dc = in_the_batch(dh, order), in_the_batch(dc, order)
    return dz @ weight.T, dh, dc, x.T @ dz, h_before.T @ dz, column_sums(dz)


def _four(z: np.ndarray) -> list[np.ndarray]:
    """The columns of i, f, g and o: views."""
    return np.split(z, 4, axis=1)


def lstm_steps(lengths: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """The sequences, the longest first, and for each step the rows of those that have a token there.

    >>> order, steps = lstm_steps(np.array([1, 3]))
    >>> order, steps
    (array([1, 0]), [array([1, 0]), array([2]), array([3])])
    """
    order = np.argsort(-lengths, kind="stable")
    starts = starts_of(lengths)[order]
    counts = [int((lengths > step).sum()) for step in range(lengths.max(initial=0))]
    return order, [starts[:count] + step for step, count in enumerate(counts)]


def in_the_batch(x: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Rows that were taken out of a batch in `order`, back in their places."""
    in_place = np.empty_like(x)
    in_place[order] = x
    return in_place
