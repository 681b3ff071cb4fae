import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from minitransformer.corpora.text_files import TextFiles
from minitransformer.errors import UserError
from minitransformer.text.bert_tokenizer import BertTokenizer
from minitransformer.training.runs.pretraining import PretrainingRun, PretrainingSettings
from tests.cli.conftest import small_text


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "text.txt").write_text(small_text(num_documents=30))
    sizes = {"vocab_size": 140, "batch_size": 8, "max_length": 24, "held_out_pairs": 40}
    return PretrainingSettings(corpus=[str(tmp_path / "text.txt")], steps=3, **sizes)


def test_making_a_run_reads_and_writes_nothing(tmp_path):
    PretrainingRun(tmp_path / "run", PretrainingSettings(corpus=["no such file"]))
    assert not any(tmp_path.iterdir())


def test_the_text_is_read_once(tmp_path, settings, monkeypatch):
    sentences, readings = TextFiles.sentences, []
    monkeypatch.setattr(TextFiles, "sentences", lambda self, *rest: readings.append(self) or sentences(self, *rest))
    run = PretrainingRun.start(tmp_path / "run", settings)
    assert len(readings) == 1
    assert run.corpus.num_documents == 30
    PretrainingRun.resume(tmp_path / "run")
    assert len(readings) == 1


def test_a_finished_run_can_be_opened_and_evaluates_as_its_training_ended(tmp_path, settings):
    run = PretrainingRun.start(tmp_path / "run", settings)
    metrics = run.train(workers=1)
    opened = PretrainingRun.open(tmp_path / "run")
    np.testing.assert_array_equal(opened.model.storage.values, run.model.storage.values)
    assert opened.evaluate()._asdict() == metrics
    assert f"{metrics['mlm']:.3f}" in opened.report(metrics)
    with pytest.raises(UserError, match="is finished: there is nothing to resume"):
        PretrainingRun.resume(tmp_path / "run")


def test_the_folder_has_the_audit_of_the_pairs_that_it_was_trained_on(tmp_path, settings):
    run = PretrainingRun.start(tmp_path / "run", settings)
    run.train(workers=1)
    assert run.audit_file.read_text(encoding="utf-8") == f"{run.audit}\n"


def test_a_cased_vocabulary_keeps_capitals_and_accents(tmp_path, settings):
    (tmp_path / "text.txt").write_text(
        "Ich möchte schon. Ich mochte es.\n" * 6 + "\n" + "Schön war es. Er möchte.\n" * 9
    )
    run = PretrainingRun.start(tmp_path / "cased", replace(settings, cased=True, vocab_size=49, held_out_pairs=2))
    assert run.tokenizer.tokenize("möchte") != run.tokenizer.tokenize("mochte")
    assert run.tokenizer.tokenize("Es") != run.tokenizer.tokenize("es")
    run = PretrainingRun.start(tmp_path / "uncased", replace(settings, vocab_size=35, held_out_pairs=2))
    assert run.tokenizer.tokenize("Möchte") == run.tokenizer.tokenize("mochte")


def test_a_tokenizer_of_ones_own_is_used_as_it_is(tmp_path, settings):
    first = PretrainingRun.start(tmp_path / "first", settings)
    first.tokenizer.save_pretrained(tmp_path / "tokenizer")
    own = replace(settings, vocab_size=None, tokenizer_from=str(tmp_path / "tokenizer"), max_length=20)
    run = PretrainingRun.start(tmp_path / "run", own)
    assert run.model.config.vocab_size == run.tokenizer.vocab_size == 140
    assert run.tokenizer.model_max_length == 20
    assert run.corpus.fingerprint == first.corpus.fingerprint


@pytest.mark.parametrize("next_sentence", [True, False])
def test_a_model_is_trained_further_from_its_weights_with_its_tokenizer(tmp_path, settings, next_sentence):
    first = PretrainingRun.start(tmp_path / "first", replace(settings, next_sentence=next_sentence))
    first.train(workers=1)
    (tmp_path / "more.txt").write_text(small_text(num_documents=20, seed=7))
    more = {"corpus": [str(tmp_path / "more.txt")], "vocab_size": None, "further": str(tmp_path / "first")}
    run = PretrainingRun.start(tmp_path / "second", replace(settings, next_sentence=next_sentence, **more))
    np.testing.assert_array_equal(run.model.storage.values, first.model.storage.values)
    assert run.tokenizer.vocab_size == 140
    assert "first, trained further" in run.describe()
    run.train(workers=1)
    assert not np.array_equal(run.model.storage.values, first.model.storage.values)
    shutil.rmtree(first.folder)
    np.testing.assert_array_equal(PretrainingRun.open(run.folder).model.storage.values, run.model.storage.values)


def test_one_document_is_enough_for_masked_words_alone(tmp_path, settings):
    (tmp_path / "text.txt").write_text(small_text(num_documents=30).replace("\n\n", "\n"))
    with pytest.raises(UserError, match=r"the corpus is one document, .* or train on masked words alone"):
        PretrainingRun.start(tmp_path / "run", settings)
    run = PretrainingRun.start(tmp_path / "run", replace(settings, next_sentence=False))
    metrics = run.train(workers=1)
    assert metrics.keys() == {"mlm", "mlm_accuracy"}
    assert "next sentence" not in run.report(metrics)
    assert "Stretches of text: " in run.describe()
    assert "stretches of text in an epoch" in run.audit_file.read_text(encoding="utf-8")
    config = json.loads((run.folder / "config.json").read_text())
    assert config["architectures"] == ["BertForMaskedLM"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"further": "bert", "cased": True, "size": "mini"}, "bert has its own .*; leave out --size, --cased, --vocab"),
        ({"further": "bert", "vocab_size": None, "dropout": 0.0}, "bert has its own .*; leave out --dropout"),
        ({"tokenizer_from": "words"}, "words has its own vocabulary and sizes; leave out --vocab-size"),
    ],
)
def test_settings_of_something_new_are_refused_for_what_is_not(settings, changes, message):
    with pytest.raises(UserError, match=message):
        replace(settings, **changes)


def test_a_model_is_given_no_longer_texts_than_it_takes(tmp_path, settings):
    PretrainingRun.start(tmp_path / "first", settings).train(workers=1)
    longer = replace(settings, vocab_size=None, further=str(tmp_path / "first"), max_length=25)
    with pytest.raises(UserError, match=r"max_length is 25, but .*first takes 24 tokens at most"):
        PretrainingRun.start(tmp_path / "second", longer)
    assert not (tmp_path / "second").exists()


def test_a_vocabulary_that_does_not_know_the_text_is_noted(tmp_path, settings):
    BertTokenizer.train("quite other words " * 20, vocab_size=25, min_count=1).save_pretrained(tmp_path / "other")
    other = replace(settings, vocab_size=None, tokenizer_from=str(tmp_path / "other"))
    with pytest.warns(UserWarning, match="[0-9]+% of the text's tokens are unknown to the vocabulary"):
        PretrainingRun.start(tmp_path / "run", other)
