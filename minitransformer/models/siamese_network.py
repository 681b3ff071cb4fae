"""A sentence encoder and the objective that it is trained for, as one model: both are trained together.

The weights of the classification objective are the pair's classifier. They are kept with the encoder, in files
that other libraries ignore, so that the classifier can be used again:

    minitransformer_head.safetensors   classifier.weight [K, components D], classifier.bias [K]
    minitransformer_head.json          the K labels, and the components of the concatenation
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike

from minitransformer.batches.sentence_examples import SiameseBatch
from minitransformer.errors import UserError, errors_in
from minitransformer.files import is_there, json_text, read_json_object
from minitransformer.interop.hub import ModelName
from minitransformer.interop.loading import load_all
from minitransformer.interop.model_files import ModelFiles
from minitransformer.interop.safetensors_files import Tensors
from minitransformer.interop.tensor_layout import TensorLayout, linear
from minitransformer.models.embedding_network import EmbeddingNetwork
from minitransformer.models.sentence_encoder import SentenceEncoder, SentenceEncoderCache
from minitransformer.models.trainable import TensorFile
from minitransformer.objectives.classification import ClassificationObjective
from minitransformer.objectives.objective import Objective
from minitransformer.ops.softmax import softmax_forward
from minitransformer.text.packed_tokens import IntArray

HEAD_WEIGHTS_FILE = "minitransformer_head.safetensors"
HEAD_SETTINGS_FILE = "minitransformer_head.json"
_LAYOUT = TensorLayout(linear("classifier", "classifier"))


class SiameseNetwork(EmbeddingNetwork):
    """`encoder` for every text, `objective` for their embeddings; the values of both live in one storage.

    `labels` are the names of the classes of a classification objective.
    """

    def __init__(
        self, encoder: SentenceEncoder, objective: Objective, labels: tuple[str, ...] = (), seed: int = 0
    ) -> None:
        """The encoder keeps its values and moves into this network's storage; a classifier begins with random ones."""
        self.encoder = encoder
        self.objective = objective
        self.labels = labels
        if self.classifier:
            self.classifier.initialise(seed, encoder.dtype)
        self.move_to_one_storage()

    @property
    def classifier(self) -> ClassificationObjective | None:
        """The objective, if it is the one that has weights and can tell classes."""
        return self.objective if isinstance(self.objective, ClassificationObjective) else None

    def classify(self, first: Sequence[str], second: Sequence[str], truncation: str = "warn") -> np.ndarray:
        """Probabilities (n, K) of the labels for pairs first[i], second[i]; `truncation` is as in `encode`."""
        u, v = np.split(self.encoder.encode([*first, *second], truncation=truncation), 2)
        assert self.classifier, "only a classification objective tells classes"
        return softmax_forward(self.classifier((u, v)))[0]

    def embed_forward(
        self, batch: SiameseBatch, texts: IntArray, rng: np.random.Generator | None = None
    ) -> tuple[np.ndarray, SentenceEncoderCache]:
        return self.encoder.forward(batch.tokens.select(texts), rng)

    def embed_backward(self, d_embeddings: np.ndarray, cache: SentenceEncoderCache) -> None:
        self.encoder.backward(d_embeddings, cache)

    def tensor_files(self) -> list[TensorFile]:
        classifier = [TensorFile(HEAD_WEIGHTS_FILE, self.classifier, _LAYOUT)] if self.classifier else []
        return [*self.encoder.tensor_files(), *classifier]

    def texts(self) -> dict[str, str]:
        if self.classifier is None:
            return self.encoder.texts()
        settings = {"labels": list(self.labels), "components": list(self.classifier.components)}
        return {**self.encoder.texts(), HEAD_SETTINGS_FILE: json_text(settings)}

    @classmethod
    def from_pretrained(cls, name: ModelName, dtype: DTypeLike = np.float32) -> Self:
        """The encoder and the pair classifier in a folder, or of that name on the Hugging Face hub.

        Raises UserError if there is no classifier, or it doesn't fit the encoder.
        """
        files = ModelFiles.of(name)
        folder = files.folder
        if not has_pair_classifier(folder):
            raise UserError(f"{folder} has no pair classifier; train-sbert --objective classification makes one")
        labels, components = pair_classifier_settings(folder)
        encoder = SentenceEncoder.from_pretrained(files, dtype)
        with errors_in(folder / HEAD_SETTINGS_FILE):
            objective = ClassificationObjective(encoder.embedding_size, len(labels), components)
        network = cls(encoder, objective, labels)
        network.load_classifier(folder)
        return network

    def load_classifier(self, folder: Path) -> None:
        """Take the classifier's values from a folder with one. Raises UserError if it doesn't fit."""
        assert self.classifier, "only a classification objective has weights"
        load_all(self.classifier, _LAYOUT, Tensors([folder / HEAD_WEIGHTS_FILE]))


def has_pair_classifier(folder: Path) -> bool:
    return is_there(folder / HEAD_WEIGHTS_FILE)


def pair_classifier_settings(folder: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The labels of a folder's pair classifier, and the components of its concatenation."""
    settings = read_json_object(folder / HEAD_SETTINGS_FILE)
    labels, components = (_names(settings, key, folder / HEAD_SETTINGS_FILE) for key in ("labels", "components"))
    return labels, components


def _names(settings: dict[str, Any], key: str, file: Path) -> tuple[str, ...]:
    names = settings.get(key)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        raise UserError(f"{file}: {key} must be a list of different names, found {names!r}")
    return tuple(names)
