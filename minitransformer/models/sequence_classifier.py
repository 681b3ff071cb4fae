"""A classifier on top of an encoder: one label for each text, several, or numbers."""

import dataclasses
from collections.abc import Callable
from itertools import pairwise
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import DTypeLike

from minitransformer.errors import UserError, errors_in
from minitransformer.files import json_text
from minitransformer.interop.classifier_entries import (
    CLASSIFIER_FILE,
    classifier_entries,
    classifier_file,
    read_classifier_entries,
)
from minitransformer.interop.hub import ModelName
from minitransformer.interop.loading import Checkpoint
from minitransformer.interop.model_files import ModelFiles
from minitransformer.models.classifier_settings import ClassifierSettings
from minitransformer.models.pretrained_model import PretrainedModel
from minitransformer.models.stacked_encoder import HiddenCache
from minitransformer.nn.dense import Dense, DenseCache
from minitransformer.nn.linear import Linear
from minitransformer.nn.pooling import Pooling, PoolingCache
from minitransformer.ops.binary_cross_entropy import binary_cross_entropy_backward, binary_cross_entropy_forward
from minitransformer.ops.cross_entropy import cross_entropy_backward, cross_entropy_forward
from minitransformer.ops.dropout import DropoutCache, dropout_backward, dropout_forward
from minitransformer.ops.linear import LinearCache
from minitransformer.ops.mean import MeanCache, mean_backward, mean_forward
from minitransformer.ops.squared_error import squared_error_backward, squared_error_forward
from minitransformer.settings_file import SettingsFile
from minitransformer.text.packed_tokens import PackedTokens

LOSSES: dict[str, tuple[Callable[..., tuple[np.ndarray, Any]], Callable[..., np.ndarray]]] = {
    "single_label_classification": (cross_entropy_forward, cross_entropy_backward),
    "multi_label_classification": (binary_cross_entropy_forward, binary_cross_entropy_backward),
    "regression": (squared_error_forward, squared_error_backward),
}

_HEAD = ("hidden_layers", "classifier")
_POOLER = "bert.pooler"


class HiddenLayerCache(NamedTuple):
    dropout: DropoutCache
    dense: DenseCache


class ClassificationCache(NamedTuple):
    hidden: HiddenCache
    pooling: PoolingCache
    pooler: DenseCache | None  # None unless the settings ask for it
    hidden_layers: list[HiddenLayerCache]
    dropout: DropoutCache
    classifier: LinearCache
    losses: Any
    mean: MeanCache


class SequenceClassifier(PretrainedModel[Any]):
    """An encoder fine-tuned for a task, as BERT is (Devlin et al. 2018, arXiv 1810.04805, section 4).

        logits = dropout(x) W + b       x (S, H): what the settings' pooling makes of the encoder's rows

    with dense layers in between if the settings ask for them, each with dropout before it. The loss is the mean over
    the texts of cross-entropy, over texts and labels of binary cross-entropy, or of the squared error.

    A subclass says what the encoder is.

    poolings    those of ClassifierSettings that make sense for it, the usual one first
    """

    poolings: ClassVar[tuple[str, ...]]

    def __init__(
        self,
        config: Any,
        settings: ClassifierSettings | None = None,
        seed: int | None = 0,
        dtype: DTypeLike = np.float32,
    ) -> None:
        self.config = config
        self.settings = settings = settings or ClassifierSettings(pooling=self.poolings[0])
        if settings.pooling not in self.poolings:
            raise UserError(f"pooling of this model is one of {', '.join(self.poolings)}; found {settings.pooling!r}")
        self._add_encoder()
        self.pooling = Pooling(("cls",) if settings.pooling == "pooler" else (settings.pooling,))
        sizes = [config.hidden_size, *settings.hidden_sizes]
        self.hidden_layers = [Dense(*pair, config.activation, config.initializer_range) for pair in pairwise(sizes)]
        self.classifier = Linear(sizes[-1], len(settings.labels), config.initializer_range)
        self.dropout = config.hidden_dropout_prob if settings.dropout is None else settings.dropout
        if seed is not None:
            self.initialise(seed, dtype)

    @property
    def encoder(self) -> Any:
        """What turns tokens into rows."""
        raise NotImplementedError

    def _add_encoder(self) -> None:
        """Make the encoder, for the config, without values."""
        raise NotImplementedError

    def __call__(self, tokens: PackedTokens) -> np.ndarray:
        """logits (S, K), one for each label. No dropout, no cache."""
        x = self.pooling(self.encoder.hidden(tokens), tokens.lengths)
        if self.settings.pooling == "pooler":
            x = self.encoder.pooler(x)
        for layer in self.hidden_layers:
            x = layer(x)
        return self.classifier(x)

    def forward(
        self,
        tokens: PackedTokens,
        targets: np.ndarray,
        rng: np.random.Generator | None = None,
        of_step: int | None = None,
    ) -> tuple[float, ClassificationCache]:
        """The loss of a batch, and the cache. Dropout happens only with an rng.

        targets are the numbers of the labels (S,), 1 or 0 for each text and label (S, K), or numbers (S, K) or (S,),
        as the problem type has it. If the batch is one shard of a step, `of_step` is the number of texts of the whole
        step, so that losses and gradients of the shards add up to those of the step as one batch.
        """
        hidden, hidden_cache = self.encoder.hidden_forward(tokens, rng)
        x, pooling_cache = self.pooling.forward(hidden, tokens.lengths)
        pooler_cache = None
        if self.settings.pooling == "pooler":
            x, pooler_cache = self.encoder.pooler.forward(x)
        hidden_layers = []
        for layer in self.hidden_layers:
            x, dropout_cache = dropout_forward(x, self.dropout, rng)
            x, dense_cache = layer.forward(x)
            hidden_layers.append(HiddenLayerCache(dropout_cache, dense_cache))
        x, dropout_cache = dropout_forward(x, self.dropout, rng)
        logits, classifier_cache = self.classifier.forward(x)
        losses, losses_cache = self._losses(logits, targets)
        losses_of_step = losses.size // len(tokens) * (of_step or len(tokens))
        loss, mean_cache = mean_forward(losses, losses_of_step)
        encoder_caches = hidden_cache, pooling_cache, pooler_cache
        head_caches = hidden_layers, dropout_cache, classifier_cache
        return float(loss), ClassificationCache(*encoder_caches, *head_caches, losses_cache, mean_cache)

    def backward(self, cache: ClassificationCache) -> None:
        """Add the gradients of the loss to those of all parameters."""
        _, losses_backward = LOSSES[self.settings.problem_type]
        dx = losses_backward(mean_backward(1.0, cache.mean), cache.losses)
        dx = self.classifier.backward(dx, cache.classifier)
        dx = dropout_backward(dx, cache.dropout)
        for layer, layer_cache in zip(reversed(self.hidden_layers), reversed(cache.hidden_layers), strict=True):
            dx = layer.backward(dx, layer_cache.dense)
            dx = dropout_backward(dx, layer_cache.dropout)
        if cache.pooler is not None:
            dx = self.encoder.pooler.backward(dx, cache.pooler)
        self.encoder.hidden_backward(self.pooling.backward(dx, cache.pooling), cache.hidden)

    @classmethod
    def from_pretrained(  # type: ignore[override]  # a constructor: each model has arguments of its own
        cls,
        name: ModelName,
        dtype: DTypeLike = np.float32,
        seed: int = 0,
        settings: ClassifierSettings | None = None,
        new_head: bool = True,
    ) -> Self:
        """The classifier in a folder, or of that name on the Hugging Face hub; see PretrainedModel.from_pretrained.

        With `settings` a new classifier on top of any encoder of this kind, or, unless it shall be a new head, the
        folder's own with these settings; without, the folder's own, which must be whole.
        """
        files = ModelFiles.of(name)
        tensors = files.tensors(cls.layout.tensors)
        config = cls._read_config(files.base, tensors)
        if settings is None:
            settings, new_head = cls._read_settings(files, tensors), False
        model = cls(config, settings, seed=None)
        if new_head:
            model._load([tensors], dtype, seed, needed=None if settings.pooling == "pooler" else (), new=_HEAD)
        else:
            model._load([tensors], dtype, seed, needed=(*_HEAD, _POOLER) if settings.pooling == "pooler" else _HEAD)
        return model

    @classmethod
    def settings_in(cls, name: ModelName) -> ClassifierSettings | None:
        """The settings of the classifier in a folder, or of that name on the hub; None if there is no classifier."""
        files = ModelFiles.of(name)
        tensors = files.tensors(cls.layout.tensors)
        return cls._read_settings(files, tensors) if "classifier.weight" in tensors.shapes else None

    @classmethod
    def _read_settings(cls, files: ModelFiles, tensors: Checkpoint) -> ClassifierSettings:
        num_labels = tensors.shapes.get("classifier.weight", (None,))[0] if files.are_adapted else None
        file = classifier_file(files)
        entries = read_classifier_entries(SettingsFile.read(file, required=True), num_labels)
        with errors_in(file):
            return ClassifierSettings(**entries)

    def _losses(self, logits: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, Any]:
        """The loss of each text (S,), or of each text and label (S, K), and the cache."""
        forward, _ = LOSSES[self.settings.problem_type]
        if self.settings.problem_type != "single_label_classification":
            targets = np.asarray(targets, logits.dtype).reshape(logits.shape)
        return forward(logits, targets)

    def texts(self) -> dict[str, str]:
        entries = {CLASSIFIER_FILE: json_text(self._classifier_entries())} if self.lora else {}
        return {**super().texts(), **entries}

    def _settings(self) -> dict[str, Any]:
        return {**super()._settings(), **self._classifier_entries()}

    def _classifier_entries(self) -> dict[str, Any]:
        return classifier_entries(dataclasses.asdict(self.settings))
