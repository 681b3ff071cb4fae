from tests.cli.conftest import small_text
from tests.cli.test_fill_mask import assert_one_line_error


def test_without_data_a_pretrained_model_gets_the_scores_that_its_training_ended_with(run, model_folder):
    from minitransformer.training.metrics import read_metrics

    last = [line for line in read_metrics(model_folder / "metrics.jsonl") if "held_out_mlm" in line][-1]
    result = run("evaluate", "pretraining", model_folder)
    assert result.status == 0
    assert f"{last['held_out_mlm']:.3f}" in result.output
    assert f"{last['held_out_nsp_accuracy']:.1%}" in result.output


def test_with_data_the_model_is_asked_on_that_text(run, model_folder, tmp_path):
    (tmp_path / "other.txt").write_text(small_text(num_documents=9, seed=5))
    result = run("evaluate", "pretraining", model_folder, tmp_path / "other.txt")
    assert result.status == 0
    assert "masked tokens" in result.output
    assert result.output != run("evaluate", "pretraining", model_folder).output


def test_a_model_without_a_text_of_its_own_needs_data(run, model_folder, tmp_path):
    for name in ("config.json", "model.safetensors", "vocab.txt", "tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((model_folder / name).read_bytes())
    assert_one_line_error(run("evaluate", "pretraining", tmp_path), "no training run", "name a text")


def test_a_text_of_one_document_is_refused(run, model_folder, tmp_path):
    (tmp_path / "one.txt").write_text("the dog likes bread.\nthe dog sees the river.\n")
    assert_one_line_error(run("evaluate", "pretraining", model_folder, tmp_path / "one.txt"), "one document")
