import numpy as np
import pytest

from minitransformer.batches.epochs import Epochs
from minitransformer.batches.sentence_examples import NO_TEXT, sentence_examples
from minitransformer.batches.shards import equal_shards
from minitransformer.models.siamese_network import SiameseNetwork
from minitransformer.objectives.classification import ClassificationObjective
from minitransformer.objectives.cosent import CosentObjective
from minitransformer.objectives.ranking import RankingObjective
from minitransformer.objectives.regression import RegressionObjective
from minitransformer.objectives.triplet import TripletObjective
from minitransformer.randomness import generator
from minitransformer.training.optimizer.adamw import AdamW
from minitransformer.training.tasks.sentences import SiameseTask
from minitransformer.training.workers import Workers
from tests.gradient_check import assert_parameter_gradients
from tests.small_encoders import small_encoder
from tests.small_tables import learning_encoder, sentences

FIRST, SECOND, THIRD = (sentences(11, seed, longest=6) for seed in (1, 2, 3))
SECOND[3] = SECOND[8]  # equal texts, which the ranking objective must know
FIRST[5] = FIRST[0]
SOME = [None if i % 3 else text for i, text in enumerate(THIRD)]  # hard negatives of every third example
SCORES = np.linspace(0, 1, 11).round(2)
CLASSES = np.arange(11) % 3

KINDS = {  # the objective for embeddings of 12 numbers, the columns of texts, the targets
    "classification": (lambda: ClassificationObjective(12, 3, init_std=0.5), (FIRST, SECOND), CLASSES),
    "regression": (RegressionObjective, (FIRST, SECOND), SCORES),
    "cosent": (CosentObjective, (FIRST, SECOND), SCORES),
    "triplet": (TripletObjective, (FIRST, SECOND, THIRD), None),
    "ranking": (lambda: RankingObjective(5.0), (FIRST, SECOND), None),
    "ranking, some hard negatives": (lambda: RankingObjective(5.0), (FIRST, SECOND, SOME), None),
    "ranking, symmetric, hard negatives": (lambda: RankingObjective(5.0, True), (FIRST, SECOND, THIRD), None),
}
every_kind = pytest.mark.parametrize("kind", KINDS)


def network_and_task(kind, encoder=None, batch_size=11, num_shards=3, gradient_caching=False):
    make_objective, columns, targets = KINDS[kind]
    network = SiameseNetwork(encoder or small_encoder(np.float64, seed=2), make_objective(), seed=4)
    examples, epochs = sentence_examples(columns, network.encoder.tokenize, targets), epochs_of(batch_size)
    return network, SiameseTask(lambda step: examples.select(epochs.examples(step)), num_shards, gradient_caching)


def epochs_of(batch_size=11):
    return Epochs(11, batch_size, seed=7)


def dropout():
    return generator(6, "dropout")


def step(network, task, rng=None, workers=1, number=0):
    """The loss and a copy of the gradients of a step."""
    with Workers(network, workers) as pool:
        metrics, norm = task.gradients(pool, task.batch(number), rng)
    gradients = network.storage.gradients.copy()
    assert norm == pytest.approx(np.linalg.norm(gradients))
    return metrics["loss"], gradients


def one_call_for_each_column(network, kind, task):
    """The loss and the gradients of the whole table without shards, workers or a common batch."""
    _, columns, targets = KINDS[kind]
    chosen = epochs_of().examples(0)
    columns = [[column[i] for i in chosen if column[i] is not None] for column in columns]
    network.zero_grad()
    calls = [network.encoder.forward(network.encoder.tokenize(column)) for column in columns]
    if targets is None:  # the ranking objective is told which texts are equal
        ids = {text: i for i, text in enumerate({text: None for column in columns for text in column})}
        targets_of_step = [np.array([ids[text] for text in column]) for column in columns]
    else:
        targets_of_step = targets[chosen]
    loss, cache = network.objective.forward(tuple(embeddings for embeddings, _ in calls), targets_of_step)
    for (_, encoder_cache), d_embeddings in zip(calls, network.objective.backward(cache), strict=True):
        network.encoder.backward(d_embeddings, encoder_cache)
    return loss, network.storage.gradients.copy()


def assert_same(found, expected, rtol=1e-9):
    assert found[0] == pytest.approx(expected[0], rel=rtol)
    np.testing.assert_allclose(found[1], expected[1], rtol=rtol, atol=rtol * np.abs(expected[1]).max())


@every_kind
@pytest.mark.parametrize("gradient_caching", [False, True])
@pytest.mark.parametrize(("num_shards", "workers"), [(1, 1), (2, 2), (5, 2), (3, 4)])
def test_shards_on_workers_give_the_gradient_of_one_call_for_each_column(kind, gradient_caching, num_shards, workers):
    network, task = network_and_task(kind, num_shards=num_shards, gradient_caching=gradient_caching)
    found = step(network, task, workers=workers)
    assert_same(found, one_call_for_each_column(network, kind, task))
    assert np.abs(found[1]).max() > 1e-3


@every_kind
def test_gradient_caching_gives_the_same_gradient_with_dropout(kind):
    network, task = network_and_task(kind)
    _, cached = network_and_task(kind, gradient_caching=True)
    with_dropout = step(network, task, dropout())
    assert_same(step(network, cached, dropout()), with_dropout, rtol=1e-12)
    assert step(network, task)[0] != with_dropout[0], "there was no dropout"


def test_gradient_caching_keeps_no_cache_between_the_passes(monkeypatch):
    """The encoder runs twice for each shard, once to see the embeddings and once for each backward."""
    network, task = network_and_task("regression", gradient_caching=True)
    calls = []
    forward, backward = network.encoder.forward, network.encoder.backward
    monkeypatch.setattr(network.encoder, "forward", lambda *a: calls.append("forward") or forward(*a))
    monkeypatch.setattr(network.encoder, "backward", lambda *a: calls.append("backward") or backward(*a))
    step(network, task)
    assert calls == 3 * ["forward"] + 3 * ["forward", "backward"]


@every_kind
def test_the_gradient_of_every_parameter_equals_central_differences_with_dropout(kind):
    network, task = network_and_task(kind)
    batch = task.batch(0)
    shards = equal_shards(batch.lengths, task.num_shards)

    def loss():
        embeddings = np.empty((len(batch.tokens), network.encoder.embedding_size))
        for shard, rng in zip(shards, dropout().spawn(len(shards)), strict=True):
            embeddings[shard] = network.encoder.forward(batch.tokens.select(shard), rng)[0]
        embeddings = np.split(embeddings, batch.ends)
        return network.objective.forward(tuple(embeddings), batch.targets)[0]

    assert step(network, task, dropout())[0] == pytest.approx(loss(), rel=1e-12)
    assert_parameter_gradients(network, loss)


@every_kind
def test_a_step_changes_every_parameter_but_the_pooler_which_embeddings_do_not_use(kind):
    network, task = network_and_task(kind)
    before = network.storage.values.copy()
    step(network, task)
    AdamW(network.storage, weight_decay=0).step(1e-3)
    unchanged = [
        name
        for name, p in network.named_parameters()
        if np.array_equal(network.storage.values[p.place], before[p.place])
    ]
    assert all("pooler" in name for name in unchanged)
    assert len(unchanged) == 2


def test_the_gradient_of_the_classifier_is_there_once_whatever_the_workers():
    gradients = []
    for workers in (1, 3):
        network, task = network_and_task("classification")
        step(network, task, workers=workers)
        gradients.append(network.objective.classifier.weight.grad.copy())
    np.testing.assert_allclose(gradients[0], gradients[1], rtol=1e-9, atol=1e-12)
    assert (gradients[0] != 0).all()


@pytest.mark.parametrize("kind", ["regression", "ranking, some hard negatives"])
def test_a_batch_holds_the_texts_and_the_targets_of_its_examples(kind):
    network, task = network_and_task(kind, batch_size=4)
    _, columns, targets = KINDS[kind]
    seen = []
    for number in range(3):
        chosen = epochs_of(4).examples(number)
        seen.extend(chosen)
        batch = task.batch(number)
        texts = [[column[i] for i in chosen if column[i] is not None] for column in columns]
        expected = network.encoder.tokenize([text for column in texts for text in column])
        np.testing.assert_array_equal(batch.tokens.token_ids, expected.token_ids)
        np.testing.assert_array_equal(batch.lengths, expected.lengths)
        assert batch.ends == np.cumsum([len(column) for column in texts[:-1]]).tolist()
        if targets is None:
            assert [len(ids) for ids in batch.targets] == [len(column) for column in texts]
            assert NO_TEXT not in np.concatenate(batch.targets)
        else:
            np.testing.assert_array_equal(batch.targets, targets[chosen])
    assert sorted(seen) == list(range(11))


@every_kind
def test_it_learns(kind):
    network, task = network_and_task(kind, learning_encoder())
    losses, optimizer = [], AdamW(network.storage)
    for _ in range(60):
        losses.append(step(network, task)[0])
        optimizer.step(5e-3)
    assert losses[-1] < 0.7 * losses[0]
