"""The families of encoders, and which of them a folder holds."""

from pathlib import Path
from typing import Any

from minitransformer.errors import UserError
from minitransformer.interop.config_file import read_config_file
from minitransformer.models.bert import Bert
from minitransformer.models.bert_for_sequence_classification import BertForSequenceClassification
from minitransformer.models.distilbert import DistilBert
from minitransformer.models.electra import Electra
from minitransformer.models.lstm_encoder import LstmEncoder
from minitransformer.models.lstm_for_sequence_classification import LstmForSequenceClassification
from minitransformer.models.mpnet import MPNet
from minitransformer.models.roberta import Roberta, XlmRoberta
from minitransformer.models.sequence_classifier import SequenceClassifier
from minitransformer.models.stacked_encoder import StackedEncoder
from minitransformer.models.transformer_encoder import TransformerEncoder

TRANSFORMERS: tuple[type[TransformerEncoder], ...] = (Bert, Roberta, XlmRoberta, DistilBert, Electra, MPNet)
ENCODERS: tuple[type[StackedEncoder], ...] = (*TRANSFORMERS, LstmEncoder)


def encoder_of_folder(folder: Path) -> type[StackedEncoder]:
    """The family in the folder's config.json; BERT if it names none. Raises UserError for one that isn't supported."""
    settings = read_config_file(folder)
    kind = settings["model_type"] or Bert.layout.model_type
    for encoder in ENCODERS:
        if encoder.layout.model_type == kind:
            return encoder
    known = ", ".join(encoder.layout.model_type for encoder in ENCODERS)
    raise UserError(f"{settings.file}: model_type is {kind!r}, which isn't supported; {known} are")


def encoder_of_config(config: Any) -> type[StackedEncoder]:
    """The family that a config is of."""
    return next(encoder for encoder in ENCODERS if encoder.config_type is type(config))


def classifier_of_folder(folder: Path) -> type[SequenceClassifier]:
    """What classifies texts with the encoder in a folder: a BERT, unless it is an LSTM."""
    is_lstm = read_config_file(folder)["model_type"] == LstmEncoder.layout.model_type
    return LstmForSequenceClassification if is_lstm else BertForSequenceClassification
