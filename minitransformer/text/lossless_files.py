"""What the tokenizer in a decoder's folder consists of, from whichever files are there.

    tokenizer.json                  the `tokenizers` library's own format, with a BPE model or one of single characters
    vocab.json and merges.txt       GPT-2's, as transformers used to write them
    encoder.json and vocab.bpe      the same, as OpenAI released them

tokenizer_config.json may add the name of <|endoftext|>, the maximum length, and that each text ends with that token.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from minitransformer.errors import UserError
from minitransformer.files import read_json_object, read_text
from minitransformer.text.tokenizer_config import max_length_of, read_tokenizer_config, token_text

END_OF_TEXT = "<|endoftext|>"
BYTE_PAIRS, WORDS = "BPE", "WordLevel"  # kinds of model, as tokenizer.json names them
PRE_TOKENIZERS = {BYTE_PAIRS: "ByteLevel", WORDS: "Split"}
PAIRS_OF_FILES = (("vocab.json", "merges.txt"), ("encoder.json", "vocab.bpe"))
DECODER_TOKENIZER_FILES = ("tokenizer.json", *(vocabulary for vocabulary, _ in PAIRS_OF_FILES))  # one of them is there

Merges = Sequence[tuple[str, str]]
Parts = tuple[str, dict[str, int], Merges, list[str]]  # kind, the id of each token, merges, special tokens


class TokenizerContent(NamedTuple):
    """tokens in the order of their ids; the merges in the order of their rank, for BPE alone."""

    kind: str
    tokens: list[str]
    merges: Merges
    special_tokens: list[str]
    eos_token: str
    max_length: int | None
    adds_eos: bool = False


def new_content(
    kind: str, tokens: Sequence[str], merges: Merges, max_length: int | None, adds_eos: bool
) -> TokenizerContent:
    """Of a tokenizer that was just made from a text: <|endoftext|> has the last id, as in GPT-2's."""
    return TokenizerContent(kind, [*tokens, END_OF_TEXT], merges, [END_OF_TEXT], END_OF_TEXT, max_length, adds_eos)


def read_content(path: Path) -> TokenizerContent:
    """Of a folder, or of its tokenizer.json. Raises UserError if it is missing, broken, or of another kind."""
    if not path.exists():
        raise UserError(f"{path} does not exist; expected a folder with tokenizer.json")
    folder = path if path.is_dir() else path.parent
    config = read_tokenizer_config(folder)
    json_file = folder / "tokenizer.json" if path.is_dir() else path
    eos_token = token_text(config["eos_token"] or END_OF_TEXT)
    kind, ids, merges, special_tokens = _read_json(json_file) if json_file.exists() else _read_pair(folder)
    if eos_token not in ids:
        raise UserError(f"it has no token {eos_token!r}, which ends a text")
    special_tokens = [*dict.fromkeys([*special_tokens, eos_token])]
    max_length, adds_eos = max_length_of(config), config.get("add_eos_token", bool, default=False)
    return TokenizerContent(kind, _in_order(ids), merges, special_tokens, eos_token, max_length, adds_eos)


def _read_json(file: Path) -> Parts:
    content = read_json_object(file)
    try:
        return _parts_of_json(content)
    except (KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{file.name} isn't in the format of the tokenizers library ({error!r})") from None


def _parts_of_json(content: dict[str, Any]) -> Parts:
    """Raises UserError for what our tokenizers don't do."""
    model = content["model"]
    kind = model["type"]
    if kind not in PRE_TOKENIZERS:
        raise UserError(f"a decoder needs a {BYTE_PAIRS} model of bytes or a {WORDS} one of characters, found {kind}")
    if content.get("normalizer") is not None:
        raise UserError(f"it changes a text before it reads it (normalizer {content['normalizer']['type']})")
    expected, found = PRE_TOKENIZERS[kind], content.get("pre_tokenizer") or {}
    if found.get("type") != expected:
        raise UserError(f"a {kind} model needs the pre_tokenizer {expected}, found {found.get('type')}")
    if found.get("add_prefix_space", False) or not found.get("use_regex", True):
        raise UserError("its pre_tokenizer isn't GPT-2's: add_prefix_space must be false and use_regex true")
    added = {token["content"]: token["id"] for token in content.get("added_tokens", [])}
    return kind, {**model["vocab"], **added}, [*map(as_pair, model.get("merges", []))], [*added]


def _read_pair(folder: Path) -> Parts:
    for vocabulary, merges in PAIRS_OF_FILES:
        if (folder / vocabulary).exists() and (folder / merges).exists():
            lines = read_text(folder / merges).split("\n")
            pairs = [as_pair(line) for line in lines if line and not line.startswith("#version")]
            return BYTE_PAIRS, read_json_object(folder / vocabulary), pairs, []
    pairs_of_files = " or ".join(" with ".join(names) for names in PAIRS_OF_FILES)
    raise UserError(f"there is neither tokenizer.json nor {pairs_of_files}")


def as_pair(pair: str | Sequence[str]) -> tuple[str, str]:
    """The two tokens of a merge, which newer files write as a list, and older ones with a space between them."""
    tokens = pair.split(" ") if isinstance(pair, str) else pair
    if len(tokens) != 2:
        raise UserError(f"a merge must join two tokens, found {pair!r}")
    return tokens[0], tokens[1]


def _in_order(ids: dict[str, int]) -> list[str]:
    """The tokens in the order of their ids. Raises UserError unless these are 0, 1, 2, ..., each exactly once."""
    are_numbers = all(isinstance(i, int) for i in ids.values())
    if not are_numbers or sorted(ids.values()) != [*range(len(ids))]:
        raise UserError(f"the ids of {len(ids)} tokens must be 0 to {len(ids) - 1}, each exactly once")
    return sorted(ids, key=ids.__getitem__)
