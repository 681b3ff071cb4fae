"""What the tokenizers of decoders share: a text becomes ids, and the ids the same text again, with nothing lost.

A decoder writes text, so its tokenizer has to know every space and every line end. Each id stands for some bytes of
UTF-8, and the bytes of a text's ids, one after the other, are the text. One token is no text: <|endoftext|>, which ends
a document. Written in a text, these are ordinary characters.
"""

import codecs
import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from tokenizers import AddedToken, Tokenizer, processors

from minitransformer.errors import UserError, errors_in
from minitransformer.files import json_text, replace_all
from minitransformer.text.lossless_files import TokenizerContent, read_content
from minitransformer.text.packed_tokens import IntArray
from minitransformer.text.tokenizer_config import TOKENIZER_CONFIG_FILE

CONTINUES_CHARACTER = range(0x80, 0xC0)  # bytes of UTF-8 with which no character begins


class LosslessTokenizer(ABC):
    """decode(encode(text)) == text, for every text that encode takes.

    token_bytes       (V,) the bytes of UTF-8 that each id stands for; none for special tokens
    eos_token_id      the token that ends a document
    adds_eos          whether sequences end with it, as a translator's do; that is saved for others, encode() adds none
    model_max_length  the most tokens that the model takes; it is saved, and truncates nothing
    """

    kind: ClassVar[str]  # of the model in tokenizer.json
    tokenizer_class: ClassVar[str]  # that transformers loads it as

    def __init__(self, content: TokenizerContent, backend: Tokenizer, token_bytes: list[bytes]) -> None:
        """backend is the library's tokenizer of this content, still without its special tokens."""
        self.token_bytes = token_bytes
        self.vocab_size = len(content.tokens)
        self.eos_token_id = content.tokens.index(content.eos_token)
        self.model_max_length = content.max_length or 1024
        self.adds_eos = content.adds_eos
        self._eos_token = content.eos_token
        self._backend = backend
        special = [AddedToken(token, special=True, normalized=False) for token in content.special_tokens]
        backend.add_special_tokens(special)
        if self.adds_eos:
            of_eos = [(self._eos_token, self.eos_token_id)]
            template = processors.TemplateProcessing(f"$A {self._eos_token}", f"$A $B {self._eos_token}", of_eos)
            backend.post_processor = template
        backend.encode_special_tokens = True  # the library's name for reading them as ordinary text

    # -- where a tokenizer comes from ----------------------------------------------------------------------------------

    @classmethod
    @abstractmethod
    def of_content(cls, content: TokenizerContent) -> Self:
        """The tokenizer that consists of this. Raises UserError if it would lose a part of a text."""

    @classmethod
    def from_pretrained(cls, path: str | os.PathLike) -> Self:
        """Read a folder with tokenizer.json, or that file; never uses the network.

        Truncation or padding that is set in it doesn't count. Raises UserError if it is missing, broken, or would lose
        a part of a text.
        """
        with errors_in(f"the tokenizer in {path} can't be used"):
            content = read_content(Path(path))
            if content.kind != cls.kind:
                raise UserError(f"{cls.__name__} needs a {cls.kind} model, found {content.kind}")
            return cls.of_content(content)

    def save_pretrained(self, path: str | os.PathLike) -> None:
        """Write tokenizer.json and tokenizer_config.json to a folder, as transformers reads them."""
        replace_all(Path(path), self.texts())

    def texts(self) -> dict[str, str]:
        """The texts of these files by their names."""
        eos = self._eos_token
        config: dict[str, Any] = {
            "tokenizer_class": self.tokenizer_class,
            "bos_token": eos,
            "eos_token": eos,
            "model_max_length": self.model_max_length,
        }
        if self.adds_eos:  # by the template in tokenizer.json, which the class of GPT-2's tokenizer would leave out
            config |= {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": eos, "add_eos_token": True}
        return {"tokenizer.json": self._backend.to_str(pretty=True), TOKENIZER_CONFIG_FILE: json_text(config)}

    # -- text to ids and back ------------------------------------------------------------------------------------------

    @abstractmethod
    def encode(self, text: str) -> list[int]:
        """The ids of a text. Raises UserError if it isn't a text."""

    def encode_sequence(self, text: str) -> list[int]:
        """The ids of a text and the token that ends it: what a translator reads, and what it must write."""
        return [*self.encode(text), self.eos_token_id]

    def decode(self, ids: Iterable[int]) -> str:
        """The text of some ids, without special tokens. Raises UserError for an id outside the vocabulary."""
        return "".join(self.decode_stream(ids))

    def decode_stream(self, ids: Iterable[int]) -> Iterator[str]:
        """The text of ids piece by piece, as they come; a character is held back until all its bytes have come.

        Bytes that are no character become "\\ufffd", as they do in transformers.
        """
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        for i in ids:
            if not 0 <= i < self.vocab_size:
                raise UserError(f"id {i} is outside the vocabulary of {self.vocab_size} tokens")
            if text := decoder.decode(self.token_bytes[i]):
                yield text
        if rest := decoder.decode(b"", final=True):
            yield rest

    @cached_property
    def num_characters(self) -> IntArray:
        """(V,) how many characters begin in each token: those of a text's ids add up to its length."""
        return np.array([sum(byte not in CONTINUES_CHARACTER for byte in token) for token in self.token_bytes])

    def __repr__(self) -> str:
        return f"{type(self).__name__}(vocab_size={self.vocab_size}, model_max_length={self.model_max_length})"


def bytes_of(content: TokenizerContent, of_character: Mapping[str, bytes]) -> list[bytes]:
    """(V,) the bytes of each token, from those of each of its characters; none for a special token."""
    texts = ["" if token in content.special_tokens else token for token in content.tokens]
    if unknown := set().union(*texts) - of_character.keys():
        raise UserError(f"its tokens hold the character {min(unknown)!r}, which stands for no byte")
    return [b"".join(map(of_character.__getitem__, text)) for text in texts]
