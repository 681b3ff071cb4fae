"""Tokenizers of every make are read as transformers reads them, and what is saved here is the same there."""

import itertools
import json

import pytest

from minitransformer.text.bert_tokenizer import BertTokenizer

transformers = pytest.importorskip("transformers", reason="transformers is not installed (the parity extra)")

SPECIAL = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
NAMES = {f"{role}_token": token for role, token in SPECIAL.items()}
WORDS = ["the", "cat", "dog", "sat", "play", "##ing", "a", "A", "Cat", "é", "e", ".", "学", "生"]
VOCABULARY = {token: i for i, token in enumerate([*SPECIAL.values(), *WORDS])}
TEXTS = ["the Cat sat.", "A é playing [MASK] a", "kinase covid-19 KINASE x", "学生 the", "<s> the <ent> a </s> zebra"]
BERTS = json.loads(transformers.BertTokenizer(vocab=VOCABULARY).backend_tokenizer.to_str())
BERT_CLASS = {"tokenizer_class": "BertTokenizer"}
WHOLE_CLASS = {"tokenizer_class": "PreTrainedTokenizerFast", **NAMES}


def write(folder, files):
    for name, content in {"config.json": {"model_type": "bert"}, **files}.items():
        (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))
    return folder


def lines(tokens):
    return "".join(f"{token}\n" for token in tokens)


def added(content, **switches):
    return {"content": content, "lstrip": False, "rstrip": False, "single_word": False, **switches}


def their_ids(folder):
    """What transformers makes of the texts, and of a pair, with its segments."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    pair = tokenizer(TEXTS[0], TEXTS[1])
    ids = pair["input_ids"]
    return [*tokenizer(TEXTS)["input_ids"], ids, pair.get("token_type_ids", [0] * len(ids))]


def our_ids(tokenizer):
    tokens, pair = tokenizer(TEXTS), tokenizer(TEXTS[0], TEXTS[1])
    texts = [ids.tolist() for ids in tokens.unpack(tokens.token_ids)]
    return [*texts, pair.token_ids.tolist(), pair.segment_ids.tolist()]


def assert_the_same_before_and_after_saving(folder, saved):
    expected = their_ids(folder)
    tokenizer = BertTokenizer.from_pretrained(folder)
    assert our_ids(tokenizer) == expected
    tokenizer.save_pretrained(saved)
    write(saved, {})
    assert their_ids(saved) == expected
    assert our_ids(BertTokenizer.from_pretrained(saved)) == expected


FILES = {
    "added_tokens.json": {"vocab.txt": lines(VOCABULARY), "added_tokens.json": {"kinase": 19, "covid": 20}},
    "added_tokens.json out of order": {
        "vocab.txt": lines(VOCABULARY),
        "added_tokens.json": {"kinase": 20, "covid": 19},
    },
    "added_tokens_decoder": {
        "vocab.txt": lines(VOCABULARY),
        "tokenizer_config.json": {**BERT_CLASS, "added_tokens_decoder": {"19": added("KINASE", normalized=False)}},
    },
    "an added token that is normalised": {
        "vocab.txt": lines(VOCABULARY),
        "tokenizer_config.json": {**BERT_CLASS, "added_tokens_decoder": {"19": added("KINASE", normalized=True)}},
    },
    "added tokens of tokenizer.json": {
        "tokenizer.json": {
            **BERTS,
            "added_tokens": [*BERTS["added_tokens"], added("kinase", id=19, normalized=True, special=False)],
        },
        "tokenizer_config.json": BERT_CLASS,
    },
    "added tokens that are not those of tokenizer.json": {
        "tokenizer.json": {
            **BERTS,
            "added_tokens": [*BERTS["added_tokens"], added("kinase", id=19, normalized=True, special=False)],
        },
        "tokenizer_config.json": {**BERT_CLASS, "added_tokens_decoder": {"4": added("[MASK]", special=True)}},
    },
    "additional special tokens": {
        "vocab.txt": lines(VOCABULARY),
        "tokenizer_config.json": {**BERT_CLASS, "additional_special_tokens": ["<ent>"]},
    },
    "special tokens by names of their own": {
        "vocab.txt": lines(VOCABULARY),
        "tokenizer_config.json": {**BERT_CLASS, "ent_token": "<ent>", "eos_token": "</s>"},
    },
    "special_tokens_map.json alone": {
        "vocab.txt": lines(["<pad>", "<unk>", "<s>", "</s>", "<mask>", *WORDS]),
        "special_tokens_map.json": {
            **{"pad_token": "<pad>", "unk_token": "<unk>", "cls_token": "<s>", "sep_token": "</s>"},
            "mask_token": added("<mask>"),
        },
    },
    "a token twice": {"vocab.txt": lines([*VOCABULARY, "cat", "zebra"])},
    "blank lines": {"vocab.txt": lines([*VOCABULARY, "", "", "zebra", ""])},
    "Windows' ends of lines": {"vocab.txt": "\r\n".join(VOCABULARY)},
    "a hole": {
        "tokenizer.json": {**BERTS, "model": {**BERTS["model"], "vocab": {**VOCABULARY, "zebra": 40}}},
        "tokenizer_config.json": BERT_CLASS,
    },
    "a hole in a whole tokenizer": {
        "tokenizer.json": {**BERTS, "model": {**BERTS["model"], "vocab": {**VOCABULARY, "zebra": 40}}},
        "tokenizer_config.json": WHOLE_CLASS,
    },
    "words alone": {
        "tokenizer.json": {**BERTS, "model": {"type": "WordLevel", "vocab": VOCABULARY, "unk_token": "[UNK]"}},
        "tokenizer_config.json": WHOLE_CLASS,
    },
    "another prefix": {
        "tokenizer.json": {**BERTS, "model": {**BERTS["model"], "continuing_subword_prefix": "@@"}},
        "tokenizer_config.json": WHOLE_CLASS,
    },
    "segments asked for": {
        "tokenizer.json": BERTS,
        "tokenizer_config.json": {
            **WHOLE_CLASS,
            "model_input_names": ["input_ids", "token_type_ids", "attention_mask"],
        },
    },
    "a class that nobody knows": {"tokenizer.json": BERTS, "tokenizer_config.json": {"tokenizer_class": "MyTokenizer"}},
    "DistilBertTokenizer": {
        "tokenizer.json": BERTS,
        "tokenizer_config.json": {"tokenizer_class": "DistilBertTokenizer"},
    },
    "ElectraTokenizerFast": {
        "vocab.txt": lines(VOCABULARY),
        "tokenizer_config.json": {"tokenizer_class": "ElectraTokenizerFast"},
    },
    "lower-casing that nobody mentions": {
        "tokenizer.json": {**BERTS, "normalizer": {**BERTS["normalizer"], "lowercase": False}},
        "tokenizer_config.json": BERT_CLASS,
    },
    **{
        f"{switch}": {"vocab.txt": lines(VOCABULARY), "tokenizer_config.json": {**BERT_CLASS, **switch}}
        for switch in (
            {"do_lower_case": False},
            {"strip_accents": False},
            {"do_lower_case": False, "strip_accents": True},
            {"tokenize_chinese_chars": False},
        )
    },
}


@pytest.mark.filterwarnings("ignore:.*another do_lower_case")
@pytest.mark.parametrize("name", FILES)
def test_a_folder_is_read_as_transformers_reads_it_and_saved_so_that_it_reads_the_same(tmp_path, name):
    (tmp_path / "folder").mkdir()
    assert_the_same_before_and_after_saving(write(tmp_path / "folder", FILES[name]), tmp_path / "saved")


NORMALIZERS = {
    "none": None,
    "Lowercase": {"type": "Lowercase"},
    "Sequence": {"type": "Sequence", "normalizers": [{"type": "NFD"}, {"type": "Lowercase"}, {"type": "StripAccents"}]},
    "BERT's, cased": {**BERTS["normalizer"], "lowercase": False},
    "BERT's": BERTS["normalizer"],
}
PRE_TOKENIZERS = {"none": None, "WhitespaceSplit": {"type": "WhitespaceSplit"}, "BERT's": BERTS["pre_tokenizer"]}
ONLY_CLS = [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]
POST_PROCESSORS = {
    "none": None,
    "BertProcessing": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
    "RobertaProcessing": {
        **{"type": "RobertaProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
        **{"trim_offsets": True, "add_prefix_space": False},
    },
    "[CLS] alone": {
        "type": "TemplateProcessing",
        "single": ONLY_CLS,
        "pair": [*ONLY_CLS, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]}},
    },
    "BERT's": BERTS["post_processor"],
}


@pytest.mark.filterwarnings("ignore:.*than BertTokenizer")
@pytest.mark.parametrize("config", [WHOLE_CLASS, BERT_CLASS, None], ids=["whole", "BertTokenizer", "unnamed"])
@pytest.mark.parametrize("normalizer", NORMALIZERS)
def test_every_combination_of_parts_is_the_same_there_before_and_after(tmp_path, normalizer, config):
    for i, (pre_tokenizer, post_processor) in enumerate(itertools.product(PRE_TOKENIZERS, POST_PROCESSORS)):
        parts = {
            "normalizer": NORMALIZERS[normalizer],
            "pre_tokenizer": PRE_TOKENIZERS[pre_tokenizer],
            "post_processor": POST_PROCESSORS[post_processor],
        }
        (tmp_path / f"{i}").mkdir()
        files = {"tokenizer.json": {**BERTS, **parts}, **({"tokenizer_config.json": config} if config else {})}
        assert_the_same_before_and_after_saving(write(tmp_path / f"{i}", files), tmp_path / f"saved {i}")
