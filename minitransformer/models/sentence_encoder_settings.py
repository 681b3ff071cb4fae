"""What makes a BERT a sentence encoder: how rows are pooled, what follows, how texts enter."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class DenseSettings:
    """A linear layer and an activation on the pooled row."""

    in_features: int
    out_features: int
    activation: str = "tanh"


@dataclass(frozen=True)
class SentenceEncoderSettings:
    """What makes a BERT a sentence encoder, except for its weights.

    pooling              one or several of "cls", "max", "mean", "mean_sqrt_len", "weightedmean", "lasttoken"; their
                         results are put side by side
    head                 what follows: DenseSettings, "layer_norm", or "normalise" for L2 normalisation
    max_seq_length       the longest text in tokens, [CLS] and [SEP] included; None for as many as the model takes
    do_lower_case        whether texts are lower-cased before a tokenizer that doesn't do it
    prompts              texts put before what is encoded, by name; default_prompt_name is the one for every text
    include_prompt       whether the prompt's tokens are pooled too
    similarity           "cosine", "dot", "euclidean" or "manhattan"
    truncate_dim         how many columns of an embedding are kept, the first ones; None for all
    """

    pooling: tuple[str, ...] = ("mean",)
    head: tuple[DenseSettings | str, ...] = ()
    max_seq_length: int | None = None
    do_lower_case: bool = False
    prompts: dict[str, str] = field(default_factory=dict)
    default_prompt_name: str | None = None
    include_prompt: bool = True
    similarity: str = "cosine"
    truncate_dim: int | None = None
