"""The tied decoder: how well a row fits each token, with the token embedding's own table as the weights.

    logits = x table^T + bias,   logits_mv = sum_k x_mk table_vk + bias_v

table (V, H) is the one that tokens were looked up in: one array with two uses (Press, Wolf 2017, arXiv 1608.05859).
An untied model hands in a table of its own for this; nothing else changes.

Back: the rules of ops/linear.py with W = table^T,

    dx = dlogits table,   dtable = dlogits^T x,   dbias = sum over rows of dlogits

where dtable is this use's part: the lookup adds its own.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minitransformer.ops.sums import column_sums


class TiedDecoderCache(NamedTuple):
    x: np.ndarray  # (M, H)
    table: np.ndarray  # (V, H)


def tied_decoder_forward(x: np.ndarray, table: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, TiedDecoderCache]:
    """logits (M, V) of rows x (M, H), table (V, H) and bias (V,), and the cache."""
    logits = x @ table.T
    logits += bias
    return logits, TiedDecoderCache(x, table)


def tied_decoder_backward(
    dlogits: np.ndarray, cache: TiedDecoderCache
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of x (M, H), table (V, H) and bias (V,) for dlogits (M, V)."""
    x, table = cache
    return dlogits @ table, dlogits.T @ x, column_sums(dlogits)
