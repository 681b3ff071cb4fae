import warnings

import numpy as np
import pytest

from minitransformer.errors import UserError
from minitransformer.models.gpt import Gpt
from minitransformer.text.tokenizer_of_folder import tokenizer_of_folder
from minitransformer.training.metrics import read_metrics
from minitransformer.training.runs.gpt_pretraining import GptPretrainingRun, GptPretrainingSettings
from tests.cli.conftest import small_text


def settings(folder, **changes):
    file = folder / "text.txt"
    if not file.exists():
        file.write_text(small_text(num_documents=20))
    sizes = {"steps": 6, "save_every": 2, "batch_size": 4, "max_length": 16, "vocab_size": 280}
    return GptPretrainingSettings(corpus=[str(file)], **{**sizes, **changes})


def test_making_a_run_reads_and_writes_nothing(tmp_path):
    GptPretrainingRun(tmp_path / "run", GptPretrainingSettings(corpus=["no such file"]))
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("tokenizer", ["bytes", "characters"])
def test_the_text_is_the_files_text_and_its_end_is_held_out(tmp_path, tokenizer):
    vocab_size = 280 if tokenizer == "bytes" else None
    run = GptPretrainingRun.start(tmp_path / "run", settings(tmp_path, tokenizer=tokenizer, vocab_size=vocab_size))
    text = (tmp_path / "text.txt").read_text()
    assert run.tokenizer.decode(run.training_ids) + run.tokenizer.decode(run.held_out_ids[1:]) == text
    assert run.held_out_ids[0] == run.training_ids[-1]
    assert len(run.held_out_ids) - 1 == pytest.approx(0.1 * len(run.text.token_ids), abs=1)
    assert run.held_out_ids[-1] == run.tokenizer.eos_token_id


def test_an_evaluation_reads_no_more_than_it_is_told(tmp_path):
    run = GptPretrainingRun.start(tmp_path / "run", settings(tmp_path, held_out_tokens=30))
    assert len(run.held_out_ids) == 31
    assert run.baselines.tokens == 30


def test_the_model_fits_its_tokenizer_and_says_how_long_a_text_may_be(tmp_path):
    run = GptPretrainingRun.start(tmp_path / "run", settings(tmp_path, dropout=0.2))
    config = run.model.config
    assert config.vocab_size == run.tokenizer.vocab_size == 280
    assert config.eos_token_id == config.bos_token_id == run.tokenizer.eos_token_id == 279
    assert config.max_position_embeddings == run.tokenizer.model_max_length == 16
    dropouts = config.embedding_dropout_prob, config.hidden_dropout_prob, config.attention_probs_dropout_prob
    assert dropouts == (0.2, 0.2, 0.2)


def test_the_best_model_is_kept_and_a_finished_run_evaluates_as_it(tmp_path, monkeypatch):
    """The learning rate is so high that the model gets worse with each step."""
    run = GptPretrainingRun.start(tmp_path / "run", settings(tmp_path, learning_rate=0.3, warm_up=0.9))
    best = run.train(workers=1)
    losses = [line["held_out_nats_per_token"] for line in read_metrics(run.metrics_file) if len(line) < 5]
    assert len(losses) == 3
    assert best["nats_per_token"] == min(losses) < losses[-1]
    opened = GptPretrainingRun.open(tmp_path / "run")
    assert opened.evaluate()._asdict() == pytest.approx(best)
    report = run.report(best)
    assert opened.report(best) == report
    assert run.tokenizer.decode(run.prompt_ids) in report
    np.testing.assert_array_equal(Gpt.from_pretrained(run.folder).storage.values, opened.model.storage.values)
    assert tokenizer_of_folder(run.folder).texts() == run.tokenizer.texts()
    with pytest.raises(UserError, match="is finished: there is nothing to resume"):
        GptPretrainingRun.resume(tmp_path / "run")


def test_the_example_begins_with_a_whole_line_of_the_held_out_text(tmp_path):
    run = GptPretrainingRun.start(tmp_path / "run", settings(tmp_path, max_length=40))
    begins = run.tokenizer.decode(run.prompt_ids)
    assert any(line.startswith(begins.split("\n")[0]) for line in (tmp_path / "text.txt").read_text().splitlines())
    assert begins in run.tokenizer.decode(run.held_out_ids)
    (tmp_path / "text.txt").write_text("a line without an end " * 99)
    run = GptPretrainingRun.start(tmp_path / "other", settings(tmp_path, max_length=2, vocab_size=258, steps=1))
    assert len(run.prompt_ids) == 1


def test_one_worker_and_two_differ_only_in_the_order_of_summation(tmp_path):
    values = []
    for workers in (1, 2):
        run = GptPretrainingRun.start(tmp_path / f"run{workers}", settings(tmp_path, dropout=0.1))
        run.loop().run(workers)
        values.append(run.model.storage.values.copy())
    np.testing.assert_allclose(values[0], values[1], rtol=1e-3, atol=1e-4)


def test_a_text_that_changed_is_not_resumed(tmp_path):
    run = GptPretrainingRun.start(tmp_path / "run", settings(tmp_path, save_every=3))
    run.loop().run(workers=1)
    (tmp_path / "text.txt").write_text(small_text(num_documents=21, seed=3))
    for folder in ("tokenizer", "corpus"):
        (run.training_folder / folder).rename(tmp_path / folder)
    with pytest.raises(UserError, match="belongs to a run with corpus_fingerprint"):
        GptPretrainingRun.resume(run.folder).train()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tokenizer": "characters"}, "a vocabulary of characters has those of the text, not 280"),
        ({"vocab_size": 5000}, "vocab_size is 5000, but the text supports at most"),
        ({"vocab_size": 200}, "the 256 bytes .* need 257"),
        ({"max_length": 99_999}, "the text to train on has .* tokens, but max_length is 99999"),
        ({"held_out_share": 1e-17}, "too few to hold 0% of them out"),
        ({"size": "huge"}, "no preset 'huge'"),
    ],
)
def test_what_cannot_be_trained_is_refused_and_leaves_nothing(tmp_path, changes, words):
    with pytest.raises(UserError, match=words):
        GptPretrainingRun.start(tmp_path / "run", settings(tmp_path, **changes))
    assert not (tmp_path / "run").exists()


def test_a_vocabulary_too_large_for_the_text_is_worth_a_note(tmp_path):
    run = GptPretrainingRun.start(tmp_path / "run", settings(tmp_path, steps=1))
    with pytest.warns(UserWarning, match=r"the text has \d\d? tokens for each of the vocabulary"):
        run.train(workers=1)
    changes = {"tokenizer": "characters", "vocab_size": None, "steps": 1}
    run = GptPretrainingRun.start(tmp_path / "characters", settings(tmp_path, **changes))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run.train(workers=1)
