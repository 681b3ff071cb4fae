"""Sentence-BERT: a BERT whose token rows are pooled to one row for each sentence."""

import warnings
from collections.abc import Sequence
from dataclasses import asdict, astuple, replace
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import DTypeLike

from minitransformer.errors import UserError
from minitransformer.interop.hub import ModelName
from minitransformer.interop.layouts.bert import BERT
from minitransformer.interop.lora_settings import LoraSettings
from minitransformer.interop.model_files import TOKENIZER_FILES, ModelFiles
from minitransformer.interop.safetensors_files import WEIGHTS_FILE, open_tensors
from minitransformer.interop.sentence_transformers_folder import (
    DENSE,
    MODULES_FILE,
    module_folders,
    read_settings,
    settings_texts,
)
from minitransformer.models.bert import Bert
from minitransformer.models.bert_config import BertConfig
from minitransformer.models.pretrained_model import PretrainedModel
from minitransformer.models.sentence_encoder_settings import DenseSettings, SentenceEncoderSettings
from minitransformer.models.texts_to_embeddings import NUM_SPECIAL_TOKENS, TextsToEmbeddings
from minitransformer.models.trainable import TensorFile
from minitransformer.nn.dense import Dense
from minitransformer.nn.normalise import Normalise
from minitransformer.nn.pooling import Pooling, PoolingCache
from minitransformer.nn.sequential import Sequential
from minitransformer.text.bert_tokenizer import BertTokenizer
from minitransformer.text.packed_tokens import PackedTokens


class SentenceEncoderCache(NamedTuple):
    hidden: Any
    pooling: PoolingCache
    head: list[Any]


class SentenceEncoder(TextsToEmbeddings, PretrainedModel[BertConfig]):
    """Embeddings of sentences, whose cosine measures similarity of meaning (Reimers, Gurevych 2019, 1908.10084).

        embeddings = head(pooling(encoder(tokens)))

    The head is what the settings say: dense layers, L2 normalisation, or nothing.

    Calling the encoder takes PackedTokens, and so does `forward`, for training. `encode` takes texts.
    """

    config_type = BertConfig
    layout = replace(BERT, tensors=replace(BERT.tensors, our_prefix="encoder."))
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
        self.encoder = Bert(config, seed=None)
        self.pooling = Pooling(self.settings.pooling)
        self.head = Sequential(
            [
                Dense(*astuple(layer)) if isinstance(layer, DenseSettings) else Normalise()
                for layer in self.settings.head
            ]
        )
        self.embedding_size = _embedding_size(self.settings, config.hidden_size)
        self.max_seq_length = _max_seq_length(self.settings, config, tokenizer)
        if tokenizer.vocab_size > config.vocab_size:
            sizes = f"{tokenizer.vocab_size} tokens, but the model only {config.vocab_size} embeddings"
            raise UserError(f"the tokenizer has {sizes}; they are of different models")
        if seed is not None:
            self.initialise(seed, dtype)

    def __repr__(self) -> str:
        head = "".join(f", then {module}" for module in self.settings.head)
        sizes = f"embeddings of {self.embedding_size} numbers, texts of at most {self.max_seq_length} tokens"
        return f"{super().__repr__()[:-1]}; pooling {' + '.join(self.settings.pooling)}{head}; {sizes})"

    def __call__(self, tokens: PackedTokens, prompt_length: int = 0) -> np.ndarray:
        """Embeddings (S, E), without cache or dropout. The first prompt_length tokens of a sentence aren't pooled."""
        hidden, lengths = self.encoder.hidden(tokens), tokens.lengths
        if prompt_length:
            hidden, lengths = hidden[tokens.position_ids >= prompt_length], lengths - prompt_length
        return self.head(self.pooling(hidden, lengths))

    def forward(
        self, tokens: PackedTokens, rng: np.random.Generator | None = None
    ) -> tuple[np.ndarray, SentenceEncoderCache]:
        """Embeddings (S, E), and the cache. Dropout happens only with an rng."""
        hidden, hidden_cache = self.encoder.hidden_forward(tokens, rng)
        pooled, pooling_cache = self.pooling.forward(hidden, tokens.lengths)
        embeddings, head_cache = self.head.forward(pooled)
        return embeddings, SentenceEncoderCache(hidden_cache, pooling_cache, head_cache)

    def backward(self, d_embeddings: np.ndarray, cache: SentenceEncoderCache) -> None:
        """Add the gradients of all parameters, for d_embeddings (S, E)."""
        d_pooled = self.head.backward(d_embeddings, cache.head)
        d_hidden = self.pooling.backward(d_pooled, cache.pooling)
        self.encoder.hidden_backward(d_hidden, cache.hidden)

    @classmethod
    def from_pretrained(
        cls,
        name: ModelName,
        dtype: DTypeLike = np.float32,
        seed: int = 0,
        pooling: str | Sequence[str] | None = None,
        max_seq_length: int | None = None,
    ) -> Self:
        """The encoder in a folder, or of that name on the Hugging Face hub, computing in float32 or float64.

        A folder that isn't sentence-transformers' (no modules.json) is a BERT with mean pooling. `pooling` pools in
        another way than the folder says, and max_seq_length cuts texts elsewhere. Raises UserError if the folder can't
        be read, or needs what isn't built here.
        """
        files = ModelFiles.of(name)
        fields, (bert_folder, *dense_folders) = read_settings(files.folder_with(MODULES_FILE))
        head = tuple(DenseSettings(**layer) if isinstance(layer, dict) else layer for layer in fields.pop("head", ()))
        settings = SentenceEncoderSettings(head=head, **fields)
        if pooling is not None:
            settings = replace(settings, pooling=(pooling,) if isinstance(pooling, str) else tuple(pooling))
        if max_seq_length is not None:
            settings = replace(settings, max_seq_length=max_seq_length)
        bert = files if files.are_adapted else ModelFiles.of(bert_folder)
        tensors = [bert.tensors(cls.layout.tensors), *map(open_tensors, dense_folders)]
        config = cls._read_config(bert.base, tensors[0])
        tokenizer = BertTokenizer.from_pretrained(bert.folder_with(*TOKENIZER_FILES))
        encoder = cls(config, tokenizer, settings, seed=None)
        encoder._load(tensors, dtype, seed, needed=())  # nothing is computed with BERT's own pooler
        return encoder

    @property
    def lora(self) -> LoraSettings | None:  # type: ignore[override]
        """LoRA changes the BERT inside."""
        return self.encoder.lora

    @lora.setter
    def lora(self, settings: LoraSettings | None) -> None:
        self.encoder.lora = settings

    def tensor_files(self) -> list[TensorFile]:
        head = zip(module_folders(self.settings.head), self.head.layers, strict=True)
        dense = [(f"{folder}/{WEIGHTS_FILE}", layer) for folder, layer in head if isinstance(layer, Dense)]
        return [*self.encoder.tensor_files(), *(TensorFile(path, layer, DENSE) for path, layer in dense)]

    def texts(self) -> dict[str, str]:
        settings = asdict(replace(self.settings, max_seq_length=self.max_seq_length))
        return {**self.encoder.texts(), **settings_texts(settings, self.config.hidden_size), **self.tokenizer.texts()}


def _embedding_size(settings: SentenceEncoderSettings, hidden_size: int) -> int:
    """E, after a look at whether each dense layer takes what comes before it."""
    size = len(settings.pooling) * hidden_size
    for module in settings.head:
        if isinstance(module, DenseSettings):
            if module.in_features != size or module.out_features < 1:
                sizes = f"{module.in_features} to {module.out_features} numbers"
                raise UserError(f"a dense layer maps {sizes}, but {size} come into it")
            size = module.out_features
    return size


def _max_seq_length(settings: SentenceEncoderSettings, config: BertConfig, tokenizer: BertTokenizer) -> int:
    """The longest text in tokens: what the settings say, else the tokenizer, and never beyond the positions."""
    positions = config.max_position_embeddings
    asked = settings.max_seq_length
    if asked is not None and asked > positions:
        cut = f"texts are cut at {positions} tokens"
        warnings.warn(f"max_seq_length is {asked}, but the model has {positions} positions: {cut}", stacklevel=4)
    length = min(tokenizer.model_max_length if asked is None else asked, positions)
    if length <= NUM_SPECIAL_TOKENS:
        raise UserError(f"max_seq_length is {length}, which leaves no room for a text beside [CLS] and [SEP]")
    return length
