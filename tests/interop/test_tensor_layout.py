"""The table on a toy of two blocks, stored as GPT-2 stores its own: [in, out], and q, k, v side by side."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from minitransformer.errors import MissingHead, UserError
from minitransformer.interop.loading import Arrays, Loading, load_all, values_of
from minitransformer.interop.safetensors_files import WEIGHTS_FILE, open_tensors
from minitransformer.interop.tensor_layout import THIRDS, TRANSPOSED, Row, TensorLayout, embedding, layer_norm, linear
from minitransformer.nn.embedding import Embedding
from minitransformer.nn.layer_norm import LayerNorm
from minitransformer.nn.linear import Linear
from minitransformer.nn.module import Module
from tests.small_models import randomise


class Block(Module):
    def __init__(self):
        self.query, self.key, self.value = (Linear(2, 4) for _ in range(3))
        self.output = Linear(4, 2)


class Toy(Module):
    def __init__(self):
        self.token = Embedding(7, 2)
        self.blocks = [Block(), Block()]
        self.norm = LayerNorm(2)
        self.label = Linear(2, 3)


LAYOUT = TensorLayout(
    [
        *embedding("token", "transformer.wte"),
        Row("blocks.{i}.query.weight", "transformer.h.{i}.c_attn.weight", THIRDS[0]),
        Row("blocks.{i}.query.bias", "transformer.h.{i}.c_attn.bias", THIRDS[0]),
        Row("blocks.{i}.key.weight", "transformer.h.{i}.c_attn.weight", THIRDS[1]),
        Row("blocks.{i}.key.bias", "transformer.h.{i}.c_attn.bias", THIRDS[1]),
        Row("blocks.{i}.value.weight", "transformer.h.{i}.c_attn.weight", THIRDS[2]),
        Row("blocks.{i}.value.bias", "transformer.h.{i}.c_attn.bias", THIRDS[2]),
        Row("blocks.{i}.output.weight", "transformer.h.{i}.c_proj.weight"),
        Row("blocks.{i}.output.bias", "transformer.h.{i}.c_proj.bias"),
        *layer_norm("norm", "transformer.ln_f"),
        *linear("label", "score"),
    ],
    their_prefix="transformer.",
    heads={"label": "classifier"},
    layers={"n_layer": "h.{i}."},
    tied={"lm_head.weight": "wte.weight"},
    old_endings={".g": ".weight", ".b": ".bias"},
    buffers=("h.{i}.attn.bias",),
)


@pytest.fixture
def toy():
    return randomise(Toy().initialise())


def load(module, tensors):
    load_all(module, LAYOUT, Arrays(tensors))


def arrays_of(module):
    return {name: parameter.value for name, parameter in module.named_parameters()}


def test_the_same_array_is_the_same_there(toy):
    tensors = values_of(toy, LAYOUT)
    np.testing.assert_array_equal(tensors["transformer.wte.weight"], toy.token.table.value)
    np.testing.assert_array_equal(tensors["transformer.h.1.c_proj.weight"], toy.blocks[1].output.weight.value)
    np.testing.assert_array_equal(tensors["transformer.ln_f.bias"], toy.norm.beta.value)


def test_the_weight_of_a_torch_linear_is_the_transpose(toy):
    np.testing.assert_array_equal(values_of(toy, LAYOUT)["score.weight"], toy.label.weight.value.T)
    assert LAYOUT.find("label.weight") == ("score.weight", TRANSPOSED)


def test_thirds_are_side_by_side_in_one_tensor(toy):
    tensors, block = values_of(toy, LAYOUT), toy.blocks[1]
    parts = block.query, block.key, block.value
    expected = np.hstack([part.weight.value for part in parts])
    assert expected.shape == (2, 12)
    np.testing.assert_array_equal(tensors["transformer.h.1.c_attn.weight"], expected)
    np.testing.assert_array_equal(
        tensors["transformer.h.1.c_attn.bias"], np.hstack([part.bias.value for part in parts])
    )


def test_every_parameter_comes_back_from_a_dictionary_and_from_a_file(tmp_path, toy):
    from_dictionary, from_file = Toy().initialise(), Toy()
    load(from_dictionary, values_of(toy, LAYOUT))
    save_file({name: np.ascontiguousarray(t) for name, t in values_of(toy, LAYOUT).items()}, tmp_path / WEIGHTS_FILE)
    loading = Loading(from_file, LAYOUT, open_tensors(tmp_path))
    from_file.allocate()
    loading.fill(seed=0)
    for name, value in arrays_of(toy).items():
        np.testing.assert_array_equal(arrays_of(from_dictionary)[name], value, err_msg=name)
        np.testing.assert_array_equal(arrays_of(from_file)[name], value, err_msg=name)


def test_a_tensor_that_isnt_three_times_as_wide_is_refused_with_both_shapes(toy):
    tensors = {**values_of(toy, LAYOUT), "transformer.h.0.c_attn.weight": np.zeros((2, 13))}
    with pytest.raises(UserError, match=r"h.0.c_attn.weight has the shape \[2, 13\], but .* \[2, 12\]"):
        load(toy, tensors)


def test_a_parameter_without_a_row_is_a_mistake_of_ours():
    with pytest.raises(LookupError, match=r"no row for the parameter blocks.0.gate.weight"):
        LAYOUT.find("blocks.0.gate.weight")


def test_the_prefix_old_endings_and_buffers_do_not_matter(toy):
    tensors = {name.removeprefix("transformer."): array for name, array in values_of(toy, LAYOUT).items()}
    tensors["ln_f.g"], tensors["ln_f.b"] = tensors.pop("ln_f.weight"), tensors.pop("ln_f.bias")
    tensors["transformer.h.0.attn.bias"] = np.zeros((1, 1, 9, 9))  # a mask, and not the end of c_attn.bias
    again = Toy().initialise()
    load(again, tensors)
    assert arrays_of(again).keys() == arrays_of(toy).keys()
    np.testing.assert_array_equal(again.storage.values, toy.storage.values)


@pytest.mark.parametrize("second", ["wte.weight", "transformer.ln_f.g"])
def test_two_names_of_one_tensor_are_refused(toy, second):
    with pytest.raises(UserError, match=f"the dictionary: transformer.* and {second} are two names of one tensor"):
        load(toy, {**values_of(toy, LAYOUT), second: np.zeros(2)})


def test_a_tied_decoder_may_be_there_too_or_alone_but_not_differ(toy):
    tensors = values_of(toy, LAYOUT)
    decoder = tensors["transformer.wte.weight"]
    load(Toy().initialise(), {**tensors, "lm_head.weight": decoder})
    again = Toy().initialise()
    load(again, {**tensors, "lm_head.weight": tensors.pop("transformer.wte.weight")})
    load(again, {**tensors, "lm_head.weight": decoder})
    np.testing.assert_array_equal(again.token.table.value, decoder)
    with pytest.raises(UserError, match="decoder differs from the token embedding"):
        load(toy, {**tensors, "transformer.wte.weight": decoder, "lm_head.weight": -decoder})


def test_a_loading_knows_what_is_missing_and_what_is_unused(toy):
    tensors = {**values_of(toy, LAYOUT), "score.extra": np.zeros(3)}
    del tensors["score.bias"]
    loading = Loading(toy, LAYOUT, Arrays(tensors))
    assert loading.sources["blocks.1.key.bias"] == "transformer.h.1.c_attn.bias"
    assert loading.missing == ["label.bias"]
    assert loading.unused == ["score.extra"]
    loading = Loading(toy, LAYOUT, Arrays(tensors), new=("label",))
    assert loading.missing == []
    assert loading.unused == ["score.weight", "score.extra"]


def test_what_no_checkpoint_may_lack_is_named_and_a_needed_head_by_what_people_call_it(toy):
    tensors = values_of(toy, LAYOUT)
    without_head = Arrays({name: tensor for name, tensor in tensors.items() if not name.startswith("score")})
    with pytest.raises(MissingHead, match=r"the dictionary has no classifier: it lacks score.weight, score.bias"):
        Loading(toy, LAYOUT, without_head, needed=("label",))
    del tensors["transformer.ln_f.bias"]
    with pytest.raises(UserError, match=r"the dictionary lacks transformer.ln_f.bias, which the model needs"):
        Loading(toy, LAYOUT, Arrays(tensors))


def test_layers_are_counted_by_what_is_there_not_by_the_largest_number():
    assert LAYOUT.number_of_layers("n_layer", ["transformer.h.999999999.x", "h.0.x", "h.0.y", "wte.weight"]) == 2
