"""The settings in a sentence-transformers folder: which modules follow the encoder, where weights are, how texts enter.

    modules.json                         the modules in order: Transformer, Pooling, then any of those in _HEAD
    1_Pooling/config.json                how to pool
    2_Dense/config.json                  sizes and activation; the weights are in 2_Dense/model.safetensors
    sentence_bert_config.json            the longest text in tokens, lower-casing, arguments for the tokenizer
    config_sentence_transformers.json    prompts, the similarity to compare embeddings with, how many columns they keep

Version 6 of sentence-transformers names modules and pooling differently; both vocabularies are read, and the older one,
which every version loads, is written. A folder without modules.json is an encoder with mean pooling.

Here the settings are a dictionary of SentenceEncoderSettings' fields; a dense layer is one of DenseSettings' fields.
"""

from pathlib import Path
from typing import Any, NamedTuple

from minitransformer.errors import UserError
from minitransformer.files import is_there, json_text, path_within, read_json
from minitransformer.interop.tensor_layout import TRANSPOSED, Row, TensorLayout
from minitransformer.settings_file import SettingsFile

MODULES_FILE = "modules.json"
LENGTH_FILE = "sentence_bert_config.json"
PROMPTS_FILE = "config_sentence_transformers.json"
PRODUCT_FOLDER = "product"  # ours: in the folder of two towers, the one for products (models/two_towers.py)
DENSE = TensorLayout([Row("weight", "linear.weight", TRANSPOSED), Row("bias", "linear.bias")], heads={"bias": "bias"})
LAYER_NORM = TensorLayout([Row("gamma", "norm.weight"), Row("beta", "norm.bias")])

_OTHER_LENGTH_FILES = [
    f"sentence_{kind}_config.json" for kind in ("roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
]
_POOLING_KEYS = {  # in the order in which sentence-transformers puts their results side by side
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
_POOLING_MODES = {
    **{"cls": "cls", "max": "max", "mean": "mean", "mean_sqrt_len_tokens": "mean_sqrt_len"},
    **{"weightedmean": "weightedmean", "lasttoken": "lasttoken"},
}
_ACTIVATIONS = {
    "torch.nn.modules.linear.Identity": "identity",
    **{
        f"torch.nn.modules.activation.{theirs}": ours
        for theirs, ours in {
            **{"Tanh": "tanh", "ReLU": "relu", "GELU": "gelu", "Sigmoid": "sigmoid", "SiLU": "silu", "Mish": "mish"},
            **{"LeakyReLU": "leaky_relu", "CELU": "elu", "ELU": "elu", "SELU": "selu", "ReLU6": "relu6"},
            **{"Softplus": "softplus", "Softsign": "softsign", "LogSigmoid": "log_sigmoid", "Hardtanh": "hardtanh"},
            **{"Hardsigmoid": "hardsigmoid", "Hardswish": "hardswish", "Tanhshrink": "tanhshrink"},
        }.items()
    },
}
_SIMILARITIES = ("cosine", "dot", "euclidean", "manhattan")
_SIZES = ("in_features", "out_features")

# What changes no embedding.
_HARMLESS_MODULE = ("idx", "name", "kwargs")
_HARMLESS_POOLING = ("word_embedding_dimension", "embedding_dimension")
_HARMLESS_DENSE = ("bias",)
_HARMLESS_LENGTH = ("modality_config", "unpad_inputs")
_HARMLESS_MODEL_ARGUMENTS = (
    *("attn_implementation", "torch_dtype", "dtype", "trust_remote_code", "low_cpu_mem_usage", "device_map"),
    *("use_safetensors", "revision", "cache_dir", "token", "subfolder", "local_files_only"),
)
_HARMLESS_PROMPTS = ("__version__",)


# -- reading -----------------------------------------------------------------------------------------------------------


class SentenceTransformersFolder(NamedTuple):
    """What a folder says: SentenceEncoderSettings' fields, the arguments of its tokenizer, and where weights are."""

    settings: dict[str, Any]
    tokenizer_arguments: dict[str, Any]
    folders: list[Path]  # the encoder's, then one for each layer of the head that has weights


def read_folder(folder: Path) -> SentenceTransformersFolder:
    """The settings of a folder. Raises UserError for what isn't supported, and warns of what isn't known."""
    if not is_there(folder / MODULES_FILE):
        length, arguments = _read_length(folder)
        return SentenceTransformersFolder({**length, **_read_prompts(folder)}, arguments, [folder])
    modules = _read_modules(folder / MODULES_FILE)
    kinds = [kind for kind, _ in modules]
    if kinds[:2] != ["Transformer", "Pooling"]:
        raise UserError(f"{folder / MODULES_FILE}: expected Transformer, then Pooling, found {', '.join(kinds)}")
    (_, transformer), (_, pooling), *head = modules
    length, arguments = _read_length(transformer)
    layers = [(path, layer) for kind, path in head if (layer := _read_head_module(kind, path)) is not None]
    settings = {
        **_read_pooling(pooling / "config.json"),
        "head": tuple(layer for _, layer in layers),
        **length,
        **_read_prompts(folder),
    }
    with_weights = [path for path, layer in layers if layer != "normalise"]
    return SentenceTransformersFolder(settings, arguments, [transformer, *with_weights])


def transformer_folder(folder: Path) -> Path:
    """The folder of the encoder alone: in old folders 0_Transformer, today `folder` itself."""
    if is_there(folder / "config.json") or not is_there(folder / MODULES_FILE):
        return folder
    return next((path for kind, path in _read_modules(folder / MODULES_FILE) if kind == "Transformer"), folder)


def _read_modules(file: Path) -> list[tuple[str, Path]]:
    """The kind of each module, the last part of its type, and its folder."""
    entries = read_json(file)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise UserError(f"{file} must hold a list of modules, each an object with type and path")
    modules = []
    for entry in entries:
        settings = SettingsFile(file, entry)
        kind, path = (settings.get(name, str, "") for name in ("type", "path"))
        settings.warn_of_the_rest(_HARMLESS_MODULE)
        modules.append((kind.rpartition(".")[2], path_within(file.parent, path)))
    return modules


def _read_pooling(file: Path) -> dict[str, Any]:
    settings = SettingsFile.read(file, required=True)
    by_keys = [mode for key, mode in _POOLING_KEYS.items() if settings.get(key, bool, False)]
    modes = settings["pooling_mode"] or by_keys or ["mean"]
    ours = [_POOLING_MODES.get(str(mode), mode) for mode in (modes if isinstance(modes, list) else [modes])]
    if unknown := [mode for mode in ours if mode not in [*_POOLING_MODES.values()]]:
        raise UserError(f"{file}: pooling {unknown[0]!r} isn't known; {', '.join(_POOLING_MODES)} are")
    include_prompt = settings.get("include_prompt", bool, True)
    if "weightedmean" in ours and not include_prompt:
        raise UserError(f"{file}: include_prompt is false, which isn't supported for weightedmean")
    settings.warn_of_the_rest(_HARMLESS_POOLING)
    return {"pooling": tuple(ours), "include_prompt": include_prompt}


def _read_head_module(kind: str, folder: Path) -> dict[str, Any] | str | None:
    """A dense layer's settings, "layer_norm" or "normalise"; None for what does nothing when texts are embedded."""
    if kind not in ("Dense", "LayerNorm", "Normalize", "Dropout"):
        known = "after Pooling, Dense, LayerNorm, Normalize and Dropout are"
        raise UserError(f"{folder}: the module {kind} isn't known; {known}")
    settings = SettingsFile.read(folder / "config.json", required=kind == "Dense")
    settings.one_of("module_input_name", ["sentence_embedding"])
    settings.one_of("module_output_name", ["sentence_embedding"])
    if kind == "Dense":
        return _read_dense(settings)
    settings.warn_of_the_rest(("dropout", "dimension"))
    return {"LayerNorm": "layer_norm", "Normalize": "normalise"}.get(kind)


def _read_dense(settings: SettingsFile) -> dict[str, Any]:
    activation = settings.one_of("activation_function", _ACTIVATIONS, "torch.nn.modules.activation.Tanh")
    settings.only("use_residual", False, "a dense layer with a residual isn't supported")
    sizes = {name: settings.get(name, int) for name in _SIZES}
    settings.warn_of_the_rest(_HARMLESS_DENSE)
    return {"activation": _ACTIVATIONS[activation], **sizes}


def _read_length(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """How texts enter, and the arguments with which the tokenizer is to be made."""
    names = [LENGTH_FILE, *_OTHER_LENGTH_FILES]
    settings = SettingsFile.read(next((folder / name for name in names if is_there(folder / name)), folder / names[0]))
    settings.one_of("transformer_task", ["feature-extraction"])
    settings.one_of("module_output_name", ["token_embeddings"])
    for name in ("model_args", "model_kwargs", "config_args", "config_kwargs"):
        for argument, value in settings.get(name, dict, {}).items():
            if argument not in _HARMLESS_MODEL_ARGUMENTS and value is not None:
                raise UserError(f"{settings.file}: {name} has {argument}: {value!r}, which isn't supported")
    arguments = {**settings.get("tokenizer_args", dict, {}), **settings.get("processor_kwargs", dict, {})}
    own_length = settings.get("max_seq_length", int, None)
    length = SettingsFile(settings.file, arguments).get("model_max_length", int, own_length)
    lower_case = settings.get("do_lower_case", bool, False)
    settings.warn_of_the_rest(_HARMLESS_LENGTH)
    return {"max_seq_length": length, "do_lower_case": lower_case}, arguments


def _read_prompts(folder: Path) -> dict[str, Any]:
    settings = SettingsFile.read(folder / PROMPTS_FILE)
    settings.one_of("model_type", ["SentenceTransformer"])
    prompts = settings["prompts"] or {}
    if not isinstance(prompts, dict) or not all(isinstance(prompt, str | None) for prompt in prompts.values()):
        raise UserError(f"{settings.file}: prompts must be texts by name, found {prompts!r}")
    prompts = {name: prompt for name, prompt in prompts.items() if prompt is not None}
    default = settings.get("default_prompt_name", str, None)
    if default is not None and default not in prompts:
        names = ", ".join(prompts) or "none"
        raise UserError(f"{settings.file}: default_prompt_name is {default!r}, but prompts has {names}")
    similarity = settings.one_of("similarity_fn_name", _SIMILARITIES, "cosine")
    truncate_dim = settings.get("truncate_dim", int, None)
    if truncate_dim is not None and truncate_dim < 1:
        raise UserError(f"{settings.file}: truncate_dim must be at least 1, found {truncate_dim}")
    settings.warn_of_the_rest(_HARMLESS_PROMPTS)
    how_compared = {"similarity": similarity, "truncate_dim": truncate_dim}
    return {"prompts": prompts, "default_prompt_name": default, **how_compared}


# -- writing -----------------------------------------------------------------------------------------------------------


def module_folders(head: tuple[Any, ...]) -> list[str]:
    """The folders of the modules of a head: "2_Dense", "3_Normalize"."""
    names = {"normalise": "Normalize", "layer_norm": "LayerNorm"}
    kinds = [names[module] if isinstance(module, str) else "Dense" for module in head]
    return [f"{i}_{kind}" for i, kind in enumerate(kinds, 2)]


def settings_texts(settings: dict[str, Any], hidden_size: int) -> dict[str, str]:
    """The text of each file that holds settings, by its path in the folder."""
    head = module_folders(settings["head"])
    truncation = {} if settings["truncate_dim"] is None else {"truncate_dim": settings["truncate_dim"]}
    files = {
        MODULES_FILE: [_module_entry(i, path) for i, path in enumerate(["", "1_Pooling", *head])],
        "1_Pooling/config.json": _pooling_config(settings, hidden_size),
        LENGTH_FILE: {name: settings[name] for name in ("max_seq_length", "do_lower_case")},
        PROMPTS_FILE: {
            "model_type": "SentenceTransformer",
            "prompts": settings["prompts"],
            "default_prompt_name": settings["default_prompt_name"],
            "similarity_fn_name": settings["similarity"],
            **truncation,
        },
    }
    size = len(settings["pooling"]) * hidden_size
    for path, module in zip(head, settings["head"], strict=True):
        size = module["out_features"] if isinstance(module, dict) else size
        layer_norm_config = {"dimension": size} if module == "layer_norm" else {}
        files[f"{path}/config.json"] = _dense_config(**module) if isinstance(module, dict) else layer_norm_config
    return {file: json_text(content) for file, content in files.items()}


_OLDEST_POOLINGS = ("cls", "max", "mean", "mean_sqrt_len")  # whose keys every version knows


def _module_entry(i: int, path: str) -> dict[str, Any]:
    kind = path.partition("_")[2] or "Transformer"
    return {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}


def _pooling_config(settings: dict[str, Any], hidden_size: int) -> dict[str, Any]:
    pooling = settings["pooling"]
    keys = {key: mode in pooling for key, mode in _POOLING_KEYS.items() if mode in pooling or mode in _OLDEST_POOLINGS}
    config = {"word_embedding_dimension": hidden_size, **keys, "include_prompt": settings["include_prompt"]}
    if pooling != tuple(mode for mode in _POOLING_KEYS.values() if mode in pooling):
        # Another order than the keys': only version 6 can say it.
        names = {ours: theirs for theirs, ours in _POOLING_MODES.items()}
        config["pooling_mode"] = [names[mode] for mode in pooling]
    return config


def _dense_config(activation: str, **sizes: int) -> dict[str, Any]:
    names = {ours: theirs for theirs, ours in _ACTIVATIONS.items()}
    return {**sizes, "bias": True, "activation_function": names[activation]}
