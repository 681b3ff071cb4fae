import numpy as np
import pytest

from minitransformer import BertForSequenceClassification, ClassifierSettings
from minitransformer.training.optimizer.learning_rates import rate_factors_by_depth, rate_factors_of_part
from tests.small_models import small_config


@pytest.fixture
def model():
    """Two layers, and a head with a dense layer."""
    return BertForSequenceClassification(small_config(), ClassifierSettings(hidden_sizes=(5,)))


def factor_of_each_parameter(model, rate_factors):
    """By name; all entries of a parameter must have the same factor."""
    factors = np.full(model.storage.values.size, np.nan)
    for start, end, factor in rate_factors:
        assert np.isnan(factors[start:end]).all(), "two factors for one entry"
        factors[start:end] = factor
    assert not np.isnan(factors).any(), "an entry without a factor"
    found = {}
    for name, parameter in model.named_parameters():
        [found[name]] = set(factors[parameter.place])
    return found


def test_each_layer_has_the_rate_of_the_one_above_times_the_decay(model):
    """Decay 1/2 and two layers: the head 1, the upper layer 1/2, the lower one 1/4, the embeddings 1/8."""
    expected = {"classifier": 1, "hidden_layers": 1, "bert.pooler": 1}
    expected |= {"bert.layers.1": 1 / 2, "bert.layers.0": 1 / 4, "bert.embeddings": 1 / 8}
    for name, factor in factor_of_each_parameter(model, rate_factors_by_depth(model, 2, 0.5)).items():
        [part] = [part for part in expected if name.startswith(part)]
        assert factor == expected[part], name


def test_a_part_has_a_factor_of_its_own_and_all_else_has_1(model):
    for name, factor in factor_of_each_parameter(model, rate_factors_of_part(model, "classifier", 20.0)).items():
        assert factor == (20 if name.startswith("classifier.") else 1), name


def test_a_decay_of_1_trains_all_alike(model):
    assert rate_factors_by_depth(model, 2, 1.0) == [(0, model.storage.values.size, 1.0)]


def test_what_is_frozen_has_no_rate(model):
    model.freeze(model.bert.embeddings, model.bert.layers)
    assert rate_factors_by_depth(model, 2, 0.5) == [(0, model.storage.values.size, 1.0)]
