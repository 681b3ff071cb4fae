"""RoBERTa and XLM-RoBERTa: BERT trained longer on more text, without segments (Liu et al. 2019, arXiv 1907.11692).

XLM-RoBERTa has a vocabulary for a hundred languages (Conneau et al. 2020, arXiv 1911.02116).
"""

from dataclasses import dataclass

from minitransformer.interop.layouts.roberta import ROBERTA, XLM_ROBERTA
from minitransformer.models.bert import Bert
from minitransformer.models.bert_config import BertConfig
from minitransformer.nn.roberta_embeddings import RobertaEmbeddings


@dataclass(frozen=True)
class RobertaConfig(BertConfig):
    """BertConfig with the defaults of transformers' RobertaConfig; positions begin behind pad_token_id."""

    vocab_size: int = 50265
    pad_token_id: int = 1

    @property
    def num_positions(self) -> int:
        return self.max_position_embeddings - self.pad_token_id - 1


@dataclass(frozen=True)
class XlmRobertaConfig(RobertaConfig):
    vocab_size: int = 30522


class Roberta(Bert):
    config_type = RobertaConfig
    layout = ROBERTA
    architecture = "RobertaModel"

    def _embeddings(self) -> RobertaEmbeddings:
        return RobertaEmbeddings(self.config.pad_token_id, *self._embeddings_arguments(self.config.hidden_size))


class XlmRoberta(Roberta):
    config_type = XlmRobertaConfig
    layout = XLM_ROBERTA
    architecture = "XLMRobertaModel"
