"""How far down a list of results people look, fitted on real result pages.

The position-based model: a result is clicked if it is looked at, which depends on its rank alone, and if it attracts,
which depends on the query and the document alone:

    P(click on d at rank r after q) = examination_r * attraction_qd

Neither is seen. Expectation-maximisation guesses, for each result that wasn't clicked, how likely it was looked at
(and attracted), and takes the means of these guesses as the new parameters (Chuklin, Markov, de Rijke 2015, 3.2).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

ITERATIONS = 200


def read_pages(file: Path) -> tuple[np.ndarray, np.ndarray]:
    """Which query and document each result is, numbered together, and whether it was clicked; both (pages, ranks)."""
    numbers: dict[tuple[str, str], int] = {}
    results, clicks = [], []
    for line in file.read_text(encoding="utf-8").splitlines()[1:]:
        _, query, documents, clicked = line.split("\t")
        results.append([numbers.setdefault((query, document), len(numbers)) for document in documents.split()])
        clicks.append([mark == "1" for mark in clicked])
    return np.array(results), np.array(clicks)


def fit_examination(results: np.ndarray, clicks: np.ndarray, iterations: int = ITERATIONS) -> np.ndarray:
    """(ranks,) how likely each rank is looked at, relative to the first."""
    examination = np.full(results.shape[1], 0.5)
    attraction = np.full(results.max() + 1, 0.5)
    shown = np.bincount(results.ravel())
    for _ in range(iterations):
        attracts = attraction[results]
        no_click = np.maximum(1 - examination * attracts, 1e-9)
        looked_at = np.where(clicks, 1.0, examination * (1 - attracts) / no_click)
        attracted = np.where(clicks, 1.0, attracts * (1 - examination) / no_click)
        examination = looked_at.mean(axis=0)
        attraction = np.bincount(results.ravel(), attracted.ravel()) / shown
    return examination / examination[0]
