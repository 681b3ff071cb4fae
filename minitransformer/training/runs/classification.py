"""Fine-tuning a BERT to classify or score texts or pairs of texts: a run of training/runs/fine_tuning.py."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from minitransformer.batches.classification_batch import ClassificationBatch
from minitransformer.corpora.tables import (
    LABELLED_PAIRS,
    LABELLED_TEXTS,
    SCORED_PAIRS,
    SCORED_TEXTS,
    Layout,
    Table,
    read_table,
)
from minitransformer.corpora.targets import different_scores, label_names, targets_of, with_labels
from minitransformer.errors import UserError
from minitransformer.evaluation.classification import prediction_metrics
from minitransformer.inference.prediction import cut_tokens, scores_of
from minitransformer.interop.model_files import TOKENIZER_FILES, ModelFiles
from minitransformer.models.classifier_settings import ClassifierSettings
from minitransformer.models.encoders import classifier_of_folder
from minitransformer.text.bert_tokenizer import BertTokenizer
from minitransformer.text.packed_tokens import PackedTokens
from minitransformer.text.truncation import Truncation
from minitransformer.training.lora import adapt
from minitransformer.training.optimizer.adamw import RateFactor
from minitransformer.training.optimizer.learning_rates import rate_factors_by_depth
from minitransformer.training.runs.fine_tuning import FineTuningRun, FineTuningSettings

LAYOUTS = (LABELLED_PAIRS, LABELLED_TEXTS, SCORED_PAIRS, SCORED_TEXTS)


@dataclass(frozen=True, kw_only=True)
class ClassificationTrainingSettings(FineTuningSettings):
    """What fine-tuning a classifier is told, in addition to what FineTuningSettings names.

    The defaults are from the ranges of Devlin et al. 2018 (arXiv 1810.04805), appendix A.3.

    pooling         the row that the classifier sees, as in ClassifierSettings; None for what the model says
    hidden_sizes    of dense layers between the pooled row and the classifier; empty for what the model says
    dropout         before each layer of the head; None for BERT's own
    multi_label     whether a text may have several labels, separated by commas
    freeze_encoder  train only what is above the encoder
    rate_decay      each layer's learning rate as a fraction of the layer above's
    """

    learning_rate: float = 5e-5
    epochs: int = 3
    batch_size: int = 32
    pooling: str | None = None
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
        self.check_tables()
        train = read_labelled(settings.train, LAYOUTS, settings.multi_label)
        self.column_names = train.names
        dev = read_labelled(settings.dev, [(*train.columns,)], settings.multi_label)
        files = ModelFiles.of(settings.model)
        self.kind = classifier_of_folder(files.base)
        head = self._choose_head(train, files)
        targets, dev_targets = (targets_of(table, head.problem_type, head.labels) for table in (train, dev))
        check_targets(train, dev, head)
        self.model = self.kind.from_pretrained(files, seed=settings.seed, settings=head, new_head=not self.goes_on)
        hidden = ["hidden_layers"] if head.hidden_sizes else []
        pooler = ["bert.pooler"] if head.pooling == "pooler" else []
        adapt(self.model, settings.model, settings, ("classifier", *hidden, *pooler))
        if settings.freeze_encoder:
            self.model.freeze(self.model.encoder.embeddings, self.model.encoder.layers)
        if head.problem_type == "regression" and not self.goes_on:
            self.model.classifier.bias.value[...] = targets.mean()  # the scores are nearest from there
        self.tokenizer = BertTokenizer.from_pretrained(files.folder_with(*TOKENIZER_FILES))
        limit = settings.max_length or self.tokenizer.model_max_length
        self.tokenizer.model_max_length = min(limit, self.model.config.max_position_embeddings)
        self.examples = ClassificationBatch(different_tokens(train, self.tokenizer), targets)
        self.dev = ClassificationBatch(tokens_of(dev, self.tokenizer), dev_targets)
        super().prepare()

    def _choose_head(self, train: Table, files: ModelFiles) -> ClassifierSettings:
        """The model's own head if it can learn from the table (then `goes_on` is true), otherwise a new one."""
        settings = self.settings
        own, asked = self.kind.settings_in(files), classifier_settings(train, settings, self.kind.poolings[0])
        self.goes_on = own is not None and can_go_on(own, asked, settings)
        if own is None:
            return asked
        if self.goes_on:
            dropout = own.dropout if settings.dropout is None else settings.dropout
            return replace(own, dropout=dropout, num_texts=asked.num_texts)
        has_another = f"{settings.model} has another classifier, for {in_short(own.labels)}"
        warnings.warn(f"{has_another}; a new one is trained for {in_short(asked.labels)}", stacklevel=5)
        return asked

    def describe(self) -> str:
        classifier = "the model's own" if self.goes_on else "a new one"
        return f"{super().describe()}\nClassifier: {classifier}, for {in_short(self.model.settings.labels)}"

    def rate_factors(self) -> list[RateFactor]:
        return rate_factors_by_depth(self.model, self.model.config.num_hidden_layers, self.settings.rate_decay)

    def evaluate(self) -> Any:
        problem_type = self.model.settings.problem_type
        return prediction_metrics(problem_type, scores_of(self.model, self.dev.tokens), self.dev.targets)


def read_labelled(path: str, layouts: Sequence[Layout], several: bool) -> Table:
    """The examples of a table that have a label or score; with `several`, a text may have no label."""
    return with_labels(read_table(path, *layouts, may_be_empty=("label",) if several else ()))


def classifier_settings(table: Table, settings: ClassificationTrainingSettings, pooling: str) -> ClassifierSettings:
    """The head that a training table asks for, with this pooling if the settings name none.

    Raises UserError if it isn't the one that the settings ask for.
    """
    names: tuple[str, ...] = ("score",)
    problem_type = "regression"
    if "label" in table.columns:
        names = label_names(table, several=settings.multi_label)
        problem_type = "multi_label_classification" if settings.multi_label else "single_label_classification"
    elif settings.multi_label:
        raise UserError(f"{table.path} has scores instead of labels; leave out --multi-label, which is for labels")
    pooling, hidden_sizes = settings.pooling or pooling, tuple(settings.hidden_sizes)
    return ClassifierSettings(names, problem_type, pooling, hidden_sizes, settings.dropout, len(table.texts))


def check_targets(train: Table, dev: Table, head: ClassifierSettings) -> None:
    """Raise UserError if there is nothing to learn or to measure, and say so if there is little."""
    if head.problem_type == "regression":
        for table in (train, dev):
            different_scores(table)
    elif head.problem_type == "single_label_classification" and len({*dev.columns["label"]}) == 1:
        same = f"all examples have the label {dev.columns['label'][0]}"
        warnings.warn(f"{dev.path}: {same}; an accuracy on them says nothing of the others", stacklevel=4)


def can_go_on(own: ClassifierSettings, asked: ClassifierSettings, settings: ClassificationTrainingSettings) -> bool:
    """Whether the model's own classifier can learn from the table: it answers the same, and is built as asked for."""
    same_answers = len(own.labels) == 1 if asked.problem_type == "regression" else {*asked.labels} <= {*own.labels}
    same_head = settings.pooling in (None, own.pooling) and asked.hidden_sizes in ((), own.hidden_sizes)
    return own.problem_type == asked.problem_type and same_answers and same_head


def different_tokens(table: Table, tokenizer: BertTokenizer) -> PackedTokens:
    """As tokens_of; raises UserError if all texts are the same: there is nothing to tell them apart by."""
    tokens = tokens_of(table, tokenizer)
    if len(tokens) > 1 and len({ids.tobytes() for ids in tokens.unpack(tokens.token_ids)}) == 1:
        same = f"all texts have the same {tokens.lengths[0]} tokens"
        raise UserError(f"{table.path}: {same}, by which none can be told apart")
    return tokens


def tokens_of(table: Table, tokenizer: BertTokenizer) -> PackedTokens:
    """The texts of a table, or its pairs of texts, cut to the tokenizer's maximum; a warning says how many were."""
    limit = tokenizer.model_max_length
    if limit < 1 + 2 * len(table.texts):  # [CLS], and of each text a token and [SEP]
        raise UserError(f"max_length is {limit}, which leaves no room for a text beside [CLS] and [SEP]")
    cutter = Truncation(limit, "warn")
    tokens = cut_tokens(table.texts, tokenizer, cutter)
    cutter.report(str(table.path))
    return tokens


def in_short(labels: Sequence[str]) -> str:
    """The first labels."""
    return ", ".join(labels[:10]) + (f" and {len(labels) - 10} more" if len(labels) > 10 else "")
