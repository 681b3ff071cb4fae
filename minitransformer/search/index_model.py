"""The model of an index: it embeds products when they are indexed, and queries when they are asked."""

import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from minitransformer.errors import UserError
from minitransformer.interop.sentence_transformers_folder import PRODUCT_FOLDER
from minitransformer.ops.normalise import normalise_forward
from minitransformer.search.embedding_file import FLOAT

if TYPE_CHECKING:
    from minitransformer.models.sentence_encoder import SentenceEncoder
    from minitransformer.models.two_towers import TwoTowers

MODEL_FOLDER = "model"
QUERY_PROMPTS, PRODUCT_PROMPTS = ("query",), ("document", "passage")  # what models call them that have any
AND = "+"  # between the fingerprints of two towers


class IndexModel:
    """The towers in an index's folder; of a sentence encoder they are the same.

    All embeddings have the length 1, so that products are cosines.
    """

    def __init__(self, folder: Path, fingerprint: str) -> None:
        of_query, _, of_product = fingerprint.partition(AND)
        self._query = Tower(folder / MODEL_FOLDER, of_query)
        self._product = Tower(folder / MODEL_FOLDER / PRODUCT_FOLDER, of_product) if of_product else self._query

    def load(self) -> None:
        """Load what a new query needs. Raises UserError as embed_queries does."""
        self._query.load()

    def embed_queries(self, queries: list[str]) -> np.ndarray:
        """(len(queries), E). Raises UserError if the tower isn't the one that the index was made with."""
        return _embed(self._query.load(), queries, QUERY_PROMPTS)

    def embed_products(self, texts: list[str]) -> np.ndarray:
        """(len(texts), E). Raises UserError if the tower isn't the one that the index was made with."""
        return _embed(self._product.load(), texts, PRODUCT_PROMPTS)


class Tower:
    """A sentence encoder in a folder, loaded when it is first used: a search never needs the one of products."""

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self.folder, self._fingerprint = folder, fingerprint
        self._encoder: SentenceEncoder | None = None
        self._lock = threading.Lock()

    def load(self) -> "SentenceEncoder":
        from minitransformer.interop.model_files import ModelFiles  # these two are what `serve` starts without
        from minitransformer.models.sentence_encoder import SentenceEncoder

        with self._lock:
            if self._encoder is None:
                encoder = SentenceEncoder.from_files(ModelFiles.of(self.folder))
                if _fingerprint_of(encoder) != self._fingerprint:
                    raise UserError(f"{self.folder} isn't the model that the products were embedded with; put it back")
                self._encoder = encoder
        return self._encoder


def _embed(encoder: "SentenceEncoder", texts: list[str], prompts: Sequence[str]) -> np.ndarray:
    prompt_name = next((name for name in prompts if name in encoder.settings.prompts), None)
    return normalise_forward(encoder.encode(texts, prompt_name=prompt_name, truncation="silent"))[0]


def fingerprint(towers: "TwoTowers") -> str:
    """A short text that tells towers from others. Their score takes no part, and an index doesn't need it either."""
    different = [towers.query] if towers.are_shared else [towers.query, towers.product]
    return AND.join(map(_fingerprint_of, different))


def _fingerprint_of(encoder: "SentenceEncoder") -> str:
    """Of its weights in float32, and the files beside them."""
    digest = hashlib.blake2b(digest_size=16)
    for name, text in sorted(encoder.texts().items()):
        digest.update(f"{name}\n{text}\n".encode())
    for file in encoder.tensor_files():
        for name, parameter in file.module.named_parameters():
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(parameter.value, FLOAT).data)
    return digest.hexdigest()
