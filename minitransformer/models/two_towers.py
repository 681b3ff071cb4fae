"""Two towers: one encoder for queries, one for products, and a score for each pair of their embeddings.

    s(query, product) = score(query_tower(query), product_tower(product))

Products are embedded before anybody searches, and a search embeds its query alone. The towers may be one and the same
encoder (shared), or two that have begun as the same (untied). In a folder the query tower is a sentence encoder like
any other, which every command reads; beside it are

    minitransformer_towers.json          the kind of the score, and whether the towers are shared
    minitransformer_towers.safetensors   log_scale [1] and bias [1], of scaled cosines
    product/                             the product tower, if it is another one

A folder without them, a sentence encoder's, is two towers that are the same.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import DTypeLike

from minitransformer.batches.sentence_examples import SiameseBatch
from minitransformer.errors import UserError
from minitransformer.files import is_there, json_text, read_json_object
from minitransformer.interop.hub import ModelName
from minitransformer.interop.loading import load_all
from minitransformer.interop.model_files import ModelFiles
from minitransformer.interop.safetensors_files import Tensors
from minitransformer.interop.sentence_transformers_folder import PRODUCT_FOLDER
from minitransformer.interop.tensor_layout import Row, TensorLayout
from minitransformer.models.embedding_network import EmbeddingNetwork
from minitransformer.models.sentence_encoder import SentenceEncoder, SentenceEncoderCache
from minitransformer.models.sentence_encoder_settings import DenseSettings
from minitransformer.models.trainable import TensorFile
from minitransformer.nn.pair_scores import DotProduct, PairScore, ScaledCosine
from minitransformer.text.packed_tokens import IntArray

SETTINGS_FILE = "minitransformer_towers.json"
SCORE_WEIGHTS_FILE = "minitransformer_towers.safetensors"
SCORES: dict[str, type[PairScore]] = {"cosine": ScaledCosine, "dot": DotProduct}
_SCORE_LAYOUT = TensorLayout([Row("log_scale", "log_scale"), Row("bias", "bias")])


class TwoTowersCache(NamedTuple):
    are_queries: np.ndarray  # (n,) which of the texts
    queries: SentenceEncoderCache | None
    products: SentenceEncoderCache | None


class TwoTowers(EmbeddingNetwork):
    """`query` and `product` are sentence encoders with embeddings of one size, or the same one twice.

    `score` (nn/pair_scores.py) is None if they haven't been trained together. For training, `learn` gives an objective.
    """

    def __init__(self, query: SentenceEncoder, product: SentenceEncoder, score: PairScore | None = None) -> None:
        self.query, self.product = query, product
        self.score = score

    def learn(self, objective: Any) -> None:
        """Train the towers for an objective on their score; all values move into one storage."""
        self.objective = objective
        self.move_to_one_storage()

    @property
    def are_shared(self) -> bool:
        return self.query is self.product

    @property
    def embedding_size(self) -> int:
        return self.query.embedding_size

    def embed_forward(
        self, batch: SiameseBatch, texts: IntArray, rng: np.random.Generator | None = None
    ) -> tuple[np.ndarray, TwoTowersCache]:
        """Embeddings (n, E) of n texts of a batch, by their numbers; the queries come before the products."""
        are_queries = texts < batch.ends[0]
        if self.are_shared:
            embeddings, cache = self.query.forward(batch.tokens.select(texts), rng)
            return embeddings, TwoTowersCache(are_queries, cache, None)
        embeddings = np.empty((len(texts), self.embedding_size), self.dtype)
        caches: list[SentenceEncoderCache | None] = [None, None]
        for i, (tower, own) in enumerate(((self.query, are_queries), (self.product, ~are_queries))):
            if own.any():
                embeddings[own], caches[i] = tower.forward(batch.tokens.select(texts[own]), rng)
        return embeddings, TwoTowersCache(are_queries, *caches)

    def embed_backward(self, d_embeddings: np.ndarray, cache: TwoTowersCache) -> None:
        are_queries, queries, products = cache
        if self.are_shared:
            assert queries
            self.query.backward(d_embeddings, queries)
            return
        for tower, own, of_tower in ((self.query, are_queries, queries), (self.product, ~are_queries, products)):
            if of_tower:
                tower.backward(d_embeddings[own], of_tower)

    @classmethod
    def from_pretrained(cls, name: ModelName, dtype: DTypeLike = np.float32) -> Self:
        """The towers in a folder, or of that name on the Hugging Face hub; those of a sentence encoder are the same.

        Raises UserError if they can't be read, or don't fit together.
        """
        files = ModelFiles.of(name)
        query = SentenceEncoder.from_files(files, dtype)
        if not is_there(file := files.folder / SETTINGS_FILE):
            return cls(query, query)
        settings = read_json_object(file)
        kind, shared = settings.get("score"), settings.get("shared")
        if kind not in SCORES or not isinstance(shared, bool):
            expected = f"expected score to be one of {', '.join(SCORES)}, and shared true or false"
            raise UserError(f"{file}: {expected}; found {settings}")
        product = query if shared else SentenceEncoder.from_pretrained(files.folder / PRODUCT_FOLDER, dtype)
        if product.embedding_size != query.embedding_size:
            sizes = f"{product.embedding_size} numbers, and those of queries {query.embedding_size}"
            raise UserError(f"{files.folder}: the embeddings of products have {sizes}; the towers don't fit together")
        towers = cls(query, product, SCORES[kind]().initialise(0, dtype))
        towers._load_score(files.folder)
        return towers

    def begin_with(self, folder: Path) -> None:
        """Take the values of shared towers in a folder, for each of both. Raises UserError if they don't fit."""
        for tower in (self.query, self.product):
            tower.restore(folder)
        self._load_score(folder)

    def _load_score(self, folder: Path) -> None:
        for file in self._score_files():
            load_all(file.module, file.layout, Tensors([folder / file.path]))

    def tensor_files(self) -> list[TensorFile]:
        of_products = [] if self.are_shared else self.product.tensor_files()
        in_folder = [file._replace(path=f"{PRODUCT_FOLDER}/{file.path}") for file in of_products]
        return [*self.query.tensor_files(), *in_folder, *self._score_files()]

    def _score_files(self) -> list[TensorFile]:
        """A dot product has nothing to write."""
        score = self.score
        return [TensorFile(SCORE_WEIGHTS_FILE, score, _SCORE_LAYOUT)] if isinstance(score, ScaledCosine) else []

    def texts(self) -> dict[str, str]:
        if self.score is None:
            return self.query.texts()
        kind = next(kind for kind, score in SCORES.items() if isinstance(self.score, score))
        of_products = {} if self.are_shared else self.product.texts()
        in_folder = {f"{PRODUCT_FOLDER}/{path}": text for path, text in of_products.items()}
        return {**self.query.texts(), **in_folder, SETTINGS_FILE: json_text({"score": kind, "shared": self.are_shared})}


def new_towers(encoder: SentenceEncoder, size: int, score: str, shared: bool, seed: int) -> TwoTowers:
    """Towers that both begin as this encoder, with a new projection to `size` numbers if its embeddings have others.

    `score` is one of SCORES. L2 normalisation at the encoder's end is left out: a cosine doesn't need it, and a dot
    product learns from lengths. Prompts are left out, too: towers learn from texts as they are.
    """
    similarity = "cosine" if score == "cosine" else "dot"
    towers = [_projected(encoder, size, similarity, seed) for _ in range(1 if shared else 2)]
    return TwoTowers(towers[0], towers[-1], SCORES[score]().initialise(seed, encoder.dtype))


def _projected(encoder: SentenceEncoder, size: int, similarity: str, seed: int) -> SentenceEncoder:
    settings = encoder.settings
    if settings.truncate_dim:
        kept = f"keeps {settings.truncate_dim} columns of its embeddings, which a projection can't be trained behind"
        raise UserError(f"the model {kept}; choose one with a whole embedding")
    head = settings.head[:-1] if settings.head[-1:] == ("normalise",) else settings.head
    if encoder.embedding_size != size:
        head = (*head, DenseSettings(encoder.embedding_size, size, "identity"))
    changed: dict[str, Any] = {"head": head, "similarity": similarity, "prompts": {}, "default_prompt_name": None}
    return encoder.with_settings(replace(settings, **changed), seed)
