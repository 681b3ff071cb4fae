import json

import pytest

from minitransformer.errors import UserError
from minitransformer.interop.layouts.bert import BERT
from minitransformer.interop.lora_settings import LoraSettings, is_adapter, lora_settings_text, read_lora_settings

SETTINGS = LoraSettings(8, 16, ("query", "value"), 0.1, base="owner/model")
TENSORS = [f"base_model.model.encoder.layer.0.attention.self.query.lora_{part}.weight" for part in "AB"]
PEFT = {  # as peft wrote it in 2024, with all that it leaves as it is
    **{"alpha_pattern": {}, "auto_mapping": None, "base_model_name_or_path": "gpt2", "bias": "none", "r": 8},
    **{"fan_in_fan_out": True, "inference_mode": True, "init_lora_weights": True, "layer_replication": None},
    **{"layers_pattern": None, "layers_to_transform": None, "loftq_config": {}, "lora_alpha": 4, "lora_dropout": 0.0},
    **{"megatron_config": None, "megatron_core": "megatron.core", "modules_to_save": None, "peft_type": "LORA"},
    **{"rank_pattern": {}, "revision": None, "target_modules": ["c_attn"], "task_type": "SEQ_CLS"},
    **{"use_dora": False, "use_rslora": False},
}


def write(folder, **changes):
    (folder / "adapter_config.json").write_text(json.dumps({**PEFT, **changes}))
    return folder


@pytest.mark.parametrize("settings", [SETTINGS, LoraSettings(4, 0.5, r".*\.(query|key)", 0, True, "base")])
def test_what_is_written_is_read_again(tmp_path, settings, recwarn):
    text = lora_settings_text(settings, "BertModel", BERT.tensors, TENSORS)
    (tmp_path / "adapter_config.json").write_text(text)
    assert is_adapter(tmp_path)
    assert read_lora_settings(tmp_path) == settings
    assert not recwarn.list


def test_what_peft_writes_is_read_without_a_word(tmp_path, recwarn):
    settings = read_lora_settings(write(tmp_path, revision="main"))
    assert settings == LoraSettings(8, 4, ("c_attn",), base="gpt2") == LoraSettings(8, 4, ["c_attn"], base="gpt2")
    assert not recwarn.list


def test_the_scale_is_alpha_over_the_rank_or_over_its_root():
    assert LoraSettings(16, 8, ("query",)).scale == 0.5
    assert LoraSettings(16, 8, ("query",), use_rslora=True).scale == 2


def test_a_module_is_named_by_the_end_of_its_name_or_by_an_expression_for_all_of_it():
    settings = LoraSettings(1, 1, ("query", "attention.output.dense"))
    assert settings.names("query")
    assert settings.names("layer.0.attention.self.query")
    assert not settings.names("layer.0.attention.self.subquery")
    assert settings.names("layer.0.attention.output.dense")
    assert not settings.names("layer.0.output.dense")
    assert LoraSettings(1, 1, r"layer\.\d\..*query").names("layer.0.attention.self.query")
    assert not LoraSettings(1, 1, "query").names("layer.0.attention.self.query")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"peft_type": "LOHA"}, "peft_type is 'LOHA', expected LORA"),
        ({"peft_type": None}, "peft_type is None, expected LORA"),
        ({"use_dora": True}, "use_dora is True, expected False: this variant of LoRA isn't supported"),
        ({"rank_pattern": {"query": 4}}, r"rank_pattern is {'query': 4}, expected {}"),
        ({"alpha_pattern": {"query": 4}}, "alpha_pattern"),
        ({"lora_bias": True}, "lora_bias is True"),
        ({"layers_to_transform": [1]}, r"layers_to_transform is \[1\]"),
        ({"bias": "all"}, "bias is 'all', expected 'none'"),
        ({"init_lora_weights": "pissa"}, "init_lora_weights is 'pissa', expected True or False or gaussian"),
        ({"init_lora_weights": ["pissa"]}, r"init_lora_weights is \['pissa'\]"),
        ({"r": 0}, "rank r is a whole number above 0, found 0"),
        ({"r": None}, "rank r is a whole number above 0, found None"),
        ({"r": True}, "rank r is a whole number above 0, found True"),
        ({"lora_alpha": "8"}, "alpha is a number above 0, found '8'"),
        ({"lora_dropout": 1}, "dropout is at least 0 and below 1, found 1"),
        ({"use_rslora": "yes"}, "use_rslora must be true or false, found 'yes'"),
        ({"target_modules": None}, "target_modules must be names of modules, found None"),
        ({"target_modules": []}, "target_modules must be names of modules"),
        ({"target_modules": [7]}, "target_modules must be names of modules"),
        ({"target_modules": "(query"}, r"target_modules is '\(query', which is no regular expression"),
        ({"base_model_name_or_path": 7}, "base_model_name_or_path must name a model, found 7"),
    ],
)
def test_what_is_not_built_here_or_makes_no_sense_is_refused_by_its_name(tmp_path, changes, message):
    with pytest.raises(UserError, match=rf"adapter_config.json: .*{message}"):
        read_lora_settings(write(tmp_path, **changes))


def test_a_setting_that_nobody_knows_is_named(tmp_path):
    with pytest.warns(UserWarning, match="adapter_config.json: .*not applied.*use_newlora"):
        read_lora_settings(write(tmp_path, use_newlora=True, other=None, another=False))
