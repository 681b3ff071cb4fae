"""What several processes compute is what one computes."""

import numpy as np
import pytest

KINDS = ["pretraining", "ranking"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("processes", [2, 3])
def test_twenty_steps_equal_those_of_one_process(run, tmp_path, kind, processes):
    """Ranking also: every process sees the embeddings of the whole batch."""
    values = []
    for count in (1, processes):
        result = run(count, "-m", "tests.mpi.steps", kind, tmp_path / f"{count}.npy")
        assert result.status == 0, result.error
        values.append(np.load(tmp_path / f"{count}.npy"))
    np.testing.assert_allclose(values[1], values[0], rtol=1e-6, atol=1e-9)


def test_the_same_number_of_processes_gives_the_same_bits(run, tmp_path):
    for name in ("first.npy", "second.npy"):
        run(2, "-m", "tests.mpi.steps", "pretraining", tmp_path / name)
    np.testing.assert_array_equal(*(np.load(tmp_path / name) for name in ("first.npy", "second.npy")))
