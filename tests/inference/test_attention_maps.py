import numpy as np
import pytest

from minitransformer.inference.attention_maps import AttentionMaps, attention_maps
from minitransformer.models.bert import Bert
from minitransformer.models.mpnet import MPNet, MPNetConfig
from tests.small_models import random_tokens, randomise, small_config, small_gpt


def small_bert():
    return randomise(Bert(small_config(), dtype=np.float64))


def small_mpnet():
    sizes = {"hidden_size": 12, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 7}
    return randomise(MPNet(MPNetConfig(vocab_size=23, max_position_embeddings=11, **sizes), dtype=np.float64))


@pytest.mark.parametrize("make", [small_bert, small_mpnet, small_gpt])
def test_the_weights_are_those_that_the_layers_mix_the_values_with(make):
    model = make()
    tokens = random_tokens(model.config, lengths=(6,))
    maps, x = attention_maps(model, tokens), model.embedded(tokens)
    for layer, weights in zip(model.layers, maps.weights, strict=True):
        seen = layer.attention_norm(x) if make is small_gpt else x
        values = layer.attention.value(seen).reshape(6, 3, 4)
        mixed = np.einsum("aij,jad->iad", weights, values).reshape(6, 12)
        expected = layer.attention(seen, tokens.lengths)
        np.testing.assert_allclose(layer.attention.output(mixed), expected, rtol=1e-9)
        x = layer(x, tokens.lengths)


@pytest.mark.parametrize("make", [small_bert, small_gpt])
def test_the_others_are_all_tokens_but_one_that_can_see_the_same(make):
    model = make()
    maps = attention_maps(model, random_tokens(model.config, lengths=(5,)))
    is_causal = make is small_gpt
    for place in np.ndindex(maps.weights.shape):
        *head, query, key = place
        seeing = [i for i in range(5) if i != query and (i >= key or not is_causal)]
        if is_causal and key > query:
            assert not maps.can_see[query, key]
            assert maps.weights[place] == maps.others[place] == 0
        else:
            mean = np.mean([maps.weights[*head, i, key] for i in seeing]) if seeing else 0
            assert maps.others[place] == pytest.approx(mean, abs=1e-12)


def test_heads_are_ranked_by_what_a_look_is_above_the_others_not_by_its_weight():
    """In head 0 everybody gives token 1 most: 0.7, 0.8, 0.8. In head 1 token 2 alone does: 0.6 against 0.1 and 0.1."""
    everybody = [[0.2, 0.7, 0.1], [0.1, 0.8, 0.1], [0.1, 0.8, 0.1]]
    one_alone = [[0.8, 0.1, 0.1], [0.8, 0.1, 0.1], [0.2, 0.6, 0.2]]
    weights = np.array([[everybody, one_alone]])
    others = np.array([[[(w.sum(0) - row) / 2 for row in w] for w in weights[0]]])
    maps = AttentionMaps(weights, others, np.ones((3, 3), bool))
    first, second = maps.best_looks(np.array([2]), np.array([1]))
    assert first[:4] == (0, 1, 2, 1)
    assert (first.weight, first.others, first.above) == pytest.approx((0.6, 0.1, 0.5))
    assert second[:4] == (0, 0, 2, 1)
    assert second.above == pytest.approx(0.8 - 0.75)


def test_a_token_that_looks_at_itself_or_could_not_see_is_no_look():
    model = small_gpt()
    maps = attention_maps(model, random_tokens(model.config, lengths=(4,)))
    everywhere = np.arange(4)
    assert all(look.key < look.query for look in maps.best_looks(everywhere, everywhere))
    assert maps.best_looks(np.array([2]), np.array([2])) == []
    assert maps.best_looks(np.array([1]), np.array([3])) == []


def test_one_sequence_at_a_time():
    model = small_bert()
    with pytest.raises(ValueError, match="one sequence, found 2"):
        attention_maps(model, random_tokens(model.config, lengths=(2, 3)))
