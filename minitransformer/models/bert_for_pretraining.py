"""BERT with the heads of its two pretraining tasks, and their loss."""

from __future__ import annotations

import dataclasses
import warnings
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from minitransformer.batches.pretraining_batch import PretrainingBatch, StepCounts
from minitransformer.interop.loading import has_own_decoder
from minitransformer.interop.safetensors_files import Tensors
from minitransformer.models.bert import Bert, BertCache
from minitransformer.models.bert_config import BertConfig
from minitransformer.models.pretrained_model import PretrainedModel
from minitransformer.nn.activation import ACTIVATIONS
from minitransformer.nn.embedding import Embedding
from minitransformer.nn.linear import Linear
from minitransformer.nn.masked_lm_head import MaskedLMHead, MaskedLMHeadCache
from minitransformer.ops.cross_entropy import CrossEntropyCache, cross_entropy_backward, cross_entropy_forward
from minitransformer.ops.linear import LinearCache
from minitransformer.text.packed_tokens import PackedTokens


class PretrainingLoss(NamedTuple):
    """What one batch cost: losses in nats, accuracies between 0 and 1.

    When a step's batch is cut into shards, each shard's numbers are divided by the whole step's counts already: added
    up, they are the step's.
    """

    mlm: float
    nsp: float
    mlm_accuracy: float
    nsp_accuracy: float

    @property
    def total(self) -> float:
        return self.mlm + self.nsp


class PretrainingCache(NamedTuple):
    bert: BertCache
    masked_positions: np.ndarray
    num_rows: int
    mlm_head: MaskedLMHeadCache
    mlm_loss: CrossEntropyCache
    nsp_head: LinearCache
    nsp_loss: CrossEntropyCache
    counts: StepCounts


class BertForPreTraining(PretrainedModel):
    """BERT, a masked-language-model head and a next-sentence head (Devlin et al. 2018, section 3.1).

        loss = mean over the masked tokens of -log p(the token that was there)
             + mean over the pairs of -log p(0 = the second text followed the first, 1 = it is a random one)

    The masked-LM head is computed for the masked rows alone: the others have no part in the loss.
    """

    architecture = "BertForPreTraining"

    def __init__(self, config: BertConfig, seed: int | None = 0, dtype: DTypeLike = np.float32) -> None:
        self.config = config
        self.bert = Bert(config, seed=None)
        decoder = self.bert.embeddings.token
        if not config.tie_word_embeddings:
            decoder = Embedding(config.vocab_size, config.hidden_size, config.initializer_range)
        self.mlm_head = MaskedLMHead(
            decoder, ACTIVATIONS[config.activation], config.layer_norm_eps, config.initializer_range
        )
        self.nsp_head = Linear(config.hidden_size, 2, config.initializer_range)
        if seed is not None:
            self.initialise(seed, dtype)

    def __call__(self, tokens: PackedTokens) -> tuple[np.ndarray, np.ndarray]:
        """mlm_logits (N, V) for every row, and nsp_logits (S, 2). No dropout, no cache."""
        hidden, pooled = self.bert(tokens)
        return self.mlm_head(hidden), self.nsp_head(pooled)

    def forward(
        self, batch: PretrainingBatch, rng: np.random.Generator | None = None, of_step: StepCounts | None = None
    ) -> tuple[PretrainingLoss, PretrainingCache]:
        """The loss of the batch, and the cache. Dropout happens only with an rng.

        If the batch is one shard of a step, `of_step` are the whole step's counts, so that losses and gradients of the
        shards add up to those of the step as one batch. A batch without masked tokens has the masked-LM loss 0.
        """
        counts = of_step or batch.counts
        (hidden, pooled), bert_cache = self.bert.forward(batch.tokens, rng)
        mlm_logits, mlm_head_cache = self.mlm_head.forward(hidden[batch.masked_positions])
        nsp_logits, nsp_head_cache = self.nsp_head.forward(pooled)
        mlm_losses, mlm_loss_cache = cross_entropy_forward(mlm_logits, batch.masked_ids)
        nsp_losses, nsp_loss_cache = cross_entropy_forward(nsp_logits, batch.is_random_next)
        loss = PretrainingLoss(
            mlm=_share(mlm_losses, counts.masked),
            nsp=_share(nsp_losses, counts.pairs),
            mlm_accuracy=_share(mlm_logits.argmax(axis=1) == batch.masked_ids, counts.masked),
            nsp_accuracy=_share(nsp_logits.argmax(axis=1) == batch.is_random_next, counts.pairs),
        )
        cache = PretrainingCache(
            bert_cache,
            batch.masked_positions,
            len(hidden),
            mlm_head_cache,
            mlm_loss_cache,
            nsp_head_cache,
            nsp_loss_cache,
            counts,
        )
        return loss, cache

    def backward(self, cache: PretrainingCache) -> None:
        """Add the gradients of loss.total to those of all parameters."""
        d_nsp_logits = _mean_backward(cache.nsp_loss, cache.counts.pairs)
        d_mlm_logits = _mean_backward(cache.mlm_loss, cache.counts.masked)
        d_pooled = self.nsp_head.backward(d_nsp_logits, cache.nsp_head)
        d_masked = self.mlm_head.backward(d_mlm_logits, cache.mlm_head)
        d_hidden = np.zeros((cache.num_rows, d_masked.shape[1]), d_masked.dtype)
        d_hidden[cache.masked_positions] = d_masked  # no row is masked twice
        self.bert.backward(d_hidden, d_pooled, cache.bert)

    @classmethod
    def _config_that_fits(cls, config: BertConfig, tensors: Tensors) -> BertConfig:
        """As transformers does, believe the tensors where they have a decoder that isn't the token embedding."""
        if config.tie_word_embeddings and has_own_decoder(tensors, tensors.shapes):
            warnings.warn(f"{tensors.files[0]} has a decoder of its own: the model is loaded untied", stacklevel=3)
            return dataclasses.replace(config, tie_word_embeddings=False)
        return config


def _share(values: np.ndarray, count: int) -> float:
    """The part of a mean over `count` things that these values make up."""
    return float(values.sum()) / max(1, count)


def _mean_backward(cache: CrossEntropyCache, count: int) -> np.ndarray:
    """Gradient of the logits, if the loss is the sum of the rows' losses divided by count."""
    probabilities = cache.probabilities
    return cross_entropy_backward(np.full(len(probabilities), 1 / max(1, count), probabilities.dtype), cache)
