import pickle

import numpy as np
import pytest

from minitransformer.nn.embedding import Embedding
from minitransformer.nn.layer_norm import LayerNorm
from minitransformer.nn.linear import Linear
from minitransformer.nn.module import Module


class Tied(Module):
    """A list of layers, a part with parts, and a table that two paths lead to."""

    def __init__(self, num_layers=2):
        self.rate = 0.1
        self.token = Embedding(5, 3)
        self.layers = [Linear(3, 3) for _ in range(num_layers)]
        self.norm = LayerNorm(3)
        self.table = self.token.table


NAMES = [
    "token.table",
    "layers.0.weight",
    "layers.0.bias",
    "layers.1.weight",
    "layers.1.bias",
    "norm.gamma",
    "norm.beta",
]


def values_by_name(module):
    return {name: parameter.value for name, parameter in module.named_parameters()}


def test_a_parameter_is_named_by_its_path_and_a_tied_one_is_there_once():
    assert [name for name, _ in Tied().named_parameters()] == NAMES


def test_the_number_of_parameters_counts_a_tied_one_once_and_needs_no_values():
    assert Tied().num_parameters == 5 * 3 + 2 * (9 + 3) + 6


def test_the_values_fill_one_vector_without_gaps_or_overlaps():
    module = Tied().initialise()
    values = module.storage.values
    assert values.shape == (module.num_parameters,)
    values[...] = np.arange(module.num_parameters)
    entries = np.concatenate([value.reshape(-1) for value in values_by_name(module).values()])
    np.testing.assert_array_equal(np.sort(entries), values)


def test_what_weight_decay_pulls_on_stands_in_front():
    module = Tied().initialise()
    module.storage.values[: module.storage.num_decayed] = 1
    module.storage.values[module.storage.num_decayed :] = 0
    means = {name: value.mean() for name, value in values_by_name(module).items()}
    assert means == {name: float(name.endswith(("table", "weight"))) for name in NAMES}


def test_first_values_are_those_of_the_published_code():
    values = values_by_name(Tied().initialise(seed=3, dtype=np.float64))
    assert (values["norm.gamma"] == 1).all()
    assert not any(values[name].any() for name in ("norm.beta", "layers.0.bias", "layers.1.bias"))
    for name in ("token.table", "layers.0.weight"):
        assert 0.005 < values[name].std() < 0.04
        assert np.abs(values[name]).max() <= 0.04
    assert (values["layers.0.weight"] != values["layers.1.weight"]).all()


def test_first_values_depend_on_the_seed_and_the_name_alone():
    values = values_by_name(Tied().initialise(seed=3, dtype=np.float64))
    deeper = values_by_name(Tied(num_layers=4).initialise(seed=3, dtype=np.float64))
    other_seed = values_by_name(Tied().initialise(seed=4, dtype=np.float64))
    in_float32 = values_by_name(Tied().initialise(seed=3, dtype=np.float32))
    for name, value in values.items():
        np.testing.assert_array_equal(deeper[name], value)
        np.testing.assert_array_equal(in_float32[name], value.astype(np.float32))
    assert (other_seed["token.table"] != values["token.table"]).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_and_gradients_have_the_dtype_asked_for(dtype):
    module = Tied().initialise(dtype=dtype)
    assert module.storage.values.dtype == module.storage.gradients.dtype == dtype
    assert {value.dtype for value in values_by_name(module).values()} == {np.dtype(dtype)}


def test_zero_grad_clears_every_gradient():
    module = Tied().initialise()
    for _, parameter in module.named_parameters():
        parameter.accumulate(np.ones(parameter.shape))
    module.zero_grad()
    assert not module.storage.gradients.any()


def test_zero_grad_of_a_part_and_of_the_whole_add_up():
    module = Tied().initialise()
    module.storage.gradients[...] = 1
    module.layers[0].zero_grad()
    assert module.storage.gradients.sum() == module.num_parameters - module.layers[0].num_parameters
    module.storage.gradients[...] = 1
    module.zero_grad()
    module.layers[0].zero_grad()
    assert not module.storage.gradients.any()


def test_a_replica_shares_the_values_has_its_own_gradients_and_stays_tied():
    module = Tied().initialise()
    replica = module.replica()
    assert [name for name, _ in replica.named_parameters()] == NAMES
    assert replica.table is replica.token.table
    module.token.table.value[2] = 7
    np.testing.assert_array_equal(replica.token.table.value[2], [7, 7, 7])
    replica.norm.beta.accumulate(np.ones(3))
    assert replica.storage.gradients.sum() == 3
    assert not module.storage.gradients.any()


def test_a_replica_shares_what_has_no_gradient():
    module = Tied().initialise()
    module.tokenizer = object()
    assert module.replica().tokenizer is module.tokenizer


def test_a_pickled_module_comes_back_with_its_values_in_one_storage_and_tied():
    module = Tied().initialise()
    twin = pickle.loads(pickle.dumps(module))
    np.testing.assert_array_equal(twin.storage.values, module.storage.values)
    assert twin.table is twin.token.table
    twin.storage.values[...] = 3
    assert (twin.norm.beta.value == 3).all()


def test_freezing_keeps_the_values_and_leaves_the_rest_in_vectors_of_their_own():
    module = Tied().initialise()
    before = {name: value.copy() for name, value in values_by_name(module).items()}
    module.freeze(module.layers[0], module.norm)
    for name, value in values_by_name(module).items():
        np.testing.assert_array_equal(value, before[name])
    assert [name for name, parameter in module.named_parameters() if parameter.trained] == [
        "token.table", "layers.1.weight", "layers.1.bias",
    ]  # fmt: skip
    assert module.storage.values.size == module.storage.gradients.size == 15 + 12
    assert module.storage.num_decayed == 15 + 9
    assert module.num_parameters == 15 + 2 * 12 + 6


def test_a_replica_shares_frozen_values_too():
    module = Tied().initialise()
    module.freeze(module.norm)
    replica = module.replica()
    module.norm.gamma.value[...] = 5
    assert (replica.norm.gamma.value == 5).all()
    replica.layers[0].bias.accumulate(np.ones(3))
    assert not module.storage.gradients.any()


def test_frozen_layers_get_no_gradients_and_pass_them_on():
    rng = np.random.default_rng(1)
    module, twin = (Tied().initialise(dtype=np.float64) for _ in range(2))
    module.freeze(module.layers[0])
    x, dy = rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
    (_, cache), (_, twin_cache) = module.layers[0].forward(x), twin.layers[0].forward(x)
    np.testing.assert_array_equal(module.layers[0].backward(dy, cache), twin.layers[0].backward(dy, twin_cache))
    assert not module.storage.gradients.any()


def test_a_module_that_is_wholly_frozen_says_so():
    module = Tied().initialise()
    module.freeze(module)
    assert not module.is_trained
    module.zero_grad()
    with pytest.raises(RuntimeError, match="nothing of this module is trained"):
        _ = module.storage


class Nested(Module):
    def __init__(self):
        self.tied = Tied()
        self.last = Linear(3, 2)


def test_every_module_is_named_by_its_path():
    names = [name for name, _ in Nested().named_modules()]
    assert names == ["tied", "tied.token", "tied.layers.0", "tied.layers.1", "tied.norm", "last"]


def test_a_part_is_replaced_wherever_it_is():
    nested = Nested()
    in_list, outside, new = nested.tied.layers[1], nested.last, (Linear(3, 3), Linear(3, 2))
    nested.replace({in_list: new[0], outside: new[1]})
    assert nested.tied.layers[1] is new[0]
    assert nested.last is new[1]
    assert not {in_list, outside} & {module for _, module in nested.named_modules()}
    assert [name for name, _ in nested.tied.named_parameters()] == NAMES
