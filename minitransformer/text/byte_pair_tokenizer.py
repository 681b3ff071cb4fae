"""GPT-2's tokenizer: byte-pair encoding of the bytes of UTF-8 (Radford et al. 2019, section 2.2).

A text is split before each word, so that a word begins with its space, and runs of digits, of punctuation and of spaces
stand alone. The bytes of each part are then merged pair by pair, in the order in which the pairs were learnt. All 256
bytes are in the vocabulary, so there is no text that it can't spell. The `tokenizers` library does this work.

In the files each byte is written as one character that one can see: a printable one of Latin-1 as itself, and the
others as the 68 characters from U+0100 on, in the order of the bytes. A space is "Ġ" and a line end "Ċ".
"""

import json
from collections.abc import Iterable, Iterator
from typing import Self

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from minitransformer.errors import UserError
from minitransformer.text.lossless_files import BYTE_PAIRS, TokenizerContent, as_pair, new_content
from minitransformer.text.lossless_tokenizer import LosslessTokenizer, bytes_of
from minitransformer.text.texts import check_text

LONG_TEXT = 2**16  # characters; a longer text is encoded in parts, since the library needs 100 bytes for each character
MIN_COUNT = 2  # of a pair that is merged

_PRINTABLE = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
_OTHERS = [byte for byte in range(0x100) if byte not in _PRINTABLE]
BYTE_OF = {
    **{chr(byte): bytes([byte]) for byte in _PRINTABLE},
    **{chr(0x100 + i): bytes([byte]) for i, byte in enumerate(_OTHERS)},
}


class BytePairTokenizer(LosslessTokenizer):
    """Text to ids of byte pairs and back.

    >>> tokenizer = BytePairTokenizer.train("the cat sat on the mat with the other cat", vocab_size=264)
    >>> [tokenizer.decode([i]) for i in tokenizer.encode("the cat that")]
    ['the', ' cat', ' ', 'th', 'at']
    """

    kind = BYTE_PAIRS
    tokenizer_class = "GPT2Tokenizer"

    @classmethod
    def train(
        cls,
        texts: str | Iterable[str],
        vocab_size: int,
        model_max_length: int | None = None,
        adds_eos: bool = False,
    ) -> Self:
        """Learn a vocabulary of exactly vocab_size tokens; the same texts give the same vocabulary.

        The texts are read once and may come from a generator: memory grows only with the number of different words.
        Raises UserError if vocab_size is too small for the bytes and <|endoftext|>, or larger than the texts support.
        """
        if vocab_size <= len(BYTE_OF):
            needed = f"the {len(BYTE_OF)} bytes and the end of a text alone need {len(BYTE_OF) + 1}"
            raise UserError(f"vocab_size is {vocab_size}, but {needed}; choose at least that many")
        backend = byte_level(models.BPE())
        trainer = trainers.BpeTrainer(
            vocab_size=vocab_size - 1, min_frequency=MIN_COUNT, initial_alphabet=[*BYTE_OF], show_progress=False
        )
        backend.train_from_iterator(_parts_of_all(texts), trainer)
        model = json.loads(backend.to_str())["model"]
        tokens = sorted(model["vocab"], key=model["vocab"].__getitem__)
        if len(tokens) < vocab_size - 1:
            raise UserError(
                f"vocab_size is {vocab_size}, but the text supports at most {len(tokens) + 1} tokens (pairs seen "
                f"{MIN_COUNT} times or more); choose a smaller vocabulary (--vocab-size {len(tokens) + 1}) "
                "or give more text"
            )
        merges = [as_pair(pair) for pair in model["merges"]]
        return cls.of_content(new_content(cls.kind, tokens, merges, model_max_length, adds_eos))

    @classmethod
    def of_content(cls, content: TokenizerContent) -> Self:
        vocabulary = {token: i for i, token in enumerate(content.tokens)}
        if missing := [byte for character, byte in BYTE_OF.items() if character not in vocabulary]:
            raise UserError(f"its vocabulary lacks the byte 0x{missing[0].hex()}, so a text with it would lose it")
        try:
            backend = byte_level(models.BPE(vocabulary, content.merges))
        except Exception as error:  # the library raises bare Exceptions
            raise UserError(f"its merges don't fit its vocabulary: {error}") from None
        return cls(content, backend, bytes_of(content, BYTE_OF))

    def encode(self, text: str) -> list[int]:
        """The ids of any text. Raises UserError if it isn't a text."""
        check_text(text, "text")
        read = self._backend.encode
        return [i for part in parts_of(text) for i in read(part, add_special_tokens=False).ids]


def byte_level(model: models.BPE) -> Tokenizer:
    """The library's tokenizer that does as GPT-2's around this model."""
    backend = Tokenizer(model)
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    return backend


def parts_of(text: str, longest: int = LONG_TEXT) -> Iterator[str]:
    """Cut a text into parts of at most `longest` characters that are encoded apart as they are together.

    A part is longer where there is no place to cut at.

    >>> [*parts_of("my dog  is incomparably cute", 8)]
    ['my dog', '  is', ' incomparably', ' cute']
    """
    start = 0
    while len(text) - start > longest:
        stop = last_cut(text, start, start + longest) or first_cut(text, start + longest)
        yield text[start:stop]
        start = stop
    if start < len(text):
        yield text[start:]


def last_cut(text: str, start: int = 0, end: int | None = None) -> int:
    """The last place to cut a text at that is behind start and not behind end; 0 if there is none.

    It is before a space or a line end and behind neither, since no token of several characters is there at both sides.
    """
    places = range(len(text) - 1 if end is None else end, start, -1)
    return next((place for place in places if can_be_cut(text, place)), 0)


def first_cut(text: str, start: int) -> int:
    """The first place to cut a text at that is behind start; its end if there is none."""
    return next((place for place in range(start + 1, len(text)) if can_be_cut(text, place)), len(text))


def can_be_cut(text: str, place: int) -> bool:
    return text[place] in " \n" and not text[place - 1].isspace()


def _parts_of_all(texts: str | Iterable[str]) -> Iterator[str]:
    for number, text in enumerate([texts] if isinstance(texts, str) else texts):
        check_text(text, f"texts[{number}]")
        yield from parts_of(text)
