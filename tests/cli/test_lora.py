import json
import shutil

import numpy as np
import pytest

from minitransformer import (
    Bert,
    BertForPreTraining,
    BertForSequenceClassification,
    Gpt,
    LoraSettings,
    SentenceEncoder,
    add_lora,
)
from minitransformer.text.character_tokenizer import CharacterTokenizer
from minitransformer.training.metrics import read_metrics
from tests import small_tables
from tests.cli.conftest import small_text
from tests.cli.test_fill_mask import assert_one_line_error
from tests.small_models import random_tokens, randomise, small_gpt, small_gpt_config
from tests.small_tables import learning_encoder

LEARN = ["--epochs", 20, "--learning-rate", "5e-2", "--batch-size", 8, "--evaluations-per-epoch", 1]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("learning")
    learning_encoder().save_pretrained(folder)
    return folder


@pytest.fixture
def finetune(run, tmp_path, base, without_waiting_for_the_disk):
    """finetune(*options): a classifier's adapter in tmp_path/out."""

    def finetune(*options, model=base):
        table = small_tables.labelled_texts(tmp_path / "table.tsv", count=48)
        return run("finetune", model, "--train", table, "--dev", table, "--out", tmp_path / "out", *options)

    return finetune


@pytest.fixture
def train_sbert(run, tmp_path, base, without_waiting_for_the_disk):
    def train_sbert(*options, model=base):
        table = small_tables.labelled_pairs(tmp_path / "pairs.tsv", count=48)
        tables = ["--train", table, "--dev", table, "--objective", "classification"]
        return run("train-sbert", model, *tables, "--out", tmp_path / "out", *options)

    return train_sbert


def names_in(folder):
    return {path.name for path in folder.iterdir()}


def test_finetune_learns_and_saves_an_adapter_that_predict_takes_for_a_model(run, finetune, tmp_path, base):
    result = finetune("--lora", 2, *LEARN)
    assert result.status == 0, result.error
    assert {"adapter_config.json", "adapter_model.safetensors", "vocab.txt"} < names_in(tmp_path / "out")
    assert not {"config.json", "model.safetensors"} & names_in(tmp_path / "out")
    best = json.loads((tmp_path / "out/training/best.json").read_text())
    assert best["accuracy"] > 0.6
    predicted = run("predict", tmp_path / "out", tmp_path / "table.tsv")
    assert predicted.error.endswith(
        f"accuracy {best['accuracy']:.3f}, macro f1 {best['macro_f1']:.3f}, matthews {best['matthews']:.3f}\n"
    )
    config = json.loads((tmp_path / "out/adapter_config.json").read_text())
    assert (config["r"], config["lora_alpha"]) == (2, 4)
    assert config["base_model_name_or_path"] == str(base)


def test_what_is_trained_is_said_beside_the_whole(finetune):
    result = finetune("--lora", 2, "--epochs", 1, "--pooling", "mean", "--lora-alpha", 3, "--lora-dropout", 0.1)
    attention, feed_forward, classifier = 4 * 2 * (12 + 12), 2 * 2 * (12 + 7), 12 * 3 + 3  # the updates are of rank 2
    assert f"parameters, {2 * (attention + feed_forward) + classifier} of them trained\n" in result.output


def test_train_sbert_saves_an_adapter_and_its_pair_classifier(run, train_sbert, tmp_path):
    result = train_sbert("--lora", 2, *LEARN)
    assert result.status == 0, result.error
    assert {"adapter_config.json", "adapter_model.safetensors", "modules.json"} < names_in(tmp_path / "out")
    best = json.loads((tmp_path / "out/training/best.json").read_text())
    predicted = run("predict", tmp_path / "out", tmp_path / "pairs.tsv")
    assert f"accuracy {best['accuracy']:.3f}" in predicted.error
    assert run("similarity", tmp_path / "out", "my dog", "he is").status == 0


def test_the_bert_of_a_sentence_encoder_may_have_a_folder_of_its_own(run, train_sbert, tmp_path, base):
    """As sentence-transformers wrote it before version 2."""
    old = tmp_path / "old"
    shutil.copytree(base, old, ignore=shutil.ignore_patterns("config.json", "model.safetensors", "*token*", "vocab*"))
    shutil.copytree(base, old / "0_Transformer", ignore=shutil.ignore_patterns("1_*", "modules.json"))
    shutil.copytree(base / "1_Pooling", old / "1_Pooling", dirs_exist_ok=True)
    modules = json.loads((old / "modules.json").read_text())
    (old / "modules.json").write_text(json.dumps([{**modules[0], "path": "0_Transformer"}, *modules[1:]]))
    assert train_sbert("--lora", 2, *LEARN, model=old).status == 0
    config = json.loads((tmp_path / "out/adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == str(old / "0_Transformer")
    expected = run("similarity", tmp_path / "out", "my dog", "he is")
    assert run("merge-lora", old, tmp_path / "out", "--out", tmp_path / "merged").status == 0
    assert run("similarity", tmp_path / "merged", "my dog", "he is") == expected
    assert expected.status == 0


@pytest.mark.parametrize("kind", ["finetune", "train_sbert"])
def test_merged_it_answers_as_before(run, request, tmp_path, base, kind):
    request.getfixturevalue(kind)("--lora", 2, *LEARN)
    result = run("merge-lora", base, tmp_path / "out", "--out", tmp_path / "merged")
    assert result.status == 0, result.error
    assert {"config.json", "model.safetensors", "vocab.txt"} < names_in(tmp_path / "merged")
    assert not {"adapter_config.json", "adapter_model.safetensors"} & names_in(tmp_path / "merged")
    table = tmp_path / ("table.tsv" if kind == "finetune" else "pairs.tsv")
    assert run("predict", tmp_path / "merged", table).output == run("predict", tmp_path / "out", table).output


def test_an_adapter_can_be_given_for_any_model_and_merging_keeps_the_models_heads(run, model_folder, tmp_path):
    """An adapter of a pretrained BERT whose B is 0 changes nothing: fill-mask, embed and inspect say the same."""
    bert = Bert.from_pretrained(model_folder)
    add_lora(bert, LoraSettings(2, 4, ("query", "value"), base=str(model_folder)))
    bert.save_pretrained(tmp_path / "adapter")
    run("merge-lora", model_folder, tmp_path / "adapter", "--out", tmp_path / "merged")
    merged, model = (BertForPreTraining.from_pretrained(folder) for folder in (tmp_path / "merged", model_folder))
    np.testing.assert_array_equal(merged.storage.values, model.storage.values)
    for words in (["fill-mask", "the [MASK] likes grass"], ["inspect", "the dog"], ["similarity", "a dog", "the cat"]):
        command, *texts = words
        expected = run(command, model_folder, *texts)
        assert expected.status == 0
        assert run(command, tmp_path / "adapter", *texts) == expected


def test_an_adapter_of_a_gpt_is_merged_into_a_gpt(run, tmp_path):
    small_gpt().save_pretrained(tmp_path / "base")
    (tmp_path / "base/vocab.json").write_text("{}")
    gpt = Gpt.from_pretrained(tmp_path / "base")
    add_lora(gpt, LoraSettings(2, 4, ("c_attn",), base="has moved"))
    randomise(gpt)
    gpt.save_pretrained(tmp_path / "adapter")
    result = run("merge-lora", tmp_path / "base", tmp_path / "adapter", "--out", tmp_path / "merged")
    assert result.output.startswith(f"Saved to {tmp_path / 'merged'}: Gpt, ")
    assert names_in(tmp_path / "merged") == {"config.json", "model.safetensors", "vocab.json"}
    tokens = random_tokens(gpt.config)
    np.testing.assert_allclose(Gpt.from_pretrained(tmp_path / "merged")(tokens), gpt(tokens), rtol=1e-4, atol=1e-5)


@pytest.fixture(scope="module")
def gpt_folder(tmp_path_factory):
    """A GPT that has not learnt much, of the characters of the small text."""
    folder = tmp_path_factory.mktemp("gpt")
    tokenizer = CharacterTokenizer.train([small_text()], 16)
    tokenizer.save_pretrained(folder)
    sizes = {"vocab_size": tokenizer.vocab_size, "max_position_embeddings": 16, "initializer_range": 0.3}
    Gpt(small_gpt_config(**sizes)).save_pretrained(folder)
    return folder


@pytest.fixture
def train_gpt(run, tmp_path, text_file, gpt_folder, without_waiting_for_the_disk):
    def train_gpt(*options):
        arguments = ["--corpus", text_file, "--batch-size", 4, "--max-length", 16, "--out", tmp_path / "out"]
        return run("pretrain-gpt", *arguments, "--steps", 60, "--save-every", 20, *options)

    return train_gpt


def test_pretrain_gpt_trains_an_adapter_of_a_gpt_on_text(run, train_gpt, tmp_path, text_file, gpt_folder):
    result = train_gpt("--from", gpt_folder, "--lora", 2, "--learning-rate", "3e-2")
    assert result.status == 0, result.error
    attention, feed_forward = 2 * (12 + 36) + 2 * (12 + 12), 2 * 2 * (12 + 7)
    assert f"{2 * (attention + feed_forward)} of them trained\n" in result.output
    assert {"adapter_config.json", "adapter_model.safetensors", "tokenizer.json"} < names_in(tmp_path / "out")
    before = json.loads(run("evaluate", "gpt", gpt_folder, text_file, "--json").output)  # of its last tenth
    after = json.loads(run("evaluate", "gpt", tmp_path / "out", "--json").output)  # of what was held out: the same
    assert after["nats_per_token"] < before["nats_per_token"] - 0.1
    again = json.loads(run("evaluate", "gpt", tmp_path / "out", text_file, "--json").output)
    assert again["counted_on"] == "the training text"
    assert run("merge-lora", gpt_folder, tmp_path / "out", "--out", tmp_path / "merged").status == 0
    merged, adapted = (Gpt.from_pretrained(tmp_path / folder).storage.values for folder in ("merged", "out"))
    np.testing.assert_array_equal(merged, adapted)


def test_a_gpt_can_be_trained_further_as_a_whole(train_gpt, tmp_path, gpt_folder):
    result = train_gpt("--from", gpt_folder, "--learning-rate", "1e-3")
    assert result.status == 0, result.error
    config = Gpt.from_pretrained(tmp_path / "out").config
    assert config == Gpt.from_pretrained(gpt_folder).config


def test_what_makes_no_sense_for_a_gpt_is_a_one_line_error(train_gpt, tmp_path, gpt_folder, base):
    assert_one_line_error(train_gpt("--lora", 2), "--lora changes a model that is there already", "--from MODEL")
    for option in (["--size", "mini"], ["--vocab-size", 300], ["--tokenizer", "characters"], ["--dropout", 0.1]):
        result = train_gpt("--from", gpt_folder, *option)
        assert_one_line_error(result, f"{option[0]} belongs to a new model", "leave it out")
    result = train_gpt("--from", gpt_folder, "--max-length", 17)
    assert_one_line_error(result, f"{gpt_folder} takes 16 tokens; choose a --max-length up to that")
    assert train_gpt("--from", tmp_path / "none").status == 1
    assert not (tmp_path / "out").exists()


def test_an_adapter_whose_model_has_moved_can_be_merged_with_it(run, finetune, tmp_path, base):
    moved = tmp_path / "moved"
    shutil.copytree(base, moved)
    finetune("--lora", 2, "--epochs", 1, model=moved)
    expected = run("predict", tmp_path / "out", tmp_path / "table.tsv").output
    moved.rename(tmp_path / "elsewhere")
    result = run("predict", tmp_path / "out", tmp_path / "table.tsv")
    assert_one_line_error(result, f"is an adapter of {moved}, which can't be found", "adapter_config.json")
    assert run("merge-lora", tmp_path / "elsewhere", tmp_path / "out", "--out", tmp_path / "merged").status == 0
    assert run("predict", tmp_path / "merged", tmp_path / "table.tsv").output == expected


def test_an_adapters_labels_are_the_tables(finetune, tmp_path):
    finetune("--lora", 2, "--epochs", 1)
    settings = BertForSequenceClassification.from_pretrained(tmp_path / "out").settings
    assert settings.labels == small_tables.LABELS


def test_an_adapter_is_a_model_to_fine_tune_whole(run, finetune, train_sbert, tmp_path):
    train_sbert("--lora", 2, "--epochs", 1)
    (tmp_path / "out").rename(tmp_path / "adapter")
    assert finetune("--epochs", 1, model=tmp_path / "adapter").status == 0
    assert SentenceEncoder.from_pretrained(tmp_path / "out").embedding_size == 12


def test_what_makes_no_sense_is_a_one_line_error(run, finetune, tmp_path, base):
    assert_one_line_error(finetune("--lora", 2, "--freeze-encoder"), "--freeze-encoder", "--lora", "choose one")
    assert_one_line_error(finetune("--lora-alpha", 2), "--lora-alpha and --lora-dropout belong to --lora")
    assert_one_line_error(finetune("--lora", 13), "LoRA's rank is 13; a matrix 12 x 12")
    assert finetune("--lora", 0).status == 2
    assert not (tmp_path / "out").exists()
    assert finetune("--lora", 2, "--epochs", 1).status == 0
    (tmp_path / "out").rename(tmp_path / "adapter")
    assert_one_line_error(finetune("--lora", 2, model=tmp_path / "adapter"), "is an adapter", "merge-lora")
    merge = ["merge-lora", base]
    assert_one_line_error(run(*merge, base, "--out", tmp_path / "new"), "is not an adapter", "adapter_config.json")
    assert_one_line_error(run(*merge, tmp_path / "none", "--out", tmp_path / "new"), "does not exist")
    assert_one_line_error(run(*merge, tmp_path / "adapter", "--out", base), "holds another model")
    both = [tmp_path / "adapter"] * 2
    assert_one_line_error(run("merge-lora", *both, "--out", tmp_path / "new"), "is an adapter itself")
    learning_encoder(hidden_size=18).save_pretrained(tmp_path / "wide")
    result = run("merge-lora", tmp_path / "wide", tmp_path / "adapter", "--out", tmp_path / "new")
    assert_one_line_error(result, "adapter_model.safetensors", "has the shape [2, 12], expected [2, 18]")
    assert not (tmp_path / "new").exists()


def test_the_metrics_of_a_run_with_lora_are_those_of_any_run(finetune, tmp_path):
    finetune("--lora", 2, "--epochs", 1)
    assert all(np.isfinite(line["loss"]) for line in read_metrics(tmp_path / "out/metrics.jsonl") if "loss" in line)
