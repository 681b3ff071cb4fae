"""Training a sentence encoder on a table of pairs or triplets: a run of training/runs/fine_tuning.py.

objective        learns from
classification   labelled pairs
regression       scored pairs
cosent           scored pairs
ranking          triplets, pairs labelled "entailment" and "contradiction" (NLI), or pairs that belong together
triplet          triplets
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minitransformer.batches.sentence_examples import dev_examples, entailed_columns, sentence_examples, target_cosines
from minitransformer.corpora.tables import LABELLED_PAIRS, PAIRS, SCORED_PAIRS, TRIPLETS, Table, has_columns, read_table
from minitransformer.corpora.targets import different_scores, label_ids, label_names
from minitransformer.errors import UserError
from minitransformer.evaluation.sentences import evaluate_sentences
from minitransformer.models.sentence_encoder import SentenceEncoder
from minitransformer.models.siamese_network import SiameseNetwork
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
        train = read_table(settings.train, *LAYOUTS[settings.objective])
        self.label_names = label_names(train) if settings.objective == "classification" else ()
        self.dev = dev_examples(read_table(settings.dev, *DEV_LAYOUTS), self.label_names)
        columns, targets = columns_and_targets(train, settings, self.label_names)
        encoder = SentenceEncoder.from_pretrained(
            settings.model, pooling=settings.pooling, max_seq_length=settings.max_length
        )
        adapt(encoder, settings.model, settings, heads=("head",))
        self.tokenizer = encoder.tokenizer
        self.examples = sentence_examples(columns, lambda texts: encoder.tokenize(texts, "warn"), targets)
        objective = make_objective(settings, encoder.embedding_size, len(self.label_names))
        self.model = SiameseNetwork(encoder, objective, self.label_names, settings.seed)
        super().prepare()

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
) -> tuple[Sequence[Sequence[str | None]], np.ndarray | None]:
    """The texts of the examples, and the label ids or scores that the objective is trained on.

    Raises UserError if they make no sense for it.
    """
    if settings.objective == "classification":
        return table.texts, label_ids(table, names)
    if settings.objective == "regression":
        return table.texts, target_cosines(table, settings.highest_score)
    if settings.objective == "cosent":
        return table.texts, different_scores(table)
    if tuple(table.columns) == PAIRS and has_columns(table.path, SCORED_PAIRS):
        raise UserError(
            f"{table.path} has scores, but ranking takes every pair as belonging together; choose the objective "
            "regression or cosent, or delete the column if they do"
        )
    return (entailed_columns(table) if "label" in table.columns else table.texts), None
