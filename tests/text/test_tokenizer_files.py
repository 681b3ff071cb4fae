"""What a folder says of its tokenizer is applied, or refused or named; tests/parity compares with transformers."""

import json

import pytest

from minitransformer.errors import UserError
from minitransformer.text.bert_tokenizer import BertTokenizer

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = ["my", "dog", "is", "cute", "play", "##ing", "CUTE"]
LINES = "".join(f"{token}\n" for token in [*SPECIAL, *WORDS])


def read(folder, **files):
    """The tokenizer of a folder with these files; a name's last underscore stands for its dot."""
    for name, content in files.items():
        file = folder / ".".join(name.rsplit("_", 1))
        file.write_text(content if isinstance(content, str) else json.dumps(content))
    return BertTokenizer.from_pretrained(folder)


def tokens_of(tokenizer, text):
    return " ".join(tokenizer.convert_ids_to_tokens(tokenizer(text).token_ids))


@pytest.mark.parametrize("where", ["tokenizer_config_json", "config_json"])
@pytest.mark.parametrize("name", ["BertJapaneseTokenizer", "KoBertTokenizer", "AlbertTokenizer"])
def test_a_vocabulary_of_another_kind_is_refused_by_the_name_of_its_tokenizer(tmp_path, where, name):
    with pytest.raises(UserError, match=f"{where[:-5]}.json: tokenizer_class is '{name}', which isn't supported"):
        read(tmp_path, vocab_txt=LINES, **{where: {"tokenizer_class": name, "model_type": "bert"}})


@pytest.mark.parametrize("name", ["BertTokenizer", "BertTokenizerFast", "ElectraTokenizer", None])
def test_berts_own_classes_are_taken(tmp_path, recwarn, name):
    tokenizer = read(tmp_path, vocab_txt=LINES, tokenizer_config_json={"tokenizer_class": name})
    assert tokens_of(tokenizer, "My dog") == "[CLS] my dog [SEP]"
    assert not recwarn.list


def test_tokens_that_were_added_are_found_whole(tmp_path):
    tokenizer = read(tmp_path, vocab_txt=LINES, added_tokens_json={"kinase": 12, "covid": 13})
    assert tokens_of(tokenizer, "my kinase is covid") == "[CLS] my kinase is covid [SEP]"
    assert tokenizer.vocab_size == 14


def test_an_added_token_whose_id_does_not_follow_the_vocabulary_is_named(tmp_path):
    with pytest.warns(UserWarning, match="gives the added token 'kinase' the id 20, but after the vocabulary .* as 12"):
        read(tmp_path, vocab_txt=LINES, added_tokens_json={"kinase": 20})


def test_special_tokens_may_be_named_in_the_old_file_alone(tmp_path):
    names = {"pad": "<pad>", "unk": "<unk>", "cls": "<s>", "sep": "</s>", "mask": "<mask>"}
    vocabulary = "\n".join([*names.values(), *WORDS])
    mapped = {f"{role}_token": token for role, token in names.items()}
    tokenizer = read(tmp_path, vocab_txt=vocabulary, special_tokens_map_json=mapped)
    assert tokens_of(tokenizer, "my zebra <mask>") == "<s> my <unk> <mask> </s>"


def test_of_a_token_that_is_there_twice_the_last_line_counts_and_an_id_without_a_token_is_never_made(tmp_path):
    tokenizer = read(tmp_path, vocab_txt=LINES + "\n\nmy\nzebra\n")
    assert tokenizer("my zebra").token_ids.tolist() == [2, 14, 15, 3]
    assert tokenizer.convert_ids_to_tokens([5, 13]) == ["[unused row 5]", ""]
    assert 5 not in tokenizer.known_ids
    tokenizer.save_pretrained(tmp_path / "saved")
    assert BertTokenizer.from_pretrained(tmp_path / "saved")("my zebra").token_ids.tolist() == [2, 14, 15, 3]
    (tmp_path / "saved" / "tokenizer.json").unlink()
    assert BertTokenizer.from_pretrained(tmp_path / "saved")("my zebra").token_ids.tolist() == [2, 14, 15, 3]


def test_two_tokens_may_share_an_id(tmp_path):
    read(tmp_path, vocab_txt=LINES).save_pretrained(tmp_path)
    content = json.loads((tmp_path / "tokenizer.json").read_text())
    content["model"]["vocab"]["cute"] = content["model"]["vocab"]["dog"]
    (tmp_path / "tokenizer.json").write_text(json.dumps(content))
    tokenizer = BertTokenizer.from_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path / "saved")
    for again in (tokenizer, BertTokenizer.from_pretrained(tmp_path / "saved")):
        assert again("my dog is cute").token_ids.tolist() == [2, 5, 6, 7, 6, 3]
        assert again.encode_plain(["my dog is cute"]) == [[5, 6, 7, 6]]
    assert not (tmp_path / "saved" / "vocab.txt").exists()  # it can't say it


def test_a_vocabulary_without_a_mask_reads_texts_and_says_what_it_lacks_when_it_is_asked(tmp_path):
    tokenizer = read(tmp_path, vocab_txt=LINES.replace("[MASK]\n", "").replace("[PAD]\n", ""))
    assert tokens_of(tokenizer, "my dog") == "[CLS] my dog [SEP]"
    with pytest.raises(UserError, match="this tokenizer has no mask token"):
        tokenizer.mask_token_id  # noqa: B018


@pytest.mark.parametrize(("setting", "length"), [("max_len", 5), ("model_max_length", 7), ("model_max_length", 7.0)])
def test_the_longest_text_has_an_old_name_too(tmp_path, setting, length):
    assert read(tmp_path, vocab_txt=LINES, tokenizer_config_json={setting: length}).model_max_length == length


@pytest.mark.parametrize("length", [0, -1, True, "512", float("nan")])
def test_a_length_that_is_none_is_refused(tmp_path, length):
    with pytest.raises(UserError, match=r"tokenizer_config.json: model_max_length must be a number of tokens"):
        read(tmp_path, vocab_txt=LINES, tokenizer_config_json={"model_max_length": length})


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"word_tokenizer_type": "mecab"}, r"unknown and not applied; .* word_tokenizer_type \('mecab'\)"),
        ({"truncation_side": "left"}, "truncation_side is 'left', but texts are cut at their end here"),
        ({"do_basic_tokenize": False}, "do_basic_tokenize is False, but words are always split"),
        ({"never_split": ["dog"]}, "never_split"),
    ],
)
def test_settings_that_are_not_applied_are_named(tmp_path, setting, message):
    with pytest.warns(UserWarning, match=message):
        read(tmp_path, vocab_txt=LINES, tokenizer_config_json=setting)


def test_what_transformers_writes_is_all_known(tmp_path, recwarn):
    config = {
        **{"tokenizer_class": "BertTokenizer", "do_lower_case": True, "do_basic_tokenize": True, "never_split": None},
        **{"strip_accents": None, "tokenize_chinese_chars": True, "model_max_length": 10**30, "name_or_path": "x"},
        **{
            "clean_up_tokenization_spaces": True,
            "special_tokens_map_file": None,
            "tokenizer_file": "/a",
            "max_length": 9,
        },
        **{"pad_to_multiple_of": None, "pad_token_type_id": 0, "padding_side": "right", "stride": 0},
        **{"truncation_side": "right", "truncation_strategy": "longest_first", "extra_special_tokens": {}},
        **{"additional_special_tokens": [], "backend": "tokenizers", "is_local": True, "processor_class": None},
        **{f"{token.lower()[1:-1]}_token": token for token in SPECIAL},
    }
    mapped = {name: token for name, token in config.items() if name.endswith("_token")}
    read(tmp_path, vocab_txt=LINES, tokenizer_config_json=config)
    read(tmp_path, vocab_txt=LINES, tokenizer_config_json=config, special_tokens_map_json=mapped)
    assert not recwarn.list


def test_arguments_go_before_what_the_folder_says(tmp_path):
    (tmp_path / "vocab.txt").write_text(LINES)
    (tmp_path / "tokenizer_config.json").write_text('{"do_lower_case": true, "model_max_length": 9}')
    tokenizer = BertTokenizer.from_pretrained(tmp_path, do_lower_case=False)
    assert tokenizer.tokenize("CUTE") == ["CUTE"]
    assert tokenizer.model_max_length == 9


def test_lower_casing_leaves_special_and_added_tokens_alone(tmp_path):
    added = {"12": {"content": "KINASE", "normalized": False}}
    config = {"do_lower_case": False, "added_tokens_decoder": added}
    tokenizer = read(tmp_path, vocab_txt=LINES, tokenizer_config_json=config)
    lowering = tokenizer.lower_casing()
    assert lowering("MY [MASK] KINASE DOG").token_ids.tolist() == [2, 5, 4, 12, 6, 3]
    assert lowering.lower_casing() is lowering


def test_links_that_lead_nowhere_are_not_taken_for_files_that_are_not_there(tmp_path):
    read(tmp_path, vocab_txt=LINES)
    for name in ("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "tokenizer.json"):
        (tmp_path / name).symlink_to(tmp_path / "nowhere")
        with pytest.raises(UserError, match=f"{name} can't be read: No such file"):
            BertTokenizer.from_pretrained(tmp_path)
        (tmp_path / name).unlink()


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"normalizer": {"type": "Precompiled", "precompiled_charsmap": ""}}, "the tokenizers library can't read it"),
        ({"pre_tokenizer": {"type": "FixedLength", "length": 0}}, "the tokenizers library can't"),
    ],
)
def test_panics_of_the_library_are_refusals(tmp_path, parts, message):
    read(tmp_path, vocab_txt=LINES).save_pretrained(tmp_path)
    content = json.loads((tmp_path / "tokenizer.json").read_text())
    (tmp_path / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}')
    (tmp_path / "tokenizer.json").write_text(json.dumps({**content, **parts}))
    with pytest.raises(UserError, match=message):
        BertTokenizer.from_pretrained(tmp_path)("my dog")


def test_a_normaliser_that_blows_texts_up_is_refused(tmp_path):
    read(tmp_path, vocab_txt=LINES).save_pretrained(tmp_path)
    content = json.loads((tmp_path / "tokenizer.json").read_text())
    replace = {"type": "Replace", "pattern": {"String": "a"}, "content": "a" * 20}
    content["normalizer"] = {"type": "Sequence", "normalizers": [replace] * 7}
    (tmp_path / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}')
    (tmp_path / "tokenizer.json").write_text(json.dumps(content))
    with pytest.raises(UserError, match="can make a text 1280000000 times as long; at most 16 is allowed"):
        BertTokenizer.from_pretrained(tmp_path)


def test_a_word_that_may_have_any_length_is_refused(tmp_path):
    read(tmp_path, vocab_txt=LINES).save_pretrained(tmp_path)
    content = json.loads((tmp_path / "tokenizer.json").read_text())
    content["model"]["max_input_chars_per_word"] = 10**12
    (tmp_path / "tokenizer.json").write_text(json.dumps(content))
    with pytest.raises(UserError, match="max_input_chars_per_word is 1000000000000; at most 1000 is allowed"):
        BertTokenizer.from_pretrained(tmp_path)


def test_byte_level_vocabularies_of_old_folders_are_read(tmp_path):
    letters = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "m", "y", "Ġ", "d", "o", "g", "my", "Ġd", "Ġdo", "Ġdog"]
    merges = "#version: 0.2\nm y\nĠ d\nĠd o\nĠdo g\n"
    vocabulary = {token: i for i, token in enumerate(letters)}
    (tmp_path / "merges.txt").write_text(merges)
    tokenizer = read(tmp_path, vocab_json=vocabulary, config_json={"model_type": "roberta"})
    assert tokens_of(tokenizer, "my dog") == "<s> my Ġdog </s>"
    pair = tokenizer("my", "my")
    assert tokenizer.convert_ids_to_tokens(pair.token_ids) == ["<s>", "my", "</s>", "</s>", "my", "</s>"]
    assert not pair.segment_ids.any()


def test_a_sentencepiece_model_alone_is_refused_with_the_way_out(tmp_path):
    (tmp_path / "sentencepiece.bpe.model").write_bytes(b"")
    with pytest.raises(UserError, match=r"only sentencepiece.bpe.model; AutoTokenizer of transformers makes"):
        BertTokenizer.from_pretrained(tmp_path)
