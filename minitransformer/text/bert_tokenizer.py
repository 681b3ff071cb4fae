"""BERT's tokenizer: text to token ids, with [CLS] and [SEP] around them.

Clean and lower-case the text, split it at spaces and punctuation, then repeatedly cut from each word the longest piece
that the vocabulary knows (WordPiece, google-research/bert, tokenization.py). The `tokenizers` library does this work.
It also does that of RoBERTa's and other encoders' tokenizers, which come whole in a tokenizer.json.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from tokenizers import AddedToken, Tokenizer

from minitransformer.errors import UserError, errors_in
from minitransformer.files import replace_all
from minitransformer.text.packed_tokens import IntArray, PackedTokens
from minitransformer.text.sequence_format import read_format
from minitransformer.text.texts import as_texts, check_text
from minitransformer.text.tokenizer_backends import (
    SPECIAL_TOKENS,
    add_tokens,
    bert_backend,
    json_of,
    library_errors,
    lower_casing,
    set_bert_format,
)
from minitransformer.text.tokenizer_files import read_tokenizer, tokenizer_texts
from minitransformer.text.truncation import longest_first
from minitransformer.text.wordpiece_training import CONTINUATION, count_words, learn_vocabulary

LONG_TEXT = 2**16  # characters


class BertTokenizer:
    """Text to PackedTokens and back.

    model_max_length, the most tokens that the model takes, is saved in tokenizer_config.json; it truncates nothing.

    >>> tokenizer = BertTokenizer.from_vocabulary(
    ...     ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "my", "dog", "is", "cute", "he", "likes", "play", "##ing"])
    >>> tokens = tokenizer("My dog is cute", pairs="he likes playing")
    >>> print(*tokenizer.convert_ids_to_tokens(tokens.token_ids))
    [CLS] my dog is cute [SEP] he likes play ##ing [SEP]
    >>> print(*tokens.segment_ids)
    0 0 0 0 0 0 1 1 1 1 1
    """

    def __init__(
        self,
        backend: Tokenizer,
        special_tokens: dict[str, str],
        model_max_length: int | None = None,
        has_segments: bool = True,
    ) -> None:
        """Called by the class methods, with a backend from text/tokenizer_backends.py."""
        self._backend = backend
        self._special_tokens = special_tokens
        self._has_segments = has_segments
        self.model_max_length = model_max_length or 512
        self.vocab_size: int = max(backend.get_vocab().values(), default=-1) + 1  # ids may be left out in between
        with library_errors("put special tokens around a text"):
            self.format = read_format(backend, has_segments)

    pad_token_id = property(lambda self: self._special_id("pad"))
    unk_token_id = property(lambda self: self._special_id("unk"))
    cls_token_id = property(lambda self: self._special_id("cls"))
    sep_token_id = property(lambda self: self._special_id("sep"))
    mask_token_id = property(lambda self: self._special_id("mask"))

    def _special_id(self, role: str) -> int:
        if role not in self._special_tokens:
            raise UserError(f"this tokenizer has no {role} token")
        return self.convert_tokens_to_ids([self._special_tokens[role]])[0]

    # -- where a tokenizer comes from ----------------------------------------------------------------------------------

    @classmethod
    def from_vocabulary(
        cls, tokens: Sequence[str], do_lower_case: bool = True, model_max_length: int | None = None
    ) -> Self:
        """A tokenizer with these tokens in the order of their ids, including the five special tokens."""
        vocabulary = {token: i for i, token in enumerate(tokens)}
        if len(vocabulary) < len(tokens):
            twice = next(token for i, token in enumerate(tokens) if vocabulary[token] != i)
            places = f"as token {tokens.index(twice)} and {vocabulary[twice]}"
            raise UserError(f"the vocabulary holds {twice!r} twice, {places}")
        if missing := [token for token in SPECIAL_TOKENS.values() if token not in vocabulary]:
            raise UserError(f"the vocabulary lacks {', '.join(missing)}, which BERT's input needs")
        backend = bert_backend(vocabulary, SPECIAL_TOKENS["unk"], do_lower_case=do_lower_case)
        add_tokens(backend, [AddedToken(token, special=True) for token in SPECIAL_TOKENS.values()])
        set_bert_format(backend, SPECIAL_TOKENS["cls"], SPECIAL_TOKENS["sep"])
        return cls(backend, SPECIAL_TOKENS, model_max_length)

    @classmethod
    def train(
        cls,
        texts: str | Iterable[str],
        vocab_size: int,
        do_lower_case: bool = True,
        min_count: int = 2,
        model_max_length: int | None = None,
    ) -> Self:
        """Learn a WordPiece vocabulary of exactly vocab_size tokens; the same texts give the same vocabulary.

        The texts are read once and may come from a generator: memory grows only with the number of different words.
        Characters and pieces that occur fewer than min_count times get no token. If the texts support fewer tokens,
        raises a UserError that says how many.
        """
        untrained = cls.from_vocabulary(list(SPECIAL_TOKENS.values()), do_lower_case)
        word_counts = count_words([texts] if isinstance(texts, str) else texts, untrained.split_into_words)
        tokens = learn_vocabulary(word_counts, vocab_size, SPECIAL_TOKENS.values(), min_count)
        return cls.from_vocabulary(tokens, do_lower_case, model_max_length)

    @classmethod
    def from_pretrained(cls, path: str | os.PathLike, /, **arguments: Any) -> Self:
        """Read a folder with tokenizer.json or vocab.txt, or one of these files; never uses the network.

        `arguments` have the names of tokenizer_config.json and go before what it says. Truncation or padding that is
        set in tokenizer.json is reset. Raises UserError if a file is missing or broken, or of a tokenizer that isn't
        built here.
        """
        parts = read_tokenizer(Path(path), arguments)
        with errors_in(f"the tokenizer in {path} can't be used"):
            return cls(*parts)

    def lower_casing(self) -> Self:
        """This tokenizer if it lower-cases; else one that does so first, with texts but not with special tokens."""
        backend = lower_casing(self._backend)
        return (
            self
            if backend is self._backend
            else type(self)(backend, self._special_tokens, self.model_max_length, self._has_segments)
        )

    def save_pretrained(self, path: str | os.PathLike) -> None:
        """Write vocab.txt, tokenizer.json and tokenizer_config.json to a folder, as transformers reads them."""
        replace_all(Path(path), self.texts())

    def texts(self) -> dict[str, str]:
        """The texts of these files by their names."""
        return tokenizer_texts(self._backend, self._special_tokens, self.model_max_length, self._has_segments)

    # -- text to tokens and back ---------------------------------------------------------------------------------------

    def __call__(
        self, texts: str | Sequence[str], pairs: str | Sequence[str] | None = None, max_length: int | None = None
    ) -> PackedTokens:
        """[CLS] text [SEP], or [CLS] text [SEP] pair [SEP] with segment 1 for the pair and its [SEP].

        texts and pairs are each one text or a list of texts. No sequence gets longer than max_length tokens, special
        tokens included: the longer of text and pair is cut first, at its end. With None, nothing is cut.
        """
        firsts = self.encode_pieces(as_texts(texts, "texts"))
        seconds = None if pairs is None else self.encode_pieces(as_texts(pairs, "pairs"))
        if seconds is not None and len(seconds) != len(firsts):
            raise UserError(f"there are {len(firsts)} texts but {len(seconds)} pairs; every text needs its pair")
        num_special = self.format.num_around_one if seconds is None else self.format.num_around_two
        if max_length is not None and max_length < num_special:
            raise UserError(f"max_length is {max_length}, but the special tokens alone need {num_special}")
        budget = None if max_length is None else max_length - num_special
        if seconds is None:
            return PackedTokens.pack([self.format.around_one(first[:budget]) for first in firsts])
        return self._pack_pairs(firsts, seconds, budget)

    def pack(self, columns: Sequence[Sequence[str]], max_length: int | None = None) -> PackedTokens:
        """As a call, of one column of texts or of two columns of pairs."""
        texts, *pairs = columns
        return self(texts, pairs[0] if pairs else None, max_length)

    def _pack_pairs(self, firsts: list[list[int]], seconds: list[list[int]], budget: int | None) -> PackedTokens:
        first_lengths = np.array([len(first) for first in firsts], dtype=np.int64)
        second_lengths = np.array([len(second) for second in seconds], dtype=np.int64)
        if budget is not None:
            first_lengths, second_lengths = longest_first(first_lengths, second_lengths, budget)
        pairs = zip(firsts, seconds, first_lengths, second_lengths, strict=True)
        packed = [self.format.around_two(first[:m], second[:n]) for first, second, m, n in pairs]
        return PackedTokens.pack([ids for ids, _ in packed], [segments for _, segments in packed])

    def encode_pieces(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of each text's pieces, without [CLS] and [SEP]. A "[MASK]" in the text is the mask token."""
        return encode(self._backend, texts)

    def encode_plain(self, texts: Sequence[str]) -> list[list[int]]:
        """Like encode_pieces, but a "[MASK]" in the text is just a word in brackets, as it may be in a corpus."""
        return encode(self._plain_backend, texts)

    def tokenize(self, text: str) -> list[str]:
        """The pieces of a text as strings, such as ["play", "##ing"]."""
        check_text(text, "text")
        with library_errors("read a text"):
            return self._backend.encode(text, add_special_tokens=False).tokens

    def split_into_words(self, text: str) -> list[str]:
        """The cleaned and lower-cased words and punctuation marks that are then cut into pieces."""
        check_text(text, "text")
        normaliser, splitter = self._backend.normalizer, self._backend.pre_tokenizer
        with library_errors("split a text into words"):
            normalised = normaliser.normalize_str(text) if normaliser else text
            return [word for word, _ in splitter.pre_tokenize_str(normalised)] if splitter else [normalised]

    def decode(self, ids: Iterable[int], skip_special_tokens: bool = True) -> str:
        """The text of some ids, with pieces joined into words."""
        return self._backend.decode([int(i) for i in ids], skip_special_tokens=skip_special_tokens)

    def convert_ids_to_tokens(self, ids: Iterable[int]) -> list[str]:
        """The token of each id; "[unused row 30]" for one that was left out. Raises UserError for ids beyond them."""
        ids = [int(i) for i in ids]
        if outside := [i for i in ids if not 0 <= i < self.vocab_size]:
            raise UserError(f"id {outside[0]} is outside the vocabulary of {self.vocab_size} tokens")
        tokens = ((i, self._backend.id_to_token(i)) for i in ids)
        return [f"[unused row {i}]" if token is None else token for i, token in tokens]

    def convert_tokens_to_ids(self, tokens: Iterable[str]) -> list[int]:
        """The id of each token; the id of [UNK] for a token that isn't in the vocabulary."""
        with library_errors("look up a token"):
            ids: list[Any] = [self._backend.token_to_id(token) for token in tokens]
        return [self.unk_token_id if i is None else i for i in ids]

    # -- the vocabulary ------------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        return f"BertTokenizer(vocab_size={self.vocab_size}, model_max_length={self.model_max_length})"

    @cached_property
    def special_token_ids(self) -> IntArray:
        """The ids of the special tokens, in ascending order."""
        return np.sort(self.convert_tokens_to_ids(self._special_tokens.values()))

    @cached_property
    def known_ids(self) -> IntArray:
        """The ids that have a token, in ascending order: all, unless some were left out."""
        return np.unique([*self._backend.get_vocab().values()])

    @cached_property
    def is_continuation(self) -> NDArray[np.bool_]:
        """(V,) True for the pieces that continue a word, such as ##ing."""
        tokens = self.convert_ids_to_tokens(range(self.vocab_size))
        return np.array([token.startswith(CONTINUATION) for token in tokens])

    @cached_property
    def _plain_backend(self) -> Tokenizer:
        backend = Tokenizer.from_str(json_of(self._backend))
        backend.encode_special_tokens = True  # the library's name for reading special tokens as ordinary text
        return backend


def encode(backend: Tokenizer, texts: Sequence[str]) -> list[list[int]]:
    """The ids of each text's pieces. Long texts are encoded in parts: the library needs 100 bytes per character."""
    with library_errors("read a text"):
        if len(texts) > 1 and max(map(len, texts)) <= LONG_TEXT:
            return [encoding.ids for encoding in backend.encode_batch_fast(texts, add_special_tokens=False)]
        # Not as a batch of one: a batch wakes a thread for each core, and these threads would slow the matrix products.
        read = backend.encode
        return [[i for part in parts_of(text) for i in read(part, add_special_tokens=False).ids] for text in texts]


def parts_of(text: str, longest: int = LONG_TEXT) -> Iterator[str]:
    """Cut a text at spaces into parts of at most `longest` characters, or more where there is no space.

    >>> [*parts_of("my dog is incomparably cute", 8)]
    ['my dog', ' is', ' incomparably', ' cute']
    """
    start = 0
    while len(text) - start > longest:
        space = text.rfind(" ", start + 1, start + longest + 1)
        stop = space if space > 0 else text.find(" ", start + longest)
        if stop < 0:
            break
        yield text[start:stop]
        start = stop
    yield text[start:]
