"""The settings of a sentence-transformers folder: which modules follow BERT, where their weights are, how texts enter.

    modules.json                         the modules in order: Transformer, Pooling, then any of Dense and Normalize
    1_Pooling/config.json                how to pool
    2_Dense/config.json                  sizes and activation; its weights lie beside it in model.safetensors
    sentence_bert_config.json            the longest text in tokens, lower-casing
    config_sentence_transformers.json    prompts, the similarity to compare embeddings with

Version 6 of sentence-transformers names modules and pooling differently; both vocabularies are read, and the older one,
which every version loads, is written. A folder without modules.json is a BERT with mean pooling.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from minitransformer.errors import UserError
from minitransformer.files import json_text, path_within, read_json, read_json_object

MODULES_FILE = "modules.json"
LENGTH_FILE = "sentence_bert_config.json"
PROMPTS_FILE = "config_sentence_transformers.json"

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
SIMILARITIES = ("cosine", "dot", "euclidean", "manhattan")


@dataclass(frozen=True)
class DenseSettings:
    """A linear layer and an activation on the pooled row; `folder` is where its weights lie."""

    in_features: int
    out_features: int
    activation: str = "tanh"
    bias: bool = True
    folder: Path | None = None


@dataclass(frozen=True)
class SentenceEncoderSettings:
    """What makes a BERT a sentence encoder, beside its weights.

    pooling              one or several of "cls", "max", "mean", "mean_sqrt_len"; their results stand side by side
    head                 what follows: DenseSettings, or "normalise" for L2 normalisation
    max_seq_length       the longest text in tokens, [CLS] and [SEP] included; None for as many as the model takes
    do_lower_case        whether texts are lower-cased before a tokenizer that doesn't do it
    prompts              texts put before what is encoded, by name; default_prompt_name is the one for every text
    include_prompt       whether the prompt's tokens are pooled too
    similarity           "cosine", "dot", "euclidean" or "manhattan"
    """

    pooling: tuple[str, ...] = ("mean",)
    head: tuple[DenseSettings | str, ...] = ()
    max_seq_length: int | None = None
    do_lower_case: bool = False
    prompts: dict[str, str] = field(default_factory=dict)
    default_prompt_name: str | None = None
    include_prompt: bool = True
    similarity: str = "cosine"


# -- reading -----------------------------------------------------------------------------------------------------------


def read_settings(folder: Path) -> tuple[SentenceEncoderSettings, Path]:
    """The settings of a folder, and where in it the BERT lies. Raises UserError for what isn't built here."""
    if not (folder / MODULES_FILE).exists():
        return SentenceEncoderSettings(**_read_length(folder), **_read_prompts(folder)), folder
    modules = _read_modules(folder / MODULES_FILE)
    kinds = [kind for kind, _ in modules]
    if kinds[:2] != ["Transformer", "Pooling"]:
        raise UserError(f"{folder / MODULES_FILE}: expected Transformer, then Pooling, found {', '.join(kinds)}")
    (_, transformer), (_, pooling), *head = modules
    settings = SentenceEncoderSettings(
        **_read_pooling(pooling / "config.json"),
        head=tuple(_read_head_module(kind, path) for kind, path in head),
        **_read_length(transformer),
        **_read_prompts(folder),
    )
    return settings, transformer


def _read_modules(file: Path) -> list[tuple[str, Path]]:
    """The kind of each module, the last part of its type, and its folder."""
    entries = read_json(file)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise UserError(f"{file} must hold a list of modules, each an object with type and path")
    modules = []
    for entry in entries:
        kind, path = (_checked(file, entry, name, str, "") for name in ("type", "path"))
        modules.append((kind.rpartition(".")[2], path_within(file.parent, path)))
    return modules


def _read_pooling(file: Path) -> dict[str, Any]:
    config = read_json_object(file)
    modes = config.get("pooling_mode") or [mode for key, mode in _POOLING_KEYS.items() if config.get(key) is True]
    modes = [modes] if isinstance(modes, str) else modes
    if not isinstance(modes, list) or not modes:
        raise UserError(f"{file} doesn't say how to pool: expected pooling_mode, or one of {', '.join(_POOLING_KEYS)}")
    ours = [_POOLING_MODES.get(mode, mode) if isinstance(mode, str) else mode for mode in modes]
    unknown = [mode for mode in ours if mode not in [*_POOLING_MODES.values()]]
    if unknown:
        raise UserError(f"{file}: pooling {unknown[0]!r} isn't known; {', '.join(_POOLING_MODES)} are")
    return {"pooling": tuple(ours), "include_prompt": _checked(file, config, "include_prompt", bool, True)}


def _read_head_module(kind: str, folder: Path) -> DenseSettings | str:
    if kind not in ("Dense", "Normalize"):
        raise UserError(f"{folder}: the module {kind} isn't known; after Pooling, Dense and Normalize are")
    file = folder / "config.json"
    config = read_json_object(file) if kind == "Dense" or file.exists() else {}
    for name in ("module_input_name", "module_output_name"):
        if config.get(name) not in (None, "sentence_embedding"):
            raise UserError(f"{file}: {name} is {config[name]!r}; only sentence_embedding is known")
    return _dense_settings(file, config) if kind == "Dense" else "normalise"


def _dense_settings(file: Path, config: dict[str, Any]) -> DenseSettings:
    activation = _checked(file, config, "activation_function", str, "torch.nn.modules.activation.Tanh")
    if activation not in _ACTIVATIONS:
        raise UserError(f"{file}: activation_function {activation} isn't known; {', '.join(_ACTIVATIONS)} are")
    if config.get("use_residual"):
        raise UserError(f"{file}: use_residual is set, but a dense layer with a residual isn't built here")
    return DenseSettings(
        in_features=_checked(file, config, "in_features", int),
        out_features=_checked(file, config, "out_features", int),
        activation=_ACTIVATIONS[activation],
        bias=_checked(file, config, "bias", bool, True),
        folder=file.parent,
    )


def _read_length(folder: Path) -> dict[str, Any]:
    file = folder / LENGTH_FILE
    if not file.exists():
        return {}
    config = read_json_object(file)
    for name, known in (("transformer_task", "feature-extraction"), ("module_output_name", "token_embeddings")):
        if config.get(name) not in (None, known):
            raise UserError(f"{file}: {name} is {config[name]!r}; only {known} is known")
    return {
        "max_seq_length": _checked(file, config, "max_seq_length", int, None),
        "do_lower_case": _checked(file, config, "do_lower_case", bool, False),
    }


def _read_prompts(folder: Path) -> dict[str, Any]:
    file = folder / PROMPTS_FILE
    if not file.exists():
        return {}
    config = read_json_object(file)
    if config.get("model_type") not in (None, "SentenceTransformer"):
        raise UserError(f"{file}: model_type is {config['model_type']!r}; only SentenceTransformer is known")
    similarity = config.get("similarity_fn_name") or "cosine"
    if similarity not in SIMILARITIES:
        raise UserError(f"{file}: similarity_fn_name is {similarity!r}; {', '.join(SIMILARITIES)} are known")
    prompts = config.get("prompts") or {}
    if not isinstance(prompts, dict) or not all(isinstance(prompt, str) for prompt in prompts.values()):
        raise UserError(f"{file}: prompts must be texts by name, found {prompts!r}")
    default = _checked(file, config, "default_prompt_name", str, None)
    if default is not None and default not in prompts:
        raise UserError(f"{file}: default_prompt_name is {default!r}, but prompts has {', '.join(prompts) or 'none'}")
    return {"prompts": prompts, "default_prompt_name": default, "similarity": similarity}


_REQUIRED = object()


def _checked(file: Path, config: dict[str, Any], name: str, kind: type, default: Any = _REQUIRED) -> Any:
    """config[name] if it is of the right type; null counts as not given."""
    value = config.get(name)
    if value is None and default is not _REQUIRED:
        return default
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise UserError(f"{file}: {name} must be {_KINDS[kind]}, found {value!r}")
    return value


_KINDS = {int: "a whole number", str: "a text", bool: "true or false"}


# -- writing -----------------------------------------------------------------------------------------------------------


def module_folders(settings: SentenceEncoderSettings) -> list[str]:
    """The folders of the modules of the head: "2_Dense", "3_Normalize"."""
    return [f"{i}_{'Normalize' if module == 'normalise' else 'Dense'}" for i, module in enumerate(settings.head, 2)]


def settings_texts(settings: SentenceEncoderSettings, hidden_size: int) -> dict[str, str]:
    """The text of each file that holds settings, by its path in the folder."""
    head = module_folders(settings)
    texts = {
        MODULES_FILE: json_text(_module_entries(["", "1_Pooling", *head])),
        "1_Pooling/config.json": json_text(_pooling_config(settings, hidden_size)),
        LENGTH_FILE: json_text({"max_seq_length": settings.max_seq_length, "do_lower_case": settings.do_lower_case}),
        PROMPTS_FILE: json_text(
            {
                "model_type": "SentenceTransformer",
                "prompts": settings.prompts,
                "default_prompt_name": settings.default_prompt_name,
                "similarity_fn_name": settings.similarity,
            }
        ),
    }
    for path, module in zip(head, settings.head, strict=True):
        config = _dense_config(module) if isinstance(module, DenseSettings) else {}
        texts[f"{path}/config.json"] = json_text(config)
    return texts


def _module_entries(paths: list[str]) -> list[dict[str, Any]]:
    kinds = [path.partition("_")[2] or "Transformer" for path in paths]
    return [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (path, kind) in enumerate(zip(paths, kinds, strict=True))
    ]


def _pooling_config(settings: SentenceEncoderSettings, hidden_size: int) -> dict[str, Any]:
    keys = {key: mode in settings.pooling for key, mode in _POOLING_KEYS.items() if mode in _POOLING_MODES.values()}
    config: dict[str, Any] = {
        "word_embedding_dimension": hidden_size,
        **keys,
        "include_prompt": settings.include_prompt,
    }
    if settings.pooling != tuple(mode for mode in _POOLING_KEYS.values() if mode in settings.pooling):
        # Another order than the keys': only version 6 can say it.
        names = {ours: theirs for theirs, ours in _POOLING_MODES.items()}
        config["pooling_mode"] = [names[mode] for mode in settings.pooling]
    return config


def _dense_config(dense: DenseSettings) -> dict[str, Any]:
    names = {ours: theirs for theirs, ours in _ACTIVATIONS.items()}
    return {
        "in_features": dense.in_features,
        "out_features": dense.out_features,
        "bias": dense.bias,
        "activation_function": names[dense.activation],
    }
