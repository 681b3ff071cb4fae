"""The rules that every config of a Transformer keeps: what its values may be, and sizes that have a name."""

import dataclasses
import math
import sys
from collections.abc import Mapping
from typing import Any

from minitransformer.errors import UserError
from minitransformer.interop.config_file import ACTIVATION_NAMES

Sizes = dict[str, int]
RECURRENT_ATTENTIONS = "luong", "bahdanau", "none"  # of an LSTM over its source


def sizes(num_hidden_layers: int, hidden_size: int) -> Sizes:
    """The proportions of every published BERT and GPT-2: heads of 64 columns, and F = 4 H."""
    return {
        "num_hidden_layers": num_hidden_layers,
        "hidden_size": hidden_size,
        "num_attention_heads": hidden_size // 64,
        "intermediate_size": 4 * hidden_size,
    }


def sizes_of(name: str, presets: Mapping[str, Sizes]) -> Sizes:
    """The sizes of a preset. Raises UserError for another name, with the names of all."""
    if name not in presets:
        raise UserError(f"there is no preset {name!r}; choose one of {', '.join(presets)}")
    return presets[name]


def check_config(config: Any, may_be_zero: tuple[str, ...] = ()) -> None:
    """Raise UserError as check_values does, and if the sizes don't divide."""
    check_values(config, may_be_zero)
    if config.hidden_size % config.num_attention_heads:
        found = f"hidden_size {config.hidden_size} isn't a multiple of num_attention_heads {config.num_attention_heads}"
        raise UserError(f"{found}: each head takes an equal share of the columns")


def check_values(config: Any, may_be_zero: tuple[str, ...] = ()) -> None:
    """Raise UserError if a value is of the wrong type or out of range.

    A whole number must be at least 1, and at least 0 if its name is in may_be_zero.
    """
    for field in dataclasses.fields(config):
        _check(field.name, getattr(config, field.name), smallest=0 if field.name in may_be_zero else 1)


def check_start_and_end(config: Any) -> None:
    """Raise UserError unless a translator's vocabulary has the tokens with which targets begin and end."""
    for name in ("eos_token_id", "decoder_start_token_id"):
        value = getattr(config, name)
        if value is None or value >= config.vocab_size:
            raise UserError(f"{name} must be a token of the {config.vocab_size} in the vocabulary, found {value}")


def _check(name: str, value: Any, smallest: int) -> None:
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    if name == "hidden_act":
        good, expected = value in [*ACTIVATION_NAMES], f"one of {', '.join(ACTIVATION_NAMES)}"  # may be unhashable
    elif name == "tie_word_embeddings":
        good, expected = isinstance(value, bool), "true or false"
    elif name == "attention":
        good, expected = value in [*RECURRENT_ATTENTIONS], f"one of {', '.join(RECURRENT_ATTENTIONS)}"
    elif name.endswith("_prob") or name == "label_smoothing":
        good, expected = 0 <= number < 1, "a number of at least 0 and below 1"
    elif name in ("initializer_range", "layer_norm_eps"):
        good, expected = 0 < number <= sys.float_info.max, "a number above 0"
    elif name.endswith("token_id"):
        good, expected = value is None or (isinstance(number, int) and number >= 0), "a token id, or none"
    else:
        good, expected = isinstance(number, int) and number >= smallest, f"a whole number of at least {smallest}"
    if not good:
        raise UserError(f"{name} must be {expected}, found {value!r}")
