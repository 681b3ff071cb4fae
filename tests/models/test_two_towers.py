import numpy as np
import pytest

from minitransformer import SentenceEncoder, UserError
from minitransformer.batches.sentence_examples import SiameseBatch
from minitransformer.models.sentence_encoder_settings import DenseSettings
from minitransformer.models.two_towers import TwoTowers, new_towers
from minitransformer.objectives.in_batch_negatives import InBatchNegativesObjective
from tests.gradient_check import assert_gradient
from tests.small_encoders import small_encoder
from tests.small_models import randomise

TEXTS = ["my dog is cute", "he likes", "a b c", "dog .", "cute", "he likes play a b"]


def towers(shared=False, dtype=np.float64, score="cosine"):
    """Two towers that have learnt different things, and are ready to learn more."""
    found = new_towers(small_encoder(dtype, head=("normalise",)), 5, score, shared, seed=0)
    found.learn(InBatchNegativesObjective(found.score, "identity", "through"))
    return randomise(found, seed=2, std=0.3)


def batch(network):
    """Three queries and their products."""
    return SiameseBatch(network.query.tokenize(TEXTS), [3], None)


def loss_of(network):
    """The loss of the batch, and a function that adds the gradients of all parameters."""
    given = batch(network)
    embeddings, cache = network.embed_forward(given, np.arange(6))
    loss, objective_cache = network.objective.forward(tuple(np.split(embeddings, 2)), given.targets)
    backward = network.objective.backward
    return loss, lambda: network.embed_backward(np.concatenate(backward(objective_cache)), cache)


@pytest.mark.parametrize("shared", [False, True])
def test_gradients_of_both_towers_and_the_score_equal_central_differences(shared):
    network = towers(shared)
    _, add_gradients = loss_of(network)
    network.zero_grad()
    add_gradients()
    values = network.storage.values
    for place in np.random.default_rng(1).choice(len(values), 60, replace=False):
        one = values[place : place + 1]
        found = network.storage.gradients[place : place + 1]
        assert_gradient(found, lambda: np.asarray(loss_of(network)[0]), one, np.ones(()), f"entry {place}")
    for name, parameter in network.score.named_parameters():
        assert_gradient(parameter.grad, lambda: np.asarray(loss_of(network)[0]), parameter.value, np.ones(()), name)


def test_texts_in_any_order_go_through_the_tower_that_is_theirs():
    network = towers()
    order = np.array([4, 0, 3, 2])
    embeddings, _ = network.embed_forward(batch(network), order)
    by_tower = [network.product, network.query, network.product, network.query]
    for row, tower, number in zip(embeddings, by_tower, order, strict=True):
        np.testing.assert_allclose(row, tower.encode(TEXTS[number]), rtol=1e-12)


@pytest.mark.parametrize("texts", [[0, 2], [3, 5]])
def test_a_shard_may_have_queries_or_products_alone(texts):
    network = towers()
    embeddings, cache = network.embed_forward(batch(network), np.array(texts))
    network.zero_grad()
    network.embed_backward(np.ones_like(embeddings), cache)
    has_gradient = [
        any(parameter.grad.any() for _, parameter in tower.named_parameters())
        for tower in (network.query, network.product)
    ]
    assert has_gradient == ([True, False] if texts[0] < 3 else [False, True])


def test_new_towers_are_the_encoder_and_a_projection_in_place_of_normalisation_and_begin_as_the_same():
    encoder = small_encoder(head=("normalise",))
    network = new_towers(encoder, 5, "cosine", shared=False, seed=4)
    assert network.query is not network.product
    assert network.query.settings.head == (DenseSettings(12, 5, "identity"),)
    np.testing.assert_array_equal(network.query.storage.values, network.product.storage.values)
    projection = network.query.head.layers[0]
    np.testing.assert_allclose(
        network.query.encode(TEXTS), small_encoder().encode(TEXTS) @ projection.weight.value, rtol=1e-5, atol=1e-6
    )


def test_embeddings_of_the_size_that_is_asked_for_need_no_projection():
    assert new_towers(small_encoder(), 12, "dot", shared=True, seed=0).query.settings.head == ()


def test_prompts_are_left_out_since_towers_learn_from_texts_as_they_are():
    encoder = small_encoder(prompts={"query": "he likes "}, default_prompt_name="query")
    tower = new_towers(encoder, 12, "cosine", shared=True, seed=0).query
    assert (tower.settings.prompts, tower.settings.default_prompt_name) == ({}, None)
    np.testing.assert_array_equal(tower.encode("my dog"), small_encoder().encode("my dog"))


def test_an_encoder_that_cuts_its_embeddings_is_refused():
    with pytest.raises(UserError, match="keeps 7 columns of its embeddings"):
        new_towers(small_encoder(truncate_dim=7), 5, "cosine", shared=True, seed=0)


@pytest.mark.parametrize("score", ["cosine", "dot"])
@pytest.mark.parametrize("shared", [False, True])
def test_a_folder_gives_the_same_towers_again(tmp_path, shared, score):
    network = towers(shared, np.float32, score)
    network.save_pretrained(tmp_path)
    loaded = TwoTowers.from_pretrained(tmp_path)
    assert loaded.are_shared == shared
    for ours, theirs in ((loaded.query, network.query), (loaded.product, network.product)):
        np.testing.assert_array_equal(ours.encode(TEXTS), theirs.encode(TEXTS))
    similarities = np.array([[0.3, -0.2]], np.float32)
    np.testing.assert_array_equal(loaded.score(similarities), network.score(similarities))
    restored = towers(shared, np.float32, score)
    restored.storage.values[...] = 0
    restored.restore(tmp_path)
    np.testing.assert_array_equal(restored.storage.values, network.storage.values)


def test_a_sentence_encoders_folder_is_two_towers_that_are_the_same(tmp_path):
    encoder = small_encoder()
    encoder.save_pretrained(tmp_path / "encoder")
    loaded = TwoTowers.from_pretrained(tmp_path / "encoder")
    assert loaded.are_shared
    assert loaded.score is None
    loaded.save_pretrained(tmp_path / "again")
    assert files_of(tmp_path / "again") == files_of(tmp_path / "encoder")


def files_of(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_untied_towers_begin_with_shared_ones(tmp_path):
    shared = towers(shared=True, dtype=np.float32)
    shared.save_pretrained(tmp_path)
    untied = towers(shared=False, dtype=np.float32)
    untied.begin_with(tmp_path)
    for tower in (untied.query, untied.product):
        np.testing.assert_array_equal(tower.encode(TEXTS), shared.query.encode(TEXTS))
    np.testing.assert_array_equal(untied.score.bias.value, shared.score.bias.value)


def damaged_settings(folder):
    (folder / "minitransformer_towers.json").write_text('{"score": "euclidean", "shared": false}')


def other_size(folder):
    new_towers(small_encoder(), 4, "cosine", shared=True, seed=0).product.save_pretrained(folder / "product")


def no_score(folder):
    (folder / "minitransformer_towers.safetensors").unlink()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (damaged_settings, "expected score to be one of cosine, dot, and shared true or false; found"),
        (other_size, "the embeddings of products have 4 numbers, and those of queries 5; the towers don't fit"),
        (no_score, "minitransformer_towers.safetensors"),
    ],
)
def test_a_folder_that_does_not_fit_together_is_refused(tmp_path, damage, message):
    towers(dtype=np.float32).save_pretrained(tmp_path)
    damage(tmp_path)
    with pytest.raises(UserError, match=message):
        TwoTowers.from_pretrained(tmp_path)


def test_sentence_transformers_files_are_those_of_the_query_tower_and_a_note_says_so(tmp_path):
    network = towers(dtype=np.float32)
    network.save_pretrained(tmp_path)
    with pytest.warns(UserWarning, match=r"has two towers, and this is the one for queries; .* is in .*product$"):
        encoder = SentenceEncoder.from_pretrained(tmp_path)
    np.testing.assert_array_equal(encoder.encode(TEXTS), network.query.encode(TEXTS))


@pytest.mark.filterwarnings("error")
def test_there_is_no_note_where_one_tower_is_asked_for_or_both(tmp_path):
    towers(dtype=np.float32).save_pretrained(tmp_path / "untied")
    towers(shared=True, dtype=np.float32).save_pretrained(tmp_path / "shared")
    assert not TwoTowers.from_pretrained(tmp_path / "untied").are_shared
    for folder in (tmp_path / "untied" / "product", tmp_path / "shared"):
        assert len(SentenceEncoder.from_pretrained(folder).encode(TEXTS)) == len(TEXTS)
