import json

import pytest

from minitransformer.errors import UserError
from minitransformer.interop.config_file import CONFIG_FILE, config_text, read_config_file


def test_settings_are_read_as_they_are_written(tmp_path):
    (tmp_path / CONFIG_FILE).write_text(config_text({"hidden_size": 6}, "BertModel"))
    settings = read_config_file(tmp_path)
    assert settings == {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "dtype": "float32",
        "hidden_size": 6,
    }


def test_an_old_config_without_a_model_type_is_read(tmp_path):
    (tmp_path / CONFIG_FILE).write_text('{"hidden_size": 6}')
    assert read_config_file(tmp_path) == {"hidden_size": 6}


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
        read_config_file(tmp_path)


def test_a_folder_without_config_says_so(tmp_path):
    with pytest.raises(UserError, match=r"has no config.json"):
        read_config_file(tmp_path)
