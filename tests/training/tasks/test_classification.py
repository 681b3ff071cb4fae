import numpy as np
import pytest

from minitransformer import BertForSequenceClassification, ClassifierSettings
from minitransformer.batches.epochs import Epochs
from minitransformer.randomness import generator
from minitransformer.training.optimizer.adamw import AdamW
from minitransformer.training.tasks.classification import ClassifierTask
from minitransformer.training.workers import Workers
from tests.small_models import random_tokens, randomise, small_config

LENGTHS = (4, 1, 6, 6, 3, 2, 5)
RNG = np.random.default_rng(5)
TARGETS = {
    "single_label_classification": RNG.integers(0, 3, 7),
    "multi_label_classification": RNG.random((7, 3)) < 0.4,
    "regression": RNG.normal(size=(7, 1)),
}
every_problem = pytest.mark.parametrize("problem_type", TARGETS)


def model_and_task(problem_type, num_shards=3, batch_size=7, **settings):
    labels = ("score",) if problem_type == "regression" else ("no", "maybe", "yes")
    model = BertForSequenceClassification(
        small_config(), ClassifierSettings(labels, problem_type, **settings), dtype=np.float64
    )
    tokens = random_tokens(model.config, LENGTHS)
    task = ClassifierTask(tokens, TARGETS[problem_type], Epochs(7, batch_size, seed=1), num_shards)
    return randomise(model, std=0.5), task


def step(model, task, workers=1, rng_of_shard=lambda shard: None):
    with Workers(model, workers) as pool:
        return task.gradients(pool, task.batch(0), rng_of_shard)["loss"], model.storage.gradients.copy()


def test_a_large_batch_has_more_shards_than_it_was_told():
    model, _ = model_and_task("regression")
    tokens = random_tokens(model.config, (6,) * 700)
    task = ClassifierTask(tokens, np.zeros((700, 1)), Epochs(700, 700, seed=1), 2)
    assert len(task.batch(0)) == 4


@every_problem
@pytest.mark.parametrize(("num_shards", "workers"), [(1, 1), (3, 2), (4, 3)])
def test_shards_on_workers_give_the_loss_and_the_gradient_of_one_piece(problem_type, num_shards, workers):
    model, task = model_and_task(problem_type, num_shards)
    assert len(task.batch(0)) == num_shards
    found = step(model, task, workers)
    model.zero_grad()
    loss, cache = model.forward(task.tokens, TARGETS[problem_type])
    model.backward(cache)
    assert found[0] == pytest.approx(loss, rel=1e-12)
    np.testing.assert_allclose(found[1], model.storage.gradients, rtol=1e-9, atol=1e-12)


def test_each_shard_has_its_dropout():
    model, task = model_and_task("single_label_classification", dropout=0.5)
    found, _ = step(model, task, rng_of_shard=lambda shard: generator(1, "dropout", shard))
    shards = task.batch(0)
    expected = sum(
        model.forward(shard.tokens, shard.targets, generator(1, "dropout", i), of_step=7)[0]
        for i, shard in enumerate(shards)
    )
    assert found == pytest.approx(expected, rel=1e-12)
    assert found != pytest.approx(step(model, task)[0], rel=1e-6)


def test_the_last_batch_of_an_epoch_divides_by_its_own_number_of_texts():
    _, task = model_and_task("single_label_classification", batch_size=4)
    for number, size in ((0, 4), (1, 3), (2, 4)):
        batch = task.batch(number)
        assert {shard.texts_of_step for shard in batch} == {size}
        assert sum(len(shard.tokens) for shard in batch) == size
        assert task.num_tokens(batch) == task.tokens.select(task.epochs.examples(number)).lengths.sum()


@pytest.mark.parametrize("settings", [{}, {"pooling": "mean"}, {"hidden_sizes": (5, 4)}])
def test_a_frozen_encoder_stays_as_it_is_and_what_is_above_learns(settings):
    model, task = model_and_task("single_label_classification", dropout=0.0, **settings)
    model.freeze(model.bert.embeddings, model.bert.layers)
    before = {name: parameter.value.copy() for name, parameter in model.named_parameters()}
    optimizer = AdamW(model.storage)
    losses = []
    for _ in range(60):
        losses.append(step(model, task)[0])
        optimizer.step(3e-2)
    for name, parameter in model.named_parameters():
        is_encoder = name.startswith(("bert.embeddings", "bert.layers"))
        assert np.array_equal(parameter.value, before[name]) == is_encoder or "pooler" in name, name
    assert losses[-1] < 0.7 * losses[0]
