"""How much a map of embeddings in two dimensions lies.

A map keeps a text's neighbours only in part: of 384 dimensions two are left. Three numbers say how much is lost:

    shown             the share of the embeddings' variance that is along the map's two axes
    kept              of each text's K nearest neighbours, the share that are among its K nearest on the map
    trustworthiness   1 if all K neighbours on the map are neighbours, less the further away they really are:

        1 - 2 / (S K (2 S - 3 K - 1)) * sum over texts i, and j of i's K neighbours on the map that aren't really so, of
                                        (rank of j among the neighbours of i) - K

Venna, Kaski 2001 ("Neighborhood preservation in nonlinear projection methods"), as scikit-learn computes it.
Neighbours are by Euclidean distance, which for embeddings of length 1 is the order of their cosines.
"""

from typing import NamedTuple

import numpy as np

NEIGHBOURS = 10


class EmbeddingMap(NamedTuple):
    places: np.ndarray  # (S, 2), on the two axes along which the embeddings vary most
    neighbours: np.ndarray  # (S, K), the nearest others of each among the embeddings, the nearest first
    shown: float
    kept: float
    trustworthiness: float  # nan if there are too few texts for it: it needs more than 3 K / 2


def embedding_map(embeddings: np.ndarray, num_neighbours: int = NEIGHBOURS) -> EmbeddingMap:
    """The principal components of embeddings (S, E) of S > 2 texts, and what they keep; K is at most S - 1."""
    num_neighbours = min(num_neighbours, len(embeddings) - 1)
    centred = embeddings.astype(float) - embeddings.mean(axis=0)
    u, singular_values, _ = np.linalg.svd(centred, full_matrices=False)
    places = (u * singular_values)[:, :2]
    of_all = np.square(singular_values)
    ranks, true_order = _ranks(centred)
    _, map_order = _ranks(places)
    on_map = map_order[:, :num_neighbours]
    ranks_on_map = np.take_along_axis(ranks, on_map, axis=1)
    return EmbeddingMap(
        places,
        true_order[:, :num_neighbours],
        float(of_all[:2].sum() / of_all.sum()) if of_all.sum() else 1.0,
        float((ranks_on_map <= num_neighbours).mean()),
        _trustworthiness(ranks_on_map, num_neighbours),
    )


def _ranks(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(S, S), the how-manieth neighbour of i is j, from 1; and (S, S - 1), the neighbours in that order."""
    squares = np.square(x).sum(axis=1)
    distances = squares[:, None] + squares - 2 * x @ x.T
    np.fill_diagonal(distances, -np.inf)  # a text comes before its neighbours
    order = distances.argsort(axis=1, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(len(x))[None, :], axis=1)
    return ranks, order[:, 1:]


def _trustworthiness(ranks_on_map: np.ndarray, k: int) -> float:
    num_texts = len(ranks_on_map)
    if 2 * num_texts <= 3 * k + 1:
        return float("nan")
    beyond = np.maximum(ranks_on_map - k, 0).sum()
    return float(1 - 2 * beyond / (num_texts * k * (2 * num_texts - 3 * k - 1)))
