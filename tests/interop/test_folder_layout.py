import dataclasses
import json
from dataclasses import dataclass

import pytest

from minitransformer import BertConfig
from minitransformer.errors import UserError
from minitransformer.interop.config_file import ACTIVATION_NAMES, CONFIG_FILE
from minitransformer.interop.folder_layout import FolderLayout
from minitransformer.interop.layouts.bert import BERT
from minitransformer.interop.tensor_layout import TensorLayout
from minitransformer.nn.activation import ACTIVATIONS


@dataclass
class ToyConfig:
    hidden_size: int = 4
    num_layers: int = 2

    def __post_init__(self):
        if self.hidden_size < 1:
            raise UserError(f"hidden_size must be above 0, found {self.hidden_size}")


TOY = FolderLayout(
    "toy",
    TensorLayout([], layers={"num_layers": "h.{i}."}),
    config_names={"hidden_size": "n_embd"},
    only={"scale": (True, "scores are always scaled")},
)
TENSORS = [f"h.{i}.weight" for i in range(5)]


def test_settings_have_their_names_in_the_file_and_ours_in_the_config(tmp_path):
    (tmp_path / CONFIG_FILE).write_text(TOY.config_text({"hidden_size": 6, "num_layers": 3}, "ToyModel"))
    assert json.loads((tmp_path / CONFIG_FILE).read_text()) == {
        "architectures": ["ToyModel"],
        "model_type": "toy",
        "dtype": "float32",
        "n_embd": 6,
        "num_layers": 3,
    }
    assert TOY.read_config(tmp_path, ToyConfig, TENSORS) == ToyConfig(6, 3)


def test_what_the_file_lacks_has_its_default_and_what_the_config_lacks_is_left_out(tmp_path):
    (tmp_path / CONFIG_FILE).write_text('{"num_layers": 5, "use_cache": true}')
    assert TOY.read_config(tmp_path, ToyConfig, TENSORS) == ToyConfig(num_layers=5)


def test_a_familys_own_defaults_what_must_be_equal_and_what_is_written_besides(tmp_path):
    """Where the family's library takes another size if a config.json names none, that one is meant."""
    layout = dataclasses.replace(
        TOY, equal={"n_out": "n_embd"}, defaults={"n_embd": 9, "scale": False}, written={"scale": True, "end": None}
    )
    (tmp_path / CONFIG_FILE).write_text(layout.config_text({"hidden_size": 6, "num_layers": 3}, "ToyModel"))
    written = json.loads((tmp_path / CONFIG_FILE).read_text())
    assert (written["n_out"], written["scale"], written["end"]) == (6, True, None)
    assert layout.read_config(tmp_path, ToyConfig, TENSORS) == ToyConfig(6, 3)
    for settings, words in (
        ({"n_out": 6, "n_embd": 7, "scale": True}, "n_out is 6, expected 7: it must be what n_embd is"),
        ({"n_embd": 7}, "scale is False, expected True"),
    ):
        (tmp_path / CONFIG_FILE).write_text(json.dumps(settings))
        with pytest.raises(UserError, match=words):
            layout.read_config(tmp_path, ToyConfig, TENSORS)
    (tmp_path / CONFIG_FILE).write_text('{"scale": true}')
    assert layout.read_config(tmp_path, ToyConfig, TENSORS) == ToyConfig(hidden_size=9)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model_type": "bert"}, "config.json: model_type is 'bert', expected 'toy': it is a model of another kind"),
        ({"scale": False}, "config.json: scale is False, expected True: scores are always scaled"),
        ({"n_embd": 0}, "config.json: hidden_size must be above 0, found 0"),
        ({"num_layers": 10**15}, "config.json: num_layers is 1000000000000000, but the checkpoint has 5 layers"),
    ],
)
def test_what_is_not_built_here_is_refused_and_the_file_named(tmp_path, settings, message):
    (tmp_path / CONFIG_FILE).write_text(json.dumps(settings))
    with pytest.raises(UserError, match=message):
        TOY.read_config(tmp_path, ToyConfig, TENSORS)


@pytest.mark.parametrize(
    "settings",
    [
        {"model_type": "roberta"},
        {"model_type": 3},
        {"position_embedding_type": "relative_key"},
        {"is_decoder": True},
        {"is_decoder": "no"},
        {"add_cross_attention": True},
    ],
)
def test_another_network_than_berts_encoder_is_refused(tmp_path, settings):
    (tmp_path / CONFIG_FILE).write_text(json.dumps(settings))
    [name] = settings
    with pytest.raises(UserError, match=f"config.json: {name} is"):
        BERT.read_config(tmp_path, BertConfig, [])


def test_an_old_config_without_a_model_type_is_read(tmp_path):
    (tmp_path / CONFIG_FILE).write_text('{"hidden_size": 24, "num_hidden_layers": 0, "position_embedding_type": null}')
    assert BERT.read_config(tmp_path, BertConfig, []) == BertConfig(hidden_size=24, num_hidden_layers=0)


def test_a_folder_without_config_says_so(tmp_path):
    with pytest.raises(UserError, match=r"has no config.json"):
        TOY.read_config(tmp_path, ToyConfig, TENSORS)


def test_every_name_of_an_activation_leads_to_one():
    assert set(ACTIVATION_NAMES.values()) <= set(ACTIVATIONS)
