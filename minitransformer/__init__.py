"""The Transformer in pure NumPy, every gradient derived by hand: BERT, Sentence-BERT, GPT, and search built on them.

The public names below are loaded when they are first used, so that `import minitransformer` costs next to nothing.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from minitransformer.batches.classification_batch import ClassificationBatch as ClassificationBatch
    from minitransformer.batches.pretraining_batch import PretrainingBatch as PretrainingBatch
    from minitransformer.errors import UserError as UserError
    from minitransformer.inference.generation.generate import generate as generate
    from minitransformer.interop.lora_settings import LoraSettings as LoraSettings
    from minitransformer.models.bert import Bert as Bert
    from minitransformer.models.bert_config import BertConfig as BertConfig
    from minitransformer.models.bert_for_pretraining import BertForPreTraining as BertForPreTraining
    from minitransformer.models.bert_for_sequence_classification import (
        BertForSequenceClassification as BertForSequenceClassification,
    )
    from minitransformer.models.classifier_settings import ClassifierSettings as ClassifierSettings
    from minitransformer.models.distilbert import DistilBert as DistilBert
    from minitransformer.models.distilbert import DistilBertConfig as DistilBertConfig
    from minitransformer.models.electra import Electra as Electra
    from minitransformer.models.electra import ElectraConfig as ElectraConfig
    from minitransformer.models.gpt import Gpt as Gpt
    from minitransformer.models.gpt_config import GptConfig as GptConfig
    from minitransformer.models.lora import add_lora as add_lora
    from minitransformer.models.mpnet import MPNet as MPNet
    from minitransformer.models.mpnet import MPNetConfig as MPNetConfig
    from minitransformer.models.roberta import Roberta as Roberta
    from minitransformer.models.roberta import RobertaConfig as RobertaConfig
    from minitransformer.models.roberta import XlmRoberta as XlmRoberta
    from minitransformer.models.roberta import XlmRobertaConfig as XlmRobertaConfig
    from minitransformer.models.sentence_encoder import SentenceEncoder as SentenceEncoder
    from minitransformer.models.sentence_encoder_settings import SentenceEncoderSettings as SentenceEncoderSettings
    from minitransformer.models.seq2seq import Seq2Seq as Seq2Seq
    from minitransformer.models.seq2seq_config import Seq2SeqConfig as Seq2SeqConfig
    from minitransformer.search.product_index import ProductIndex as ProductIndex
    from minitransformer.text.bert_tokenizer import BertTokenizer as BertTokenizer
    from minitransformer.text.byte_pair_tokenizer import BytePairTokenizer as BytePairTokenizer
    from minitransformer.text.character_tokenizer import CharacterTokenizer as CharacterTokenizer
    from minitransformer.text.packed_tokens import PackedTokens as PackedTokens
    from minitransformer.training.optimizer.adamw import AdamW as AdamW
    from minitransformer.training.optimizer.clipping import clip_scale as clip_scale
    from minitransformer.training.optimizer.schedule import linear_warm_up_and_decay as linear_warm_up_and_decay
    from minitransformer.training.workers import Workers as Workers

__version__ = "0.1.0"

_HOME = {
    "AdamW": "training.optimizer.adamw",
    "Bert": "models.bert",
    "BertConfig": "models.bert_config",
    "BertForPreTraining": "models.bert_for_pretraining",
    "BertForSequenceClassification": "models.bert_for_sequence_classification",
    "BertTokenizer": "text.bert_tokenizer",
    "BytePairTokenizer": "text.byte_pair_tokenizer",
    "CharacterTokenizer": "text.character_tokenizer",
    "ClassificationBatch": "batches.classification_batch",
    "ClassifierSettings": "models.classifier_settings",
    "DistilBert": "models.distilbert",
    "DistilBertConfig": "models.distilbert",
    "Electra": "models.electra",
    "ElectraConfig": "models.electra",
    "Gpt": "models.gpt",
    "GptConfig": "models.gpt_config",
    "LoraSettings": "interop.lora_settings",
    "MPNet": "models.mpnet",
    "MPNetConfig": "models.mpnet",
    "PackedTokens": "text.packed_tokens",
    "PretrainingBatch": "batches.pretraining_batch",
    "ProductIndex": "search.product_index",
    "Roberta": "models.roberta",
    "RobertaConfig": "models.roberta",
    "SentenceEncoder": "models.sentence_encoder",
    "SentenceEncoderSettings": "models.sentence_encoder_settings",
    "Seq2Seq": "models.seq2seq",
    "Seq2SeqConfig": "models.seq2seq_config",
    "UserError": "errors",
    "Workers": "training.workers",
    "XlmRoberta": "models.roberta",
    "XlmRobertaConfig": "models.roberta",
    "add_lora": "models.lora",
    "clip_scale": "training.optimizer.clipping",
    "generate": "inference.generation.generate",
    "linear_warm_up_and_decay": "training.optimizer.schedule",
}

__all__ = [*_HOME]


def __getattr__(name: str):
    if name not in _HOME:
        raise AttributeError(f"module 'minitransformer' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(importlib.import_module(f"minitransformer.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
