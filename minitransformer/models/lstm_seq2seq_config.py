"""What makes one recurrent translator different from another."""

from dataclasses import dataclass

from minitransformer.models.config_rules import check_start_and_end, check_values


@dataclass(frozen=True)
class LstmSeq2SeqConfig:
    """The sizes of an LSTM that reads and an LSTM that writes.

    vocab_size               V, rows of the token embedding, which source and target share
    hidden_size              H, numbers that stand for a token, and of the state
    attention                how the decoder looks at the source: "luong" or "bahdanau"; "none" if it has its last state
                             alone
    hidden_dropout_prob      dropout after the embeddings and before the head
    label_smoothing          of the loss (ops/smoothed_cross_entropy.py)
    max_position_embeddings  the longest source and the longest target, in tokens
    eos_token_id             the token that ends source and target
    decoder_start_token_id   the token that the first one of the target follows

    Raises UserError if a value is of the wrong type or out of range.
    """

    vocab_size: int = 10000
    hidden_size: int = 256
    attention: str = "luong"
    hidden_dropout_prob: float = 0.1
    label_smoothing: float = 0.1
    max_position_embeddings: int = 512
    eos_token_id: int = 0
    decoder_start_token_id: int = 0

    def __post_init__(self) -> None:
        check_values(self)
        check_start_and_end(self)
