"""What the tokenizers of decoders have in common: files, special tokens, decoding piece by piece."""

import json
from functools import reduce
from operator import getitem

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from minitransformer.errors import UserError
from minitransformer.text.byte_pair_tokenizer import BytePairTokenizer
from minitransformer.text.character_tokenizer import CharacterTokenizer
from minitransformer.text.tokenizer_of_folder import tokenizer_of_folder

TEXT = "The cat <|endoftext|> sat on the mat, the café mat.\n"
BYTES = BytePairTokenizer.train(TEXT, 264, model_max_length=77)
CHARACTERS = CharacterTokenizer.train(TEXT, model_max_length=77)

both = pytest.mark.parametrize("tokenizer", [BYTES, CHARACTERS], ids=["bytes", "characters"])


@both
def test_a_saved_tokenizer_reads_back_and_its_folder_knows_which_it_is(tokenizer, tmp_path):
    tokenizer.save_pretrained(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tokenizer.json", "tokenizer_config.json"]
    for again in (tokenizer_of_folder(tmp_path), type(tokenizer).from_pretrained(tmp_path / "tokenizer.json")):
        assert type(again) is type(tokenizer)
        assert again.texts() == tokenizer.texts()
        assert again.token_bytes == tokenizer.token_bytes
        assert (again.model_max_length, again.eos_token_id) == (77, tokenizer.vocab_size - 1)


@both
def test_tokenizer_json_works_alone_in_the_library(tokenizer, tmp_path):
    tokenizer.save_pretrained(tmp_path)
    library = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    text = "the cat  sat\n"
    assert library.encode(text).ids == tokenizer.encode(text)
    assert library.decode(tokenizer.encode(text)) == text
    assert library.encode("<|endoftext|>").ids == [tokenizer.eos_token_id]


@both
def test_a_special_token_written_in_a_text_is_ordinary_text(tokenizer):
    ids = tokenizer.encode(TEXT)
    assert tokenizer.eos_token_id not in ids
    assert tokenizer.decode(ids) == TEXT


@both
def test_a_special_token_decodes_to_no_text(tokenizer):
    ids = tokenizer.encode("the cat")
    assert tokenizer.decode([*ids, tokenizer.eos_token_id, *ids]) == "the catthe cat"


@both
def test_the_characters_of_the_ids_add_up_to_those_of_the_text(tokenizer):
    assert tokenizer.num_characters[tokenizer.encode(TEXT)].sum() == len(TEXT)
    assert tokenizer.num_characters[tokenizer.eos_token_id] == 0


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_stream_never_shows_half_a_character(text):
    pieces = [*BYTES.decode_stream(BYTES.encode(text))]
    assert "".join(pieces) == text
    assert all(pieces)


def test_a_character_comes_once_its_last_byte_has_come():
    ids = iter(BYTES.encode("a€!"))
    pieces = BYTES.decode_stream(ids)
    assert next(pieces) == "a"
    assert len([*ids]) == 4
    assert [*BYTES.decode_stream(BYTES.encode("a€")[:-1])] == ["a", "\ufffd"]


@both
@pytest.mark.parametrize("wrong", [-1, 999])
def test_an_id_outside_the_vocabulary_is_refused(tokenizer, wrong):
    with pytest.raises(UserError, match=f"id {wrong} is outside the vocabulary of {tokenizer.vocab_size}"):
        tokenizer.decode([wrong])


# -- other people's files ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [("vocab.json", "merges.txt"), ("encoder.json", "vocab.bpe")])
@pytest.mark.parametrize("head", ["#version: 0.2\n", ""])
def test_a_vocabulary_and_its_merges_are_a_tokenizer(tmp_path, names, head):
    content = json.loads(BYTES.texts()["tokenizer.json"])["model"]
    merges = "".join(" ".join(pair) + "\n" for pair in content["merges"])
    vocabulary = {**content["vocab"], "<|endoftext|>": 263}
    (tmp_path / names[0]).write_text(json.dumps(vocabulary), encoding="utf-8")
    (tmp_path / names[1]).write_text(head + merges, encoding="utf-8")
    assert tokenizer_of_folder(tmp_path).encode(TEXT) == BYTES.encode(TEXT)


def changed(tokenizer, folder, **changes):
    """The folder of a tokenizer with some changes in its tokenizer.json: a__b=1 sets b in a."""
    tokenizer.save_pretrained(folder)
    content = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    for name, value in changes.items():
        *outer, last = (int(part) if part.isdigit() else part for part in name.split("__"))
        reduce(getitem, outer, content)[last] = value
    (folder / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


def test_merges_as_older_files_write_them_and_truncation_make_no_difference(tmp_path):
    merges = [" ".join(pair) for pair in json.loads(BYTES.texts()["tokenizer.json"])["model"]["merges"]]
    truncation = {"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0}
    folder = changed(BYTES, tmp_path, model__merges=merges, truncation=truncation)
    assert tokenizer_of_folder(folder).encode(TEXT) == BYTES.encode(TEXT)


def test_the_config_names_the_end_of_a_text(tmp_path):
    BYTES.save_pretrained(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text('{"eos_token": {"content": "at"}, "model_max_length": 1e30}')
    tokenizer = tokenizer_of_folder(tmp_path)
    assert tokenizer.eos_token_id == 256
    assert tokenizer.model_max_length == 1024


@pytest.mark.parametrize(
    ("tokenizer", "changes", "words"),
    [
        (BYTES, {"model__type": "WordPiece"}, "needs a BPE model of bytes or a WordLevel one of characters"),
        (BYTES, {"normalizer": {"type": "NFC"}}, "changes a text before it reads it .normalizer NFC"),
        (
            BYTES,
            {"pre_tokenizer": {"type": "Metaspace"}},
            "BPE model needs the pre_tokenizer ByteLevel, found Metaspace",
        ),
        (BYTES, {"pre_tokenizer": None}, "found None"),
        (BYTES, {"pre_tokenizer__add_prefix_space": True}, "add_prefix_space must be false"),
        (BYTES, {"model__vocab": {"a": 0}, "added_tokens": []}, "no token '<|endoftext|>'"),
        (BYTES, {"model__vocab__a": 7}, "ids of 264 tokens must be 0 to 263"),
        (BYTES, {"model__vocab__a": "x"}, "ids of 264 tokens must be 0 to 263"),
        (BYTES, {"model__merges": [["a", "nonesuch"]]}, "merges don't fit its vocabulary"),
        (BYTES, {"model__merges": ["a b c"]}, "a merge must join two tokens, found 'a b c'"),
        (BYTES, {"model": 3}, "isn't in the format of the tokenizers library"),
        (BYTES, {"model__vocab": {"a": 0, "<|endoftext|>": 1}, "added_tokens": []}, "lacks the byte 0x21"),
        (
            CHARACTERS,
            {"model__vocab": {"word": 0}, "added_tokens__0__id": 1},
            "must be single characters, found 'word'",
        ),
    ],
)
def test_a_tokenizer_that_would_lose_text_is_refused_by_name(tmp_path, tokenizer, changes, words):
    folder = changed(tokenizer, tmp_path, **changes)
    with pytest.raises(UserError, match=f"the tokenizer in {folder} can't be used: .*{words}"):
        tokenizer_of_folder(folder)


def test_a_folder_without_one_and_one_of_the_other_kind_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"neither tokenizer\.json nor vocab\.json with merges\.txt or encoder\.json"):
        tokenizer_of_folder(tmp_path)
    with pytest.raises(UserError, match="does not exist"):
        tokenizer_of_folder(tmp_path / "nowhere")
    CHARACTERS.save_pretrained(tmp_path)
    with pytest.raises(UserError, match="BytePairTokenizer needs a BPE model, found WordLevel"):
        BytePairTokenizer.from_pretrained(tmp_path)
