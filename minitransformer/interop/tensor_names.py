"""What each parameter is called in a Hugging Face checkpoint, and which way round it lies there.

    ours                                     theirs
    embeddings.token.table (V, H)            embeddings.word_embeddings.weight [V, H]
    layers.0.attention.query.weight (H, H)   encoder.layer.0.attention.self.query.weight [H, H], transposed
    layers.0.feed_forward.inner.weight (H, F)   encoder.layer.0.intermediate.dense.weight [F, H], transposed

Our weights are (in, out), as in y = x W; torch.nn.Linear stores [out, in]. Tables and vectors are the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from minitransformer.errors import UserError

_MODULES = {
    "embeddings.token": "embeddings.word_embeddings",
    "embeddings.position": "embeddings.position_embeddings",
    "embeddings.segment": "embeddings.token_type_embeddings",
    "embeddings.norm": "embeddings.LayerNorm",
    "": "linear",  # a dense layer in a folder of its own
    "pooler": "pooler.dense",
    "mlm_head.decoder": "cls.predictions",
    "mlm_head.transform": "cls.predictions.transform.dense",
    "mlm_head.norm": "cls.predictions.transform.LayerNorm",
    "nsp_head": "cls.seq_relationship",
}
_MODULES_OF_A_LAYER = {
    "attention.query": "attention.self.query",
    "attention.key": "attention.self.key",
    "attention.value": "attention.self.value",
    "attention.output": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "feed_forward.inner": "intermediate.dense",
    "feed_forward.outer": "output.dense",
    "output_norm": "output.LayerNorm",
}
_ARRAYS = {"table": "weight", "gamma": "weight", "beta": "bias"}

WORD_EMBEDDINGS = "embeddings.word_embeddings.weight"
DECODER = "cls.predictions.decoder.weight"
DECODER_BIAS = "cls.predictions.decoder.bias"
MASKED_LM_BIAS = "cls.predictions.bias"
_BUFFERS = ("embeddings.position_ids", "embeddings.token_type_ids")  # 0, 1, 2, ... in old files: no weights


def hugging_face_name(name: str) -> str:
    """The checkpoint's name of our parameter `name`. A module that BERT doesn't have keeps its name.

    >>> hugging_face_name("bert.layers.3.attention_norm.gamma")
    'bert.encoder.layer.3.attention.output.LayerNorm.weight'
    """
    if name == "mlm_head.decoder.table":  # there only where it isn't the token embedding's
        return DECODER
    prefix = "bert." if name.startswith("bert.") else ""
    module, _, array = name.removeprefix(prefix).rpartition(".")
    layer = re.fullmatch(r"layers\.(\d+)\.(.+)", module)
    if re.fullmatch(r"hidden_layers\.\d+", module):
        module += ".linear"
    if layer:
        module = f"encoder.layer.{layer[1]}.{_MODULES_OF_A_LAYER[layer[2]]}"
    return f"{prefix}{_MODULES.get(module, module)}.{_ARRAYS.get(array, array)}"


def turned(name: str, array: np.ndarray) -> np.ndarray:
    """The array of our parameter `name` the other way round: ours to theirs, or theirs to ours. A view."""
    return array.T if is_turned(name) else array


def turned_shape(name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape[::-1] if is_turned(name) else shape


def is_turned(name: str) -> bool:
    """Whether it is the weight of a linear layer; the matrices of embeddings are tables."""
    return name.rpartition(".")[2] == "weight"


def canonical_name(name: str) -> str:
    """A checkpoint's name without the prefix of its model, and with today's names of LayerNorm's vectors.

    >>> canonical_name("bert.embeddings.LayerNorm.gamma")
    'embeddings.LayerNorm.weight'
    """
    name = name.removeprefix("bert.")
    name = re.sub(r"LayerNorm\.gamma$", "LayerNorm.weight", name)
    return re.sub(r"LayerNorm\.beta$", "LayerNorm.bias", name)


def canonical_names(found: Iterable[str]) -> dict[str, str]:
    """canonical name -> name in the checkpoint, without buffers. Raises UserError if two names mean one tensor.

    The masked-LM decoder is the token embedding and cls.predictions.bias under second names. A checkpoint may have
    either name, or both; as in transformers, the decoder's bias counts, and its weight fills in for an embedding.
    """
    names: dict[str, str] = {}
    for name in found:
        canonical = canonical_name(name)
        if canonical in names:
            raise UserError(f"it holds both {names[canonical]} and {name}, which are names of one tensor")
        if canonical not in _BUFFERS:
            names[canonical] = name
    if DECODER_BIAS in names:
        names[MASKED_LM_BIAS] = names.pop(DECODER_BIAS)
    if DECODER in names:
        names.setdefault(WORD_EMBEDDINGS, names[DECODER])
    return names


def number_of_layers(found: Iterable[str]) -> int:
    """How many different encoder layers a checkpoint has tensors of."""
    numbers = (re.match(r"encoder\.layer\.(\d+)\.", canonical_name(name)) for name in found)
    return len({number[1] for number in numbers if number})


class NameMatch(NamedTuple):
    """Which tensor fills which parameter, by our parameters' names and the checkpoint's tensors' names."""

    sources: dict[str, str]  # parameter -> tensor
    missing: list[str]  # parameters without a tensor
    unused: list[str]  # tensors without a parameter


def match_names(parameters: Iterable[str], found: Iterable[str]) -> NameMatch:
    """Find the tensor of each parameter."""
    tensors = canonical_names(found)
    wanted = {name: canonical_name(hugging_face_name(name)) for name in parameters}
    sources = {name: tensors[tensor] for name, tensor in wanted.items() if tensor in tensors}
    missing = [name for name, tensor in wanted.items() if tensor not in tensors]
    used = set(sources.values())
    unused = [tensor for canonical, tensor in tensors.items() if tensor not in used and canonical != DECODER]
    return NameMatch(sources, missing, unused)
