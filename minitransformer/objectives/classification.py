"""The classification objective: from both embeddings and their difference, tell the class of the pair."""

from typing import NamedTuple

import numpy as np

from minitransformer.errors import UserError
from minitransformer.nn.linear import Linear
from minitransformer.nn.module import Module
from minitransformer.ops.cross_entropy import CrossEntropyCache, cross_entropy_backward, cross_entropy_forward
from minitransformer.ops.linear import LinearCache
from minitransformer.ops.mean import MeanCache, mean_backward, mean_forward
from minitransformer.ops.pair_features import (
    COMPONENTS,
    PairFeaturesCache,
    pair_features_backward,
    pair_features_forward,
)


class ClassificationCache(NamedTuple):
    features: PairFeaturesCache
    classifier: LinearCache
    losses: CrossEntropyCache
    mean: MeanCache


class ClassificationObjective(Module):
    """Cross-entropy of softmax((u, v, |u - v|) W + b) against the pair's class, such as "entailment".

    Reimers, Gurevych 2019 (arXiv 1908.10084), section 3. The classifier is trained with the encoder; comparing
    sentences by cosine afterwards needs it no longer, but objective((u, v)) still gives its logits (S, num_labels).

    `components` are the parts of the concatenation, from ops/pair_features.py.
    """

    def __init__(
        self,
        embedding_size: int,
        num_labels: int,
        components: tuple[str, ...] = ("u", "v", "|u-v|"),
        init_std: float = 0.02,
    ) -> None:
        if not components or not set(components) <= set(COMPONENTS) or len(set(components)) < len(components):
            raise UserError(f"components must be some of {COMPONENTS}, each once; found {components}")
        self.components = components
        self.classifier = Linear(len(components) * embedding_size, num_labels, init_std)

    def __call__(self, embeddings: tuple[np.ndarray, ...]) -> np.ndarray:
        u, v = embeddings
        return self.classifier(pair_features_forward(u, v, self.components)[0])

    def forward(self, embeddings: tuple[np.ndarray, ...], labels: np.ndarray) -> tuple[float, ClassificationCache]:
        """The mean loss of pairs (u, v), each (S, H), with classes labels (S,) from 0, and the cache."""
        u, v = embeddings
        features, features_cache = pair_features_forward(u, v, self.components)
        logits, classifier_cache = self.classifier.forward(features)
        losses, losses_cache = cross_entropy_forward(logits, labels)
        loss, mean_cache = mean_forward(losses)
        return float(loss), ClassificationCache(features_cache, classifier_cache, losses_cache, mean_cache)

    def backward(self, cache: ClassificationCache) -> tuple[np.ndarray, np.ndarray]:
        """Gradients of u and v; those of the classifier are added to its own."""
        dlogits = cross_entropy_backward(mean_backward(1.0, cache.mean), cache.losses)
        dfeatures = self.classifier.backward(dlogits, cache.classifier)
        return pair_features_backward(dfeatures, cache.features)
