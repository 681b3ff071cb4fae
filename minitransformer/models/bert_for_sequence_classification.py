"""BERT with a classifier on top."""

from minitransformer.interop.layouts.bert import BERT
from minitransformer.models.bert import Bert
from minitransformer.models.bert_config import BertConfig
from minitransformer.models.sequence_classifier import SequenceClassifier


class BertForSequenceClassification(SequenceClassifier):
    """BERT fine-tuned for a task (Devlin et al. 2018, arXiv 1810.04805, section 4); see SequenceClassifier.

    >>> from minitransformer import BertConfig, BertForSequenceClassification, ClassifierSettings, PackedTokens
    >>> settings = ClassifierSettings(labels=("sadness", "joy", "anger"))
    >>> model = BertForSequenceClassification(BertConfig.preset("tiny", vocab_size=1000), settings)
    >>> model(PackedTokens.pack([[2, 17, 42, 3], [2, 99, 3]])).shape
    (2, 3)
    """

    config_type = BertConfig
    layout = BERT
    architecture = "BertForSequenceClassification"
    poolings = "pooler", "cls", "mean", "max"

    @property
    def encoder(self) -> Bert:
        return self.bert

    def _add_encoder(self) -> None:
        self.bert = Bert(self.config, seed=None)
