"""BERT with a masked-language-model head alone: for text that has no next sentences."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from minitransformer.batches.masked_lm_batch import MaskedLMBatch
from minitransformer.interop.layouts.bert import BERT
from minitransformer.interop.loading import Checkpoint
from minitransformer.models.bert import Bert
from minitransformer.models.bert_config import BertConfig
from minitransformer.models.pretrained_model import PretrainedModel, untied_if_the_file_is
from minitransformer.models.stacked_encoder import HiddenCache
from minitransformer.nn.embedding import Embedding
from minitransformer.nn.masked_lm_head import MaskedLMHead
from minitransformer.objectives.row_prediction import (
    RowPredictionCache,
    row_prediction_backward,
    row_prediction_forward,
)
from minitransformer.text.packed_tokens import PackedTokens


class MaskedLMLoss(NamedTuple):
    """What one batch cost: the loss of its masked tokens in nats, and the share of them that was right.

    A shard's numbers are its share of the step's, as in PretrainingLoss.
    """

    mlm: float
    mlm_accuracy: float

    @property
    def total(self) -> float:
        return self.mlm


class MaskedLMCache(NamedTuple):
    bert: HiddenCache
    mlm: RowPredictionCache


class BertForMaskedLM(PretrainedModel[BertConfig]):
    """BERT and its masked-language-model head (Devlin et al. 2018, arXiv 1810.04805, section 3.1, task 1).

        loss = mean over the masked tokens of -log p(the token that was there)

    It has no pooler, since only next sentences train one.
    """

    config_type = BertConfig
    layout = BERT
    architecture = "BertForMaskedLM"

    def __init__(self, config: BertConfig, seed: int | None = 0, dtype: DTypeLike = np.float32) -> None:
        self.config = config
        self.bert = Bert(config, seed=None)
        del self.bert.pooler
        decoder = self.bert.embeddings.token
        if not config.tie_word_embeddings:
            decoder = Embedding(config.vocab_size, config.hidden_size, config.initializer_range)
        self.mlm_head = MaskedLMHead(decoder, config.activation, config.layer_norm_eps, config.initializer_range)
        if seed is not None:
            self.initialise(seed, dtype)

    def __call__(self, tokens: PackedTokens) -> np.ndarray:
        """mlm_logits (N, V) for every row. No dropout, no cache."""
        return self.mlm_head(self.bert.hidden(tokens))

    def forward(
        self, batch: MaskedLMBatch, rng: np.random.Generator | None = None, of_step: int | None = None
    ) -> tuple[MaskedLMLoss, MaskedLMCache]:
        """The loss of the batch, and the cache. Dropout happens only with an rng.

        If the batch is one shard of a step, `of_step` is the number of masked tokens of the whole step.
        """
        masked = batch.counts if of_step is None else of_step
        hidden, bert_cache = self.bert.hidden_forward(batch.tokens, rng)
        mlm, mlm_cache = row_prediction_forward(self.mlm_head, hidden, batch.masked_positions, batch.masked_ids, masked)
        return MaskedLMLoss(mlm.loss, mlm.accuracy), MaskedLMCache(bert_cache, mlm_cache)

    def backward(self, cache: MaskedLMCache) -> None:
        """Add the gradients of the loss to those of all parameters."""
        self.bert.hidden_backward(row_prediction_backward(self.mlm_head, cache.mlm), cache.bert)

    @classmethod
    def _read_config(cls, folder: Path, tensors: Checkpoint) -> BertConfig:
        return untied_if_the_file_is(super()._read_config(folder, tensors), BERT.tensors, tensors)
