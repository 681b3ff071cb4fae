"""What a folder says of its tokenizer beside the vocabulary, as transformers reads it.

    tokenizer_config.json      the tokenizer's class, lower-casing, the longest text, special and added tokens
    special_tokens_map.json    the special tokens, which until 2021 stood here alone
    added_tokens.json          the tokens that were added to the vocabulary, and their ids, in old folders
    config.json                the model's: it names the class, or has the model_type that it follows from

The class decides how a vocabulary is used: a vocab.txt may be WordPiece, or hold the words of a morphological analyser.
"""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tokenizers import AddedToken

from minitransformer.errors import UserError
from minitransformer.files import is_there
from minitransformer.settings_file import SettingsFile
from minitransformer.text.tokenizer_backends import NORMALISATION, SPECIAL_TOKENS
from minitransformer.text.tokenizer_config import max_length_of, read_tokenizer_config, token_text

MAP_FILE = "special_tokens_map.json"
ADDED_FILE = "added_tokens.json"

_ROBERTAS_TOKENS = {"pad": "<pad>", "unk": "<unk>", "cls": "<s>", "sep": "</s>", "mask": "<mask>"}


class TokenizerClass(NamedTuple):
    """How transformers' classes of tokenizers use a vocabulary.

    pipeline          "bert" and "roberta" are built from the vocabulary; "file" is a whole tokenizer.json
    format            what is put around texts: as "bert" or "roberta" does it, or what the "file" says
    special_tokens    what the special tokens are called unless the folder says it
    has_segments      whether the model is told which tokens are the second text's
    """

    pipeline: str
    format: str
    special_tokens: dict[str, str]
    has_segments: bool


BERT = TokenizerClass("bert", "bert", SPECIAL_TOKENS, True)
_MPNET = TokenizerClass("bert", "roberta", {**_ROBERTAS_TOKENS, "unk": "[UNK]"}, False)
_ROBERTA = TokenizerClass("roberta", "roberta", _ROBERTAS_TOKENS, False)
_SENTENCEPIECE = TokenizerClass("file", "file", _ROBERTAS_TOKENS, False)
_FILE = TokenizerClass("file", "file", {}, False)
UNNAMED = TokenizerClass("file", "file", SPECIAL_TOKENS, True)
_CLASSES = {
    **{f"{name}Tokenizer": BERT for name in ("Bert", "Electra", "ConvBert", "MobileBert", "Lxmert", "RetriBert")},
    "DistilBertTokenizer": BERT._replace(has_segments=False),
    "MPNetTokenizer": _MPNET,
    "RobertaTokenizer": _ROBERTA,
    **{f"{name}Tokenizer": _SENTENCEPIECE for name in ("XLMRoberta", "Camembert")},
    **dict.fromkeys(("PreTrainedTokenizer", "TokenizersBackend"), _FILE),
}
_CLASS_OF_MODEL = {
    **{"bert": "BertTokenizer", "distilbert": "DistilBertTokenizer", "electra": "ElectraTokenizer"},
    **{"mpnet": "MPNetTokenizer", "roberta": "RobertaTokenizer", "xlm-roberta": "XLMRobertaTokenizer"},
    "camembert": "CamembertTokenizer",
}

_NEVER_WHOLE = {f"{name}Tokenizer" for name in ("BertJapanese", "Bertweet", "Phobert", "KoBert")}
_UNUSUAL = [
    ("truncation_side", "right", "texts are cut at their end"),
    ("do_basic_tokenize", True, "words are always split at punctuation"),
]

# What changes no token: file names, what is done with text that is padded, decoded or generated, and old switches.
_HARMLESS = {
    *("name_or_path", "special_tokens_map_file", "tokenizer_file", "vocab_file", "merges_file", "full_tokenizer_file"),
    *("tokenizer_class", "processor_class", "auto_map", "use_fast", "backend", "is_local", "local_files_only"),
    *("init_inputs", "from_slow", "model_specific_special_tokens", "transformers_version", "revision", "_commit_hash"),
    *("trust_remote_code", "cache_dir", "token", "subfolder", "verbose", "chat_template", "legacy", "errors"),
    *("padding_side", "padding", "pad_to_multiple_of", "pad_token_type_id", "max_length", "truncation", "stride"),
    *("truncation_strategy", "clean_up_tokenization_spaces", "trim_offsets", "add_bos_token", "add_eos_token"),
    *("sp_model_kwargs", "spaces_between_special_tokens", "return_token_type_ids", "use_default"),
    *("cls_token_box", "sep_token_box", "pad_token_box", "pad_token_label", "only_label_first_subword", "unk_id"),
    *("model_type", "architectures", "additional_special_tokens_ids", "extra_ids", "_from_auto", "max_seq_length"),
}


class TokenizerSettings(NamedTuple):
    kind: TokenizerClass
    special_tokens: dict[str, AddedToken]  # by role, those that the folder names
    added_tokens: dict[int, AddedToken]  # by id
    extra_tokens: list[AddedToken]  # special tokens without a role, which may have no id yet
    has_all_added_tokens: bool  # whether those in tokenizer.json are to be left out
    normalisation: dict[str, bool | None]
    prefix_space: bool
    model_max_length: int | None
    has_segments: bool


def read_tokenizer_settings(folder: Path, arguments: Mapping[str, Any]) -> TokenizerSettings:
    """What the folder's files say; `arguments` go before tokenizer_config.json. Raises UserError, or warns, by name."""
    own = read_tokenizer_config(folder)
    settings = SettingsFile(own.file, {**own.given, **arguments})
    kind = _class_of(settings, folder)
    is_complete = bool(settings["added_tokens_decoder"])  # then the older files don't count
    old = SettingsFile(folder / MAP_FILE, {}) if is_complete else SettingsFile.read(folder / MAP_FILE)
    special_tokens, extra_tokens = _special_tokens(settings, old)
    for name, usual, here in _UNUSUAL:
        if settings[name] not in (usual, None):
            warnings.warn(f"{settings.file}: {name} is {settings[name]!r}, but {here} here", stacklevel=5)
    settings.only("split_special_tokens", False, "special tokens in a text are always found here")
    inputs = settings.get("model_input_names", list, None)
    found = TokenizerSettings(
        kind=kind,
        special_tokens=special_tokens,
        added_tokens=_added_tokens(settings) if is_complete else _old_added_tokens(folder, special_tokens),
        extra_tokens=extra_tokens,
        has_all_added_tokens=is_complete,
        normalisation={name: settings.get(name, bool, None) for name in NORMALISATION},
        prefix_space=settings.get("add_prefix_space", bool, False),
        model_max_length=max_length_of(settings),
        has_segments=kind.has_segments if inputs is None else "token_type_ids" in inputs,
    )
    settings.warn_of_the_rest(_HARMLESS)
    old.warn_of_the_rest(())
    return found


def _special_tokens(settings: SettingsFile, old: SettingsFile) -> tuple[dict[str, AddedToken], list[AddedToken]]:
    """Those with a role here, and the others: of keys such as eos_token, and of lists. The older file has priority."""
    names = [name for name in {**settings.given, **old.given} if name.endswith("_token")]
    named = {name: token for file in (settings, old) for name in names if (token := file[name]) is not None}
    roles = {
        role: _token(settings.file, named.pop(f"{role}_token")) for role in SPECIAL_TOKENS if f"{role}_token" in named
    }
    first = ("bos_token", "eos_token")  # where they join the vocabulary, they have the first ids
    others = [named[name] for name in sorted(named, key=lambda name: name not in first)]
    others = [token for token in others if isinstance(token, str | dict)]  # add_bos_token is a switch
    for name in ("extra_special_tokens", "additional_special_tokens"):
        group, old_group = settings[name], old[name]
        group = group or old_group or []
        if not isinstance(group, list | dict):
            raise UserError(f"{settings.file}: {name} must be a list of tokens, found {group!r}")
        others += group.values() if isinstance(group, dict) else group
    return roles, [_token(settings.file, token) for token in others]


def _added_tokens(settings: SettingsFile) -> dict[int, AddedToken]:
    added = settings.get("added_tokens_decoder", dict)
    return {_id(settings.file, i): _token(settings.file, token, special=False) for i, token in added.items()}


def _old_added_tokens(folder: Path, special_tokens: Mapping[str, AddedToken]) -> dict[int, AddedToken]:
    """Those of added_tokens.json. They are found in normalised text, unless they are special."""
    specials, file = {token.content for token in special_tokens.values()}, SettingsFile.read(folder / ADDED_FILE)
    return {
        _id(file.file, i): _token(
            file.file, {"content": content, "normalized": content not in specials}, content in specials
        )
        for content, i in file.given.items()
    }


def _class_of(settings: SettingsFile, folder: Path) -> TokenizerClass:
    """The class that tokenizer_config.json names, else config.json, else what its model_type has."""
    name, file = settings.get("tokenizer_class", str, None), settings.file
    if name is None and is_there(folder / "config.json"):
        model = SettingsFile.read(folder / "config.json")
        file = model.file
        name = model.get("tokenizer_class", str, None) or _CLASS_OF_MODEL.get(str(model["model_type"]))
    if name is None:
        return UNNAMED
    found = _CLASSES.get(name.removesuffix("Fast"))
    if found is None and is_there(folder / "tokenizer.json") and name not in _NEVER_WHOLE:
        return _FILE  # as transformers does
    if found is None:
        known = (
            "WordPiece, byte-level BPE, and whole tokenizer.json files are; where transformers has this one as a fast "
        )
        advice = f"{known}tokenizer, save it with it and set tokenizer_class to PreTrainedTokenizerFast"
        raise UserError(f"{file}: tokenizer_class is {name!r}, which isn't supported; {advice}")
    return found


def _token(file: Path, token: Any, special: bool = True) -> AddedToken:
    """A token that is a text, or an object with its text in content and how it is found in a text."""
    text = token_text(token, file)
    options = token if isinstance(token, dict) else {}
    switches = {name: options[name] for name in _SWITCHES if isinstance(options.get(name), bool)}
    try:
        return AddedToken(text, **{"special": special, **switches})
    except UnicodeEncodeError as error:
        raise UserError(f"{file}: {error}") from None


_SWITCHES = ("single_word", "lstrip", "rstrip", "normalized", "special")


def _id(file: Path, number: Any) -> int:
    if not str(number).isdecimal() or len(str(number)) > 9:
        raise UserError(f"{file}: the id of an added token must be a number, found {number!r}")
    return int(number)
