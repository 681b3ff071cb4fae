"""ELECTRA's input: BERT's with rows of another size, projected to that of the layers."""

from typing import Any, NamedTuple

import numpy as np

from minitransformer.nn.bert_embeddings import BertEmbeddings, BertEmbeddingsCache
from minitransformer.nn.linear import Linear
from minitransformer.ops.linear import LinearCache


class ProjectedEmbeddingsCache(NamedTuple):
    embeddings: BertEmbeddingsCache
    projection: LinearCache


class ProjectedEmbeddings(BertEmbeddings):
    """y (N, H) = embeddings (N, E) W + b (Clark et al. 2020, arXiv 2003.10555)."""

    def __init__(self, hidden_size: int, *of_bert: Any) -> None:
        super().__init__(*of_bert)
        _, _, _, size, _, _, init_std = of_bert
        self.projection = Linear(size, hidden_size, init_std)

    def forward(self, *ids_and_rng: Any) -> tuple[np.ndarray, Any]:
        x, cache = super().forward(*ids_and_rng)
        y, projection_cache = self.projection.forward(x)
        return y, ProjectedEmbeddingsCache(cache, projection_cache)

    def backward(self, dy: np.ndarray, cache: Any) -> None:
        super().backward(self.projection.backward(dy, cache.projection), cache.embeddings)
