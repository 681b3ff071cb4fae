"""DistilBERT: half of BERT's layers, trained to answer as BERT does (Sanh et al. 2019, arXiv 1910.01108)."""

from dataclasses import dataclass
from typing import ClassVar

from minitransformer.interop.layouts.distilbert import DISTILBERT
from minitransformer.models.bert_config import BertConfig
from minitransformer.models.transformer_encoder import TransformerEncoder


@dataclass(frozen=True)
class DistilBertConfig(BertConfig):
    """BertConfig with the defaults of transformers' DistilBertConfig; it has no segments, and one eps."""

    num_hidden_layers: int = 6
    type_vocab_size: ClassVar[int] = 0  # type: ignore[misc]
    layer_norm_eps: ClassVar[float] = 1e-12  # type: ignore[misc]


class DistilBert(TransformerEncoder):
    config_type = DistilBertConfig
    layout = DISTILBERT
    architecture = "DistilBertModel"
