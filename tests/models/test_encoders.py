"""The families of encoders; tests/parity/test_families_parity.py holds them against transformers."""

import dataclasses
import json

import numpy as np
import pytest

from minitransformer import PackedTokens
from minitransformer.errors import UserError
from minitransformer.models.encoders import ENCODERS, encoder_of_folder
from tests.gradient_check import assert_parameter_gradients
from tests.small_models import randomise

SIZES = {
    "vocab_size": 23,
    "hidden_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 7,
    "max_position_embeddings": 14,
    "embedding_size": 8,
}
every_family = pytest.mark.parametrize("family", ENCODERS, ids=lambda family: family.__name__)


def small(family):
    names = [field.name for field in dataclasses.fields(family.config_type)]
    sizes = {name: size for name, size in SIZES.items() if name in names}
    return randomise(family(family.config_type(**sizes), dtype=np.float64))


def random_tokens(lengths=(4, 1, 11, 3)):
    rng = np.random.default_rng(2)
    return PackedTokens.pack([rng.integers(0, SIZES["vocab_size"], length) for length in lengths])


@every_family
def test_the_gradient_of_every_parameter_equals_central_differences(family):
    model, tokens = small(family), random_tokens()
    d_hidden = np.random.default_rng(6).normal(size=(len(tokens.token_ids), SIZES["hidden_size"]))
    model.hidden_backward(d_hidden, model.hidden_forward(tokens)[1])
    if hasattr(model, "pooler"):  # which has no part in the rows
        model.freeze(model.pooler)
        model.hidden_backward(d_hidden, model.hidden_forward(tokens)[1])
    trained = [parameter for _, parameter in model.named_parameters() if parameter.trained]
    assert all(parameter.grad.any() for parameter in trained)
    assert_parameter_gradients(_Trained(model), lambda: float((model.hidden(tokens) * d_hidden).sum()))


class _Trained:
    """The parameters of a model that have gradients."""

    def __init__(self, model):
        self.model = model

    def named_parameters(self):
        return ((name, parameter) for name, parameter in self.model.named_parameters() if parameter.trained)


@every_family
def test_a_sequence_has_the_same_rows_in_any_company(family):
    model, tokens = small(family), random_tokens()
    rows = tokens.unpack(model.hidden(tokens))
    for ids, expected in zip(tokens.unpack(tokens.token_ids), rows, strict=True):
        np.testing.assert_allclose(model.hidden(PackedTokens.pack([ids])), expected, rtol=1e-10, atol=1e-12)


@every_family
def test_a_saved_model_comes_back_from_its_folder(tmp_path, recwarn, family):
    model, tokens = small(family), random_tokens()
    model.save_pretrained(tmp_path)
    again = encoder_of_folder(tmp_path).from_pretrained(tmp_path, dtype=np.float64)
    assert type(again) is family
    assert again.config == model.config
    np.testing.assert_allclose(again.hidden(tokens), model.hidden(tokens), atol=1e-4)
    assert not recwarn.list


@every_family
def test_the_longest_text_fits_and_one_token_more_is_refused(family):
    model = small(family)
    longest = model.config.num_positions
    assert longest == (12 if family.layout.model_type in ("roberta", "xlm-roberta", "mpnet") else 14)
    assert len(model.hidden(PackedTokens.pack([[2] * longest]))) == longest
    with pytest.raises(UserError, match=f"position {longest} is outside the {longest} positions"):
        model.hidden(PackedTokens.pack([[2] * (longest + 1)]))


@pytest.mark.parametrize("kind", ["albert", "t5", "modernbert", "xlnet", 7])
def test_other_families_are_refused_by_name(tmp_path, kind):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": kind}))
    with pytest.raises(UserError, match=f"config.json: model_type is {kind!r}, which isn't supported; bert, roberta"):
        encoder_of_folder(tmp_path)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"is_encoder_decoder": True}, "is_encoder_decoder is True, expected False"),
        ({"pruned_heads": {"0": [1]}}, "pruned_heads is {'0': .1.}, expected {}"),
        ({"quantization_config": {"bits": 4}}, "quantised weights can't be read"),
        ({"position_embedding_type": "relative_key"}, "position_embedding_type is 'relative_key'"),
    ],
)
def test_settings_that_make_another_network_are_refused(tmp_path, settings, message):
    small(ENCODERS[1]).save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, **settings}))
    with pytest.raises(UserError, match=message):
        ENCODERS[1].from_pretrained(tmp_path)


def test_settings_that_nobody_knows_are_named(tmp_path):
    small(ENCODERS[0]).save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "feed_forward_type": "geglu", "use_bias": False}))
    with pytest.warns(
        UserWarning, match=r"unknown and not applied; .*: feed_forward_type \('geglu'\), use_bias \(False\)"
    ):
        ENCODERS[0].from_pretrained(tmp_path)
