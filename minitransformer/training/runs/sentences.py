"""Training a sentence encoder on a table of pairs or triplets: a run of training/runs/fine_tuning.py.

objective        learns from
classification   labelled pairs
regression       scored pairs
cosent           scored pairs
ranking          triplets, pairs labelled "entailment" and "contradiction" (NLI), or pairs that belong together
triplet          triplets
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from minitransformer.batches.sentence_examples import (
    DevExamples,
    dev_examples,
    entailed_columns,
    sentence_examples,
    target_cosines,
    triplets_of,
)
from minitransformer.corpora.tables import LABELLED_PAIRS, PAIRS, SCORED_PAIRS, TRIPLETS, Table, read_table
from minitransformer.corpora.targets import different_scores, label_ids, label_names, with_labels
from minitransformer.errors import UserError
from minitransformer.evaluation.sentences import evaluate_sentences
from minitransformer.interop.hub import model_folder
from minitransformer.models.sentence_encoder import SentenceEncoder
from minitransformer.models.siamese_network import SiameseNetwork, has_pair_classifier, pair_classifier_settings
from minitransformer.objectives.classification import ClassificationObjective
from minitransformer.objectives.cosent import CosentObjective
from minitransformer.objectives.ranking import RankingObjective
from minitransformer.objectives.regression import RegressionObjective
from minitransformer.objectives.triplet import TripletObjective
from minitransformer.training.lora import adapt
from minitransformer.training.runs.fine_tuning import FineTuningRun, FineTuningSettings
from minitransformer.training.tasks.sentences import SiameseTask

LAYOUTS = {  # of the training table of each objective
    "classification": (LABELLED_PAIRS,),
    "regression": (SCORED_PAIRS,),
    "cosent": (SCORED_PAIRS,),
    "ranking": (TRIPLETS, LABELLED_PAIRS, PAIRS),
    "triplet": (TRIPLETS,),
}
DEV_LAYOUTS = (TRIPLETS, SCORED_PAIRS, LABELLED_PAIRS, PAIRS)

Columns = Sequence[Sequence[str | None]]  # the texts of the examples, None where there is no negative


@dataclass(frozen=True, kw_only=True)
class SentencesTrainingSettings(FineTuningSettings):
    """What training a sentence encoder is told, in addition to what FineTuningSettings names.

    The defaults are those of Reimers, Gurevych 2019 (arXiv 1908.10084), section 3.1.

    objective         a key of LAYOUTS
    pooling           "mean", "max" or "cls"; None for what the model says
    components        of the classification objective's concatenation (ops/pair_features.py)
    margin            of the triplet objective, in Euclidean distance
    scale             of the ranking and the CoSENT objective: what cosines are multiplied by
    symmetric         whether, in the ranking objective, positives rank anchors as well
    highest_score     the score of a cosine of 1 in regression; None for the highest score of the training table
    gradient_caching  encode every batch twice, to need the memory of one shard only (training/tasks/sentences.py)
    """

    objective: str
    learning_rate: float = 2e-5
    epochs: int = 1
    batch_size: int = 16
    pooling: str | None = None
    components: list[str] = field(default_factory=lambda: ["u", "v", "|u-v|"])
    margin: float = 1.0
    scale: float = 20.0
    symmetric: bool = False
    highest_score: float | None = None
    gradient_caching: bool = False


class SentencesRun(FineTuningRun):
    """`model` is the siamese network; `examples` are those to learn from, `dev` those to evaluate on."""

    settings_type = SentencesTrainingSettings
    settings: SentencesTrainingSettings

    def prepare(self) -> None:
        settings = self.settings
        self.check_tables()
        train = with_labels(read_table(settings.train, *LAYOUTS[settings.objective]))
        self.column_names, own_classifier = train.names, self._choose_labels(train)
        self.dev = dev_examples(with_labels(read_table(settings.dev, *DEV_LAYOUTS)), self.label_names)
        check_that_it_measures(self.dev, settings.dev)
        columns, targets = columns_and_targets(train, settings, self.label_names)
        self.smallest_batch = smallest_batch(columns, settings.objective)
        check_that_it_teaches(columns, settings, self.smallest_batch)
        encoder = SentenceEncoder.from_pretrained(
            settings.model, pooling=settings.pooling, max_seq_length=settings.max_length
        )
        adapt(encoder, settings.model, settings, heads=("head",))
        self.tokenizer = encoder.tokenizer
        self.examples = sentence_examples(columns, lambda texts: encoder.tokenize(texts, "warn"), targets)
        objective = make_objective(settings, encoder.embedding_size, len(self.label_names))
        self.model = SiameseNetwork(encoder, objective, self.label_names, settings.seed)
        if own_classifier:
            self.model.load_classifier(own_classifier)
        super().prepare()

    def _choose_labels(self, train: Table) -> Path | None:
        """Set label_names. Returns the model's folder if it has a pair classifier of them to go on with."""
        settings = self.settings
        self.label_names = label_names(train) if settings.objective == "classification" else ()
        if not has_pair_classifier(folder := model_folder(settings.model)):
            return None
        labels, components = pair_classifier_settings(folder)
        if self.label_names and {*self.label_names} <= {*labels} and [*components] == settings.components:
            self.label_names = labels
            return folder
        instead = "a new one is trained" if self.label_names else f"the objective {settings.objective} keeps none"
        warnings.warn(f"{settings.model} has a pair classifier for {', '.join(labels)}; {instead}", stacklevel=5)
        return None

    def make_task(self, batch: Callable[[int], Any]) -> SiameseTask:
        return SiameseTask(batch, self.settings.num_shards, self.settings.gradient_caching)

    def evaluate(self) -> Any:
        return evaluate_sentences(self.model, self.dev)


def make_objective(settings: SentencesTrainingSettings, embedding_size: int, num_labels: int) -> Any:
    if settings.objective == "classification":
        return ClassificationObjective(embedding_size, num_labels, tuple(settings.components))
    if settings.objective == "ranking":
        return RankingObjective(settings.scale, settings.symmetric)
    if settings.objective == "cosent":
        return CosentObjective(settings.scale)
    return TripletObjective(settings.margin) if settings.objective == "triplet" else RegressionObjective()


def columns_and_targets(
    table: Table, settings: SentencesTrainingSettings, names: tuple[str, ...]
) -> tuple[Columns, np.ndarray | None]:
    """The texts of the examples, and the label ids or scores that the objective is trained on.

    Raises UserError if they make no sense for it.
    """
    if settings.objective == "classification":
        return table.texts, label_ids(table, names)
    if settings.objective == "triplet":
        return triplets_of(table), None
    if settings.objective == "regression":
        return table.texts, target_cosines(table, settings.highest_score)
    if settings.objective == "cosent":
        return table.texts, different_scores(table)
    if tuple(table.columns) == PAIRS and "score" in table.others:
        raise UserError(
            f"{table.path} has scores, but ranking takes every pair as belonging together; choose the objective "
            "regression or cosent, or delete the column if they do"
        )
    return (entailed_columns(table) if "label" in table.columns else table.texts), None


def check_that_it_measures(dev: DevExamples, file: str) -> None:
    """Raise UserError for pairs that belong together, all with one second text: every answer would be right."""
    if dev.gold is None and dev.label_ids is None and len(dev.columns) == 2 and len({*dev.columns[1]}) < 2:
        raise UserError(f"{file}: all pairs have the same second text, so that finding it says nothing")


def smallest_batch(columns: Columns, objective: str) -> int:
    """How many examples a batch needs for a loss that isn't 0 by itself.

    Ranking tells a positive from those of other examples, unless each example has a negative of its own; CoSENT
    compares scores.
    """
    has_negatives = len(columns) > 2 and None not in columns[2]
    return 2 if objective == "cosent" or (objective == "ranking" and not has_negatives) else 1


def check_that_it_teaches(columns: Columns, settings: SentencesTrainingSettings, smallest: int) -> None:
    """Raise UserError for examples or a batch size with which every gradient is 0."""
    if settings.batch_size < smallest:
        what = "other pairs to tell apart" if settings.objective == "ranking" else "two scores to compare"
        needs = f"the objective {settings.objective} needs {what} in a batch: at least 2, better 16 and more"
        raise UserError(f"--batch-size is {settings.batch_size}, but {needs}")
    if len(columns[0]) < smallest:
        raise UserError(f"{settings.train} gives one example, but the objective {settings.objective} compares several")
    if settings.objective == "ranking" and smallest > 1 and len({*columns[1]}) == 1:
        raise UserError(f"{settings.train}: all examples have the same second text, so there is nothing to tell apart")
    if settings.objective == "triplet" and columns[1] == columns[2]:
        raise UserError(f"{settings.train}: every negative is the positive itself, so there is nothing to tell apart")
