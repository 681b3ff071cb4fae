"""What makes one GPT different from another: its sizes and rates, named as in BertConfig."""

from dataclasses import dataclass
from typing import Any, Self

from minitransformer.interop.config_file import ACTIVATION_NAMES
from minitransformer.models.config_rules import check_config, sizes, sizes_of

PRESETS = {
    "tiny": sizes(2, 128),
    "nano": {**sizes(4, 128), "num_attention_heads": 4},
    "mini": sizes(4, 256),
    "small": sizes(4, 512),
    "medium": sizes(8, 512),
    "gpt2": sizes(12, 768),
    "gpt2-medium": sizes(24, 1024),
    "gpt2-large": sizes(36, 1280),
    "gpt2-xl": sizes(48, 1600),
}


@dataclass(frozen=True)
class GptConfig:
    """The sizes of a GPT; the defaults are those of the smallest GPT-2 (Radford et al. 2019, section 2.3).

    vocab_size                    V, rows of the token embedding
    hidden_size                   H, numbers that stand for a token
    num_hidden_layers             L, layers of the decoder
    num_attention_heads           A; H must be a multiple of it
    intermediate_size             F, the width inside the feed-forward network; 4 H unless given
    hidden_act                    "gelu_new" or "gelu_pytorch_tanh" (tanh form), "gelu" (exact), or "relu"
    embedding_dropout_prob        dropout after the embeddings
    hidden_dropout_prob           dropout after each sub-layer
    attention_probs_dropout_prob  dropout on the attention weights
    max_position_embeddings       the longest sequence, in tokens
    initializer_range             standard deviation of the initial weights
    layer_norm_eps                added to the variance inside LayerNorm
    bos_token_id, eos_token_id    the tokens that begin and end a text, if the vocabulary has them
    tie_word_embeddings           whether the vocabulary head is the token embedding, as in GPT-2, or its own

    Raises UserError if a value is of the wrong type or out of range, or if the sizes don't divide.
    """

    vocab_size: int = 50257
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = None  # type: ignore[assignment]
    hidden_act: str = "gelu_new"
    embedding_dropout_prob: float = 0.1
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 1024
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-5
    bos_token_id: int | None = None
    eos_token_id: int | None = None
    tie_word_embeddings: bool = True

    def __post_init__(self) -> None:
        if self.intermediate_size is None and isinstance(self.hidden_size, int):
            object.__setattr__(self, "intermediate_size", 4 * self.hidden_size)
        check_config(self)

    @classmethod
    def preset(cls, name: str, **changes: Any) -> Self:
        """The sizes of that name, "tiny", "mini", "small" or "medium" (those of BertConfig), or a published GPT-2's.

        "nano" is what nanoGPT trains on a CPU (karpathy/nanoGPT, README), with heads of 32 columns.
        "gpt2" has 124,439,808 parameters, "gpt2-medium" 354,823,168, "gpt2-large" 774,030,080 and "gpt2-xl"
        1,557,611,200; with GPT-2's vocabulary and positions, "tiny" has 6,960,768.
        """
        return cls(**{**sizes_of(name, PRESETS), **changes})

    @property
    def activation(self) -> str:
        """hidden_act as nn/activation.py names it."""
        return ACTIVATION_NAMES[self.hidden_act]
