"""Our tokenizers of decoders and transformers' read the same folders, and give the same ids on any text."""

import json
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitransformer.text.byte_pair_tokenizer import BytePairTokenizer
from minitransformer.text.character_tokenizer import CharacterTokenizer
from minitransformer.text.tokenizer_of_folder import tokenizer_of_folder
from tests.parity.real_data import data_file
from tests.parity.test_tokenizer_parity import HOSTILE, real_lines

transformers = pytest.importorskip("transformers", reason="transformers is not installed (the parity extra)")

TEXT = "The cat sat on the mat.\n\nThe other café cat didn't: it's 1,234 miles — 我爱北京 🤗.\n" * 3
BYTES = BytePairTokenizer.train(TEXT, 290, model_max_length=77)
CHARACTERS = CharacterTokenizer.train(TEXT, model_max_length=77)
both = pytest.mark.parametrize("trained", [BYTES, CHARACTERS], ids=["bytes", "characters"])
GPT2_CONFIG = {"model_type": "gpt2", "vocab_size": 290, "n_embd": 8, "n_head": 2, "n_layer": 1}


@pytest.fixture(scope="module")
def gpt2_folder(tmp_path_factory):
    """GPT-2's files under the names that transformers knows."""
    released, folder = data_file("vocab_gpt2"), tmp_path_factory.mktemp("gpt2")
    shutil.copy(released / "encoder.json", folder / "vocab.json")
    shutil.copy(released / "vocab.bpe", folder / "merges.txt")
    return folder


@pytest.fixture(scope="module")
def theirs(gpt2_folder):
    return transformers.GPT2Tokenizer.from_pretrained(gpt2_folder)


@pytest.fixture(scope="module")
def ours():
    return tokenizer_of_folder(data_file("vocab_gpt2"))


def test_gpt2s_own_files_give_the_ids_of_transformers(gpt2_folder, ours, theirs):
    assert ours.eos_token_id == theirs.eos_token_id == 50256
    assert tokenizer_of_folder(gpt2_folder).texts() == ours.texts()
    for text in [*HOSTILE, *real_lines(), TEXT, "\n\n \n", "<|endoftex|>", " 's 'S're", "\x85\x1c\u2028x"]:
        assert ours.encode(text) == theirs(text)["input_ids"]
        assert ours.decode(ours.encode(text)) == text == theirs.decode(ours.encode(text))


@given(text=st.text(st.characters(exclude_categories=["Cs"])), ids=st.lists(st.integers(0, 50255)))
def test_any_text_and_any_ids_give_what_transformers_gives(ours, theirs, text, ids):
    assert ours.encode(text) == theirs(text)["input_ids"]
    assert ours.decode(ids) == theirs.decode(ids)


def test_the_end_of_a_text_is_special_there_and_ordinary_here(ours, theirs):
    text = "one<|endoftext|>two"
    assert theirs(text)["input_ids"].count(50256) == 1
    assert ours.encode(text) == theirs(text, split_special_tokens=True)["input_ids"]


@both
@pytest.mark.parametrize("with_model", [True, False])
def test_a_folder_that_we_saved_reads_the_same_in_transformers(trained, with_model, tmp_path):
    trained.save_pretrained(tmp_path)
    if with_model:
        (tmp_path / "config.json").write_text(json.dumps(GPT2_CONFIG))
    again = transformers.AutoTokenizer.from_pretrained(tmp_path)
    assert (again.model_max_length, again.eos_token_id) == (77, trained.eos_token_id)
    for text in [TEXT, " the cat, \n  it's .\n", "\n\n"]:
        assert again(text)["input_ids"] == trained.encode(text)
        assert again.decode(trained.encode(text)) == text


@both
def test_a_folder_that_transformers_saved_reads_the_same_here(trained, tmp_path):
    trained.save_pretrained(tmp_path / "ours")
    transformers.AutoTokenizer.from_pretrained(tmp_path / "ours").save_pretrained(tmp_path / "theirs")
    again = tokenizer_of_folder(tmp_path / "theirs")
    assert again.encode(TEXT) == trained.encode(TEXT)
    assert (again.eos_token_id, again.vocab_size) == (trained.eos_token_id, trained.vocab_size)


def test_the_folder_that_transformers_writes_for_gpt2_reads_the_same_here(theirs, tmp_path):
    theirs.save_pretrained(tmp_path)
    again = tokenizer_of_folder(tmp_path)
    assert [again.encode(text) for text in HOSTILE] == [theirs(text)["input_ids"] for text in HOSTILE]
