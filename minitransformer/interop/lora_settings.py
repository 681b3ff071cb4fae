"""adapter_config.json: what an adapter of peft says of itself, as far as it is LoRA (nn/lora.py)."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minitransformer.errors import UserError, errors_in
from minitransformer.files import is_there, json_text
from minitransformer.interop.layouts.lora import PREFIX
from minitransformer.interop.tensor_layout import TensorLayout
from minitransformer.settings_file import SettingsFile

ADAPTER_CONFIG_FILE = "adapter_config.json"

# What peft is to make of a model, by the end of the class that transformers makes of its folder.
_TASK_TYPES = {"ForSequenceClassification": "SEQ_CLS", "LMHeadModel": "CAUSAL_LM", "Model": "FEATURE_EXTRACTION"}

# Settings that change what an adapter computes, or where it belongs: the value that is supported.
_ONLY: dict[str, Any] = {
    **dict.fromkeys(("use_dora", "use_qalora", "lora_bias"), False),
    **dict.fromkeys(("exclude_modules", "layers_to_transform", "layer_replication", "target_parameters"), None),
    **dict.fromkeys(("trainable_token_indices", "alora_invocation_tokens", "megatron_config", "arrow_config"), None),
    **dict.fromkeys(("use_bdlora", "velora_config", "monteclora_config"), None),
    "rank_pattern": {},
    "alpha_pattern": {},
    "bias": "none",
    "revision": "main",
}
# First values of A and B that leave the model's own weights as they are. (PiSSA, for one, changes them.)
_STARTS = (True, False, "gaussian", "eva", "orthogonal")
# Settings that say how an adapter was made, or that others need to make it again.
_HARMLESS = {
    *("peft_version", "task_type", "auto_mapping", "inference_mode", "modules_to_save", "fan_in_fan_out"),
    *("layers_pattern", "megatron_core", "runtime_config", "loftq_config", "eva_config", "corda_config"),
    *("lora_ga_config", "qalora_group_size", "ensure_weight_tying"),
}


@dataclass(frozen=True)
class LoraSettings:
    """What is added to the weights of a model: s A B to each that the targets name, with A (in, r) and B (r, out).

    rank         r
    alpha        s = alpha / r
    dropout      of x on its way to A B, in training
    targets      the modules whose weight has an update, by the ends of their names in Hugging Face's models, such as
                 "query" or "attention.output.dense"; or a regular expression for whole names
    use_rslora   s = alpha / sqrt(r) (Kalajdzievski 2023, arXiv 2312.03732)
    base         the folder or hub name of the model that is changed

    Raises UserError for a value that makes no sense.
    """

    rank: int
    alpha: float
    targets: tuple[str, ...] | str
    dropout: float = 0.0
    use_rslora: bool = False
    base: str = ""

    def __post_init__(self) -> None:
        if isinstance(self.targets, list):
            object.__setattr__(self, "targets", tuple(self.targets))
        if not (_is_number(self.rank) and isinstance(self.rank, int) and self.rank > 0):
            raise UserError(f"LoRA's rank r is a whole number above 0, found {self.rank!r}")
        if not (_is_number(self.alpha) and math.isfinite(self.alpha) and self.alpha > 0):
            raise UserError(f"LoRA's alpha is a number above 0, found {self.alpha!r}")
        if not (_is_number(self.dropout) and 0 <= self.dropout < 1):
            raise UserError(f"LoRA's dropout is at least 0 and below 1, found {self.dropout!r}")
        if not isinstance(self.use_rslora, bool):
            raise UserError(f"use_rslora must be true or false, found {self.use_rslora!r}")
        if not isinstance(self.base, str):
            raise UserError(f"base_model_name_or_path must name a model, found {self.base!r}")
        if not isinstance(self.targets, str | tuple) or {*map(type, self.targets)} != {str}:
            raise UserError(f"target_modules must be names of modules, found {self.targets!r}")
        try:
            self.names("")
        except re.error as error:
            raise UserError(f"target_modules is {self.targets!r}, which is no regular expression: {error}") from None

    @property
    def scale(self) -> float:
        """s."""
        return self.alpha / (math.sqrt(self.rank) if self.use_rslora else self.rank)

    def names(self, module: str) -> bool:
        """Whether this module's weight has an update."""
        if isinstance(self.targets, str):
            return re.fullmatch(self.targets, module) is not None
        return f".{module}".endswith(tuple(f".{target}" for target in self.targets))


def is_adapter(folder: Path) -> bool:
    return is_there(folder / ADAPTER_CONFIG_FILE)


def read_lora_settings(folder: Path) -> LoraSettings:
    """What the folder's adapter_config.json says. Raises UserError for what isn't LoRA, or isn't supported."""
    settings = SettingsFile.read(folder / ADAPTER_CONFIG_FILE, required=True)
    if settings["peft_type"] != "LORA":
        raise UserError(
            f"{settings.file}: peft_type is {settings['peft_type']!r}, expected LORA; no other is supported"
        )
    for name, value in _ONLY.items():
        settings.only(name, value, "this variant of LoRA isn't supported")
    settings.one_of("init_lora_weights", _STARTS)
    with errors_in(settings.file):
        lora = LoraSettings(  # which checks what it gets
            rank=settings["r"],
            alpha=settings["lora_alpha"],
            targets=settings["target_modules"],
            dropout=settings["lora_dropout"] or 0.0,
            use_rslora=settings["use_rslora"] or False,
            base=settings["base_model_name_or_path"] or "",
        )
    settings.warn_of_the_rest(_HARMLESS | {name for name, value in settings.given.items() if value is False})
    return lora


def lora_settings_text(settings: LoraSettings, architecture: str, layout: TensorLayout, tensors: Iterable[str]) -> str:
    """The text of the adapter_config.json of an adapter with these tensors, by their names in the file.

    `architecture` is the class that transformers makes of the model that is changed, `layout` the table of its family.
    """
    targets = settings.targets
    modules = sorted({name.removeprefix(PREFIX).rpartition(".")[0] for name in tensors})
    changed = {module.rpartition(".lora_")[0] for module in modules if ".lora_" in module}
    rows = [layout.row_of(f"{module}.weight") for module in changed]
    return json_text(
        {
            "peft_type": "LORA",
            "task_type": next((task for end, task in _TASK_TYPES.items() if architecture.endswith(end)), None),
            "base_model_name_or_path": settings.base or None,
            "r": settings.rank,
            "lora_alpha": settings.alpha,
            "lora_dropout": settings.dropout,
            "use_rslora": settings.use_rslora,
            "target_modules": targets if isinstance(targets, str) else list(targets),
            "modules_to_save": [module for module in modules if ".lora_" not in module] or None,
            "fan_in_fan_out": not all(row and row.how.transposed for row in rows),  # are their weights (in, out)?
            "bias": "none",
            "inference_mode": True,
        }
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
