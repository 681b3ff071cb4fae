"""A bidirectional LSTM with a classifier on top."""

from minitransformer.interop.layouts.lstm_encoder import LSTM_ENCODER
from minitransformer.models.lstm_encoder import LstmEncoder, LstmEncoderConfig
from minitransformer.models.sequence_classifier import SequenceClassifier


class LstmForSequenceClassification(SequenceClassifier):
    """What classified texts before BERT; see SequenceClassifier. It has no pooler, and its usual pooling is max."""

    config_type = LstmEncoderConfig
    layout = LSTM_ENCODER
    architecture = "LstmForSequenceClassification"
    poolings = "max", "mean", "cls"

    @property
    def encoder(self) -> LstmEncoder:
        return self.lstm

    def _add_encoder(self) -> None:
        self.lstm = LstmEncoder(self.config, seed=None)
