"""An encoder without attention: bidirectional LSTMs over packed rows."""

from dataclasses import dataclass

import numpy as np

from minitransformer.errors import UserError
from minitransformer.interop.layouts.lstm_encoder import LSTM_ENCODER
from minitransformer.models.config_rules import check_values
from minitransformer.models.stacked_encoder import StackedEncoder
from minitransformer.nn.lstm import BidirectionalLstm
from minitransformer.nn.word_embeddings import WordEmbeddings
from minitransformer.text.packed_tokens import PackedTokens


@dataclass(frozen=True)
class LstmEncoderConfig:
    """The sizes of a bidirectional LSTM.

    vocab_size               V, rows of the token embedding
    embedding_size           numbers of such a row
    hidden_size              H, numbers that stand for a token, half of them from each direction
    num_hidden_layers        LSTMs, each in both directions
    hidden_dropout_prob      dropout after the embeddings and after each layer
    max_position_embeddings  the longest sequence, in tokens; a recurrence itself knows no limit
    initializer_range        standard deviation of the first weights of what is put on top

    Raises UserError if a value is of the wrong type or out of range, or if hidden_size is odd.
    """

    vocab_size: int = 30522
    embedding_size: int = 300
    hidden_size: int = 512
    num_hidden_layers: int = 1
    hidden_dropout_prob: float = 0.1
    max_position_embeddings: int = 512
    initializer_range: float = 0.02

    activation = "tanh"  # of dense layers that are put on top

    def __post_init__(self) -> None:
        check_values(self)
        if self.hidden_size % 2:
            raise UserError(f"hidden_size {self.hidden_size} is odd: each direction gives half of it")

    @property
    def num_positions(self) -> int:
        """The longest sequence, in tokens."""
        return self.max_position_embeddings


class LstmEncoder(StackedEncoder):
    """hidden (N, H): each row knows its whole sequence, by an LSTM from the left and one from the right.

    With max pooling it is InferSent's encoder, the BiLSTM-Max of Conneau et al. 2017 (arXiv 1705.02364), section 3.2.3:

        >>> from minitransformer import PackedTokens
        >>> from minitransformer.nn.pooling import Pooling
        >>> tokens = PackedTokens.pack([[2, 17, 42, 3], [2, 99, 3]])
        >>> model = LstmEncoder(LstmEncoderConfig(vocab_size=100, embedding_size=30, hidden_size=64), seed=0)
        >>> Pooling(("max",))(model(tokens), tokens.lengths).shape
        (2, 64)

    Segments and positions aren't asked for: of a pair of texts it reads the one and then the other.
    """

    config_type = LstmEncoderConfig
    layout = LSTM_ENCODER
    architecture = "LstmEncoder"

    def _ids(self, tokens: PackedTokens) -> tuple[np.ndarray, ...]:
        return (tokens.token_ids,)

    def _embeddings(self) -> WordEmbeddings:
        config = self.config
        return WordEmbeddings(config.vocab_size, config.embedding_size, config.hidden_dropout_prob, init_std=1.0)

    def _layers(self) -> list[BidirectionalLstm]:
        config = self.config
        in_sizes = [config.embedding_size, *[config.hidden_size] * (config.num_hidden_layers - 1)]
        return [BidirectionalLstm(size, config.hidden_size // 2, config.hidden_dropout_prob) for size in in_sizes]
