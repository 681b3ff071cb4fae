"""The files of a tokenizer: read from a folder as transformers reads them, and written so that it reads them the same.

    vocab.txt                a token per line, in the order of their ids; of a token that is there twice the last counts
    tokenizer.json           the library's own format
    vocab.json, merges.txt   of byte-level BPE, in old folders

What is built of them is said by the files of text/tokenizer_settings.py.
"""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tokenizers import AddedToken, Tokenizer

from minitransformer.errors import UserError
from minitransformer.files import is_there, json_text, read_json_object, read_text
from minitransformer.text.lossless_files import as_pair
from minitransformer.text.tokenizer_backends import (
    NORMALISATION,
    add_tokens,
    backend_from_json,
    bert_backend,
    byte_level_backend,
    is_berts,
    json_of,
    library_errors,
    set_bert_format,
)
from minitransformer.text.tokenizer_config import TOKENIZER_CONFIG_FILE
from minitransformer.text.tokenizer_settings import (
    BERT,
    UNNAMED,
    TokenizerClass,
    TokenizerSettings,
    read_tokenizer_settings,
)

JSON_FILE, VOCABULARY_FILE = "tokenizer.json", "vocab.txt"


class ReadTokenizer(NamedTuple):
    """What BertTokenizer is made of."""

    backend: Tokenizer
    special_tokens: dict[str, str]
    model_max_length: int | None
    has_segments: bool


# -- reading -----------------------------------------------------------------------------------------------------------


def read_tokenizer(path: Path, arguments: Mapping[str, Any]) -> ReadTokenizer:
    """The tokenizer of a folder, or of its tokenizer.json or vocab.txt.

    As in transformers, tokenizer.json has priority over the other vocabularies, and the class that the folder names
    decides what is built of it. `arguments` go before what tokenizer_config.json says.
    """
    if not path.exists():
        raise UserError(f"{path} does not exist; expected a folder with tokenizer.json or vocab.txt")
    folder = path if path.is_dir() else path.parent
    settings = read_tokenizer_settings(folder, arguments)
    file = path if path.is_file() else _vocabulary_file(folder)
    if settings.kind == UNNAMED and file.suffix != ".json":
        settings = settings._replace(kind=BERT)
    try:
        backend = _build(file, settings)
        special_tokens = _add_special_tokens(backend, settings, file)
        _set_format(backend, special_tokens, settings.kind)
    except UserError as error:
        raise UserError(f"the tokenizer in {file} can't be used: {error}") from None
    return ReadTokenizer(backend, special_tokens, settings.model_max_length, settings.has_segments)


def _vocabulary_file(folder: Path) -> Path:
    for name in (JSON_FILE, VOCABULARY_FILE, "vocab.json"):
        if is_there(folder / name):
            return folder / name
    found = [file.name for file in folder.glob("*.model")]
    only = f", only {found[0]}; AutoTokenizer of transformers makes a tokenizer.json of it" if found else ""
    raise UserError(f"{folder} holds neither {JSON_FILE} nor {VOCABULARY_FILE}; a tokenizer needs one of them{only}")


def _build(file: Path, settings: TokenizerSettings) -> Tokenizer:
    """The pipeline of the folder's class for the vocabulary in the file, or all of a tokenizer.json."""
    pipeline = settings.kind.pipeline
    if file.name == "vocab.json" and pipeline == "roberta":
        return byte_level_backend(read_json_object(file), _merges(file.with_name("merges.txt")), settings.prefix_space)
    if file.suffix != ".json":
        if pipeline != "bert":
            raise UserError(f"the folder's tokenizer_class needs a {JSON_FILE}")
        return _berts(_vocabulary(read_text(file)), settings)
    whole = backend_from_json(read_text(file))
    if pipeline == "file":
        return whole
    if (found := type(whole.model).__name__) != _MODELS[pipeline]:
        raise UserError(f"the folder's tokenizer_class needs a {_MODELS[pipeline]} model, found {found}")
    return _berts_of(whole, settings, file) if pipeline == "bert" else _robertas(whole, settings)


_MODELS = {"bert": "WordPiece", "roberta": "BPE"}


def _vocabulary(text: str) -> dict[str, int]:
    return {token: i for i, token in enumerate(text.removesuffix("\n").split("\n"))}


def _merges(file: Path) -> list[tuple[str, str]]:
    lines = read_text(file).split("\n")
    return [as_pair(line) for line in lines if line and not line.startswith("#version")]


def _berts(vocabulary: Mapping[str, int], settings: TokenizerSettings) -> Tokenizer:
    unknown = settings.special_tokens.get("unk")
    name = unknown.content if unknown else settings.kind.special_tokens["unk"]
    return bert_backend(vocabulary, name, **settings.normalisation)


def _berts_of(whole: Tokenizer, settings: TokenizerSettings, file: Path) -> Tokenizer:
    """BERT's own pipeline for the vocabulary of a tokenizer.json, whose pipeline may be another one."""
    backend = _berts(whole.get_vocab(with_added_tokens=False), settings)
    if not settings.has_all_added_tokens:
        add_tokens(backend, [token for _, token in sorted(whole.get_added_tokens_decoder().items())])
    ours, theirs = backend.normalizer, whole.normalizer
    replaced = [name for name in ("normalizer", "pre_tokenizer") if _kind(whole, name) != _kind(backend, name)]
    if type(ours) is type(theirs):
        switches = [(name, NORMALISATION[name]) for name, value in settings.normalisation.items() if value is None]
        replaced += [name for name, switch in switches if getattr(ours, switch) != getattr(theirs, switch)]
    if replaced:
        decides = "the tokenizer_class decides, as in transformers; PreTrainedTokenizerFast would take the file's"
        warnings.warn(f"{file} has another {' and '.join(replaced)} than BertTokenizer: {decides}", stacklevel=6)
    return backend


def _kind(backend: Tokenizer, part: str) -> str:
    return type(getattr(backend, part)).__name__


def _robertas(whole: Tokenizer, settings: TokenizerSettings) -> Tokenizer:
    """All of a tokenizer.json, but whether a text begins with a space is for tokenizer_config.json to say."""
    with library_errors("set add_prefix_space"):
        if _kind(whole, "pre_tokenizer") == "ByteLevel":
            whole.pre_tokenizer.add_prefix_space = settings.prefix_space
    return whole


def _add_special_tokens(backend: Tokenizer, settings: TokenizerSettings, file: Path) -> dict[str, str]:
    """Let the folder's added and special tokens be found in texts. Returns the special ones that there are, by role."""
    add_tokens(backend, [token for _, token in sorted(settings.added_tokens.items())])
    for i, token in settings.added_tokens.items():
        if token.content and (found := backend.token_to_id(token.content)) != i:
            says = f"{file.parent} gives the added token {token.content!r} the id {i}"
            warnings.warn(f"{says}, but after the vocabulary it comes as {found}, as in transformers", stacklevel=5)
    by_default = {role: AddedToken(token, special=True) for role, token in settings.kind.special_tokens.items()}
    named = {**by_default, **settings.special_tokens}
    there = {role: token for role, token in named.items() if backend.token_to_id(token.content) is not None}
    add_tokens(backend, [*there.values(), *settings.extra_tokens])
    return {role: token.content for role, token in there.items()}


def _set_format(backend: Tokenizer, special_tokens: dict[str, str], kind: TokenizerClass) -> None:
    needed = ("unk", "cls", "sep") if kind.pipeline == "bert" else ("cls", "sep")
    if kind.format == "file" and (kind != UNNAMED or backend.post_processor is not None):
        return
    if missing := [kind.special_tokens[role] for role in needed if role not in special_tokens]:
        raise UserError(f"the vocabulary lacks {', '.join(missing)}, which the model's input needs")
    set_bert_format(backend, special_tokens["cls"], special_tokens["sep"], kind.format == "roberta")


# -- writing -----------------------------------------------------------------------------------------------------------


def tokenizer_texts(
    backend: Tokenizer, special_tokens: Mapping[str, str], max_length: int, has_segments: bool
) -> dict[str, str]:
    """The files' texts by their names, as transformers and sentence-transformers read them.

    BertTokenizer stands for BERT's own pipeline, which they build anew; any other is taken from tokenizer.json whole.
    """
    berts, normalizer = is_berts(backend, special_tokens), backend.normalizer
    switches = {name: getattr(normalizer, ours) for name, ours in NORMALISATION.items()} if berts else {}
    inputs = ["input_ids", *(["token_type_ids"] if has_segments else []), "attention_mask"]
    config = {
        "tokenizer_class": "BertTokenizer" if berts else "PreTrainedTokenizerFast",
        **switches,
        **{f"{role}_token": token for role, token in special_tokens.items()},
        "model_max_length": max_length,
        **({} if berts and has_segments else {"model_input_names": inputs}),
    }
    texts = {JSON_FILE: json_of(backend), TOKENIZER_CONFIG_FILE: json_text(config)}
    vocabulary = backend.get_vocab()
    lines = vocabulary_text(vocabulary)
    can_say_it = vocabulary.items() <= _vocabulary(lines).items()  # not of two tokens with one id, or of a line's end
    return {**texts, VOCABULARY_FILE: lines} if _kind(backend, "model") == "WordPiece" and can_say_it else texts


def vocabulary_text(vocabulary: Mapping[str, int]) -> str:
    """vocab.txt: the line of an id without a token is empty."""
    lines = [""] * (max(vocabulary.values(), default=-1) + 1)
    for token, i in vocabulary.items():
        lines[i] = token
    return "".join(f"{line}\n" for line in lines)
