"""What makes one translator different from another: its sizes and rates, named as in BertConfig."""

from dataclasses import dataclass
from typing import Any, Self

from minitransformer.interop.config_file import ACTIVATION_NAMES
from minitransformer.models.config_rules import check_config, check_start_and_end, sizes, sizes_of


def _both(num_layers: int, hidden_size: int) -> dict[str, int]:
    """As many layers in the encoder as in the decoder."""
    one = sizes(num_layers, hidden_size)
    num_layers = one.pop("num_hidden_layers")
    return {"num_encoder_layers": num_layers, "num_decoder_layers": num_layers, **one}


PRESETS = {
    "tiny": {**_both(2, 128), "num_attention_heads": 4},
    "mini": {**_both(3, 256), "num_attention_heads": 4},
    "base": _both(6, 512),
    "big": _both(6, 1024),
}


@dataclass(frozen=True)
class Seq2SeqConfig:
    """The sizes of an encoder with a decoder; the defaults are those of the base model of Vaswani et al. 2017, table 3.

    vocab_size                    V, rows of the token embedding, which source and target share
    hidden_size                   H, numbers that stand for a token
    num_encoder_layers            layers that read the source
    num_decoder_layers            layers that write the target
    num_attention_heads           A; H must be a multiple of it
    intermediate_size             F, the width inside the feed-forward networks; 4 H unless given
    hidden_act                    "relu", or a name of GELU as in GptConfig
    hidden_dropout_prob           dropout after the embeddings and each sub-layer
    attention_probs_dropout_prob  dropout on the attention weights
    label_smoothing               of the loss (ops/smoothed_cross_entropy.py)
    max_position_embeddings       the longest source and the longest target, in tokens
    eos_token_id                  the token that ends source and target
    decoder_start_token_id        the token that the first one of the target follows
    pad_token_id                  what other libraries fill batches up with; nothing here does

    Raises UserError if a value is of the wrong type or out of range, or if the sizes don't divide.
    """

    vocab_size: int = 37000
    hidden_size: int = 512
    num_encoder_layers: int = 6
    num_decoder_layers: int = 6
    num_attention_heads: int = 8
    intermediate_size: int = None  # type: ignore[assignment]
    hidden_act: str = "relu"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.0
    label_smoothing: float = 0.1
    max_position_embeddings: int = 512
    eos_token_id: int = 0
    decoder_start_token_id: int = 0
    pad_token_id: int = 0

    def __post_init__(self) -> None:
        if self.intermediate_size is None and isinstance(self.hidden_size, int):
            object.__setattr__(self, "intermediate_size", 4 * self.hidden_size)
        check_config(self)
        check_start_and_end(self)

    @classmethod
    def preset(cls, name: str, **changes: Any) -> Self:
        """The sizes of that name: "base" and "big" are the paper's, "tiny" and "mini" are for a laptop.

        "base" has 63,119,496 parameters with its vocabulary; that is 44 million in layers and 19 million in the table.
        """
        return cls(**{**sizes_of(name, PRESETS), **changes})

    @property
    def activation(self) -> str:
        """hidden_act as nn/activation.py names it."""
        return ACTIVATION_NAMES[self.hidden_act]
