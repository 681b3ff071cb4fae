"""What makes one BERT different from another: its sizes and rates, under Hugging Face's names."""

from dataclasses import dataclass
from typing import Any, Self

from minitransformer.interop.config_file import ACTIVATION_NAMES
from minitransformer.models.config_rules import check_config, sizes, sizes_of

PRESETS = {
    "tiny": sizes(2, 128),
    "mini": sizes(4, 256),
    "small": sizes(4, 512),
    "medium": sizes(8, 512),
    "base": sizes(12, 768),
    "large": sizes(24, 1024),
}


@dataclass(frozen=True)
class BertConfig:
    """The sizes of a BERT; the defaults are those of BERT-base (Devlin et al. 2018, arXiv 1810.04805, section 3).

    vocab_size                    V, rows of the token embedding
    hidden_size                   H, numbers that stand for a token
    num_hidden_layers             layers of the encoder
    num_attention_heads           A; H must be a multiple of it
    intermediate_size             F, the width inside the feed-forward network
    hidden_act                    "gelu" (exact), "gelu_new" or "gelu_pytorch_tanh" (tanh form), "relu", or another
                                  of ACTIVATION_NAMES
    hidden_dropout_prob           dropout after the embeddings and after each sub-layer
    attention_probs_dropout_prob  dropout on the attention weights
    max_position_embeddings       the longest sequence, in tokens
    type_vocab_size               segments
    initializer_range             standard deviation of the initial weights
    layer_norm_eps                added to the variance inside LayerNorm
    pad_token_id                  [PAD]'s id, kept for other libraries: nothing is padded here
    tie_word_embeddings           whether the masked-LM decoder is the token embedding, as in BERT, or its own

    Raises UserError if a value is of the wrong type or out of range, or if the sizes don't divide.
    """

    vocab_size: int = 30522
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    pad_token_id: int = 0
    tie_word_embeddings: bool = True

    def __post_init__(self) -> None:
        check_config(self, may_be_zero=("pad_token_id", "num_hidden_layers"))

    @classmethod
    def preset(cls, name: str, **changes: Any) -> Self:
        """The published sizes: "tiny", "mini", "small", "medium", "base" or "large" (Turc et al. 2019, 1908.08962)."""
        return cls(**{**sizes_of(name, PRESETS), **changes})

    @property
    def num_positions(self) -> int:
        """The longest sequence, in tokens."""
        return self.max_position_embeddings

    @property
    def activation(self) -> str:
        """hidden_act as nn/activation.py names it."""
        return ACTIVATION_NAMES[self.hidden_act]
