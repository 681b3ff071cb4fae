"""Metrics as people read them."""

from __future__ import annotations

from collections.abc import Mapping


def in_words(metrics: Mapping[str, float]) -> str:
    """
    >>> in_words({"accuracy": 0.92971, "macro_f1": 0.891})
    'accuracy 0.930, macro f1 0.891'
    """
    return ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in metrics.items())
