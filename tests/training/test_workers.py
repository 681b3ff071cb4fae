import threading
from typing import ClassVar

import numpy as np
import pytest

from minitransformer import BertForSequenceClassification, ClassifierSettings
from minitransformer.batches.classification_batch import ClassificationBatch
from minitransformer.batches.shards import bounded_shards
from minitransformer.nn.linear import Linear
from minitransformer.randomness import generator
from minitransformer.training.optimizer.adamw import AdamW
from minitransformer.training.optimizer.clipping import clip_scale
from minitransformer.training.workers import Workers
from tests.small_models import pretraining_batch, pretraining_model, random_tokens, randomise, small_config


@pytest.fixture
def model():
    return Linear(3, 2, init_std=0.5).initialise(0, np.float64)


def add(model, shard, index):
    """A stand-in for a backward: adds the shard's number to every gradient."""
    model.storage.gradients[:] += shard
    return shard, index


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_results_come_in_the_order_of_the_shards_and_each_knows_its_number(model, count):
    with Workers(model, count) as workers:
        assert workers.map([10.0, 20.0, 30.0, 40.0], add) == [(10, 0), (20, 1), (30, 2), (40, 3)]


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_the_models_gradients_become_the_sum_over_all_shards_step_after_step(model, count):
    with Workers(model, count) as workers:
        for _ in range(2):  # what the step before left behind doesn't count
            workers.zero_grad()
            workers.map([1.0, 2.0, 4.0, 8.0], add)
            norm = workers.add_up_gradients()
            np.testing.assert_array_equal(model.storage.gradients, np.full(8, 15.0))
            assert norm == np.sqrt(8 * 15.0**2)


def test_several_rounds_of_a_step_add_up(model):
    """Forwards, an objective that adds to the model itself, and backwards: the parts of a siamese step."""
    with Workers(model, 2) as workers:
        workers.zero_grad()
        workers.map([1.0, 2.0], add)
        model.storage.gradients[:] += 100
        workers.map([4.0, 8.0], add)
        workers.add_up_gradients()
        np.testing.assert_array_equal(model.storage.gradients, np.full(8, 115.0))


def test_workers_share_the_values_and_have_gradients_of_their_own(model):
    both_at_work = threading.Barrier(2)

    def look(replica, shard, index):
        both_at_work.wait(30)
        return id(replica.storage.gradients), replica.storage.values is model.storage.values

    with Workers(model, 2) as workers:
        (first, shares), (second, also_shares) = workers.map(["a", "b"], look)
    assert first != second
    assert shares
    assert also_shares


def test_an_error_in_a_shard_reaches_the_caller(model):
    def fail(replica, shard, index):
        raise ValueError(f"shard {shard}")

    with Workers(model, 2) as workers, pytest.raises(ValueError, match="shard 7"):
        workers.map([7, 8], fail)


# -- a batch in shards -------------------------------------------------------------------------------------------------


def classifier(problem_type, **settings):
    names = ("score",) if problem_type == "regression" else ("no", "maybe", "yes")
    settings = ClassifierSettings(names, problem_type, **settings)
    return randomise(BertForSequenceClassification(small_config(), settings, dtype=np.float64), std=0.5)


RNG = np.random.default_rng(5)
LENGTHS = (4, 1, 6, 6, 3, 2, 5)
LEARNERS = {  # a model and a batch for it
    "pretraining": lambda: (pretraining_model(), pretraining_batch(small_config(), LENGTHS)),
    "single_label_classification": lambda: classification(RNG.integers(0, 3, 7)),
    "multi_label_classification": lambda: classification(RNG.random((7, 3)) < 0.4, "multi_label_classification"),
    "regression": lambda: classification(RNG.normal(size=(7, 1)), "regression"),
}
every_learner = pytest.mark.parametrize("learner", LEARNERS)


def classification(targets, problem_type="single_label_classification", **settings):
    model = classifier(problem_type, **settings)
    return model, ClassificationBatch(random_tokens(model.config, LENGTHS), targets)


def in_one_piece(model, batch):
    """The loss and the gradients without shards or workers."""
    model.zero_grad()
    loss, cache = model.forward(*batch.inputs)
    model.backward(cache)
    return loss, model.storage.gradients.copy()


@every_learner
@pytest.mark.parametrize(("num_shards", "count"), [(1, 1), (3, 2), (4, 3), (None, 2)])
def test_the_loss_and_the_gradients_are_those_of_the_batch_in_one_piece(learner, num_shards, count):
    model, batch = LEARNERS[learner]()
    with Workers(model, count) as workers:
        loss, norm = workers.gradients(batch, num_shards=num_shards)
        found = model.storage.gradients.copy()
    expected, gradients = in_one_piece(model, batch)
    assert loss == pytest.approx(expected, rel=1e-12)
    assert type(loss) is type(expected)
    assert norm == pytest.approx(np.linalg.norm(gradients))
    np.testing.assert_allclose(found, gradients, rtol=1e-9, atol=1e-12)


class RecordedBatch(ClassificationBatch):
    """Remembers the sizes of the shards that were cut from it."""

    sizes: ClassVar[list[int]] = []

    def select(self, texts):
        self.sizes.append(len(texts))
        return super().select(texts)


def test_a_large_batch_is_cut_into_more_shards_than_it_was_told():
    model = classifier("regression")
    batch = RecordedBatch(random_tokens(model.config, (6,) * 700), np.zeros((700, 1)))  # 4,200 tokens
    with Workers(model, 2) as workers:
        workers.gradients(batch, num_shards=2)
    assert len(batch.sizes) == 4
    assert sum(batch.sizes) == 700


def test_each_shard_has_its_dropout_and_the_number_of_workers_changes_nothing():
    model, batch = classification(RNG.integers(0, 3, 7), dropout=0.5)
    losses = []
    for count in (1, 2):
        with Workers(model, count) as workers:
            losses.append(workers.gradients(batch, generator(1, "dropout"), 3)[0])
    shards = [batch.select(shard) for shard in bounded_shards(batch.lengths, 3)]
    shares = [
        model.forward(*shard.inputs, rng=generator(1, "dropout", i), of_step=7)[0] for i, shard in enumerate(shards)
    ]
    assert losses == pytest.approx([sum(shares)] * 2, rel=1e-12)
    assert losses[0] != pytest.approx(in_one_piece(model, batch)[0], rel=1e-6)


@every_learner
def test_a_plain_loop_on_it_learns(learner):
    model, batch = LEARNERS[learner]()
    optimizer, losses = AdamW(model.storage, weight_decay=0), []
    with Workers(model, 2) as workers:
        for _ in range(30):
            loss, norm = workers.gradients(batch)
            losses.append(getattr(loss, "total", loss))
            optimizer.step(1e-2, clip_scale(norm, 1.0), workers.spread)
    assert losses[-1] < 0.7 * losses[0]
