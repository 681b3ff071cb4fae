"""The `tokenizers.Tokenizer` behind BertTokenizer: built from a vocabulary, or taken whole from its own JSON.

The library is written in Rust. What it can't do it reports as a bare Exception, or, where it panics, as a
BaseException that has no name in Python; and it doesn't ask how long a text gets.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from minitransformer.errors import UserError
from minitransformer.files import json_text
from minitransformer.text.wordpiece_training import CONTINUATION, MAX_WORD_LENGTH

SPECIAL_TOKENS = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}

# the options' names in tokenizer_config.json, and in BertNormalizer
NORMALISATION = {
    "do_lower_case": "lowercase",
    "strip_accents": "strip_accents",
    "tokenize_chinese_chars": "handle_chinese_chars",
}
_LARGEST_ID = 10_000_000  # twenty times that of the largest vocabularies
_LONGEST_WORD = 1000  # characters; the time to find a word's pieces grows with their square
_MOST_GROWTH = 16  # times as many characters as a text had; Unicode's own normal forms stay near it


@contextmanager
def library_errors(doing: str) -> Iterator[None]:
    """Make a UserError of whatever the library raises while it is `doing` something."""
    try:
        yield
    except (UserError, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:
        raise UserError(f"the tokenizers library can't {doing}: {error}") from None


def bert_backend(vocabulary: Mapping[str, int], unk_token: str, **normalisation: bool | None) -> Tokenizer:
    """BERT's pipeline for a vocabulary; normalisation has the names of tokenizer_config.json, None as there: unsaid."""
    with library_errors("build a WordPiece model of the vocabulary"):
        model = models.WordPiece(dict(vocabulary), unk_token=unk_token, max_input_chars_per_word=MAX_WORD_LENGTH)
        model.continuing_subword_prefix = CONTINUATION
        backend = Tokenizer(model)
    if unk_token not in vocabulary:
        raise UserError(f"the vocabulary lacks {unk_token}, which stands for words that it doesn't know")
    given = {NORMALISATION[name]: value for name, value in normalisation.items() if value is not None}
    backend.normalizer = normalizers.BertNormalizer(**given)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.decoder = decoders.WordPiece(prefix=CONTINUATION)
    return backend


def byte_level_backend(vocabulary: Mapping[str, int], merges: list[tuple[str, str]], prefix_space: bool) -> Tokenizer:
    """RoBERTa's pipeline: byte-level BPE."""
    with library_errors("build a BPE model of vocab.json and merges.txt"):
        backend = Tokenizer(models.BPE(dict(vocabulary), merges))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix_space)
    backend.decoder = decoders.ByteLevel()
    return backend


def backend_from_json(text: str) -> Tokenizer:
    """A tokenizer from the library's own format, which neither truncates nor pads. Raises UserError if it is broken."""
    with library_errors("read it"):
        backend = Tokenizer.from_str(text)
    if isinstance(backend.model, models.WordPiece):
        if backend.model.token_to_id(backend.model.unk_token) is None:
            raise UserError(f"its vocabulary lacks {backend.model.unk_token!r}, its own token for unknown words")
        if (longest := backend.model.max_input_chars_per_word) > _LONGEST_WORD:
            raise UserError(f"its max_input_chars_per_word is {longest}; at most {_LONGEST_WORD} is allowed")
    if (growth := _growth(_settings_of(backend.normalizer))) > _MOST_GROWTH:
        raise UserError(f"its normalizer can make a text {growth:.0f} times as long; at most {_MOST_GROWTH} is allowed")
    if (largest := max(backend.get_vocab().values(), default=0)) > _LARGEST_ID:
        raise UserError(f"it has a token with the id {largest}; at most {_LARGEST_ID} is allowed")
    backend.no_truncation()
    backend.no_padding()
    return backend


def json_of(backend: Tokenizer) -> str:
    """The library's own format, with all tokens: it writes one for each id, but several may share one."""
    text, vocabulary = backend.to_str(pretty=True), backend.get_vocab(with_added_tokens=False)
    if len(set(vocabulary.values())) == len(vocabulary):
        return text
    content = json.loads(text)
    return json_text({**content, "model": {**content["model"], "vocab": vocabulary}})


def add_tokens(backend: Tokenizer, tokens: Iterable[AddedToken]) -> None:
    """Let tokens be found in texts as they are, before anything else; those that aren't in the vocabulary join it."""
    known = {token.content for token in backend.get_added_tokens_decoder().values()}
    with library_errors("add tokens"):
        backend.add_tokens([token for token in tokens if token.content not in known and token.content])


def set_bert_format(backend: Tokenizer, cls: str, sep: str, is_roberta: bool = False) -> None:
    """Put [CLS] and [SEP] around texts, as BERT or as RoBERTa does."""
    with library_errors("put special tokens around texts"):
        ids: dict[str, Any] = {token: backend.token_to_id(token) for token in (cls, sep)}
        if is_roberta:
            backend.post_processor = processors.RobertaProcessing((sep, ids[sep]), (cls, ids[cls]))
        else:
            backend.post_processor = processors.TemplateProcessing(
                single=f"{cls}:0 $A:0 {sep}:0",
                pair=f"{cls}:0 $A:0 {sep}:0 $B:1 {sep}:1",
                special_tokens=[*ids.items()],
            )


def lower_casing(backend: Tokenizer) -> Tokenizer:
    """A copy that lower-cases what lies between special and added tokens; the backend itself if it does so already."""
    given = _settings_of(backend.normalizer)
    parts = given["normalizers"] if given.get("type") == "Sequence" else [given]
    if any(part.get("type") == "Lowercase" or part.get("lowercase") for part in parts):
        return backend
    copy = Tokenizer.from_str(json_of(backend))
    inner = [] if copy.normalizer is None else [copy.normalizer]
    copy.normalizer = normalizers.Sequence([normalizers.Lowercase(), *inner])
    return copy


def is_berts(backend: Tokenizer, special_tokens: Mapping[str, str]) -> bool:
    """Whether transformers' BertTokenizer, which builds its pipeline from the vocabulary alone, builds this one."""
    normalizer = backend.normalizer
    if not isinstance(normalizer, normalizers.BertNormalizer) or not {"unk", "cls", "sep"} <= special_tokens.keys():
        return False
    switches = {name: getattr(normalizer, theirs) for name, theirs in NORMALISATION.items()}
    twin = bert_backend(backend.get_vocab(with_added_tokens=False), special_tokens["unk"], **switches)
    add_tokens(twin, backend.get_added_tokens_decoder().values())
    set_bert_format(twin, special_tokens["cls"], special_tokens["sep"])
    ours, theirs = (json.loads(tokenizer.to_str()) for tokenizer in (backend, twin))
    parts = ("normalizer", "pre_tokenizer", "post_processor", "model")
    return all(ours[part] == theirs[part] for part in parts)


def _settings_of(normalizer: Any) -> dict[str, Any]:
    return {} if normalizer is None else json.loads(normalizer.__getstate__())


def _growth(normalizer: dict[str, Any]) -> float:
    """How many times as long a normaliser can make a text: each Replace may lengthen what the one before it wrote."""
    growth = 1.0
    for part in normalizer.get("normalizers", []):
        growth *= _growth(part)
    if normalizer.get("type") == "Replace":
        replaced = normalizer["pattern"].get("String") or "?"  # a regular expression may match a single character
        growth *= max(1.0, len(normalizer["content"]) / len(replaced))
    return growth
