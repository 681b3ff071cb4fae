"""Pages made with known parameters: does the fit find them again?"""

import numpy as np

from scripts.experiments.simulation.examination import fit_examination, read_pages


def test_the_fit_finds_the_examination_that_made_the_clicks():
    rng = np.random.default_rng(0)
    examination, attraction = np.array([1.0, 0.6, 0.3]), np.array([0.8, 0.5, 0.4, 0.1])
    results = np.array([rng.permutation(4)[:3] for _ in range(20_000)])
    clicks = rng.random(results.shape) < examination * attraction[results]
    np.testing.assert_allclose(fit_examination(results, clicks), examination, atol=0.03)


def test_the_best_results_first_do_not_count_as_looked_at_for_being_good():
    """If the better result is mostly at the top, its clicks are many; a share of clicks would call the rest unread."""
    rng = np.random.default_rng(1)
    results = np.where(rng.random((20_000, 1)) < 0.9, [0, 1], [1, 0])
    clicks = rng.random(results.shape) < np.array([1.0, 0.9]) * np.array([0.8, 0.1])[results]
    naive = clicks.mean(axis=0)
    assert naive[1] / naive[0] < 0.3
    np.testing.assert_allclose(fit_examination(results, clicks)[1], 0.9, atol=0.06)


def test_pages_number_a_document_anew_for_each_query(tmp_path):
    (tmp_path / "s.tsv").write_text("part\tquery\tdocuments\tclicked\ntrain\t0\t5 6\t01\ntrain\t1\t6 5\t10\n")
    results, clicks = read_pages(tmp_path / "s.tsv")
    np.testing.assert_array_equal(results, [[0, 1], [2, 3]])
    np.testing.assert_array_equal(clicks, [[False, True], [True, False]])
