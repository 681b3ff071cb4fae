"""The paper's ablation, small: does the cascade beat the warm-up, and re-weighting equal weights? On SIMULATED logs.

    python -m scripts.experiments.cascade ../shared/data path/to/all-MiniLM-L6-v2

Table 4 of Xie et al. 2022 (arXiv 2209.05555) on the logs of simulated_log.py. To be trained in seconds, the towers are
all-MiniLM-L6-v2 as it is and, on top, a projection to 100 numbers that is trained: one for queries and products, or one
for each. A fifth of what people look for is held out, with all its spellings, and no step sees it. Each seed draws a
log of its own, the first projection and the order of the pairs.

Product2Vec knows baskets, not words: a query is taken for the mean of its words, and a word for the mean of the
products that have it in their names.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np

from minitransformer import AdamW, SentenceEncoder, clip_scale, linear_warm_up_and_decay
from minitransformer.batches.epochs import Epochs
from minitransformer.batches.pair_targets import PairTargets
from minitransformer.nn.linear import Linear
from minitransformer.nn.module import Module
from minitransformer.nn.pair_scores import ScaledCosine
from minitransformer.objectives.in_batch_negatives import InBatchNegativesObjective
from minitransformer.search.positives import Selection
from minitransformer.training.optimizer.clipping import global_norm
from scripts.experiments.simulated_log import read_world
from scripts.experiments.simulation.held_out import TOP, Experiment, Scores, baselines, best_by_cosine
from scripts.pages import table

PROJECTION, BATCH_SIZE, WARM_UP_SHARE, MAX_NORM = 100, 256, 0.1, 1.0
SELECTIONS = {
    "warm": Selection(),  # every conversion
    "cas": Selection(min_users=2, keep_top_of_frequent=0.3, repeat_best=True),
    "clean": Selection(min_shown=5, min_lift=3),  # the filter with precision 0.96 of log_positives.py
}


class Step(NamedTuple):
    positives: str  # a name of SELECTIONS
    weights: str = "equal"  # of wrong products, a name of ops/negative_weights.py
    lambda_negatives: float = 1.0  # how much they count in all


class Recipe(NamedTuple):
    """One or two steps of training; with two towers, each begins the last step as the one of the step before."""

    steps: tuple[Step, ...]
    two_towers: bool = False


WARM, CAS = Step("warm"), Step("cas")
WARM_ADV, CAS_ADV = Step("warm", "identity"), Step("cas", "identity")
CLEAN_ALONE = Step("clean")
RECIPES = {  # name: what is trained, and the paper's NDCG@20 and recall@20
    "vanilla Cas": (Recipe((CAS,)), 0.8301, 0.8574),
    "vanilla Warm": (Recipe((WARM,)), 0.8347, 0.8638),
    "Cas(Adv)": (Recipe((CAS_ADV,)), 0.8362, 0.8623),
    "Warm(Adv)": (Recipe((WARM_ADV,)), 0.8319, 0.8607),
    "Warm(Adv)->Cas(Adv)": (Recipe((WARM_ADV, CAS_ADV)), 0.8342, 0.8728),
    "Warm->Cas(Adv), shared": (Recipe((WARM, CAS_ADV)), 0.8367, 0.8739),
    "Warm->Cas(Adv), two towers": (Recipe((WARM, CAS_ADV), two_towers=True), 0.8372, 0.8751),
    "vanilla Clean": (Recipe((CLEAN_ALONE,)), None, None),
    "Warm->Cas, shared": (Recipe((WARM, CAS)), None, None),
    "Warm->Cas, wrong ones at 0.3, shared": (Recipe((WARM, Step("cas", lambda_negatives=0.3))), None, None),
    "Warm->Cas, two towers": (Recipe((WARM, CAS), two_towers=True), None, None),
    "Warm->Cas(sigmoid), shared": (Recipe((WARM, Step("cas", "sigmoid"))), None, None),
    "Warm->Cas(ReLU), shared": (Recipe((WARM, Step("cas", "relu"))), None, None),
    "Warm->Cas(softmax), shared": (Recipe((WARM, Step("cas", "softmax"))), None, None),
}
COMPARISONS = (  # the first over the second
    ("Warm->Cas, shared", "vanilla Warm"),
    ("Warm->Cas(Adv), shared", "vanilla Warm"),
    ("Warm->Cas(Adv), shared", "Warm->Cas, shared"),
    ("Warm->Cas(Adv), shared", "Warm->Cas, wrong ones at 0.3, shared"),
    ("Cas(Adv)", "vanilla Cas"),
    ("Warm(Adv)", "vanilla Warm"),
    ("Warm->Cas(Adv), two towers", "Warm->Cas(Adv), shared"),
    ("Warm->Cas(Adv), two towers", "Warm->Cas, two towers"),
    ("vanilla Warm", "all-MiniLM-L6-v2 as it is"),
    ("Warm->Cas, shared", "all-MiniLM-L6-v2 as it is"),
    ("Warm->Cas(Adv), two towers", "all-MiniLM-L6-v2 as it is"),
    ("Warm->Cas(Adv), two towers", "Product2Vec"),
    ("Warm->Cas(Adv), two towers", "BM25"),
)


@click.command()
@click.argument("data")
@click.argument("model")
@click.option("--seeds", default=3, show_default=True, type=click.IntRange(1))
@click.option("--epochs", default=10, show_default=True, help="Of each step.")
@click.option("--learning-rate", default=8e-3, show_default=True, help="At its peak.")
def main(data: str, model: str, seeds: int, epochs: int, learning_rate: float) -> None:
    """Train towers on simulated logs from the real tables in DATA, on top of MODEL, a sentence encoder."""
    world = read_world(Path(data))
    encoder = SentenceEncoder.from_pretrained(model)
    found: dict[str, list[Scores]] = {}
    sizes = []
    for seed in range(seeds):
        experiment = Experiment(world, world.log(seed), SELECTIONS, encoder.encode)
        sizes.append([len(pairs) for pairs in experiment.positives.values()])
        rankings = baselines(experiment, seed)
        training = Training(experiment, seed, epochs, learning_rate)
        rankings |= {name: rank(training.towers(recipe), experiment) for name, (recipe, _, _) in RECIPES.items()}
        for name, ranking in rankings.items():
            found.setdefault(name, []).append(experiment.score(ranking))
    positives = [f"{number:,.0f} {name}" for name, number in zip(SELECTIONS, np.mean(sizes, axis=0), strict=True)]
    print(
        f"Simulated: {len(world.shop.products):,} products, {len(experiment.held_out):,} held-out queries, a log for "
        f"each of {seeds} seeds. Positives, on average: {', '.join(positives)}. {epochs} epochs a step, in batches of "
        f"{BATCH_SIZE}; learning rate {learning_rate:g}.",
        table_of_scores(found),
        f"The first over the second, recall@{TOP}, seed by seed:",
        table_of_differences(found),
        sep="\n\n",
    )


# -- training ----------------------------------------------------------------------------------------------------------


class Towers(Module):
    """A projection of the embeddings of queries and one of those of products, or the same one twice, and a score."""

    def __init__(self, query: Linear, product: Linear, score: ScaledCosine) -> None:
        self.query, self.product, self.score = query, product, score


class Training:
    """The towers that recipes come to on one log. Steps with which several recipes begin are trained once."""

    def __init__(self, experiment: Experiment, seed: int, epochs: int, peak_rate: float) -> None:
        self.experiment, self.seed, self.epochs, self.peak_rate = experiment, seed, epochs, peak_rate
        self.after: dict[Recipe, Towers] = {}

    def towers(self, recipe: Recipe) -> Towers:
        """The towers after all steps of a recipe."""
        if recipe not in self.after:
            self.after[recipe] = self._trained(recipe) if recipe.steps else self._new_towers()
        return self.after[recipe]

    def _new_towers(self) -> Towers:
        size = self.experiment.products.shape[1]
        shared = Linear(size, PROJECTION, init_std=size**-0.5)
        return Towers(shared, shared, ScaledCosine()).initialise(self.seed)

    def _trained(self, recipe: Recipe) -> Towers:
        *before, last = recipe.steps
        towers = copied(self.towers(Recipe(tuple(before))), shared=not recipe.two_towers)
        train_step(self.experiment, towers, last, self.seed, self.epochs, self.peak_rate)
        return towers


def copied(towers: Towers, shared: bool) -> Towers:
    """Towers with the values of shared ones: shared again, or two that begin alike."""
    query, product = (Linear(*towers.query.weight.shape) for _ in range(2))
    result = Towers(query, query if shared else product, ScaledCosine()).initialise()
    for own, values in ((result.query, towers.query), (result.product, towers.product), (result.score, towers.score)):
        for (_, parameter), (_, of_towers) in zip(own.named_parameters(), values.named_parameters(), strict=True):
            parameter.value[...] = of_towers.value
    return result


def train_step(
    experiment: Experiment, towers: Towers, step: Step, seed: int, num_epochs: int, peak_rate: float
) -> None:
    """Train the towers in place on the positives of a step."""
    objective = InBatchNegativesObjective(towers.score, step.weights, lambda_negatives=step.lambda_negatives)
    pairs = experiment.positives[step.positives]
    epochs = Epochs(len(pairs), BATCH_SIZE, seed, smallest=2)
    optimizer = AdamW(towers.storage)
    num_steps = num_epochs * epochs.steps_per_epoch
    for number in range(num_steps):
        queries, products = pairs[epochs.examples(number)].T
        wrong = ~experiment.known[np.ix_(queries, products)]
        towers.zero_grad()
        u, u_cache = towers.query.forward(experiment.queries[queries])
        v, v_cache = towers.product.forward(experiment.products[products])
        _, cache = objective.forward((u, v), PairTargets(wrong, np.zeros(len(u)), np.zeros(len(v))))
        du, dv = objective.backward(cache)
        towers.query.backward(du, u_cache)
        towers.product.backward(dv, v_cache)
        factor = linear_warm_up_and_decay(number, round(WARM_UP_SHARE * num_steps), num_steps)
        optimizer.step(peak_rate * factor, clip_scale(global_norm(towers.storage.gradients), MAX_NORM))


def rank(towers: Towers, experiment: Experiment) -> np.ndarray:
    """(held out, TOP) the best products of each held-out query."""
    queries, _ = towers.query.forward(experiment.held_out_embeddings)
    return best_by_cosine(queries, towers.product.forward(experiment.products)[0])


# -- tables ------------------------------------------------------------------------------------------------------------


def table_of_scores(found: dict[str, list[Scores]]) -> str:
    header = ["", f"recall@{TOP}", f"NDCG@{TOP}", "the paper's recall@20", "its NDCG@20"]
    published = {"BM25": (0.6389, 0.6371), **{name: (ndcg, recall) for name, (_, ndcg, recall) in RECIPES.items()}}
    rows = []
    for name, scores in found.items():
        ndcg, recall = published.get(name, (None, None))
        quoted = [f"{number:.4f}" if number else "" for number in (recall, ndcg)]
        rows.append([name, *(spread(values) for values in zip(*scores, strict=True)), *quoted])
    return table(header, rows)


def table_of_differences(found: dict[str, list[Scores]]) -> str:
    rows = []
    for first, second in COMPARISONS:
        gains = [ours[0] - theirs[0] for ours, theirs in zip(found[first], found[second], strict=True)]
        rows.append([f"{first} over {second}", " ".join(f"{gain:+.4f}" for gain in gains), f"{np.mean(gains):+.4f}"])
    return table(["", "each seed", "mean"], rows)


def spread(values: Sequence[float]) -> str:
    """Mean ± standard error."""
    error = f" ± {np.std(values, ddof=1) / len(values) ** 0.5:.4f}" if len(values) > 1 else ""
    return f"{np.mean(values):.4f}{error}"


if __name__ == "__main__":
    main()
