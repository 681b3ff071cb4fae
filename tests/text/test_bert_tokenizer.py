import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models

from minitransformer.errors import UserError
from minitransformer.text.bert_tokenizer import BertTokenizer, parts_of

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
TOKENIZER = BertTokenizer.from_vocabulary([*SPECIAL, "my", "dog", "is", "cute", "he", "likes", "play", "##ing", "a"])


VOCABULARY = "\n".join(SPECIAL).encode()
WITHOUT_UNKNOWN = Tokenizer(models.WordPiece({"a": 0}, unk_token="<unk>")).to_str().encode()
BPE = Tokenizer(models.BPE()).to_str().encode()
BERTS = b'{"tokenizer_class": "BertTokenizer"}'


def pieces_of(tokens):
    return [TOKENIZER.convert_ids_to_tokens(ids) for ids in tokens.unpack(tokens.token_ids)]


def test_one_text_and_a_list_of_texts_are_both_a_batch():
    assert pieces_of(TOKENIZER("My dog")) == [["[CLS]", "my", "dog", "[SEP]"]]
    assert pieces_of(TOKENIZER(["My dog", ""])) == [["[CLS]", "my", "dog", "[SEP]"], ["[CLS]", "[SEP]"]]
    assert len(TOKENIZER([])) == 0


def test_a_column_of_texts_or_two_columns_of_pairs_are_a_batch():
    assert pieces_of(TOKENIZER.pack([["my dog", "a"]])) == pieces_of(TOKENIZER(["my dog", "a"]))
    pairs = TOKENIZER.pack([["my dog"], ["he likes playing"]], max_length=6)
    assert pairs.segment_ids.tolist() == TOKENIZER(["my dog"], ["he likes playing"], 6).segment_ids.tolist()


def test_the_example_of_the_lectures_input_figure():
    tokens = TOKENIZER("my dog is cute", pairs="he likes playing")
    assert " ".join(pieces_of(tokens)[0]) == "[CLS] my dog is cute [SEP] he likes play ##ing [SEP]"
    assert tokens.segment_ids.tolist() == [0] * 6 + [1] * 5
    assert tokens.position_ids.tolist() == list(range(11))


def test_no_sentence_exceeds_max_length_and_each_ends_in_sep():
    tokens = TOKENIZER(["my dog is cute", "a"], pairs=["he likes playing", "my dog is cute"], max_length=7)
    assert pieces_of(tokens) == [
        ["[CLS]", "my", "dog", "[SEP]", "he", "likes", "[SEP]"],
        ["[CLS]", "a", "[SEP]", "my", "dog", "is", "[SEP]"],
    ]
    assert pieces_of(TOKENIZER("my dog is cute", max_length=4)) == [["[CLS]", "my", "dog", "[SEP]"]]
    assert pieces_of(TOKENIZER("my dog", max_length=2)) == [["[CLS]", "[SEP]"]]


def test_a_special_token_in_a_text_counts_as_such_but_not_in_plain_text():
    assert TOKENIZER.tokenize("my [MASK]") == ["my", "[MASK]"]
    assert TOKENIZER.mask_token_id in TOKENIZER.encode_pieces(["my [MASK]"])[0]
    assert not {*TOKENIZER.encode_plain(["my [MASK] [SEP]"])[0]} & {TOKENIZER.mask_token_id, TOKENIZER.sep_token_id}


@pytest.mark.parametrize("longest", [1, 2, 7, 30, 1000])
def test_a_long_text_gives_the_same_pieces_in_parts(monkeypatch, longest):
    words = ["My", "dog,", "is", "  cute", "playing", "[MASK]", "CAFÉ", "x" * 120, "\n", "."]
    text = " ".join(np.random.default_rng(0).choice(words, 300))
    parts = [*parts_of(text, longest)]
    assert "".join(parts) == text
    assert len(parts) > 1 or longest > len(text)
    pieces = [piece for part in parts for piece in TOKENIZER.encode_pieces([part])[0]]
    assert pieces == TOKENIZER.encode_pieces([text])[0]
    monkeypatch.setattr("minitransformer.text.bert_tokenizer.LONG_TEXT", longest)
    assert TOKENIZER.encode_pieces([text, "my"]) == [pieces, TOKENIZER.convert_tokens_to_ids(["my"])]


def test_a_long_word_stays_whole():
    assert [*parts_of("x" * 50 + " a", 10)] == ["x" * 50, " a"]
    assert [*parts_of("x" * 50, 10)] == ["x" * 50]


def test_ids_tokens_and_text_convert_into_each_other():
    assert TOKENIZER.convert_tokens_to_ids(["dog", "nonesuch"]) == [6, TOKENIZER.unk_token_id]
    assert TOKENIZER.decode(TOKENIZER("he likes playing").token_ids) == "he likes playing"
    assert TOKENIZER.decode([2, 5], skip_special_tokens=False) == "[CLS] my"
    with pytest.raises(UserError, match="id 14 is outside the vocabulary of 14"):
        TOKENIZER.convert_ids_to_tokens([14])


def test_the_vocabulary_knows_its_special_tokens_and_continuations():
    ids = [getattr(TOKENIZER, f"{role}_token_id") for role in ("pad", "unk", "cls", "sep", "mask")]
    assert ids == TOKENIZER.special_token_ids.tolist() == [0, 1, 2, 3, 4]
    assert TOKENIZER.convert_ids_to_tokens(TOKENIZER.is_continuation.nonzero()[0]) == ["##ing"]


@given(st.text(max_size=40))
def test_any_text_has_tokens(text):
    tokens = TOKENIZER(text)
    assert tokens.token_ids[0] == TOKENIZER.cls_token_id
    assert tokens.token_ids[-1] == TOKENIZER.sep_token_id


def test_training_gives_the_words_of_the_text():
    tokenizer = BertTokenizer.train(iter(["The cats sat.", "The cat sits."] * 3), 28)
    assert tokenizer.vocab_size == 28
    assert tokenizer.tokenize("the cat") == ["the", "cat"]
    assert tokenizer.tokenize("THÉ") == ["the"]
    assert BertTokenizer.train("The The THE", 11, do_lower_case=False).tokenize("the") == ["[UNK]"]


def test_training_on_nothing_is_refused():
    with pytest.raises(UserError, match="0 different words"):
        BertTokenizer.train(["", "  "], 30)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: TOKENIZER(["my", float("nan")]), r"texts\[1\] must be a text, found nan"),
        (lambda: TOKENIZER("my", pairs=[None]), r"pairs\[0\] must be a text, found None"),
        (lambda: TOKENIZER("\ud800"), "surrogate"),
        (lambda: TOKENIZER(["a", "a"], pairs=["a"]), "2 texts but 1 pairs"),
        (lambda: TOKENIZER("a", max_length=1), "alone need 2"),
        (lambda: TOKENIZER("a", "a", max_length=2), "alone need 3"),
        (lambda: BertTokenizer.from_vocabulary(["[PAD]", "[CLS]", "a"]), r"lacks \[UNK\], \[SEP\], \[MASK\]"),
        (lambda: BertTokenizer.from_vocabulary([*SPECIAL, "a", "b", "a"]), "'a' twice, as token 5 and 7"),
    ],
)
def test_what_cannot_be_tokenised_is_refused_in_words(call, words):
    with pytest.raises(UserError, match=words):
        call()


@pytest.mark.parametrize("only", ["vocab.txt", "tokenizer.json", None])
@pytest.mark.parametrize("do_lower_case", [True, False])
def test_a_saved_tokenizer_reads_back_from_either_file(tmp_path, only, do_lower_case):
    tokens = [*SPECIAL, "haus", "Haus", "häuser", "Häuser", "hauser"]
    BertTokenizer.from_vocabulary(tokens, do_lower_case, model_max_length=77).save_pretrained(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["tokenizer.json", "tokenizer_config.json", "vocab.txt"]
    if only is not None:
        (tmp_path / ({"vocab.txt", "tokenizer.json"} - {only}).pop()).unlink()
    again = BertTokenizer.from_pretrained(tmp_path)
    assert again.convert_ids_to_tokens(range(again.vocab_size)) == tokens
    assert again.model_max_length == 77
    assert again.tokenize("Haus Häuser") == (["haus", "hauser"] if do_lower_case else ["Haus", "Häuser"])


def test_tokenizer_json_works_alone_in_the_library_with_specials_and_without_truncation(tmp_path):
    TOKENIZER.save_pretrained(tmp_path)
    encoding = Tokenizer.from_file(str(tmp_path / "tokenizer.json")).encode("my dog", "is cute")
    assert encoding.tokens == ["[CLS]", "my", "dog", "[SEP]", "is", "cute", "[SEP]"]
    assert encoding.type_ids == [0, 0, 0, 0, 1, 1, 1]
    content = json.loads((tmp_path / "tokenizer.json").read_text())
    assert content["truncation"] is None
    assert content["padding"] is None
    assert [token["content"] for token in content["added_tokens"]] == SPECIAL


def test_truncation_and_padding_baked_into_tokenizer_json_are_reset(tmp_path):
    TOKENIZER.save_pretrained(tmp_path)
    baked = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    baked.enable_truncation(3)
    baked.enable_padding(length=9)
    baked.save(str(tmp_path / "tokenizer.json"))
    assert pieces_of(BertTokenizer.from_pretrained(tmp_path)("my dog is")) == [["[CLS]", "my", "dog", "is", "[SEP]"]]


def test_a_library_tokenizer_without_post_processor_still_gets_cls_and_sep(tmp_path):
    TOKENIZER.save_pretrained(tmp_path)
    content = json.loads((tmp_path / "tokenizer.json").read_text())
    content["post_processor"], content["added_tokens"] = None, []
    (tmp_path / "tokenizer.json").write_text(json.dumps(content))
    assert pieces_of(BertTokenizer.from_pretrained(tmp_path)("my [MASK]")) == [["[CLS]", "my", "[MASK]", "[SEP]"]]


def test_tokenizer_config_decides_on_lower_casing_and_names_the_special_tokens(tmp_path):
    vocabulary = ["<pad>", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "A"]
    (tmp_path / "vocab.txt").write_text("\n".join(vocabulary))
    config = {"do_lower_case": False, "pad_token": {"content": "<pad>"}, "model_max_length": 10**30}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    tokenizer = BertTokenizer.from_pretrained(tmp_path)
    assert tokenizer.tokenize("A") == ["A"]
    assert tokenizer.pad_token_id == 0
    assert tokenizer.model_max_length == 512


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "neither tokenizer.json nor vocab.txt"),
        ({"vocab.txt": b"[PAD]\n[UNK]\n"}, r"vocab.txt can't be used: the vocabulary lacks \[CLS\]"),
        ({"vocab.txt": b"[PAD]\n\xff\n"}, "vocab.txt is not a text file in UTF-8"),
        ({"tokenizer.json": b'{"model": '}, "tokenizer.json can't be used: .* line 1"),
        ({"tokenizer.json": b'{"model": []}'}, "tokenizers library can't read it"),
        ({"tokenizer_config.json": b'{"cls_token": 7}', "vocab.txt": b"a"}, "names 7 as a special token"),
        ({"tokenizer_config.json": b'{"do_lower_case": "no"}', "vocab.txt": VOCABULARY}, "must be true or false"),
        ({"tokenizer.json": b"[]"}, "tokenizers library can't read it"),
        ({"tokenizer.json": WITHOUT_UNKNOWN}, "vocabulary lacks '<unk>', its own token for unknown words"),
        ({"tokenizer_config.json": b'{"cls_token": "\\ud800"}', "vocab.txt": b"a"}, "surrogates not allowed"),
        ({"tokenizer.json": BPE}, r"vocabulary lacks \[CLS\], \[SEP\]"),
        ({"tokenizer.json": BPE, "tokenizer_config.json": BERTS}, "needs a WordPiece model, found BPE"),
        ({"tokenizer.json": b'{"model": {"type": "WordPiece"}}'}, "tokenizers library can't read it"),
        ({"tokenizer_config.json": b"{", "vocab.txt": b""}, "tokenizer_config.json is not valid JSON"),
    ],
)
def test_broken_tokenizer_files_are_refused_by_name(tmp_path, files, words):
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=words):
        BertTokenizer.from_pretrained(tmp_path)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        BertTokenizer.from_pretrained(tmp_path / "nowhere")
