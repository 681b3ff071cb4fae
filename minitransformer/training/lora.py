"""Training with LoRA: what a run is told of it, and what it does to the run's model (models/lora.py)."""

import zlib
from dataclasses import dataclass

from minitransformer.errors import UserError
from minitransformer.interop.lora_settings import LoraSettings
from minitransformer.interop.model_files import ModelFiles
from minitransformer.models.lora import add_lora
from minitransformer.models.pretrained_model import PretrainedModel
from minitransformer.nn.module import Module
from minitransformer.training.settings import TrainingSettings


@dataclass(frozen=True, kw_only=True)
class LoraTrainingSettings(TrainingSettings):
    """What training a model further is told, in addition to what TrainingSettings names.

    lora          the rank of the updates that are trained in place of the model's weights; None to train the weights
    lora_alpha    what the updates are multiplied by, times the rank; None for twice the rank
    lora_dropout  of what goes into them
    """

    lora: int | None = None
    lora_alpha: float | None = None
    lora_dropout: float = 0.0


def check_lora(settings: LoraTrainingSettings, base: str | None) -> None:
    """Raises UserError if the settings of LoRA contradict each other, or the model that training begins with.

    `base` is the folder or hub name of that model; None for a new one.
    """
    if not settings.lora:
        if settings.lora_alpha or settings.lora_dropout:
            raise UserError("--lora-alpha and --lora-dropout belong to --lora; give its rank, or leave them out")
    elif base is None:
        raise UserError("--lora changes a model that is there already, and this one is new; give one with --from MODEL")
    elif ModelFiles.of(base).are_adapted:
        merge = f"minitransformer merge-lora MODEL {base} --out DIR"
        raise UserError(f"{base} is an adapter, and --lora would put one on top of it; first {merge}")


def adapt(model: PretrainedModel, base: str, settings: LoraTrainingSettings, heads: tuple[str, ...] = ()) -> None:
    """If the settings say so, train updates of low rank in place of the model's weights, and the heads as before.

    Raises UserError as check_lora does.
    """
    check_lora(settings, base)
    if settings.lora:
        alpha, targets = settings.lora_alpha or 2 * settings.lora, model.layout.lora_targets
        if not targets:
            raise UserError(f"--lora changes the linear layers of a Transformer, and {base} has none; leave it out")
        files = ModelFiles.of(base)
        named = base if files.base == files.folder else str(files.base)  # others want the folder with config.json
        lora = LoraSettings(settings.lora, alpha, targets, settings.lora_dropout, base=named)
        add_lora(model, lora, heads, settings.seed)


def frozen_identity(model: Module, settings: LoraTrainingSettings) -> dict[str, int]:
    """With LoRA, a checksum of what is frozen: no checkpoint has it, and a run on another model is another run."""
    if not settings.lora:
        return {}
    frozen = next(parameter.storage for _, parameter in model.named_parameters() if not parameter.trained)
    return {"checksum of MODEL": zlib.crc32(frozen.values.data)}
