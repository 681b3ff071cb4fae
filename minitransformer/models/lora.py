"""LoRA on a model that is there already: its linear layers get updates of low rank, and nothing else is trained."""

import math
from collections import defaultdict

from minitransformer.errors import UserError
from minitransformer.interop.lora_settings import LoraSettings
from minitransformer.models.pretrained_model import PretrainedModel
from minitransformer.nn.dense import Dense
from minitransformer.nn.linear import Linear
from minitransformer.nn.lora import LoraDense, LoraLinear
from minitransformer.nn.module import Module
from minitransformer.nn.parameter import Parameter, Uniform, zeros


def add_lora(model: PretrainedModel, settings: LoraSettings, heads: tuple[str, ...] = (), seed: int = 0) -> None:
    """Freeze the model, and give the linear layers that the settings name an update of low rank to train.

    `heads` are the parts that are trained as before, by their paths, such as "classifier" and "bert.pooler". From now
    on save_pretrained writes an adapter: the updates and these heads.

    A begins with numbers between -1/sqrt(in) and 1/sqrt(in), drawn from the seed, as in peft, and B with 0, so that at
    first the model computes what it did before. All parameters move: an optimizer is to be made afterwards, and of a
    part of a larger model, Module.move_to_one_storage of the whole is to be called.

    Raises UserError, and changes nothing, if the settings name no layer of the model's encoder, if there is no such
    head, or if the model has updates already.
    """
    if model.lora:
        raise UserError("this model has LoRA already; save it and merge that, to add more")
    for head in heads:
        if not any(_is_in(path, head) for path, _ in model.named_modules()):
            raise UserError(f"the model has no part {head!r} to train beside its updates")
    replacements = _with_updates(model, settings, heads)
    values = {parameter: parameter.value for _, parameter in model.named_parameters()}
    dtype = model.dtype
    for name, parameter in model.named_parameters():
        parameter.trained = any(_is_in(name, head) for head in heads)
    model.replace(replacements)
    model.allocate(dtype)
    for name, parameter in model.named_parameters():
        if parameter in values:
            parameter.value[...] = values[parameter]
        else:
            parameter.initialise(seed, name)
    model.lora = settings


def _with_updates(model: PretrainedModel, settings: LoraSettings, heads: tuple[str, ...]) -> dict[Module, Module]:
    """The layers that the settings name, and what takes their place. Those that are one layer there share their A."""
    replacements: dict[Module, Module] = {}
    for linears in _targets(model, settings, heads):
        in_size, out_size = linears[0].weight.shape
        if settings.rank > min(in_size, out_size):
            shape = f"a matrix {in_size} x {out_size} can't have so high a rank"
            raise UserError(f"LoRA's rank is {settings.rank}; {shape}")
        lora_a = Parameter((in_size, settings.rank), Uniform(1 / math.sqrt(in_size)))
        for linear in linears:
            lora_b = Parameter((settings.rank, linear.weight.shape[1]), zeros)
            kind = LoraDense if isinstance(linear, Dense) else LoraLinear
            replacements[linear] = kind(linear, lora_a, lora_b, settings.scale, settings.dropout)
    return replacements


def _targets(model: PretrainedModel, settings: LoraSettings, heads: tuple[str, ...]) -> list[list[Linear]]:
    """The linear layers that the settings name, together where Hugging Face has one for several."""
    layout, targets = model.layout.tensors, defaultdict(list)
    for path, module in model.named_modules():
        if isinstance(module, Linear) and not any(_is_in(path, head) for head in heads):
            theirs = layout.find(f"{path}.weight")[0].removesuffix(".weight")
            if settings.names(theirs):
                if head := layout.head_of(path):
                    raise UserError(f"LoRA's targets name the {head}, too ({theirs}); name what is inside the encoder")
                targets[theirs].append(module)
    if not targets:
        raise UserError(f"LoRA's targets {settings.targets!r} name no linear layer of the model's encoder")
    return [*targets.values()]


def _is_in(path: str, part: str) -> bool:
    return f"{path}.".startswith(f"{part}.")
