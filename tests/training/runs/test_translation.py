import random

import numpy as np
import pytest

from minitransformer.errors import UserError
from minitransformer.models.lstm_seq2seq import LstmSeq2Seq
from minitransformer.models.seq2seq import Seq2Seq
from minitransformer.text.tokenizer_of_folder import tokenizer_of_folder
from minitransformer.training.metrics import read_metrics
from minitransformer.training.runs.translation import TranslationRun, TranslationSettings

WORDS = ["red", "green", "blue", "one", "two"]


def write_pairs(file, count=24, seed=0):
    """Words, and the same in capitals and backwards."""
    rng = random.Random(seed)
    lines = [rng.choices(WORDS, k=rng.randrange(1, 4)) for _ in range(count)]
    rows = [f"{' '.join(words)}\t{' '.join(words[::-1]).upper()}" for words in lines]
    file.write_text("\n".join(["source\ttarget", *rows]) + "\n")
    return file


def settings(folder, **changes):
    train, dev = folder / "train.tsv", folder / "dev.tsv"
    if not train.exists():
        write_pairs(train)
        write_pairs(dev, 9, seed=1)
    sizes = {"epochs": 2, "batch_size": 8, "tokenizer": "characters", "max_length": 20}
    return TranslationSettings(train=str(train), dev=str(dev), **{**sizes, **changes})


def test_a_pair_is_its_texts_each_with_the_token_that_ends_it(tmp_path):
    run = TranslationRun.start(tmp_path / "run", settings(tmp_path))
    source, target = ((tmp_path / "train.tsv").read_text().splitlines()[1]).split("\t")
    ids = [batch.unpack(batch.token_ids)[0].tolist() for batch in run.pairs.inputs]
    assert [run.tokenizer.decode(text) for text in ids] == [source, target]
    assert [text[-1] for text in ids] == [run.tokenizer.eos_token_id] * 2
    assert (len(run.pairs), len(run.dev_pairs), run.steps, run.save_every) == (24, 9, 6, 3)


def test_source_and_target_share_a_vocabulary_and_the_model_fits_it(tmp_path):
    run = TranslationRun.start(tmp_path / "run", settings(tmp_path, dropout=0.2, label_smoothing=0.3))
    assert run.tokenizer.decode(run.tokenizer.encode("red RED")) == "red RED"
    config, end = run.model.config, run.tokenizer.eos_token_id
    assert config.vocab_size == run.tokenizer.vocab_size
    assert (config.eos_token_id, config.decoder_start_token_id, config.pad_token_id) == (end, end, end)
    assert (config.hidden_dropout_prob, config.label_smoothing, config.max_position_embeddings) == (0.2, 0.3, 20)


def test_the_model_takes_twice_as_many_tokens_as_the_longest_pair_has_unless_it_is_said(tmp_path):
    chosen = settings(tmp_path, max_length=None)
    every_letter = " ".join(WORDS + [word.upper() for word in WORDS])
    for length, positions in ((10, 92), (50, 102)):  # with the tokens that end them; every_letter has 45
        (tmp_path / "train.tsv").write_text(f"source\ttarget\n{every_letter}\t{'d' * length}\n")
        run = TranslationRun.start(tmp_path / str(length), chosen)
        assert run.model.config.max_position_embeddings == run.tokenizer.model_max_length == positions


def test_byte_pairs_spell_what_the_training_texts_did_not_have(tmp_path):
    run = TranslationRun.start(tmp_path / "run", settings(tmp_path, tokenizer="bytes", vocab_size=262))
    assert run.tokenizer.vocab_size == 262
    assert run.tokenizer.decode(run.tokenizer.encode("ünknown")) == "ünknown"


@pytest.mark.parametrize(
    ("architecture", "attention"),
    [("lstm", "luong"), ("lstm-bahdanau", "bahdanau"), ("lstm-without-attention", "none")],
)
def test_an_lstm_is_trained_by_the_same_run(tmp_path, architecture, attention):
    run = TranslationRun.start(tmp_path / "run", settings(tmp_path, architecture=architecture, epochs=1))
    assert run.model.config.attention == attention
    metrics = run.train(workers=1)
    assert 0 < metrics["nats_per_token"] < 4
    again = LstmSeq2Seq.from_pretrained(run.folder)
    np.testing.assert_array_equal(again.storage.values, run.model.storage.values)


def test_the_best_model_is_kept_and_a_finished_run_evaluates_as_it(tmp_path):
    """The learning rate is so high that the model gets worse again."""
    run = TranslationRun.start(tmp_path / "run", settings(tmp_path, learning_rate=0.1, warm_up=0.9, epochs=3))
    best = run.train(workers=1)
    lines = [line for line in read_metrics(run.metrics_file) if "held_out_chrf" in line]
    assert len(lines) == 3
    assert run.worth(best) == max(line["held_out_exact_match"] + line["held_out_chrf"] for line in lines)
    opened = TranslationRun.open(run.folder)
    assert opened.evaluate()._asdict() == pytest.approx(best)
    report = opened.report(best)
    for words in ("exact match", "chrF2", "BLEU (13a)", "without smoothing", opened.dev.texts[0][0]):
        assert words in report
    np.testing.assert_array_equal(Seq2Seq.from_pretrained(run.folder).storage.values, opened.model.storage.values)
    assert tokenizer_of_folder(run.folder).adds_eos
    with pytest.raises(UserError, match="is finished: there is nothing to resume"):
        TranslationRun.resume(run.folder)


def test_more_exact_matches_outweigh_nearer_misses_and_without_any_the_nearest_are_kept(tmp_path):
    run = TranslationRun(tmp_path, settings(tmp_path))
    nearer, exact = {"exact_match": 40.8, "chrf": 82.8}, {"exact_match": 46.9, "chrf": 81.0}
    assert run.worth(exact) > run.worth(nearer)
    assert run.worth({"exact_match": 0.0, "chrf": 30.5}) > run.worth({"exact_match": 0.0, "chrf": 30.4})


def test_the_mean_of_the_last_models_is_kept_if_it_is_the_best(tmp_path, monkeypatch, capsys):
    run = TranslationRun.start(tmp_path / "run", settings(tmp_path, epochs=3, averaged=2))
    assert run.kept_steps() == [6, 9]
    run.loop().run(workers=1)
    values = [Seq2Seq.from_pretrained(folder).storage.values for folder in run.checkpoints().by_step().values()]
    assert len(values) == 2
    new_and_best = iter([1, 0])
    monkeypatch.setattr(run, "worth", lambda metrics: next(new_and_best))
    run.train(workers=1)  # from the last checkpoint: nothing is left but the mean
    mean = np.mean(values, axis=0, dtype=np.float64).astype(np.float32)
    np.testing.assert_array_equal(Seq2Seq.from_pretrained(run.folder).storage.values, mean)
    assert "the mean of the last 2, held-out: exact match" in capsys.readouterr().out


def test_a_mean_of_more_models_than_are_evaluated_is_refused(tmp_path):
    with pytest.raises(UserError, match="--averaged is 3, but the model is evaluated 2 times; choose fewer, or more"):
        TranslationRun.start(tmp_path / "run", settings(tmp_path, averaged=3))


def test_the_learning_rate_falls_as_it_is_said(tmp_path):
    for schedule, last in (("linear", 1 / 5), ("noam", (1 / 6) ** 0.5)):
        run = TranslationRun.start(tmp_path / schedule, settings(tmp_path, schedule=schedule, warm_up=0.17))
        run.loop().run(workers=1)
        rates = [line["learning_rate"] for line in read_metrics(run.metrics_file) if "learning_rate" in line]
        assert len(rates) == 6
        assert rates[-1] == pytest.approx(run.settings.learning_rate * last)


def test_one_worker_and_two_differ_only_in_the_order_of_summation(tmp_path):
    values = []
    for workers in (1, 2):
        run = TranslationRun.start(tmp_path / f"run{workers}", settings(tmp_path, epochs=1))
        run.loop().run(workers)
        values.append(run.model.storage.values.copy())
    np.testing.assert_allclose(values[0], values[1], rtol=1e-3, atol=1e-4)


def test_the_loss_on_dev_is_that_of_all_its_pairs_as_one_batch(tmp_path):
    run = TranslationRun.start(tmp_path / "run", settings(tmp_path))
    whole, _ = run.model.forward(*run.dev_pairs.inputs)
    assert run.evaluate().nats_per_token == pytest.approx(whole.nats_per_token, rel=1e-5)


def test_a_table_that_changed_is_not_resumed(tmp_path):
    run = TranslationRun.start(tmp_path / "run", settings(tmp_path))
    run.loop().run(workers=1)
    lines = (tmp_path / "train.tsv").read_text().splitlines()
    (tmp_path / "train.tsv").write_text("\n".join([lines[0], *lines[:0:-1]]) + "\n")
    with pytest.raises(UserError, match="belongs to a run with checksum of --train"):
        TranslationRun.resume(run.folder).train()


@pytest.mark.parametrize(
    ("table", "changes", "words"),
    [
        ("source\tlabel\na\tb\n", {}, "it lacks target"),
        ("source\ttarget\na\t\n", {}, "line 2: the field 'target' is empty"),
        ("source\ttarget\n", {}, "has a header, but no line after it"),
        (f"source\ttarget\na\tb\na\t{'b' * 20}\n", {}, "line 3: the target has 21 tokens, more than the 20"),
        (f"source\ttarget\n{'b' * 30}\ta\n", {}, "line 2: the source has 31 tokens, more than the 20"),
        ("source\ttarget\na\tb\n", {"vocab_size": 300}, "leave --vocab-size out, or choose --tokenizer bytes"),
        ("source\ttarget\na\tb\n", {"tokenizer": "bytes"}, "vocab_size is 512, but the text supports at most"),
        ("source\ttarget\na\tb\n", {}, "dev.tsv, line 2: the text holds"),
        ("source\ttarget\na\tb\n", {"size": "huge"}, "there is no preset 'huge'"),
    ],
)
def test_what_cannot_be_trained_is_refused_and_leaves_nothing(tmp_path, table, changes, words):
    chosen = settings(tmp_path, **changes)
    (tmp_path / "train.tsv").write_text(table)
    with pytest.raises(UserError, match=words):
        TranslationRun.start(tmp_path / "run", chosen)
    assert not (tmp_path / "run").exists()
