"""BERT with the heads of its two pretraining tasks, and their loss."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from minitransformer.batches.pretraining_batch import PretrainingBatch, StepCounts
from minitransformer.interop.layouts.bert import BERT
from minitransformer.interop.loading import Checkpoint
from minitransformer.models.bert import Bert, BertCache
from minitransformer.models.bert_config import BertConfig
from minitransformer.models.pretrained_model import PretrainedModel, untied_if_the_file_is
from minitransformer.nn.embedding import Embedding
from minitransformer.nn.linear import Linear
from minitransformer.nn.masked_lm_head import MaskedLMHead
from minitransformer.objectives.row_prediction import (
    RowPredictionCache,
    row_prediction_backward,
    row_prediction_forward,
)
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
    mlm: RowPredictionCache
    nsp: RowPredictionCache


class BertForPreTraining(PretrainedModel[BertConfig]):
    """BERT, a masked-language-model head and a next-sentence head (Devlin et al. 2018, section 3.1).

        loss = mean over the masked tokens of -log p(the token that was there)
             + mean over the pairs of -log p(0 = the second text followed the first, 1 = it is a random one)

    The masked-LM head is computed for the masked rows alone: the others have no part in the loss.
    """

    config_type = BertConfig
    layout = BERT
    architecture = "BertForPreTraining"

    def __init__(self, config: BertConfig, seed: int | None = 0, dtype: DTypeLike = np.float32) -> None:
        self.config = config
        self.bert = Bert(config, seed=None)
        decoder = self.bert.embeddings.token
        if not config.tie_word_embeddings:
            decoder = Embedding(config.vocab_size, config.hidden_size, config.initializer_range)
        self.mlm_head = MaskedLMHead(decoder, config.activation, config.layer_norm_eps, config.initializer_range)
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

        If the batch is one shard of a step, `of_step` counts the whole step, so that losses and gradients of the shards
        add up to those of the step as one batch. A batch without masked tokens has the masked-LM loss 0.
        """
        masked, pairs = of_step or batch.counts
        (hidden, pooled), bert_cache = self.bert.forward(batch.tokens, rng)
        mlm, mlm_cache = row_prediction_forward(self.mlm_head, hidden, batch.masked_positions, batch.masked_ids, masked)
        every_pair = np.arange(len(batch))
        nsp, nsp_cache = row_prediction_forward(self.nsp_head, pooled, every_pair, batch.is_random_next, pairs)
        loss = PretrainingLoss(mlm.loss, nsp.loss, mlm.accuracy, nsp.accuracy)
        return loss, PretrainingCache(bert_cache, mlm_cache, nsp_cache)

    def backward(self, cache: PretrainingCache) -> None:
        """Add the gradients of loss.total to those of all parameters."""
        d_pooled = row_prediction_backward(self.nsp_head, cache.nsp)
        d_hidden = row_prediction_backward(self.mlm_head, cache.mlm)
        self.bert.backward(d_hidden, d_pooled, cache.bert)

    @classmethod
    def _read_config(cls, folder: Path, tensors: Checkpoint) -> BertConfig:
        return untied_if_the_file_is(super()._read_config(folder, tensors), BERT.tensors, tensors)
