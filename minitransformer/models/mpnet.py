"""MPNet: BERT with relative positions in its attention (Song et al. 2020, arXiv 2004.09297)."""

from dataclasses import dataclass
from typing import ClassVar

from minitransformer.interop.layouts.mpnet import MPNET
from minitransformer.models.bert import Bert
from minitransformer.models.bert_config import BertConfig
from minitransformer.nn.embedding import Embedding
from minitransformer.nn.relative_attention import NUM_BUCKETS, RelativeSelfAttention
from minitransformer.nn.roberta_embeddings import RobertaEmbeddings

_PAD = 1  # whatever the config says: transformers' MPNetEmbeddings


@dataclass(frozen=True)
class MPNetConfig(BertConfig):
    """BertConfig with the defaults of transformers' MPNetConfig; it has no segments."""

    vocab_size: int = 30527
    pad_token_id: int = _PAD
    type_vocab_size: ClassVar[int] = 0  # type: ignore[misc]

    @property
    def num_positions(self) -> int:
        return self.max_position_embeddings - _PAD - 1


class MPNet(Bert):
    config_type = MPNetConfig
    layout = MPNET
    architecture = "MPNetModel"

    def _embeddings(self) -> RobertaEmbeddings:
        config = self.config
        self.distances = Embedding(NUM_BUCKETS, config.num_attention_heads, config.initializer_range)
        return RobertaEmbeddings(_PAD, *self._embeddings_arguments(config.hidden_size))

    def _attention(self) -> RelativeSelfAttention:
        config = self.config
        dropouts = config.attention_probs_dropout_prob, config.hidden_dropout_prob
        sizes = config.hidden_size, config.num_attention_heads
        return RelativeSelfAttention(self.distances, *sizes, *dropouts, config.initializer_range)
