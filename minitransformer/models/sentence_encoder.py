"""Sentence-BERT: an encoder whose token rows are pooled to one row for each sentence."""

import warnings
from collections.abc import Sequence
from dataclasses import asdict, astuple, replace
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import DTypeLike

from minitransformer.errors import UserError, errors_in
from minitransformer.files import is_there
from minitransformer.interop.folder_layout import FolderLayout
from minitransformer.interop.hub import ModelName
from minitransformer.interop.lora_settings import LoraSettings
from minitransformer.interop.model_files import TOKENIZER_FILES, ModelFiles
from minitransformer.interop.safetensors_files import WEIGHTS_FILE, open_tensors
from minitransformer.interop.sentence_transformers_folder import (
    DENSE,
    LAYER_NORM,
    MODULES_FILE,
    PRODUCT_FOLDER,
    module_folders,
    read_folder,
    settings_texts,
)
from minitransformer.models.encoders import encoder_of_config, encoder_of_folder
from minitransformer.models.pretrained_model import PretrainedModel
from minitransformer.models.sentence_encoder_settings import DenseSettings, SentenceEncoderSettings
from minitransformer.models.texts_to_embeddings import TextsToEmbeddings
from minitransformer.models.trainable import TensorFile
from minitransformer.nn.dense import Dense
from minitransformer.nn.first_columns import FirstColumns
from minitransformer.nn.layer_norm import LayerNorm
from minitransformer.nn.module import Module
from minitransformer.nn.normalise import Normalise
from minitransformer.nn.pooling import Pooling, PoolingCache
from minitransformer.nn.sequential import Sequential
from minitransformer.text.bert_tokenizer import BertTokenizer
from minitransformer.text.packed_tokens import PackedTokens

LAYER_NORM_EPS = 1e-5  # torch.nn.LayerNorm's


class SentenceEncoderCache(NamedTuple):
    hidden: Any
    pooling: PoolingCache
    head: list[Any]


class SentenceEncoder(TextsToEmbeddings, PretrainedModel[Any]):
    """Embeddings of sentences, whose cosine measures similarity of meaning (Reimers, Gurevych 2019, 1908.10084).

        embeddings = head(pooling(encoder(tokens)))

    The head is what the settings say: dense layers, L2 normalisation, or nothing.

    The encoder inside is that of the config: a BertConfig, that of another family, or an LstmEncoderConfig. Calling the
    sentence encoder takes PackedTokens, and so does `forward`, for training. `encode` takes texts.
    """

    def __init__(
        self,
        config: Any,
        tokenizer: BertTokenizer,
        settings: SentenceEncoderSettings | None = None,
        seed: int | None = 0,
        dtype: DTypeLike = np.float32,
    ) -> None:
        self.config = config
        self.tokenizer = tokenizer
        self.settings = settings or SentenceEncoderSettings()
        self.encoder = encoder_of_config(config)(config, seed=None)
        self.pooling = Pooling(self.settings.pooling)
        self.head = Sequential(_head_layers(self.settings, config.hidden_size))
        self.embedding_size = _embedding_size(self.settings, config.hidden_size)
        self.max_seq_length = _max_seq_length(self.settings, config, tokenizer)
        if tokenizer.vocab_size > config.vocab_size:
            sizes = f"ids up to {tokenizer.vocab_size - 1}, but the model only {config.vocab_size} embeddings"
            warnings.warn(f"the tokenizer has {sizes}: a text with a token beyond them is refused", stacklevel=4)
        if seed is not None:
            self.initialise(seed, dtype)

    def __repr__(self) -> str:
        head = "".join(f", then {module}" for module in self.settings.head)
        sizes = f"embeddings of {self.embedding_size} numbers, texts of at most {self.max_seq_length} tokens"
        return f"{super().__repr__()[:-1]}; pooling {' + '.join(self.settings.pooling)}{head}; {sizes})"

    @property
    def layout(self) -> FolderLayout:  # type: ignore[override]
        """The encoder's, with the encoder as a part."""
        layout = self.encoder.layout
        return replace(layout, tensors=replace(layout.tensors, our_prefix="encoder."))

    @property
    def architecture(self) -> str:  # type: ignore[override]
        return self.encoder.architecture

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
        another way than the folder says, and max_seq_length cuts texts elsewhere. Of two towers it is the one for
        queries, which a note says. Raises UserError if the folder can't be read, or needs what isn't built here.
        """
        files = ModelFiles.of(name)
        if is_there(files.folder / PRODUCT_FOLDER / MODULES_FILE):
            other = f"that for products is in {files.folder / PRODUCT_FOLDER}"
            warnings.warn(f"{files.folder} has two towers, and this is the one for queries; {other}", stacklevel=2)
        return cls.from_files(files, dtype, seed, pooling, max_seq_length)

    @classmethod
    def from_files(
        cls,
        files: ModelFiles,
        dtype: DTypeLike = np.float32,
        seed: int = 0,
        pooling: str | Sequence[str] | None = None,
        max_seq_length: int | None = None,
    ) -> Self:
        """What from_pretrained does, for callers that know of two towers."""
        fields, tokenizer_arguments, (encoder_folder, *head_folders) = read_folder(files.folder_with(MODULES_FILE))
        head = tuple(DenseSettings(**layer) if isinstance(layer, dict) else layer for layer in fields.pop("head", ()))
        settings = SentenceEncoderSettings(head=head, **fields)
        if pooling is not None:
            settings = replace(settings, pooling=(pooling,) if isinstance(pooling, str) else tuple(pooling))
        if max_seq_length is not None:
            settings = replace(settings, max_seq_length=max_seq_length)
        inner = files if files.are_adapted else ModelFiles.of(encoder_folder)
        family = encoder_of_folder(inner.base)
        tensors = [inner.tensors(family.layout.tensors), *map(open_tensors, head_folders)]
        config = family.layout.read_config(inner.base, family.config_type, tensors[0])
        tokenizer = BertTokenizer.from_pretrained(inner.folder_with(*TOKENIZER_FILES), **tokenizer_arguments)
        with errors_in(files.folder):
            encoder = cls(config, tokenizer, settings, seed=None)
        encoder._load(tensors, dtype, seed, needed=())  # nothing is computed with the encoder's own pooler
        return encoder

    def with_settings(self, settings: SentenceEncoderSettings, seed: int = 0) -> Self:
        """An encoder with these settings, and this one's values; a layer that it hasn't gets some drawn from `seed`."""
        other = type(self)(self.config, self.tokenizer, settings, seed, self.dtype)
        values = {name: parameter.value for name, parameter in self.named_parameters()}
        for name, parameter in other.named_parameters():
            if name in values:
                parameter.value[...] = values[name]
        return other

    @property
    def lora(self) -> LoraSettings | None:  # type: ignore[override]
        """LoRA changes the BERT inside."""
        return self.encoder.lora

    @lora.setter
    def lora(self, settings: LoraSettings | None) -> None:
        self.encoder.lora = settings

    def tensor_files(self) -> list[TensorFile]:
        folders = module_folders(self.settings.head)
        head = zip(folders, self.head.layers, strict=False)  # what cuts columns off is no module of theirs
        layouts = {Dense: DENSE, LayerNorm: LAYER_NORM}
        with_weights = [(path, layer) for path, layer in head if type(layer) in layouts]
        files = [TensorFile(f"{path}/{WEIGHTS_FILE}", layer, layouts[type(layer)]) for path, layer in with_weights]
        return [*self.encoder.tensor_files(), *files]

    def texts(self) -> dict[str, str]:
        settings = asdict(replace(self.settings, max_seq_length=self.max_seq_length))
        return {**self.encoder.texts(), **settings_texts(settings, self.config.hidden_size), **self.tokenizer.texts()}


def _head_layers(settings: SentenceEncoderSettings, hidden_size: int) -> list[Module]:
    """The layers of the settings, each of the size of what comes before it."""
    size, layers = len(settings.pooling) * hidden_size, list[Module]()
    for module in settings.head:
        if isinstance(module, DenseSettings):
            if module.in_features != size or module.out_features < 1:
                sizes = f"{module.in_features} to {module.out_features} numbers"
                raise UserError(f"a dense layer maps {sizes}, but {size} come into it")
            size = module.out_features
            layers.append(Dense(*astuple(module)))
        else:
            layers.append(LayerNorm(size, LAYER_NORM_EPS) if module == "layer_norm" else Normalise())
    return [*layers, FirstColumns(settings.truncate_dim)] if settings.truncate_dim else layers


def _embedding_size(settings: SentenceEncoderSettings, hidden_size: int) -> int:
    sizes = [module.out_features for module in settings.head if isinstance(module, DenseSettings)]
    size = [len(settings.pooling) * hidden_size, *sizes][-1]
    return min(size, settings.truncate_dim or size)


def _max_seq_length(settings: SentenceEncoderSettings, config: Any, tokenizer: BertTokenizer) -> int:
    """The longest text in tokens: what the settings say, else the tokenizer, and never beyond the positions."""
    positions = config.num_positions
    asked = settings.max_seq_length
    if asked is not None and asked > positions:
        cut = f"texts are cut at {positions} tokens"
        warnings.warn(f"max_seq_length is {asked}, but the model has {positions} positions: {cut}", stacklevel=5)
    length = min(tokenizer.model_max_length if asked is None else asked, positions)
    if length <= tokenizer.format.num_around_one:
        raise UserError(f"max_seq_length is {length}, which leaves no room for a text beside [CLS] and [SEP]")
    return length
