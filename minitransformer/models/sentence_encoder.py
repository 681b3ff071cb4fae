"""Sentence-BERT: a BERT whose token rows are pooled to one row for each sentence."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike
from tokenizers.normalizers import Lowercase

from minitransformer.batches.many_texts import Truncation, embed_stream
from minitransformer.errors import UserError
from minitransformer.files import replace_all, write_text
from minitransformer.interop.config_file import CONFIG_FILE, config_text
from minitransformer.interop.hub import model_folder
from minitransformer.interop.loading import NameMatch, fill, load_dictionary, match_tensors, report, values_of
from minitransformer.interop.safetensors_files import WEIGHTS_FILE, Tensors, open_tensors, save_tensors
from minitransformer.interop.sentence_transformers_folder import (
    DenseSettings,
    SentenceEncoderSettings,
    module_folders,
    read_settings,
    settings_texts,
)
from minitransformer.models.bert import Bert
from minitransformer.models.bert_config import BertConfig
from minitransformer.models.pretrained_model import PretrainedModel, check_layers, checked_dtype, read_config
from minitransformer.nn.dense import Dense
from minitransformer.nn.module import Module
from minitransformer.nn.normalise import Normalise
from minitransformer.nn.pooling import Pooling, PoolingCache
from minitransformer.nn.sequential import Sequential
from minitransformer.ops.similarity import similarity_matrix
from minitransformer.text.bert_tokenizer import BertTokenizer, as_texts
from minitransformer.text.packed_tokens import PackedTokens

SPECIAL_TOKENS = 2  # [CLS] and [SEP] of each text


class SentenceEncoderCache(NamedTuple):
    hidden: Any
    pooling: PoolingCache
    head: list[Any]


class SentenceEncoder(PretrainedModel):
    """Embeddings of sentences, whose cosine says how much they mean the same (Reimers, Gurevych 2019, 1908.10084).

        embeddings = head(pooling(bert(tokens)))

    The head is what the settings say: dense layers, L2 normalisation, or nothing.

    `encode` takes texts; calling the encoder takes PackedTokens, and so does `forward`, for training.
    """

    architecture = "BertModel"

    def __init__(
        self,
        config: BertConfig,
        tokenizer: BertTokenizer,
        settings: SentenceEncoderSettings | None = None,
        seed: int | None = 0,
        dtype: DTypeLike = np.float32,
    ) -> None:
        self.config = config
        self.tokenizer = tokenizer
        self.settings = settings or SentenceEncoderSettings()
        self.bert = Bert(config, seed=None)
        self.pooling = Pooling(self.settings.pooling)
        self.head = Sequential([_head_layer(layer) for layer in self.settings.head])
        self.embedding_size = _embedding_size(self.settings, config.hidden_size)
        self.max_seq_length = _max_seq_length(self.settings, config, tokenizer)
        self._lower_case = self.settings.do_lower_case and tokenizer.split_into_words("A") != ["a"]
        if tokenizer.vocab_size > config.vocab_size:
            raise UserError(
                f"the tokenizer has {tokenizer.vocab_size} tokens, but the model only {config.vocab_size} embeddings; "
                "they are of different models"
            )
        if seed is not None:
            self.initialise(seed, dtype)

    # -- tokens to embeddings ------------------------------------------------------------------------------------------

    def __call__(self, tokens: PackedTokens, prompt_length: int = 0) -> np.ndarray:
        """Embeddings (S, D), without cache or dropout. The first prompt_length tokens of a sentence aren't pooled."""
        hidden, lengths = self.bert.hidden(tokens), tokens.lengths
        if prompt_length:
            hidden, lengths = hidden[tokens.position_ids >= prompt_length], lengths - prompt_length
        return self.head(self.pooling(hidden, lengths))

    def forward(
        self, tokens: PackedTokens, rng: np.random.Generator | None = None
    ) -> tuple[np.ndarray, SentenceEncoderCache]:
        """Embeddings (S, D), and the cache. Dropout happens only with an rng."""
        hidden, hidden_cache = self.bert.hidden_forward(tokens, rng)
        pooled, pooling_cache = self.pooling.forward(hidden, tokens.lengths)
        embeddings, head_cache = self.head.forward(pooled)
        return embeddings, SentenceEncoderCache(hidden_cache, pooling_cache, head_cache)

    def backward(self, d_embeddings: np.ndarray, cache: SentenceEncoderCache) -> None:
        """Add the gradients of all parameters, for d_embeddings (S, D)."""
        d_pooled = self.head.backward(d_embeddings, cache.head)
        d_hidden = self.pooling.backward(d_pooled, cache.pooling)
        self.bert.hidden_backward(d_hidden, cache.hidden)

    # -- texts to embeddings -------------------------------------------------------------------------------------------

    def tokenize(self, texts: str | Sequence[str], truncation: str = "silent") -> PackedTokens:
        """One text or several as a batch for forward, cut at max_seq_length; `truncation` is as in `encode`."""
        cutter = Truncation(self.max_seq_length, truncation)
        texts = as_texts(texts, "texts")
        cut = [cutter.cut(text, ids) for text, ids in zip(texts, self._token_ids(texts), strict=True)]
        cutter.report()
        return PackedTokens.pack(cut)

    def encode(
        self,
        texts: str | Sequence[str],
        *,
        prompt_name: str | None = None,
        prompt: str | None = None,
        truncation: str = "warn",
        show_progress: bool = False,
    ) -> np.ndarray:
        """The embeddings (S, D) of S texts in the order given; of one text that isn't in a list, its row (D,).

        A text's embedding doesn't depend on the others, and each different text is computed once. The prompt, one of
        settings.prompts by name or any text, is put before every text.

        Texts longer than max_seq_length tokens are cut; `truncation` "warn" says in the end how many and how much,
        "error" raises UserError at the first, "silent" does neither.
        """
        if isinstance(texts, str):
            return self.encode([texts], prompt_name=prompt_name, prompt=prompt, truncation=truncation)[0]
        texts = as_texts(texts, "texts")
        rows = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        blocks = self.encode_stream(
            rows, prompt_name=prompt_name, prompt=prompt, truncation=truncation, show_progress=show_progress
        )
        no_rows = np.empty((0, self.embedding_size), self.storage.values.dtype)
        embeddings = np.concatenate([no_rows, *blocks])
        return embeddings if len(rows) == len(texts) else embeddings[[rows[text] for text in texts]]

    def encode_stream(
        self,
        texts: Iterable[str],
        *,
        prompt_name: str | None = None,
        prompt: str | None = None,
        truncation: str = "warn",
        show_progress: bool = False,
    ) -> Iterator[np.ndarray]:
        """The embeddings of any number of texts, such as the lines of a file, in blocks of rows as they are computed.

        As `encode`, but neither the texts nor the embeddings stay in memory.
        """
        prefix = self._prompt(prompt_name, prompt)
        prompt_length = 0
        if prefix and not self.settings.include_prompt:
            prompt_length = len(self._token_ids([prefix])[0]) - 1  # its [SEP] stands after the text
            if prompt_length > self.max_seq_length - SPECIAL_TOKENS:
                raise UserError(f"the prompt {prefix!r} leaves no room for a text in {self.max_seq_length} tokens")
        return embed_stream(
            texts,
            lambda block: self._token_ids([prefix + text for text in as_texts(block, "texts")]),
            lambda token_ids: self(PackedTokens.pack(token_ids), prompt_length),
            Truncation(self.max_seq_length, truncation),
            show_progress,
        )

    def similarity(self, a: ArrayLike | Sequence[str], b: ArrayLike | Sequence[str]) -> np.ndarray:
        """How much each of a is like each of b, (len(a), len(b)); both are embeddings or texts, one or several.

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

    def _prompt(self, name: str | None, prompt: str | None) -> str:
        """The text to put before each text."""
        name = name if name is not None else self.settings.default_prompt_name
        if prompt is not None or name is None:
            return prompt or ""
        if name not in self.settings.prompts:
            raise UserError(f"there is no prompt {name!r}; this model has {', '.join(self.settings.prompts) or 'none'}")
        return self.settings.prompts[name]

    def _token_ids(self, texts: list[str]) -> list[list[int]]:
        """Each text's ids with [CLS] and [SEP], however many they are."""
        if self._lower_case:
            texts = [Lowercase().normalize_str(text) for text in texts]
        cls, sep = self.tokenizer.cls_token_id, self.tokenizer.sep_token_id
        return [[cls, *pieces, sep] for pieces in self.tokenizer.encode_pieces(texts)]

    # -- folders -------------------------------------------------------------------------------------------------------

    @classmethod
    def from_pretrained(
        cls,
        name: str | os.PathLike[str],
        dtype: DTypeLike = np.float32,
        seed: int = 0,
        pooling: str | Sequence[str] | None = None,
        max_seq_length: int | None = None,
    ) -> SentenceEncoder:
        """The encoder in a folder, or of that name on the Hugging Face hub, computing in float32 or float64.

        A folder that isn't sentence-transformers' (no modules.json) is a BERT with mean pooling. `pooling` pools in
        another way than the folder says, and max_seq_length cuts texts elsewhere. Raises UserError if the folder can't
        be read, or needs what isn't built here.
        """
        folder = model_folder(name)
        settings, bert_folder = read_settings(folder)
        if pooling is not None:
            settings = replace(settings, pooling=(pooling,) if isinstance(pooling, str) else tuple(pooling))
        if max_seq_length is not None:
            settings = replace(settings, max_seq_length=max_seq_length)
        config, tensors = read_config(bert_folder), open_tensors(bert_folder)
        check_layers(config, tensors)
        encoder = cls(config, BertTokenizer.from_pretrained(bert_folder), settings, seed=None)
        encoder._load(tensors, dtype, seed)
        return encoder

    def save_pretrained(self, folder: str | os.PathLike[str]) -> None:
        """Write a folder that sentence-transformers loads, tokenizer included. Raises UserError if that fails."""
        path = Path(folder)
        settings = replace(self.settings, max_seq_length=self.max_seq_length)
        texts = settings_texts(settings, self.config.hidden_size)
        texts[CONFIG_FILE] = config_text(self._settings(), self.architecture)
        weights = {f"{module_folder}/{WEIGHTS_FILE}": dense for module_folder, dense in self._dense_modules()}
        weights[WEIGHTS_FILE] = self.bert
        replace_all(
            path,
            {
                **{file: partial(save_tensors, values_of(module)) for file, module in weights.items()},
                **{file: partial(write_text, text) for file, text in texts.items()},
            },
        )
        self.tokenizer.save_pretrained(path)

    def restore(self, folder: Path) -> None:
        load_dictionary(self.bert, open_tensors(folder))
        for module_folder, dense in self._dense_modules():
            load_dictionary(dense, open_tensors(folder / module_folder))

    def _load(self, tensors: Tensors, dtype: DTypeLike, seed: int) -> None:
        """Take the values of all modules from their files; all files are checked before memory is asked for."""
        modules: list[tuple[Module, NameMatch, Tensors]] = [(self.bert, match_tensors(self.bert, tensors), tensors)]
        for settings, module in zip(self.settings.head, self.head.layers, strict=True):
            if isinstance(settings, DenseSettings) and settings.folder is not None:
                dense_tensors = open_tensors(settings.folder)
                modules.append((module, match_tensors(module, dense_tensors), dense_tensors))
        self.allocate(checked_dtype(dtype))
        for module, match, source in modules:
            fill(module, match, source, seed)
            # Nothing is computed with BERT's own pooler, and a dense layer without a bias has the bias 0.
            report(match._replace(missing=[]), source)

    def _dense_modules(self) -> list[tuple[str, Module]]:
        """The modules of the head that have weights, each with the name of its folder."""
        folders = zip(module_folders(self.settings), self.head.layers, strict=True)
        return [(folder, module) for folder, module in folders if isinstance(module, Dense)]


def _head_layer(settings: DenseSettings | str) -> Module:
    if isinstance(settings, DenseSettings):
        return Dense(settings.in_features, settings.out_features, settings.activation)
    return Normalise()


def _embedding_size(settings: SentenceEncoderSettings, hidden_size: int) -> int:
    """D, after a look at whether each dense layer takes what comes before it."""
    size = len(settings.pooling) * hidden_size
    for module in settings.head:
        if isinstance(module, DenseSettings):
            if module.in_features != size or module.out_features < 1:
                raise UserError(
                    f"a dense layer maps {module.in_features} to {module.out_features} numbers, but {size} come into it"
                )
            size = module.out_features
    return size


def _max_seq_length(settings: SentenceEncoderSettings, config: BertConfig, tokenizer: BertTokenizer) -> int:
    """The longest text in tokens: what the settings say, else the tokenizer, and never beyond the positions."""
    positions = config.max_position_embeddings
    if settings.max_seq_length is None:
        length = min(tokenizer.model_max_length, positions)
    else:
        length = min(settings.max_seq_length, positions)
        if settings.max_seq_length > positions:
            warnings.warn(
                f"max_seq_length is {settings.max_seq_length}, but the model has {positions} positions: "
                f"texts are cut at {positions} tokens",
                stacklevel=4,
            )
    if length <= SPECIAL_TOKENS:
        raise UserError(f"max_seq_length is {length}, which leaves no room for a text beside [CLS] and [SEP]")
    return length
