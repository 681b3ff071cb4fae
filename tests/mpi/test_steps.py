"""What several processes compute is what one computes."""

import numpy as np
import pytest

from tests.mpi.steps import KINDS


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("processes", [2, 3])
def test_twenty_steps_equal_those_of_one_process(run, tmp_path, kind, processes):
    """Ranking also: every process sees the embeddings of the whole batch. What an objective learns counts once."""
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


def test_all_processes_help_with_what_the_first_maps_in_order(run, tmp_path):
    program = tmp_path / "maps.py"
    program.write_text(
        "from minitransformer.training.machines import this_job\n"
        "def item_and_rank(item):\n"
        "    return item, this_job().rank\n"
        "if __name__ == '__main__':\n"
        "    job = this_job()\n"
        "    found = job.first(lambda: [*job.map(item_and_rank, range(19))])\n"
        "    assert job.all(lambda: found) == [found, found]\n"
        "    if job.rank == 0:\n"
        "        print(found)\n"
    )
    result = run(2, program)
    helpers = [0] * 8 + [1] * 8 + [0] * 2 + [1]
    assert result.output == f"{[*enumerate(helpers)]}\n", result.error
