"""The `tokenizers.Tokenizer` behind BertTokenizer: built from a vocabulary, read from a folder, written to one.

The three files are those of Hugging Face folders: vocab.txt (one token per line, in the order of their ids),
tokenizer.json (the library's own format) and tokenizer_config.json (lower-casing, the names of the special tokens, the
maximum length).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from minitransformer.errors import UserError
from minitransformer.files import json_text
from minitransformer.text.tokenizer_config import max_length_of, read_text, read_tokenizer_config, token_text
from minitransformer.text.wordpiece_training import CONTINUATION, MAX_WORD_LENGTH

SPECIAL_TOKENS = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}

# the options' names in tokenizer_config.json, and in BertNormalizer
NORMALISATION = {
    "do_lower_case": "lowercase",
    "strip_accents": "strip_accents",
    "tokenize_chinese_chars": "handle_chinese_chars",
}


def build_backend(tokens: Sequence[str], special_tokens: dict[str, str], **normalisation: bool | None) -> Tokenizer:
    """BERT's tokenizer for tokens in the order of their ids; normalisation has the names of tokenizer_config.json."""
    vocabulary = {token: i for i, token in enumerate(tokens)}
    if len(vocabulary) < len(tokens):
        twice = next(token for i, token in enumerate(tokens) if vocabulary[token] != i)
        raise UserError(f"the vocabulary holds {twice!r} twice, as token {tokens.index(twice)} and {vocabulary[twice]}")
    model = models.WordPiece(vocabulary, unk_token=special_tokens["unk"], max_input_chars_per_word=MAX_WORD_LENGTH)
    model.continuing_subword_prefix = CONTINUATION
    backend = Tokenizer(model)
    backend.normalizer = normalizers.BertNormalizer()
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.decoder = decoders.WordPiece(prefix=CONTINUATION)
    set_normalisation(backend, normalisation)
    set_bert_format(backend, special_tokens)
    return backend


def set_normalisation(backend: Tokenizer, normalisation: dict[str, Any]) -> None:
    """Switch lower-casing and the like on or off; a normaliser that isn't BERT's stays as it is in its file."""
    for name, value in normalisation.items():
        if value is not None and not isinstance(value, bool):
            raise UserError(f"{name} must be true, false or null, found {value!r}")
        # null leaves a switch as it is, except that for strip_accents it means "the same as lower-casing"
        is_given = value is not None or name == "strip_accents"
        if is_given and hasattr(backend.normalizer, NORMALISATION[name]):
            setattr(backend.normalizer, NORMALISATION[name], value)


def set_bert_format(backend: Tokenizer, special_tokens: dict[str, str]) -> None:
    """Recognise special tokens in a text, put [CLS] and [SEP] around it, and neither truncate nor pad it."""
    if missing := [token for token in special_tokens.values() if backend.token_to_id(token) is None]:
        raise UserError(f"the vocabulary lacks {', '.join(missing)}, which BERT's input needs")
    backend.no_truncation()
    backend.no_padding()
    backend.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special_tokens.values()])
    cls, sep = special_tokens["cls"], special_tokens["sep"]
    backend.post_processor = processors.TemplateProcessing(
        single=f"{cls}:0 $A:0 {sep}:0",
        pair=f"{cls}:0 $A:0 {sep}:0 $B:1 {sep}:1",
        special_tokens=[(cls, backend.token_to_id(cls)), (sep, backend.token_to_id(sep))],
    )


def read_backend(path: Path) -> tuple[Tokenizer, dict[str, str], int | None]:
    """The tokenizer of a folder (or of its tokenizer.json or vocab.txt), its special tokens and its maximum length.

    As in transformers, tokenizer.json has priority over vocab.txt, and tokenizer_config.json over the normalisation in
    tokenizer.json. The maximum length is None if the folder doesn't specify it.
    """
    if not path.exists():
        raise UserError(f"{path} does not exist; expected a folder with tokenizer.json or vocab.txt")
    folder = path if path.is_dir() else path.parent
    config = read_tokenizer_config(folder)
    normalisation = {name: config[name] for name in NORMALISATION if name in config}
    json_file, vocabulary_file = folder / "tokenizer.json", folder / "vocab.txt"
    file = path if path.is_file() else json_file if json_file.exists() else vocabulary_file
    if not file.exists():
        raise UserError(f"{folder} holds neither tokenizer.json nor vocab.txt; a tokenizer needs one of them")
    text = read_text(file)
    try:
        special_tokens = {
            role: token_text(config.get(f"{role}_token") or name) for role, name in SPECIAL_TOKENS.items()
        }
        if file.suffix == ".json":
            backend = backend_from_json(text)
            set_normalisation(backend, normalisation)
            set_bert_format(backend, special_tokens)
        else:
            backend = build_backend(text.rstrip("\n").split("\n"), special_tokens, **normalisation)
    except UserError as error:
        raise UserError(f"the tokenizer in {file} can't be used: {error}") from None
    return backend, special_tokens, max_length_of(config)


def backend_from_json(text: str) -> Tokenizer:
    """A WordPiece tokenizer from the library's own format; other models (BPE, Unigram) are refused by name."""
    try:
        backend = Tokenizer.from_str(text)
    except Exception as error:  # the library raises bare Exceptions
        raise UserError(f"the tokenizers library can't read it: {error}") from None
    if (kind := type(backend.model).__name__) != "WordPiece":
        raise UserError(f"BERT needs a WordPiece model, found {kind}")
    if backend.model.token_to_id(backend.model.unk_token) is None:
        raise UserError(f"its vocabulary lacks {backend.model.unk_token!r}, its own token for unknown words")
    size = backend.get_vocab_size()
    if any(backend.id_to_token(i) is None for i in range(size)):
        raise UserError(f"the ids of {size} tokens must be 0 to {size - 1}, each exactly once")
    return backend


def backend_texts(backend: Tokenizer, special_tokens: dict[str, str], max_length: int) -> dict[str, str]:
    """The three files' texts by their names, as transformers and sentence-transformers read them."""
    normalizer = backend.normalizer
    config = {
        "tokenizer_class": "BertTokenizer",
        **{name: getattr(normalizer, ours) for name, ours in NORMALISATION.items() if hasattr(normalizer, ours)},
        **{f"{role}_token": token for role, token in special_tokens.items()},
        "model_max_length": max_length,
    }
    return {
        "vocab.txt": "".join(f"{backend.id_to_token(i)}\n" for i in range(backend.get_vocab_size())),
        "tokenizer.json": backend.to_str(pretty=True),
        "tokenizer_config.json": json_text(config),
    }
