import json
import shutil

from minitransformer.models.bert import Bert
from tests.small_models import small_config


def test_it_prints_the_best_fillings_with_their_probabilities(run, model_folder):
    result = run("fill-mask", model_folder, "the dog likes green [MASK] after lunch.", "--top", 3)
    assert result.status == 0
    lines = [line.split() for line in result.output.splitlines()]
    shares = [float(share.rstrip("%")) for share, _ in lines]
    assert len(lines) == 3
    assert shares == sorted(shares, reverse=True)
    assert 0 < sum(shares) <= 100.1


def test_each_mask_has_its_own_table(run, model_folder):
    result = run("fill-mask", model_folder, "the [MASK] likes [MASK] grass")
    assert "[MASK] 1 of 2" in result.output
    assert "[MASK] 2 of 2" in result.output


def assert_one_line_error(result, *words):
    assert result.status == 1
    assert result.output == ""
    assert result.error.startswith("Error: ")
    assert result.error.count("\n") == 1
    for word in words:
        assert word in result.error


def test_a_text_without_a_mask_is_refused(run, model_folder):
    assert_one_line_error(run("fill-mask", model_folder, "the dog"), "no [MASK] in 'the dog'")


def test_a_text_longer_than_the_model_is_refused_with_both_numbers(run, model_folder):
    assert_one_line_error(run("fill-mask", model_folder, "[MASK] " + "dog " * 40), "43 tokens", "takes 24")


def test_a_model_without_the_head_is_refused(run, model_folder, tmp_path):
    shutil.copytree(model_folder, tmp_path / "encoder", ignore=shutil.ignore_patterns("training"))
    Bert(small_config()).save_pretrained(tmp_path / "encoder")
    assert_one_line_error(run("fill-mask", tmp_path / "encoder", "a [MASK]"), "no masked-LM head")


def test_a_folder_that_is_not_there_is_refused(run, tmp_path):
    assert_one_line_error(run("fill-mask", tmp_path / "none", "a [MASK]"), "none")


def test_a_config_whose_sizes_do_not_divide_is_refused(run, model_folder, tmp_path):
    shutil.copytree(model_folder, tmp_path / "odd")
    config = json.loads((tmp_path / "odd/config.json").read_text())
    (tmp_path / "odd/config.json").write_text(json.dumps({**config, "num_attention_heads": 3}))
    assert_one_line_error(run("fill-mask", tmp_path / "odd", "a [MASK]"), "config.json", "hidden_size 128", "3")
