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

MODEL_FOLDER = "model"
QUERY_PROMPTS, PRODUCT_PROMPTS = ("query",), ("document", "passage")  # what models call them that have any


class IndexModel:
    """The sentence encoder in an index's folder. It is loaded when it is first used.

    All embeddings have the length 1, so that products are cosines.
    """

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self.folder, self._fingerprint = folder / MODEL_FOLDER, fingerprint
        self._encoder: SentenceEncoder | None = None
        self._lock = threading.Lock()

    def load(self) -> "SentenceEncoder":
        """The encoder. Raises UserError if it isn't the one that embedded the products."""
        from minitransformer.models.sentence_encoder import SentenceEncoder  # which `serve` starts without

        with self._lock:
            if self._encoder is None:
                encoder = SentenceEncoder.from_pretrained(self.folder)
                if fingerprint(encoder) != self._fingerprint:
                    raise UserError(f"{self.folder} isn't the model that the products were embedded with; put it back")
                self._encoder = encoder
        return self._encoder

    def embed_queries(self, queries: list[str]) -> np.ndarray:
        """(len(queries), E)"""
        return self._embed(queries, QUERY_PROMPTS)

    def embed_products(self, texts: list[str]) -> np.ndarray:
        """(len(texts), E)"""
        return self._embed(texts, PRODUCT_PROMPTS)

    def _embed(self, texts: list[str], prompts: Sequence[str]) -> np.ndarray:
        encoder = self.load()
        prompt_name = next((name for name in prompts if name in encoder.settings.prompts), None)
        return normalise_forward(encoder.encode(texts, prompt_name=prompt_name, truncation="silent"))[0]


def fingerprint(encoder: "SentenceEncoder") -> str:
    """A short text that tells a model from others: of its weights in float32, and the files beside them."""
    digest = hashlib.blake2b(digest_size=16)
    for name, text in sorted(encoder.texts().items()):
        digest.update(f"{name}\n{text}\n".encode())
    for file in encoder.tensor_files():
        for name, parameter in file.module.named_parameters():
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(parameter.value, FLOAT).data)
    return digest.hexdigest()
