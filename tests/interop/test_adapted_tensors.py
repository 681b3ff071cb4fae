"""Adapters on the toy of test_tensor_layout.py: a c_attn for query, key and value, and a head that is transposed."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from minitransformer.errors import UserError
from minitransformer.interop.adapted_tensors import AdaptedTensors
from minitransformer.interop.loading import Arrays, load_all, values_of
from tests.interop.test_tensor_layout import LAYOUT, Toy
from tests.small_models import randomise

RNG = np.random.default_rng(3)
A, B = RNG.normal(size=(2, 2)).astype(np.float32), RNG.normal(size=(12, 2)).astype(np.float32)
C_ATTN = "base_model.model.transformer.h.{}.c_attn"
TENSORS = {
    **{f"{C_ATTN.format(i)}.lora_A.weight": (i + 1) * A for i in (0, 1)},
    **{f"{C_ATTN.format(i)}.lora_B.weight": B for i in (0, 1)},
}
CONFIG = {"peft_type": "LORA", "r": 2, "lora_alpha": 3, "target_modules": ["c_attn"]}


@pytest.fixture
def toy():
    return randomise(Toy().initialise())


@pytest.fixture
def adapt(tmp_path, toy):
    """adapt(tensors, **changes of the config): the toy's tensors, as the adapter changes them."""

    def adapt(tensors, base=None, **config):
        save_file(tensors, tmp_path / "adapter_model.safetensors")
        (tmp_path / "adapter_config.json").write_text(json.dumps({**CONFIG, **config}))
        return AdaptedTensors(base or Arrays(values_of(toy, LAYOUT)), tmp_path, LAYOUT)

    return adapt


def test_the_update_is_added_to_the_weight_it_belongs_to_the_way_round_that_this_is_stored(toy, adapt):
    adapted, tensors = adapt(TENSORS), values_of(toy, LAYOUT)
    assert [*adapted] == [*tensors]
    expected = tensors["transformer.h.1.c_attn.weight"] + 1.5 * (B @ (2 * A)).T
    np.testing.assert_allclose(adapted["transformer.h.1.c_attn.weight"], expected, rtol=1e-6)
    np.testing.assert_array_equal(adapted["transformer.h.1.c_proj.weight"], tensors["transformer.h.1.c_proj.weight"])


def test_they_load_like_those_of_any_model(toy, adapt):
    again = Toy().initialise()
    load_all(again, LAYOUT, adapt(TENSORS))
    update = 1.5 * A.T @ B.T
    np.testing.assert_allclose(
        again.blocks[0].key.weight.value, toy.blocks[0].key.weight.value + update[:, 4:8], rtol=1e-5
    )
    np.testing.assert_array_equal(again.label.weight.value, toy.label.weight.value)


@pytest.mark.parametrize(
    "rename",
    [
        lambda name: name.replace("transformer.", ""),
        lambda name: name.replace("lora_A", "lora_A.default").replace("lora_B", "lora_B.default"),
    ],
)
def test_names_with_the_adapters_name_and_without_the_familys_prefix_are_the_same(adapt, rename):
    expected = adapt(TENSORS)["transformer.h.0.c_attn.weight"]
    found = adapt({rename(name): tensor for name, tensor in TENSORS.items()})
    np.testing.assert_array_equal(found["transformer.h.0.c_attn.weight"], expected)


def test_the_prefix_of_the_models_file_does_not_matter_either(toy, adapt):
    base = {name.removeprefix("transformer."): tensor for name, tensor in values_of(toy, LAYOUT).items()}
    expected = adapt(TENSORS)["transformer.h.0.c_attn.weight"]
    np.testing.assert_array_equal(adapt(TENSORS, Arrays(base))["h.0.c_attn.weight"], expected)


def test_a_head_of_the_adapter_takes_the_place_of_the_models(toy, adapt):
    score = np.ones((3, 2), np.float32)
    adapted = adapt({**TENSORS, "base_model.model.score.modules_to_save.default.weight": score})
    np.testing.assert_array_equal(adapted["score.weight"], score)
    other = adapt({**TENSORS, "base_model.model.other.weight": score})
    assert other.shapes["other.weight"] == (3, 2)


def test_a_third_is_as_exact_as_the_array_that_it_goes_into(toy, adapt):
    """values in float64 that are no float32 numbers: W + s A B has no rounding to float32 in between."""
    again = Toy().initialise(dtype=np.float64)
    load_all(again, LAYOUT, adapt(TENSORS))
    whole = toy.blocks[0].query.weight.value.astype(float) + (1.5 * (B.astype(float) @ A.astype(float))).T[:, :4]
    np.testing.assert_allclose(again.blocks[0].query.weight.value, whole, rtol=1e-14)


FIRST = f"{C_ATTN.format(0)}.lora_A.weight"


@pytest.mark.parametrize(
    ("changes", "config", "message"),
    [
        ({FIRST: None}, {}, r"lacks base_model.model.h.0.c_attn.lora_A.weight, which belongs to its target_modules"),
        ({}, {"target_modules": ["c_attn", "c_proj"]}, r"lacks .*h.0.c_proj.lora_A.weight"),
        ({}, {"r": 3}, r"tensor .*h.0.c_attn.lora_A.weight has the shape \[2, 2\], expected \[3, 2\]"),
        ({FIRST: np.zeros((2, 3))}, {}, r"h.0.c_attn.lora_A.weight has the shape \[2, 3\], expected \[2, 2\]"),
        (dict.fromkeys(TENSORS), {"target_modules": ["q"]}, r"changes nothing: its target_modules \('q',\)"),
        (
            {C_ATTN.format(7) + f".lora_{part}.weight": tensor for part, tensor in (("A", A), ("B", B))},
            {},
            r"changes h.7.c_attn.weight, which the dictionary doesn't have",
        ),
        (
            {FIRST: None, FIRST.removeprefix("base_model.model."): A},
            {},
            r"are called base_model.model.*, found transformer.h.0.c_attn.lora_A.weight",
        ),
        (
            {"base_model.model.wte.lora_embedding_A": A},
            {},
            r"holds .*wte.lora_embedding_A, which isn't supported",
        ),
        ({FIRST.replace("A.weight", "A.default.weight"): A}, {}, "are two names of one tensor"),
    ],
)
def test_an_adapter_that_does_not_fit_is_refused_by_the_name_of_what_does_not(adapt, changes, config, message):
    tensors = {name: tensor for name, tensor in {**TENSORS, **changes}.items() if tensor is not None}
    with pytest.raises(UserError, match=rf"adapter_model.safetensors.*{message}"):
        adapt(tensors, **config)


def test_a_pickle_is_not_read(tmp_path, adapt):
    adapt(TENSORS)
    (tmp_path / "adapter_model.safetensors").rename(tmp_path / "adapter_model.bin")
    with pytest.raises(UserError, match=r"has no adapter_model.safetensors; adapter_model.bin is never read"):
        AdaptedTensors(Arrays(values_of(Toy().initialise(), LAYOUT)), tmp_path, LAYOUT)
