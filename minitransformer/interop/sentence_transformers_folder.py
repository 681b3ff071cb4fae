"""The settings in a sentence-transformers folder: which modules follow BERT, where weights are, how texts enter.

    modules.json                         the modules in order: Transformer, Pooling, then any of Dense and Normalize
    1_Pooling/config.json                how to pool
    2_Dense/config.json                  sizes and activation; the weights are in 2_Dense/model.safetensors
    sentence_bert_config.json            the longest text in tokens, lower-casing
    config_sentence_transformers.json    prompts, the similarity to compare embeddings with

Version 6 of sentence-transformers names modules and pooling differently; both vocabularies are read, and the older one,
which every version loads, is written. A folder without modules.json is a BERT with mean pooling.

Here the settings are a dictionary of SentenceEncoderSettings' fields; a dense layer is one of DenseSettings' fields.
"""

from pathlib import Path
from typing import Any

from minitransformer.errors import UserError
from minitransformer.files import json_text, path_within, read_json, read_json_object
from minitransformer.interop.tensor_layout import TRANSPOSED, Row, TensorLayout

MODULES_FILE = "modules.json"
LENGTH_FILE = "sentence_bert_config.json"
PROMPTS_FILE = "config_sentence_transformers.json"
DENSE = TensorLayout([Row("weight", "linear.weight", TRANSPOSED), Row("bias", "linear.bias")], heads={"bias": "bias"})

_POOLING_KEYS = {  # in the order in which sentence-transformers puts their results side by side
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
_POOLING_MODES = {"cls": "cls", "max": "max", "mean": "mean", "mean_sqrt_len_tokens": "mean_sqrt_len"}
_ACTIVATIONS = {
    "torch.nn.modules.linear.Identity": "identity",
    "torch.nn.modules.activation.Tanh": "tanh",
    "torch.nn.modules.activation.ReLU": "relu",
    "torch.nn.modules.activation.GELU": "gelu",
}
_SIMILARITIES = ("cosine", "dot", "euclidean", "manhattan")
_SIZES = ("in_features", "out_features")
_KINDS = {int: "a whole number", str: "a text", bool: "true or false"}
_REQUIRED = object()


# -- reading -----------------------------------------------------------------------------------------------------------


def read_settings(folder: Path) -> tuple[dict[str, Any], list[Path]]:
    """The settings of a folder, and the folders with weights: BERT's, then one for each dense layer.

    Raises UserError for what isn't built here.
    """
    if not (folder / MODULES_FILE).exists():
        return {**_read_length(folder), **_read_prompts(folder)}, [folder]
    modules = _read_modules(folder / MODULES_FILE)
    kinds = [kind for kind, _ in modules]
    if kinds[:2] != ["Transformer", "Pooling"]:
        raise UserError(f"{folder / MODULES_FILE}: expected Transformer, then Pooling, found {', '.join(kinds)}")
    (_, transformer), (_, pooling), *head = modules
    settings = {
        **_read_pooling(pooling / "config.json"),
        "head": tuple(_read_head_module(kind, path) for kind, path in head),
        **_read_length(transformer),
        **_read_prompts(folder),
    }
    return settings, [transformer, *(path for kind, path in head if kind == "Dense")]


def _read_modules(file: Path) -> list[tuple[str, Path]]:
    """The kind of each module, the last part of its type, and its folder."""
    entries = read_json(file)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise UserError(f"{file} must hold a list of modules, each an object with type and path")
    modules = []
    for entry in entries:
        kind, path = (_check(file, entry, name, str, "") for name in ("type", "path"))
        modules.append((kind.rpartition(".")[2], path_within(file.parent, path)))
    return modules


def _read_pooling(file: Path) -> dict[str, Any]:
    config = read_json_object(file)
    modes = config.get("pooling_mode") or [mode for key, mode in _POOLING_KEYS.items() if config.get(key) is True]
    modes = [modes] if isinstance(modes, str) else modes
    if not isinstance(modes, list) or not modes:
        raise UserError(f"{file} doesn't say how to pool: expected pooling_mode, or one of {', '.join(_POOLING_KEYS)}")
    ours = [_POOLING_MODES.get(mode, mode) if isinstance(mode, str) else mode for mode in modes]
    if unknown := [mode for mode in ours if mode not in [*_POOLING_MODES.values()]]:
        raise UserError(f"{file}: pooling {unknown[0]!r} isn't known; {', '.join(_POOLING_MODES)} are")
    return {"pooling": tuple(ours), "include_prompt": _check(file, config, "include_prompt", bool, True)}


def _read_head_module(kind: str, folder: Path) -> dict[str, Any] | str:
    if kind not in ("Dense", "Normalize"):
        raise UserError(f"{folder}: the module {kind} isn't known; after Pooling, Dense and Normalize are")
    file = folder / "config.json"
    config = read_json_object(file) if kind == "Dense" or file.exists() else {}
    _check_only(file, config, "module_input_name", "sentence_embedding")
    _check_only(file, config, "module_output_name", "sentence_embedding")
    if kind == "Normalize":
        return "normalise"
    _check_only(file, config, "activation_function", *_ACTIVATIONS)
    if config.get("use_residual"):
        raise UserError(f"{file}: use_residual is set, but a dense layer with a residual isn't built here")
    activation = _ACTIVATIONS[config.get("activation_function") or "torch.nn.modules.activation.Tanh"]
    return {"activation": activation, **{name: _check(file, config, name, int) for name in _SIZES}}


def _read_length(folder: Path) -> dict[str, Any]:
    file = folder / LENGTH_FILE
    config = read_json_object(file) if file.exists() else {}
    _check_only(file, config, "transformer_task", "feature-extraction")
    _check_only(file, config, "module_output_name", "token_embeddings")
    return {
        "max_seq_length": _check(file, config, "max_seq_length", int, None),
        "do_lower_case": _check(file, config, "do_lower_case", bool, False),
    }


def _read_prompts(folder: Path) -> dict[str, Any]:
    file = folder / PROMPTS_FILE
    config = read_json_object(file) if file.exists() else {}
    _check_only(file, config, "model_type", "SentenceTransformer")
    _check_only(file, config, "similarity_fn_name", *_SIMILARITIES)
    prompts = config.get("prompts") or {}
    if not isinstance(prompts, dict) or not all(isinstance(prompt, str) for prompt in prompts.values()):
        raise UserError(f"{file}: prompts must be texts by name, found {prompts!r}")
    default = _check(file, config, "default_prompt_name", str, None)
    if default is not None and default not in prompts:
        raise UserError(f"{file}: default_prompt_name is {default!r}, but prompts has {', '.join(prompts) or 'none'}")
    similarity = config.get("similarity_fn_name") or "cosine"
    return {"prompts": prompts, "default_prompt_name": default, "similarity": similarity}


def _check(file: Path, config: dict[str, Any], name: str, kind: type, default: Any = _REQUIRED) -> Any:
    """config[name], which must be of this kind; null counts as not given."""
    value = config.get(name)
    if value is None and default is not _REQUIRED:
        return default
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise UserError(f"{file}: {name} must be {_KINDS[kind]}, found {value!r}")
    return value


def _check_only(file: Path, config: dict[str, Any], name: str, *known: str) -> None:
    """config[name] must be one of the known values, if it is given."""
    if config.get(name) not in (None, *known):
        raise UserError(f"{file}: {name} is {config[name]!r}, expected {' or '.join(known)}")


# -- writing -----------------------------------------------------------------------------------------------------------


def module_folders(head: tuple[Any, ...]) -> list[str]:
    """The folders of the modules of a head: "2_Dense", "3_Normalize"."""
    return [f"{i}_{'Normalize' if module == 'normalise' else 'Dense'}" for i, module in enumerate(head, 2)]


def settings_texts(settings: dict[str, Any], hidden_size: int) -> dict[str, str]:
    """The text of each file that holds settings, by its path in the folder."""
    head = module_folders(settings["head"])
    files = {
        MODULES_FILE: [_module_entry(i, path) for i, path in enumerate(["", "1_Pooling", *head])],
        "1_Pooling/config.json": _pooling_config(settings, hidden_size),
        LENGTH_FILE: {name: settings[name] for name in ("max_seq_length", "do_lower_case")},
        PROMPTS_FILE: {
            "model_type": "SentenceTransformer",
            "prompts": settings["prompts"],
            "default_prompt_name": settings["default_prompt_name"],
            "similarity_fn_name": settings["similarity"],
        },
    }
    for path, module in zip(head, settings["head"], strict=True):
        files[f"{path}/config.json"] = {} if module == "normalise" else _dense_config(**module)
    return {file: json_text(content) for file, content in files.items()}


def _module_entry(i: int, path: str) -> dict[str, Any]:
    kind = path.partition("_")[2] or "Transformer"
    return {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}


def _pooling_config(settings: dict[str, Any], hidden_size: int) -> dict[str, Any]:
    pooling = settings["pooling"]
    keys = {key: mode in pooling for key, mode in _POOLING_KEYS.items() if mode in _POOLING_MODES.values()}
    config = {"word_embedding_dimension": hidden_size, **keys, "include_prompt": settings["include_prompt"]}
    if pooling != tuple(mode for mode in _POOLING_KEYS.values() if mode in pooling):
        # Another order than the keys': only version 6 can say it.
        names = {ours: theirs for theirs, ours in _POOLING_MODES.items()}
        config["pooling_mode"] = [names[mode] for mode in pooling]
    return config


def _dense_config(activation: str, **sizes: int) -> dict[str, Any]:
    names = {ours: theirs for theirs, ours in _ACTIVATIONS.items()}
    return {**sizes, "bias": True, "activation_function": names[activation]}
