import dataclasses
import json

import pytest

from minitransformer import SentenceEncoderSettings
from minitransformer.errors import UserError
from minitransformer.interop.sentence_transformers_folder import module_folders, read_folder, settings_texts
from minitransformer.models.sentence_encoder_settings import DenseSettings

SETTINGS = dataclasses.asdict(
    SentenceEncoderSettings(
        pooling=("cls", "mean"),
        head=(DenseSettings(24, 5, "gelu"), "normalise"),
        max_seq_length=7,
        prompts={"query": "query: "},
        include_prompt=False,
        similarity="dot",
    )
)
OLD = "sentence_transformers.models."
NEW = {
    "Transformer": "sentence_transformers.base.modules.transformer.Transformer",
    "Pooling": "sentence_transformers.sentence_transformer.modules.pooling.Pooling",
    "Dense": "sentence_transformers.base.modules.dense.Dense",
    "Normalize": "sentence_transformers.base.modules.normalize.Normalize",
}


def write(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))
    return folder


def modules(*paths, types=None):
    """modules.json for these folders, such as "1_Pooling", in the old vocabulary or in another."""
    kinds = [path.partition("_")[2] or "Transformer" for path in paths]
    return [
        {"idx": i, "name": str(i), "path": path, "type": types[kind] if types else OLD + kind}
        for i, (path, kind) in enumerate(zip(paths, kinds, strict=True))
    ]


@pytest.fixture
def folder(tmp_path):
    """A folder with every kind of module, in the old vocabulary."""
    return write(tmp_path, settings_texts(SETTINGS, 12))


def test_what_is_written_is_read(folder):
    assert read_folder(folder) == (SETTINGS, {}, [folder, folder / "2_Dense"])


def test_what_is_written_is_what_every_version_loads(folder):
    assert module_folders(SETTINGS["head"]) == ["2_Dense", "3_Normalize"]
    assert json.loads((folder / "modules.json").read_text()) == modules("", "1_Pooling", "2_Dense", "3_Normalize")
    assert json.loads((folder / "1_Pooling" / "config.json").read_text()) == {
        "word_embedding_dimension": 12,
        "pooling_mode_cls_token": True,
        "pooling_mode_max_tokens": False,
        "pooling_mode_mean_tokens": True,
        "pooling_mode_mean_sqrt_len_tokens": False,
        "include_prompt": False,
    }
    assert (folder / "3_Normalize" / "config.json").exists()


def test_an_order_that_the_old_keys_cannot_say_is_written_for_version_6(tmp_path):
    settings = {**SETTINGS, "pooling": ("mean_sqrt_len", "cls")}
    write(tmp_path, settings_texts(settings, 12))
    config = json.loads((tmp_path / "1_Pooling" / "config.json").read_text())
    assert config["pooling_mode"] == ["mean_sqrt_len_tokens", "cls"]
    assert read_folder(tmp_path)[0]["pooling"] == ("mean_sqrt_len", "cls")


def test_the_vocabulary_of_version_6_is_read(tmp_path):
    files = {
        "modules.json": modules("0_Transformer", "1_Pooling", "2_Normalize", types=NEW),
        "1_Pooling/config.json": {"embedding_dimension": 12, "pooling_mode": ["max", "mean_sqrt_len_tokens"]},
        "0_Transformer/sentence_bert_config.json": {
            "transformer_task": "feature-extraction",
            "modality_config": {"text": {"method": "forward", "method_output_name": "last_hidden_state"}},
            "module_output_name": "token_embeddings",
        },
        "config_sentence_transformers.json": {
            "default_prompt_name": None,
            "model_type": "SentenceTransformer",
            "prompts": {"document": "", "query": ""},
            "similarity_fn_name": None,
        },
    }
    settings, _, folders = read_folder(write(tmp_path, files))
    assert SentenceEncoderSettings(**settings) == SentenceEncoderSettings(
        pooling=("max", "mean_sqrt_len"), head=("normalise",), prompts={"document": "", "query": ""}
    )
    assert folders == [tmp_path / "0_Transformer"]


@pytest.mark.parametrize("mode", ["cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"])
def test_one_pooling_may_be_a_text(folder, mode):
    write(folder, {"1_Pooling/config.json": {"embedding_dimension": 12, "pooling_mode": mode}})
    assert read_folder(folder)[0]["pooling"] == (mode.removesuffix("_tokens"),)


def test_pooling_without_a_mode_is_the_mean(folder):
    for config in ({}, {"pooling_mode_cls_token": False}):
        write(folder, {"1_Pooling/config.json": {"word_embedding_dimension": 12, **config}})
        assert read_folder(folder).settings["pooling"] == ("mean",)


def test_dropout_does_nothing_and_a_layer_norm_is_part_of_the_head(folder):
    files = {"modules.json": modules("", "1_Pooling", "2_Dropout", "3_LayerNorm", "4_Normalize")}
    write(folder, {**files, "2_Dropout/config.json": {"dropout": 0.2}, "3_LayerNorm/config.json": {"dimension": 12}})
    settings, _, folders = read_folder(folder)
    assert settings["head"] == ("layer_norm", "normalise")
    assert folders == [folder, folder / "3_LayerNorm"]


def test_arguments_for_the_tokenizer_and_how_many_columns_are_kept_are_read(folder):
    write(folder, {"sentence_bert_config.json": {"tokenizer_args": {"do_lower_case": False}, "max_seq_length": 7}})
    write(folder, {"config_sentence_transformers.json": {"truncate_dim": 3}})
    settings, arguments, _ = read_folder(folder)
    assert arguments == {"do_lower_case": False}
    assert (settings["max_seq_length"], settings["truncate_dim"]) == (7, 3)
    write(folder, {"sentence_bert_config.json": {"processor_kwargs": {"model_max_length": 4}, "max_seq_length": 7}})
    assert read_folder(folder).settings["max_seq_length"] == 4


def test_the_length_may_stand_in_the_file_of_another_family(tmp_path):
    write(tmp_path, {"sentence_roberta_config.json": {"max_seq_length": 6}})
    assert read_folder(tmp_path).settings["max_seq_length"] == 6


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("modules.json", modules("", "1_Pooling")[:1] + [{**modules("", "1_Pooling")[1], "scale": 2}]),
        ("1_Pooling/config.json", {"pooling_mode_cls_token": True, "pooling_mode_median_tokens": True}),
        ("2_Dense/config.json", {"in_features": 24, "out_features": 5, "scale": 2}),
        ("sentence_bert_config.json", {"max_seq_length": 5, "pad_to": 8}),
        ("config_sentence_transformers.json", {"similarity_fn_name": "dot", "whiten": True}),
    ],
)
def test_a_setting_that_is_not_known_is_named(folder, file, content):
    write(folder, {file: content})
    with pytest.warns(UserWarning, match=rf"{file}: these settings are unknown"):
        read_folder(folder)


def test_links_that_lead_nowhere_are_not_taken_for_files_that_are_not_there(folder):
    for file in ("modules.json", "sentence_bert_config.json", "config_sentence_transformers.json"):
        content = (folder / file).read_bytes()
        (folder / file).unlink()
        (folder / file).symlink_to(folder / "nowhere")
        with pytest.raises(UserError, match=f"{file} can't be read: No such file"):
            read_folder(folder)
        (folder / file).unlink()
        (folder / file).write_bytes(content)


def test_a_folder_without_modules_is_mean_pooling(tmp_path):
    settings, _, folders = read_folder(tmp_path)
    assert (SentenceEncoderSettings(**settings), folders) == (SentenceEncoderSettings(), [tmp_path])
    write(tmp_path, {"sentence_bert_config.json": {"max_seq_length": 5, "do_lower_case": False}})
    settings, _, folders = read_folder(tmp_path)
    assert (SentenceEncoderSettings(**settings), folders) == (SentenceEncoderSettings(max_seq_length=5), [tmp_path])


BROKEN = [
    ("modules.json", {}, "must hold a list of modules"),
    ("modules.json", [1], "must hold a list of modules"),
    ("modules.json", [], "expected Transformer, then Pooling"),
    ("modules.json", modules("", "1_Dense"), "expected Transformer, then Pooling, found Transformer, Dense"),
    ("modules.json", [{"type": OLD + "Transformer"}, {"type": OLD + "BoW", "path": 7}], "path must be a text, found 7"),
    ("modules.json", modules("", "1_Pooling", "2_LSTM"), "the module LSTM isn't known"),
    ("modules.json", modules("", "../1_Pooling"), "leaves the folder"),
    ("modules.json", modules("", "/etc/1_Pooling"), "leaves the folder"),
    ("modules.json", modules("", "1_Pooling", "9_Dense"), "9_Dense/config.json can't be read: No such file"),
    ("1_Pooling/config.json", {"pooling_mode_mean_tokens": 1}, "pooling_mode_mean_tokens must be true or false"),
    ("1_Pooling/config.json", {"pooling_mode": 3}, "pooling 3 isn't known"),
    ("1_Pooling/config.json", {"pooling_mode": ["mean", {}]}, "pooling {} isn't known"),
    ("1_Pooling/config.json", {"pooling_mode": "median"}, "pooling 'median' isn't known"),
    (
        "1_Pooling/config.json",
        {"pooling_mode": "weightedmean", "include_prompt": False},
        "include_prompt is false, which isn't supported for weightedmean",
    ),
    ("1_Pooling/config.json", {"pooling_mode": "mean", "include_prompt": 1}, "include_prompt must be true or false"),
    ("2_Dense/config.json", {"in_features": 24}, "out_features must be a whole number, found None"),
    ("2_Dense/config.json", {"in_features": True, "out_features": 5}, "in_features must be a whole number, found True"),
    (
        "2_Dense/config.json",
        {"in_features": 24, "out_features": 5, "activation_function": "os.system"},
        "activation_function is 'os.system', expected torch.nn.modules.linear.Identity or",
    ),
    ("2_Dense/config.json", {"in_features": 24, "out_features": 5, "use_residual": True}, "use_residual is True"),
    (
        "3_Normalize/config.json",
        {"module_input_name": "token_embeddings"},
        "expected sentence_embedding",
    ),
    ("sentence_bert_config.json", {"max_seq_length": "256"}, "max_seq_length must be a whole number, found '256'"),
    ("sentence_bert_config.json", {"do_lower_case": "no"}, "do_lower_case must be true or false"),
    ("sentence_bert_config.json", {"transformer_task": "fill-mask"}, "expected feature-extraction"),
    ("sentence_bert_config.json", {"model_args": {"add_pooling_layer": False}}, "model_args has add_pooling_layer"),
    ("sentence_bert_config.json", {"tokenizer_args": {"model_max_length": "x"}}, "model_max_length must be a whole"),
    ("config_sentence_transformers.json", {"truncate_dim": 0}, "truncate_dim must be at least 1"),
    ("config_sentence_transformers.json", {"prompts": {"query": 1}}, "prompts must be texts by name"),
    ("config_sentence_transformers.json", {"prompts": ["query"]}, "prompts must be texts by name"),
    ("config_sentence_transformers.json", {"default_prompt_name": "query"}, "default_prompt_name is 'query'"),
    (
        "config_sentence_transformers.json",
        {"similarity_fn_name": "jaccard"},
        "similarity_fn_name is 'jaccard'",
    ),
    ("config_sentence_transformers.json", {"similarity_fn_name": ["dot"]}, "similarity_fn_name is"),
    (
        "config_sentence_transformers.json",
        {"model_type": "CrossEncoder"},
        "expected SentenceTransformer",
    ),
]


@pytest.mark.parametrize(("file", "content", "message"), BROKEN)
def test_what_is_broken_or_not_built_here_is_refused_by_name(folder, file, content, message):
    write(folder, {file: content})
    with pytest.raises(UserError, match=message) as error:
        read_folder(folder)
    assert str(folder) in str(error.value)
