"""What a classifier sees of two texts: their embeddings and how they differ, side by side.

    y = (u, v, |u - v|, u * v)      any of these components, each (S, H), element by element

Reimers, Gurevych 2019 (arXiv 1908.10084), section 3 and Table 6, which compares seven concatenations and finds |u - v|
to matter most: it is the only one that says, dimension by dimension, how far apart the two are.

Back: the columns of dy are cut into those of the components, and u and v each collect what comes through them:

    u        du = dy                    dv = 0
    v        du = 0                     dv = dy
    |u - v|  du = sign(u - v) dy        dv = -sign(u - v) dy      (0 where u = v: any slope from -1 to 1 is valid)
    u * v    du = v dy                  dv = u dy
"""

from typing import NamedTuple

import numpy as np

# Each component of u and v, and the gradients that its dy sends to u and v.
_COMPONENTS = {
    "u": (lambda u, v: u, lambda dy, u, v: (dy, 0)),
    "v": (lambda u, v: v, lambda dy, u, v: (0, dy)),
    "|u-v|": (lambda u, v: np.abs(u - v), lambda dy, u, v: (np.sign(u - v) * dy, np.sign(v - u) * dy)),
    "u*v": (lambda u, v: u * v, lambda dy, u, v: (v * dy, u * dy)),
}
COMPONENTS = tuple(_COMPONENTS)

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
    parts = [_COMPONENTS[name][0](u, v) for name in components]
    return np.concatenate(parts, axis=1), PairFeaturesCache(u, v, components)


def pair_features_backward(dy: np.ndarray, cache: PairFeaturesCache) -> tuple[np.ndarray, np.ndarray]:
    """Gradients of u and v (S, H) for dy (S, n H)."""
    u, v, components = cache
    du, dv = np.zeros_like(u), np.zeros_like(v)
    for name, dy_part in zip(components, np.split(dy, len(components), axis=1), strict=True):
        du_part, dv_part = _COMPONENTS[name][1](dy_part, u, v)
        du += du_part
        dv += dv_part
    return du, dv
