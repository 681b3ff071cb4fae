"""What makes one BERT different from another: its sizes and rates, under Hugging Face's names."""

import dataclasses
import math
import sys
from dataclasses import dataclass
from typing import Any, Self

from minitransformer.errors import UserError
from minitransformer.interop.config_file import ACTIVATION_NAMES

PRESETS: dict[str, dict[str, int]] = {
    name: {
        "num_hidden_layers": layers,
        "hidden_size": hidden,
        "num_attention_heads": hidden // 64,
        "intermediate_size": 4 * hidden,
    }
    for name, layers, hidden in [
        ("tiny", 2, 128),
        ("mini", 4, 256),
        ("small", 4, 512),
        ("medium", 8, 512),
        ("base", 12, 768),
        ("large", 24, 1024),
    ]
}


@dataclass(frozen=True)
class BertConfig:
    """The sizes of a BERT; the defaults are those of BERT-base (Devlin et al. 2018, arXiv 1810.04805, section 3).

    vocab_size                    V, rows of the token embedding
    hidden_size                   H, numbers that stand for a token
    num_hidden_layers             layers of the encoder
    num_attention_heads           A; H must be a multiple of it
    intermediate_size             F, the width inside the feed-forward network
    hidden_act                    "gelu" (exact), "gelu_new" or "gelu_pytorch_tanh" (tanh form), or "relu"
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
        for field in dataclasses.fields(self):
            _check(field.name, getattr(self, field.name))
        if self.hidden_size % self.num_attention_heads:
            sizes = f"hidden_size {self.hidden_size} isn't a multiple of num_attention_heads {self.num_attention_heads}"
            raise UserError(f"{sizes}: each head takes an equal share of the columns")

    @classmethod
    def preset(cls, name: str, **changes: Any) -> Self:
        """The published sizes: "tiny", "mini", "small", "medium", "base" or "large" (Turc et al. 2019, 1908.08962)."""
        if name not in PRESETS:
            raise UserError(f"there is no preset {name!r}; choose one of {', '.join(PRESETS)}")
        return cls(**{**PRESETS[name], **changes})

    @property
    def activation(self) -> str:
        """hidden_act as nn/activation.py names it."""
        return ACTIVATION_NAMES[self.hidden_act]


def _check(name: str, value: Any) -> None:
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    if name == "hidden_act":
        good, expected = value in [*ACTIVATION_NAMES], f"one of {', '.join(ACTIVATION_NAMES)}"  # may be unhashable
    elif name == "tie_word_embeddings":
        good, expected = isinstance(value, bool), "true or false"
    elif name.endswith("_prob"):
        good, expected = 0 <= number < 1, "a number of at least 0 and below 1"
    elif name in ("initializer_range", "layer_norm_eps"):
        good, expected = 0 < number <= sys.float_info.max, "a number above 0"
    else:
        smallest = 0 if name in ("pad_token_id", "num_hidden_layers") else 1
        good, expected = isinstance(number, int) and number >= smallest, f"a whole number of at least {smallest}"
    if not good:
        raise UserError(f"{name} must be {expected}, found {value!r}")
