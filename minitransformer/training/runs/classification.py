"""Fine-tuning a BERT to classify or score texts or pairs of texts (training/runs/fine_tuning.py)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from minitransformer.batches.epochs import Epochs
from minitransformer.corpora.tables import LABELLED_PAIRS, LABELLED_TEXTS, SCORED_PAIRS, SCORED_TEXTS, Table, read_table
from minitransformer.corpora.targets import different_scores, label_ids, label_matrix, label_names, scores
from minitransformer.errors import UserError
from minitransformer.inference.prediction import tokenized
from minitransformer.interop.classifier_settings import ClassifierSettings
from minitransformer.interop.hub import model_folder
from minitransformer.models.bert_for_sequence_classification import BertForSequenceClassification
from minitransformer.text.bert_tokenizer import BertTokenizer
from minitransformer.text.packed_tokens import PackedTokens
from minitransformer.training.optimizer.adamw import RateFactor
from minitransformer.training.optimizer.learning_rates import rate_factors_by_depth
from minitransformer.training.runs.fine_tuning import FineTuningRun, FineTuningSettings
from minitransformer.training.tasks.classification import ClassifierTask

LAYOUTS = (LABELLED_PAIRS, LABELLED_TEXTS, SCORED_PAIRS, SCORED_TEXTS)


@dataclass(frozen=True, kw_only=True)
class ClassifierTrainingSettings(FineTuningSettings):
    """What fine-tuning a classifier is told, beside what FineTuningSettings names.

    The defaults are from the ranges of Devlin et al. 2018 (arXiv 1810.04805), appendix A.3.

    pooling         "cls": BERT's pooler on the row of [CLS]; "mean": the mean of all rows
    hidden_sizes    of dense layers between the pooled row and the classifier
    dropout         before each layer of the head; None for BERT's own
    multi_label     whether a text may have several labels, with commas between them
    freeze_encoder  train what is above the encoder only
    rate_decay      the learning rate of each layer is so many times that of the layer above it
    """

    learning_rate: float = 5e-5
    epochs: int = 3
    batch_size: int = 32
    pooling: str = "cls"
    hidden_sizes: list[int] = field(default_factory=list)
    dropout: float | None = None
    multi_label: bool = False
    freeze_encoder: bool = False
    rate_decay: float = 1.0


class ClassifierRun(FineTuningRun):
    """`model` is the classifier; `dev_tokens` and `dev_targets` are the examples to evaluate it on."""

    settings_type = ClassifierTrainingSettings
    settings: ClassifierTrainingSettings
    model: BertForSequenceClassification

    def __init__(self, folder: Path, settings: ClassifierTrainingSettings) -> None:
        super().__init__(folder, settings)
        train = read_table(settings.train, *LAYOUTS)
        dev = read_table(settings.dev, (*train.columns,))
        head = classifier_settings(train, settings)
        self.targets, self.dev_targets = targets_of(train, head), targets_of(dev, head)
        if head.problem_type == "regression":
            for table in (train, dev):
                different_scores(table)  # raises if there is nothing to learn or to measure
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the classifier, which is new, and of heads that aren't needed
            self.model = BertForSequenceClassification.from_pretrained(
                settings.model, seed=settings.seed, settings=head
            )
        if settings.freeze_encoder:
            self.model.freeze(self.model.bert.embeddings, self.model.bert.layers)
        if head.problem_type == "regression":
            self.model.classifier.bias.value[...] = self.targets.mean()  # where the way to the scores is shortest
        self.tokenizer = BertTokenizer.from_pretrained(model_folder(settings.model))
        positions = self.model.config.max_position_embeddings
        self.tokenizer.model_max_length = min(settings.max_length or self.tokenizer.model_max_length, positions)
        self.tokens, self.dev_tokens = (tokens_of(table, self.tokenizer) for table in (train, dev))
        self.num_examples = len(self.tokens)

    def task(self, epochs: Epochs) -> ClassifierTask:
        return ClassifierTask(self.tokens, self.targets, epochs, self.settings.num_shards)

    def rate_factors(self) -> list[RateFactor]:
        return rate_factors_by_depth(self.model, self.model.config.num_hidden_layers, self.settings.rate_decay)


def classifier_settings(table: Table, settings: ClassifierTrainingSettings) -> ClassifierSettings:
    """The head that a training table asks for. Raises UserError if it isn't the one that the settings ask for."""
    labels: tuple[str, ...] = ("score",)
    problem_type = "regression"
    if "label" in table.columns:
        labels = label_names(table, several=settings.multi_label)
        problem_type = "multi_label_classification" if settings.multi_label else "single_label_classification"
    elif settings.multi_label:
        raise UserError(f"{table.path} has scores instead of labels; leave out --multi-label, which is for labels")
    return ClassifierSettings(labels, problem_type, settings.pooling, tuple(settings.hidden_sizes), settings.dropout)


def targets_of(table: Table, head: ClassifierSettings) -> np.ndarray:
    """What the loss compares the logits with: classes (n,), labels (n, K) or scores (n, 1)."""
    if head.problem_type == "regression":
        return scores(table)[:, None]
    of_table = label_matrix if head.problem_type == "multi_label_classification" else label_ids
    return of_table(table, head.labels)


def tokens_of(table: Table, tokenizer: BertTokenizer) -> PackedTokens:
    """The texts of a table, or its pairs of texts, cut at the tokenizer's longest; a warning says how many were."""
    limit = tokenizer.model_max_length
    tokens = tokenized(tokenizer, table.texts, limit)
    full = int((tokens.lengths == limit).sum())
    if full:
        warnings.warn(
            f"{table.path}: {full:,} of {len(tokens):,} texts fill all of the {limit} tokens that a text may have; "
            "what is longer was cut off",
            stacklevel=2,
        )
    return tokens
