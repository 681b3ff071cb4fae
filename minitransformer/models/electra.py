"""ELECTRA's encoder: BERT trained to find the words that another model put in (Clark et al. 2020, arXiv 2003.10555)."""

from dataclasses import dataclass
from typing import Any

from minitransformer.interop.layouts.electra import ELECTRA
from minitransformer.models.bert_config import BertConfig
from minitransformer.models.transformer_encoder import TransformerEncoder
from minitransformer.nn.bert_embeddings import BertEmbeddings
from minitransformer.nn.projected_embeddings import ProjectedEmbeddings


@dataclass(frozen=True)
class ElectraConfig(BertConfig):
    """BertConfig with the defaults of transformers' ElectraConfig; embedding_size is that of a token's first row."""

    hidden_size: int = 256
    num_attention_heads: int = 4
    intermediate_size: int = 1024
    embedding_size: int = 128


class Electra(TransformerEncoder):
    config_type = ElectraConfig
    layout = ELECTRA
    architecture = "ElectraModel"

    def _embeddings(self) -> BertEmbeddings:
        config: Any = self.config
        if config.embedding_size == config.hidden_size:
            return super()._embeddings()
        return ProjectedEmbeddings(config.hidden_size, *self._embeddings_arguments(config.embedding_size))
