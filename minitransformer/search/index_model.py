"""The model of an index: it embeds products when they are indexed, and queries when they are asked."""

import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from minitransformer.errors import UserError
from minitransformer.ops.normalise import normalise_forward
from minitransformer.search.embedding_file import FLOAT

if TYPE_CHECKING:
    from minitransformer.models.sentence_encoder import SentenceEncoder
    from minitransformer.models.trainable import TrainableModel
    from minitransformer.models.two_towers import TwoTowers

MODEL_FOLDER = "model"
QUERY_PROMPTS, PRODUCT_PROMPTS = ("query",), ("document", "passage")  # what models call them that have any


class IndexModel:
    """The towers in an index's folder; of a sentence encoder they are the same. They are loaded when first used.

    All embeddings have the length 1, so that products are cosines.
    """

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self.folder, self._fingerprint = folder / MODEL_FOLDER, fingerprint
        self._towers: TwoTowers | None = None
        self._lock = threading.Lock()

    def load(self) -> "TwoTowers":
        """The towers. Raises UserError if they aren't those that embedded the products."""
        from minitransformer.models.two_towers import TwoTowers  # which `serve` starts without

        with self._lock:
            if self._towers is None:
                towers = TwoTowers.from_pretrained(self.folder)
                if fingerprint(towers) != self._fingerprint:
                    raise UserError(f"{self.folder} isn't the model that the products were embedded with; put it back")
                self._towers = towers
        return self._towers

    def embed_queries(self, queries: list[str]) -> np.ndarray:
        """(len(queries), E)"""
        return _embed(self.load().query, queries, QUERY_PROMPTS)

    def embed_products(self, texts: list[str]) -> np.ndarray:
        """(len(texts), E)"""
        return _embed(self.load().product, texts, PRODUCT_PROMPTS)


def _embed(encoder: "SentenceEncoder", texts: list[str], prompts: Sequence[str]) -> np.ndarray:
    prompt_name = next((name for name in prompts if name in encoder.settings.prompts), None)
    return normalise_forward(encoder.encode(texts, prompt_name=prompt_name, truncation="silent"))[0]


def fingerprint(model: "TrainableModel") -> str:
    """A short text that tells a model from others: of its weights in float32, and the files beside them."""
    digest = hashlib.blake2b(digest_size=16)
    for name, text in sorted(model.texts().items()):
        digest.update(f"{name}\n{text}\n".encode())
    for file in model.tensor_files():
        for name, parameter in file.module.named_parameters():
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(parameter.value, FLOAT).data)
    return digest.hexdigest()
