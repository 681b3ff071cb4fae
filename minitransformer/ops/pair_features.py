"""What a classifier sees of two sentences: their embeddings and how they differ, side by side.

    y = (u, v, |u - v|, u * v)      any of these components, each (S, H), element by element

Reimers, Gurevych 2019 (arXiv 1908.10084), section 3 and Table 6, which compares seven concatenations and finds |u - v|
to matter most: it is the only one that says, dimension by dimension, how far apart the two are.

Back: y's columns are cut into its components again, and u collects what reaches it through each of them:

    u        du += d                    dv unchanged
    v        du unchanged               dv += d
    |u - v|  du += sign(u - v) d        dv -= sign(u - v) d      (0 where u = v: any slope from -1 to 1 is valid)
    u * v    du += v d                  dv += u d
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

COMPONENTS = ("u", "v", "|u-v|", "u*v")

CONCATENATIONS = (  # Table 6, in its order
    ("u", "v"),
    ("|u-v|",),
    ("u*v",),
    ("|u-v|", "u*v"),
    ("u", "v", "u*v"),
    ("u", "v", "|u-v|"),
    ("u", "v", "|u-v|", "u*v"),
)


class PairFeaturesCache(NamedTuple):
    u: np.ndarray  # (S, H)
    v: np.ndarray  # (S, H)
    components: tuple[str, ...]


def pair_features_forward(
    u: np.ndarray, v: np.ndarray, components: tuple[str, ...]
) -> tuple[np.ndarray, PairFeaturesCache]:
    """y (S, n H), the n components (of COMPONENTS) of u and v (S, H) side by side, and the cache."""
    parts = [_component(name, u, v) for name in components]
    return np.concatenate(parts, axis=1), PairFeaturesCache(u, v, components)


def pair_features_backward(dy: np.ndarray, cache: PairFeaturesCache) -> tuple[np.ndarray, np.ndarray]:
    """Gradients of u and v (S, H) for dy (S, n H)."""
    u, v, components = cache
    du, dv = np.zeros_like(u), np.zeros_like(v)
    for name, d in zip(components, np.split(dy, len(components), axis=1), strict=True):
        if name == "u":
            du += d
        elif name == "v":
            dv += d
        elif name == "|u-v|":
            d_difference = np.sign(u - v) * d
            du += d_difference
            dv -= d_difference
        else:
            du += v * d
            dv += u * d
    return du, dv


def _component(name: str, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    if name == "u":
        return u
    if name == "v":
        return v
    if name == "|u-v|":
        return np.abs(u - v)
    return u * v
