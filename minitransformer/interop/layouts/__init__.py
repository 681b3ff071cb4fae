"""A file for each family of models: what its config.json and its tensors are called, and how they are stored.

A new family is a new file with a FolderLayout, and a model whose `layout` it is.
"""

from __future__ import annotations

from typing import NamedTuple

from minitransformer.interop.config_file import ConfigFormat
from minitransformer.interop.tensor_layout import TensorLayout


class FolderLayout(NamedTuple):
    """What a family's folders look like."""

    config: ConfigFormat
    tensors: TensorLayout
