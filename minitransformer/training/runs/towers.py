"""Training two towers on a search log, in the two steps of a cascade (Xie et al. 2022, arXiv 2209.05555, figure 4).

    warm-up    one encoder for queries and products, on all positives of the log, with all wrong products alike
    cascade    both towers begin as that encoder, untied; on the best positives, with the wrong ones re-weighted

Each step is a run of its own, with its own checkpoints, metrics and best model: the cascade's folder is the run's, and
the warm-up's is in it:

folder/
  ...        as training/runs/best.py says; the model is the towers (models/two_towers.py)
  warm-up/   the same of the warm-up, whose model is as good for an index, and to compare with
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from minitransformer.batches.epochs import Epochs
from minitransformer.batches.product_pairs import ProductPairs, product_pairs
from minitransformer.errors import UserError
from minitransformer.evaluation.towers import HeldOut, TowersMetrics, evaluate_towers
from minitransformer.files import read_json_object
from minitransformer.formatting import in_words
from minitransformer.models.sentence_encoder import SentenceEncoder
from minitransformer.models.two_towers import TwoTowers, new_towers
from minitransformer.nn.pair_scores import PairScore
from minitransformer.objectives.in_batch_negatives import InBatchNegativesObjective
from minitransformer.objectives.two_way_softmax import TwoWaySoftmaxObjective
from minitransformer.randomness import generator
from minitransformer.search.positives import Selection
from minitransformer.training.optimizer.adamw import RateFactor
from minitransformer.training.optimizer.learning_rates import rate_factors_of_part
from minitransformer.training.runs.best import BestModelRun
from minitransformer.training.runs.log_pairs import LogPairs, TextPair, read_log_pairs
from minitransformer.training.runs.run import check_more_than_once, is_finished, remove_left_behind
from minitransformer.training.settings import TrainingSettings
from minitransformer.training.tasks.sentences import SiameseTask

OBJECTIVES = ("binary", "softmax")
OF_BINARY = ("warm_up_weights", "weights", "weight_gradient", "lambda_negatives", "reduction", "temperature")
WARM_UP_FOLDER = "warm-up"
SCORE_RATE = 20.0  # times the learning rate, for the score's scale and bias


@dataclass(frozen=True, kw_only=True)
class TowersTrainingSettings(TrainingSettings):
    """What training towers is told, in addition to what TrainingSettings names.

    model                 the folder or hub name of the sentence encoder, or BERT, that both towers begin as
    log, products         the tables of events and of products
    embed                 columns that are embedded with a product's name
    min_users, min_shown, min_lift, keep_top, keep_top_of_frequent, measure
                          which positives are the best, for the cascade (search/positives.py)
    synthetic_share, synthetic_columns    of these, with queries that are made from columns of products
    embedding_size        of the projection at a tower's end
    score                 "cosine" or "dot" (nn/pair_scores.py)
    shared                whether the cascade, too, has one encoder for both
    objective             "binary" (objectives/in_batch_negatives.py) or "softmax" (objectives/two_way_softmax.py)
    warm_up_weights, weights    of the wrong products in both steps, for the objective binary
    weight_gradient, lambda_negatives, reduction, temperature    of the objective binary, whose own reduction is the
                          mean unless it is told another; here it is the sum, as the paper prints it
    log_q                 of the objective softmax
    num_negatives         wrong products of a query that count in a step, drawn anew in each; None for all
    warm_up_epochs, cascade_epochs    times through the positives of each step; 0 leaves it out
    batch_size            pairs per step
    evaluations_per_epoch, max_length, gradient_caching    as in training sentence embeddings
    """

    model: str
    log: str
    products: str
    embed: list[str] = field(default_factory=list)
    min_users: int = 2
    min_shown: int = 0
    min_lift: float = 0.0
    keep_top: float = 1.0
    keep_top_of_frequent: float | None = None
    measure: str = "count"
    synthetic_share: float = 0.0
    synthetic_columns: list[str] = field(default_factory=list)
    embedding_size: int = 100
    score: str = "cosine"
    shared: bool = False
    objective: str = "binary"
    warm_up_weights: str = "equal"
    weights: str = "identity"
    weight_gradient: str = "stop"
    lambda_negatives: float = 1.0
    reduction: str = "sum"
    temperature: float = 0.1
    log_q: bool = False
    num_negatives: int | None = None
    warm_up_epochs: int = 2
    cascade_epochs: int = 2
    batch_size: int = 128
    learning_rate: float = 8e-5
    evaluations_per_epoch: int = 2
    max_length: int | None = None
    gradient_caching: bool = False


class Step(NamedTuple):
    """A step of the cascade."""

    name: str
    pairs: ProductPairs
    epochs: int
    weights: str
    shared: bool


class TowersStepRun(BestModelRun):
    """The run of one step, once it is told which. `model` is the towers."""

    settings: TowersTrainingSettings
    step: Step
    held_out: HeldOut

    def begin(self, step: Step, encoder: SentenceEncoder, held_out: HeldOut) -> None:
        """Make the towers, which both are the encoder, and what they learn."""
        settings = self.settings
        self.step, self.held_out, self.tokenizer = step, held_out, encoder.tokenizer
        self.model = new_towers(encoder, settings.embedding_size, settings.score, step.shared, settings.seed)
        assert self.model.score
        self.model.learn(make_objective(settings, self.model.score, step.weights))
        epochs = Epochs(len(step.pairs), settings.batch_size, settings.seed, smallest=2)

        def batch(number: int) -> Any:
            rng = generator(settings.seed, "negatives", number)
            return step.pairs.select(epochs.examples(number), settings.num_negatives, rng)

        self.task = SiameseTask(batch, settings.num_shards, settings.gradient_caching)
        self.steps = step.epochs * epochs.steps_per_epoch
        self.save_every = -(-epochs.steps_per_epoch // settings.evaluations_per_epoch)

    def prepare(self) -> None:
        """There is nothing to read: begin() has been given all."""

    def rate_factors(self) -> list[RateFactor]:
        return rate_factors_of_part(self.model, "score", SCORE_RATE)

    def evaluate(self) -> TowersMetrics:
        return evaluate_towers(self.model, self.held_out)

    def worth(self, metrics: Mapping[str, float]) -> float:
        return metrics["recall_at_20"]

    def identity(self) -> dict[str, Any]:
        tables = {"log": self.settings.log, "products": self.settings.products}
        checksums = {f"checksum of --{name}": zlib.crc32(Path(file).read_bytes()) for name, file in tables.items()}
        return {**super().identity(), **checksums}

    def describe(self) -> str:
        step, settings = self.step, self.settings
        towers = "one encoder for both" if step.shared else "two towers"
        of_wrong = f", weights of the wrong products: {step.weights}" if settings.objective == "binary" else ""
        return (
            f"{step.name.capitalize()}: {len(step.pairs):,} positives; epochs: {step.epochs}, steps: {self.steps:,} of "
            f"{settings.batch_size} pairs; {towers}, {self.model.num_parameters:,} parameters{of_wrong}"
        )

    def report(self, metrics: Mapping[str, float]) -> str:
        return f"{self.step.name.capitalize()}: {in_words(metrics)}"


class TowersRun(TowersStepRun):
    """The run of the last step; the step before it, if there is one, is `warm_up`."""

    settings_type = TowersTrainingSettings
    warm_up: TowersStepRun | None = None

    def prepare(self) -> None:
        settings = self.settings
        check_settings(settings)
        check_more_than_once(settings.log, settings.products)
        of_best = {name: value for name, value in vars(settings).items() if name in Selection._fields}
        selection = Selection(**{**of_best, "synthetic_columns": tuple(settings.synthetic_columns)}, repeat_best=True)
        found = read_log_pairs(settings.log, settings.products, settings.embed, selection, settings.seed)
        self.selection_report = found.report
        encoder = read_encoder(settings.model, settings.max_length)
        self.untrained = TwoTowers(encoder, encoder)
        *before, last = steps_of_cascade(settings, found, encoder)
        for step in before:
            self.warm_up = TowersStepRun(self.folder / WARM_UP_FOLDER, settings, self.machines)
            self.warm_up.begin(step, encoder, found.held_out)
        self.begin(last, encoder, found.held_out)

    def train_and_finish(self, workers: int | None) -> dict[str, float]:
        if self.warm_up:
            if self.machines.first(is_finished, self.warm_up.folder):
                self.machines.first(remove_left_behind, self.warm_up.folder)
            else:
                self.machines.first(partial(self.warm_up.training_folder.mkdir, parents=True, exist_ok=True))
                self.warm_up.train_and_finish(workers)
            self.machines.all(self.model.begin_with, self.warm_up.folder)
        return super().train_and_finish(workers)

    def describe(self) -> str:
        held_out = self.held_out
        lines = [f"Model: {self.settings.model}", self.selection_report]
        lines += [self.warm_up.describe()] if self.warm_up else []
        lines += [super().describe()]
        among = f"their products are to be found among {len(held_out.products):,}"
        return "\n".join([*lines, f"Held-out queries: {len(held_out.queries):,}; {among}"])

    def report(self, metrics: Mapping[str, float]) -> str:
        before = [f"Before: {in_words(evaluate_towers(self.untrained, self.held_out)._asdict())}"]
        if self.warm_up:
            before.append(self.warm_up.report(read_json_object(self.warm_up.best_file)))
        return "\n".join(["On the held-out queries:", *before, super().report(metrics)])


def check_settings(settings: TowersTrainingSettings) -> None:
    """Raise UserError for settings that contradict each other."""
    if not settings.warm_up_epochs and not settings.cascade_epochs:
        raise UserError("--warm-up-epochs and --cascade-epochs are both 0; there is nothing to train")
    if settings.batch_size < 2:
        raise UserError("--batch-size is 1, but a query needs the products of others in its batch: at least 2")
    if settings.synthetic_columns and not settings.synthetic_share:
        raise UserError("--synthetic-columns needs a --synthetic-share above 0, such as 0.1")
    if settings.log_q and settings.objective != "softmax":
        raise UserError("--log-q belongs to --objective softmax; leave it out, or choose that")
    if settings.objective != "binary" and (given := [name for name in OF_BINARY if is_changed(settings, name)]):
        raise UserError(f"--{given[0].replace('_', '-')} belongs to --objective binary; leave it out, or choose that")
    if is_changed(settings, "temperature") and "softmax" not in (settings.warm_up_weights, settings.weights):
        raise UserError("--temperature belongs to --weights softmax; leave it out, or choose that")


def is_changed(settings: TowersTrainingSettings, name: str) -> bool:
    """Whether a setting isn't its default."""
    return getattr(settings, name) != getattr(TowersTrainingSettings, name)


def read_encoder(model: str, max_length: int | None) -> SentenceEncoder:
    """The encoder that both towers begin as. Raises UserError if there are two already."""
    if not TwoTowers.from_pretrained(model).are_shared:
        raise UserError(f"{model} has two towers, and training begins with one encoder; choose its warm-up, or another")
    return SentenceEncoder.from_pretrained(model, max_seq_length=max_length)


def steps_of_cascade(settings: TowersTrainingSettings, found: LogPairs, encoder: SentenceEncoder) -> list[Step]:
    """The steps that aren't left out."""

    def pairs(given: list[TextPair]) -> ProductPairs:
        return product_pairs(given, found.known, lambda texts: encoder.tokenize(texts, "warn"))

    warm_up = Step("warm-up", pairs(found.all), settings.warm_up_epochs, settings.warm_up_weights, shared=True)
    cascade = Step("cascade", pairs(found.best), settings.cascade_epochs, settings.weights, settings.shared)
    return [step for step in (warm_up, cascade) if step.epochs]


def make_objective(
    settings: TowersTrainingSettings, score: PairScore, weights: str
) -> InBatchNegativesObjective | TwoWaySoftmaxObjective:
    if settings.objective == "softmax":
        return TwoWaySoftmaxObjective(score, settings.log_q)
    return InBatchNegativesObjective(
        score,
        weights,
        settings.weight_gradient,
        settings.lambda_negatives,
        settings.temperature,
        settings.reduction,
    )
