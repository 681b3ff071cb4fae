"""Two towers as a task: shards mix queries and products, and each text goes through the tower that is its own."""

import numpy as np
import pytest

from minitransformer.batches.product_pairs import product_pairs
from minitransformer.models.two_towers import new_towers
from minitransformer.objectives.in_batch_negatives import InBatchNegativesObjective
from minitransformer.randomness import generator
from minitransformer.training.optimizer.adamw import AdamW
from minitransformer.training.tasks.sentences import SiameseTask
from minitransformer.training.workers import Workers
from tests.small_encoders import small_encoder
from tests.small_tables import learning_encoder, sentences

PAIRS = [*zip(sentences(11, 1, longest=6), sentences(11, 2, longest=6), strict=True)]


def task_for(towers, num_shards=3, gradient_caching=False, num_negatives=None):
    pairs = product_pairs(PAIRS, [], towers.query.tokenize)

    def batch(step):
        return pairs.select(np.arange(11), num_negatives, generator(0, "negatives", step))

    return SiameseTask(batch, num_shards, gradient_caching)


def learning(shared, encoder):
    towers = new_towers(encoder, 5, "cosine", shared, seed=0)
    towers.learn(InBatchNegativesObjective(towers.score, "identity"))
    return towers


def step(towers, task, rng=None, workers=1):
    """The loss and a copy of the gradients of a step."""
    with Workers(towers, workers) as pool:
        metrics, _ = task.gradients(pool, task.batch(0), rng)
    return metrics["loss"], towers.storage.gradients.copy()


def in_one_piece(towers, task):
    """The loss and the gradients of a batch, each tower called once."""
    batch = task.batch(0)
    towers.zero_grad()
    queries, query_cache = towers.query.forward(batch.tokens.select(np.arange(11)))
    products, product_cache = towers.product.forward(batch.tokens.select(np.arange(11, 22)))
    loss, cache = towers.objective.forward((queries, products), batch.targets)
    d_queries, d_products = towers.objective.backward(cache)
    towers.query.backward(d_queries, query_cache)
    towers.product.backward(d_products, product_cache)
    return loss, towers.storage.gradients.copy()


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("gradient_caching", [False, True])
@pytest.mark.parametrize(("num_shards", "workers"), [(1, 1), (2, 2), (5, 2)])
def test_shards_on_workers_give_the_gradient_of_one_call_of_each_tower(shared, gradient_caching, num_shards, workers):
    towers = learning(shared, small_encoder(np.float64, seed=2))
    task = task_for(towers, num_shards, gradient_caching)
    found, expected = step(towers, task, workers=workers), in_one_piece(towers, task)
    assert found[0] == pytest.approx(expected[0])
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-9, atol=1e-9 * np.abs(expected[1]).max())


def test_gradient_caching_gives_the_same_gradient_with_dropout():
    towers = learning(False, small_encoder(np.float64, seed=2))
    losses, gradients = zip(
        *[step(towers, task_for(towers, gradient_caching=cached), generator(6, "dropout")) for cached in (False, True)],
        strict=True,
    )
    assert losses[0] == pytest.approx(losses[1], rel=1e-12)
    np.testing.assert_allclose(*gradients, rtol=1e-9, atol=1e-12)
    assert losses[0] != step(towers, task_for(towers))[0], "there was no dropout"


def test_the_wrong_products_of_a_step_are_drawn_by_its_number():
    towers = learning(True, small_encoder(np.float64, seed=2))
    task = task_for(towers, num_negatives=2)
    first, again, next_one = (task.batch(number).targets.negatives for number in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != next_one).any()
    assert first.sum(axis=1).max() == 2


def losses_of(towers, count):
    task, optimizer = task_for(towers), AdamW(towers.storage)
    losses = []
    for _ in range(count):
        losses.append(step(towers, task)[0])
        optimizer.step(5e-3)
    return losses


def test_a_shared_encoder_learns_and_two_towers_that_begin_as_it_learn_more(tmp_path):
    """Two that are untied from the beginning, with random weights, learn a constant each: hence the warm-up."""
    shared, untied = (learning(shared, learning_encoder()) for shared in (True, False))
    losses = losses_of(shared, 60)
    assert losses[-1] < 0.2 * losses[0]
    assert losses_of(learning(False, learning_encoder()), 60)[-1] > 2 * losses[-1]
    shared.save_pretrained(tmp_path)
    untied.begin_with(tmp_path)
    assert step(untied, task_for(untied))[0] == pytest.approx(losses_of(shared, 1)[0], rel=1e-4)
    assert losses_of(untied, 60)[-1] < 0.8 * losses[-1]
    queries, products = zip(*PAIRS, strict=True)
    similarities = untied.query.similarity(untied.query.encode(queries), untied.product.encode(products))
    wrong = task_for(untied).batch(0).targets.negatives
    assert np.diag(similarities).mean() > similarities[wrong].mean() + 0.8
