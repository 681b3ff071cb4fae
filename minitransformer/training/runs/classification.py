"""Fine-tuning a BERT to classify or score texts or pairs of texts: a run of training/runs/fine_tuning.py."""

import warnings
from dataclasses import dataclass, field
from typing import Any

from minitransformer.batches.classification_batch import ClassificationBatch
from minitransformer.corpora.tables import LABELLED_PAIRS, LABELLED_TEXTS, SCORED_PAIRS, SCORED_TEXTS, Table, read_table
from minitransformer.corpora.targets import different_scores, label_names, targets_of
from minitransformer.errors import UserError
from minitransformer.evaluation.classification import prediction_metrics
from minitransformer.inference.prediction import scores_of
from minitransformer.interop.model_files import TOKENIZER_FILES, ModelFiles
from minitransformer.models.bert_for_sequence_classification import BertForSequenceClassification
from minitransformer.models.classifier_settings import ClassifierSettings
from minitransformer.text.bert_tokenizer import BertTokenizer
from minitransformer.text.packed_tokens import PackedTokens
from minitransformer.training.lora import adapt
from minitransformer.training.optimizer.adamw import RateFactor
from minitransformer.training.optimizer.learning_rates import rate_factors_by_depth
from minitransformer.training.runs.fine_tuning import FineTuningRun, FineTuningSettings

LAYOUTS = (LABELLED_PAIRS, LABELLED_TEXTS, SCORED_PAIRS, SCORED_TEXTS)


@dataclass(frozen=True, kw_only=True)
class ClassificationTrainingSettings(FineTuningSettings):
    """What fine-tuning a classifier is told, in addition to what FineTuningSettings names.

    The defaults are from the ranges of Devlin et al. 2018 (arXiv 1810.04805), appendix A.3.

    pooling         the row that the classifier sees, as in ClassifierSettings
    hidden_sizes    of dense layers between the pooled row and the classifier
    dropout         before each layer of the head; None for BERT's own
    multi_label     whether a text may have several labels, separated by commas
    freeze_encoder  train only what is above the encoder
    rate_decay      each layer's learning rate as a fraction of the layer above's
    """

    learning_rate: float = 5e-5
    epochs: int = 3
    batch_size: int = 32
    pooling: str = ClassifierSettings.pooling
    hidden_sizes: list[int] = field(default_factory=list)
    dropout: float | None = None
    multi_label: bool = False
    freeze_encoder: bool = False
    rate_decay: float = 1.0


class ClassificationRun(FineTuningRun):
    """`model` is the classifier; `examples` are those to learn from, `dev` those to evaluate on."""

    settings_type = ClassificationTrainingSettings
    settings: ClassificationTrainingSettings
    examples: ClassificationBatch

    def prepare(self) -> None:
        settings = self.settings
        if settings.freeze_encoder and settings.lora:
            raise UserError("--freeze-encoder leaves nothing of the encoder to train, and --lora does; choose one")
        train = read_table(settings.train, *LAYOUTS)
        dev = read_table(settings.dev, (*train.columns,))
        head = classifier_settings(train, settings)
        targets, dev_targets = (targets_of(table, head.problem_type, head.labels) for table in (train, dev))
        if head.problem_type == "regression":
            for table in (train, dev):
                different_scores(table)  # raises if there is nothing to learn or to measure
        files = ModelFiles.of(settings.model)
        self.model = BertForSequenceClassification.from_pretrained(files, seed=settings.seed, settings=head)
        hidden = ["hidden_layers"] if settings.hidden_sizes else []
        pooler = ["bert.pooler"] if settings.pooling == "pooler" else []
        adapt(self.model, settings.model, settings, ("classifier", *hidden, *pooler))
        if settings.freeze_encoder:
            self.model.freeze(self.model.bert.embeddings, self.model.bert.layers)
        if head.problem_type == "regression":
            self.model.classifier.bias.value[...] = targets.mean()  # the scores are nearest from there
        self.tokenizer = BertTokenizer.from_pretrained(files.folder_with(*TOKENIZER_FILES))
        limit = settings.max_length or self.tokenizer.model_max_length
        self.tokenizer.model_max_length = min(limit, self.model.config.max_position_embeddings)
        self.examples = ClassificationBatch(tokens_of(train, self.tokenizer), targets)
        self.dev = ClassificationBatch(tokens_of(dev, self.tokenizer), dev_targets)
        super().prepare()

    def rate_factors(self) -> list[RateFactor]:
        return rate_factors_by_depth(self.model, self.model.config.num_hidden_layers, self.settings.rate_decay)

    def evaluate(self) -> Any:
        problem_type = self.model.settings.problem_type
        return prediction_metrics(problem_type, scores_of(self.model, self.dev.tokens), self.dev.targets)


def classifier_settings(table: Table, settings: ClassificationTrainingSettings) -> ClassifierSettings:
    """The head that a training table asks for. Raises UserError if it isn't the one that the settings ask for."""
    names: tuple[str, ...] = ("score",)
    problem_type = "regression"
    if "label" in table.columns:
        names = label_names(table, several=settings.multi_label)
        problem_type = "multi_label_classification" if settings.multi_label else "single_label_classification"
    elif settings.multi_label:
        raise UserError(f"{table.path} has scores instead of labels; leave out --multi-label, which is for labels")
    return ClassifierSettings(names, problem_type, settings.pooling, tuple(settings.hidden_sizes), settings.dropout)


def tokens_of(table: Table, tokenizer: BertTokenizer) -> PackedTokens:
    """The texts of a table, or its pairs of texts, cut to the tokenizer's maximum; a warning says how many were."""
    limit = tokenizer.model_max_length
    tokens = tokenizer.pack(table.texts, limit)
    num_full = int((tokens.lengths == limit).sum())
    if num_full:
        warnings.warn(
            f"{table.path}: {num_full:,} of {len(tokens):,} texts fill all of the {limit} tokens that a text may have; "
            "what is longer was cut off",
            stacklevel=2,
        )
    return tokens
