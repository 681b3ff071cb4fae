import pytest

from minitransformer.errors import UserError
from scripts.experiments import lora
from scripts.experiments.lora import Measured
from tests.small_tables import labelled_texts, learning_encoder


@pytest.fixture
def options(tmp_path):
    learning_encoder().save_pretrained(tmp_path / "base")
    table = str(labelled_texts(tmp_path / "table.tsv"))
    return [str(tmp_path / "base"), ["--train", table, "--dev", table, "--epochs", "1", "--pooling", "mean"]]


def test_a_way_is_measured_by_what_its_run_leaves(tmp_path, options):
    base, shared = options
    found = lora.measure(base, [*shared, "--lora", "2"], tmp_path / "run")
    attention, feed_forward, classifier = 4 * 2 * (12 + 12), 2 * 2 * (12 + 7), 12 * 3 + 3  # the updates are of rank 2
    assert found.trained == 2 * (attention + feed_forward) + classifier
    assert 0 < found.accuracy <= 1
    assert found.memory > 2**24
    assert found.saved == (tmp_path / "run/adapter_model.safetensors").stat().st_size


def test_a_way_that_fails_is_an_error(tmp_path, options):
    base, shared = options
    with pytest.raises(UserError, match=r"finetune .* --lora 13 .*failed"):
        lora.measure(base, [*shared, "--lora", "13"], tmp_path / "run")


def test_each_way_stands_beside_the_one_that_trains_all_weights():
    whole, small = Measured(2000, 0.9, 3 * 10**8, 10**7), Measured(50, 0.89, 10**8, 2 * 10**5)
    rows = lora.rows_of({"all": whole, "few": small})
    assert rows == [
        ["all", "2,000", "100.00%", "90.00%", "100.0%", "300", "10.0"],
        ["few", "50", "2.50%", "89.00%", "98.9%", "100", "0.2"],
    ]
    assert len(rows[0]) == len(lora.HEADER)
