"""--json: a command's result as one JSON object, for programs."""

import json
import math
from collections.abc import Mapping
from typing import Any

import click
import numpy as np

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for other programs.")


def print_json(result: Mapping[str, Any]) -> None:
    """Print the object on one line. Arrays become lists and NamedTuples objects; nan, which JSON hasn't, is null."""
    click.echo(json.dumps(plain(result), ensure_ascii=False, allow_nan=False))


def plain(value: Any) -> Any:
    """What JSON can hold of it: arrays as lists, NamedTuples as objects, and None for nan."""
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return plain(value._asdict())
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
