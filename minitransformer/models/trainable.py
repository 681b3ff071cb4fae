"""What a training run needs of a model: that it can be saved, and taken up again where it was."""

from __future__ import annotations

from pathlib import Path

from minitransformer.nn.module import Module


class TrainableModel(Module):
    """A model that a checkpoint can hold."""

    def save_pretrained(self, folder: Path) -> None:
        """Write a folder that others can load. Raises UserError if that fails."""
        raise NotImplementedError

    def restore(self, folder: Path) -> None:
        """Take every parameter's value from a folder that save_pretrained wrote. Raises UserError if it doesn't fit."""
        raise NotImplementedError
