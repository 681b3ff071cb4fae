"""From texts to embeddings: what a model that embeds packed tokens does with plain text."""

from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from tqdm import tqdm

from minitransformer.batches.many_texts import chunks, in_batches
from minitransformer.errors import UserError
from minitransformer.models.finite_answers import finite
from minitransformer.models.long_texts import LONG_TEXTS, mean_of_windows, windows
from minitransformer.models.sentence_encoder_settings import SentenceEncoderSettings
from minitransformer.nn.module import Module
from minitransformer.ops.similarity import similarity_matrix
from minitransformer.text.bert_tokenizer import BertTokenizer
from minitransformer.text.packed_tokens import PackedTokens
from minitransformer.text.texts import as_texts
from minitransformer.text.truncation import Truncation


class Prompt(NamedTuple):
    """What is put before each text, and how many of its tokens, [CLS] among them, aren't pooled."""

    text: str
    length: int


class TextsToEmbeddings(Module):
    """`encode`, `encode_stream`, `tokenize` and `similarity` of a model that gives tokens their embeddings (S, E)."""

    tokenizer: BertTokenizer
    settings: SentenceEncoderSettings
    embedding_size: int
    max_seq_length: int

    def encode(
        self,
        texts: str | Sequence[str],
        *,
        prompt_name: str | None = None,
        prompt: str | None = None,
        truncation: str | Truncation = "warn",
        long_texts: str = "cut",
        show_progress: bool = False,
    ) -> np.ndarray:
        """The embeddings (S, E) of S texts in the order given; of one text that isn't in a list, its row (E,).

        A text's embedding doesn't depend on the others, and a text that is there several times is computed once. The
        prompt, one of settings.prompts by name or any text, is put before every text.

        Texts longer than max_seq_length tokens are cut: with the truncation "warn" a warning at the end says how many
        and how much, "error" raises UserError at the first, "silent" does neither; a Truncation (text/truncation.py)
        keeps count for the caller. With long_texts="mean" none is cut: a longer text gets the mean of the embeddings of
        windows of it (models/long_texts.py).

        It may be called from any number of threads at once. All cores are used, but for a single text.
        """
        options: dict[str, Any] = {
            "prompt_name": prompt_name,
            "prompt": prompt,
            "truncation": truncation,
            "long_texts": long_texts,
        }
        given = [texts] if isinstance(texts, str) else texts
        rows = self.encode_stream(given, **options, show_progress=show_progress)
        embeddings = np.concatenate([np.empty((0, self.embedding_size), self.dtype), *rows])
        return embeddings[0] if isinstance(texts, str) else embeddings

    def encode_stream(
        self,
        texts: Iterable[str],
        *,
        prompt_name: str | None = None,
        prompt: str | None = None,
        truncation: str | Truncation = "warn",
        long_texts: str = "cut",
        show_progress: bool = False,
    ) -> Iterator[np.ndarray]:
        """The embeddings of any number of texts, such as the lines of a file, in chunks of rows as they are computed.

        As `encode`, but neither the texts nor the embeddings stay in memory.
        """
        if long_texts not in LONG_TEXTS:
            raise UserError(f"long_texts must be one of {', '.join(LONG_TEXTS)}; found {long_texts!r}")
        cutter = truncation if isinstance(truncation, Truncation) else self._cutter(truncation)
        embed = self._embed if long_texts == "cut" else self._embed_whole
        return self._stream(texts, partial(embed, self._prompt(prompt_name, prompt), cutter), cutter, show_progress)

    def tokenize(self, texts: str | Sequence[str], truncation: str = "silent") -> PackedTokens:
        """One text or several as a batch for forward, cut at max_seq_length; `truncation` is as in `encode`."""
        cutter = self._cutter(truncation)
        tokens = self._tokens(as_texts(texts, "texts"), "", cutter)
        cutter.report()
        return tokens

    def similarity(self, a: ArrayLike | Sequence[str], b: ArrayLike | Sequence[str]) -> np.ndarray:
        """How similar each of a is to each of b, (len(a), len(b)); both are embeddings or texts, one or several.

        The cosine, unless the settings say otherwise: the dot product, or the Euclidean or Manhattan distance as a
        negative number.
        """
        return similarity_matrix(self._embeddings(a), self._embeddings(b), self.settings.similarity)

    def _embeddings(self, given: ArrayLike | Sequence[str]) -> np.ndarray:
        if isinstance(given, str):
            given = [given]
        if isinstance(given, list | tuple) and any(isinstance(item, str) for item in given):
            return self.encode(given)
        return np.atleast_2d(np.asarray(given))

    def _stream(
        self,
        texts: Iterable[str],
        embed: Callable[[list[str], tqdm], np.ndarray],
        cutter: Truncation,
        show_progress: bool,
    ) -> Iterator[np.ndarray]:
        """The embeddings of each chunk, in which each different text is computed once."""
        total = len(texts) if isinstance(texts, Sized) else None
        with tqdm(total=total, unit=" texts", disable=not show_progress) as progress:
            for chunk in chunks(texts):
                places = {text: place for place, text in enumerate(dict.fromkeys(chunk))}
                yield embed([*places], progress)[[places[text] for text in chunk]]
                progress.update(len(chunk) - len(places))
        cutter.report()

    def _embed(self, prompt: Prompt, cutter: Truncation, texts: list[str], progress: tqdm) -> np.ndarray:
        """The embeddings (len(texts), E) of texts that are cut where they are too long."""
        return self._embed_tokens(self._tokens(texts, prompt.text, cutter), prompt, progress.update)

    def _embed_whole(self, prompt: Prompt, cutter: Truncation, texts: list[str], progress: tqdm) -> np.ndarray:
        """The embeddings (len(texts), E) of texts of which none is cut."""
        num_after = len(self.tokenizer.format.after)
        num_before = len(self._token_ids([prompt.text])[0]) - num_after
        token_ids = self._token_ids([prompt.text + text for text in texts])
        of_texts = [windows(ids, num_before, self.max_seq_length, num_after) for ids in token_ids]
        tokens = PackedTokens.pack([window for of_text in of_texts for window in of_text])
        num_tokens, num_windows = tokens.lengths - num_before - num_after, [len(of_text) for of_text in of_texts]
        normalise = self.settings.head[-1:] == ("normalise",)
        embeddings = self._embed_tokens(tokens, prompt, lambda num_windows: None)
        progress.update(len(texts))
        return mean_of_windows(embeddings, num_tokens, num_windows, normalise)

    def _embed_tokens(self, tokens: PackedTokens, prompt: Prompt, done: Callable[[int], object]) -> np.ndarray:
        embeddings = np.empty((len(tokens), self.embedding_size), self.dtype)
        for sequences, rows in in_batches(tokens, partial(self, prompt_length=prompt.length)):
            embeddings[sequences] = rows
            done(len(sequences))
        return finite(embeddings, self)

    def _tokens(self, texts: list[str], prompt: str, cutter: Truncation) -> PackedTokens:
        """[CLS] prompt text [SEP] of each text, cut at max_seq_length."""
        token_ids = self._token_ids([prompt + text for text in texts])
        return PackedTokens.pack([cutter.cut(text, ids) for text, ids in zip(texts, token_ids, strict=True)])

    def _token_ids(self, texts: list[str]) -> list[list[int]]:
        """Each text's ids with [CLS] and [SEP], however many they are."""
        return [self.tokenizer.format.around_one(pieces) for pieces in self._reader.encode_pieces(texts)]

    @cached_property
    def _reader(self) -> BertTokenizer:
        """The tokenizer, which lower-cases if the settings say so."""
        return self.tokenizer.lower_casing() if self.settings.do_lower_case else self.tokenizer

    def _cutter(self, truncation: str) -> Truncation:
        return Truncation(self.max_seq_length, truncation, len(self.tokenizer.format.after))

    def _prompt(self, name: str | None, prompt: str | None) -> Prompt:
        """The prompt of this name, or the one that is given."""
        if prompt is None:
            prompts, default = self.settings.prompts, self.settings.default_prompt_name
            name = default if name is None else name
            if name is not None and name not in prompts:
                raise UserError(f"there is no prompt {name!r}; this model has {', '.join(prompts) or 'none'}")
            prompt = "" if name is None else prompts[name]
        if not prompt or self.settings.include_prompt:
            return Prompt(prompt, 0)
        around = self.tokenizer.format
        length = len(self._token_ids([prompt])[0]) - len(around.after)  # its [SEP] comes after the text
        if length > self.max_seq_length - around.num_around_one:
            raise UserError(f"the prompt {prompt!r} leaves no room for a text in {self.max_seq_length} tokens")
        return Prompt(prompt, length)
