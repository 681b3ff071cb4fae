"""Between the parameters of a module and the tensors of a checkpoint: who is who, do the shapes agree, copy.

A checkpoint is any mapping from Hugging Face's names to arrays: the tensors of a folder, or a dictionary.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import DTypeLike

from minitransformer.errors import UserError
from minitransformer.interop.safetensors_files import Tensors
from minitransformer.interop.tensor_names import (
    DECODER,
    WORD_EMBEDDINGS,
    NameMatch,
    canonical_name,
    canonical_names,
    hugging_face_name,
    match_names,
    turned,
    turned_shape,
)
from minitransformer.nn.module import Module
from minitransformer.nn.parameter import Parameter
from minitransformer.randomness import generator

_ENCODER = ("embeddings.", "encoder.")  # what no checkpoint may lack; everything else is a head


def values_of(module: Module) -> dict[str, np.ndarray]:
    """Every parameter's value by Hugging Face's names, [out, in]: views, which change when the module is trained."""
    return {hugging_face_name(name): turned(name, p.value) for name, p in module.named_parameters()}


def gradients_of(module: Module) -> dict[str, np.ndarray]:
    """Every parameter's gradient, by the names and in the shapes of values_of."""
    return {hugging_face_name(name): turned(name, p.grad) for name, p in module.named_parameters()}


def load_dictionary(module: Module, arrays: Mapping[str, np.ndarray]) -> None:
    """Give every parameter the value that the dictionary has for it.

    Raises UserError, and changes nothing, if an array is missing, unknown or of another shape.
    """
    parameters = dict(module.named_parameters())
    match = match_names(parameters, arrays)
    if match.missing:
        raise UserError(f"the dictionary lacks {_some(map(hugging_face_name, match.missing))}")
    if match.unused:
        raise UserError(f"the dictionary holds {_some(match.unused)}, which this model doesn't have")
    if has_own_decoder(arrays) and DECODER not in match.sources.values():
        raise UserError(f"{DECODER} differs from the token embedding, which is this model's decoder")
    _check_shapes(parameters, match, {name: array.shape for name, array in arrays.items()}, "the dictionary")
    _copy(parameters, match, arrays)


def load_tensors(module: Module, tensors: Tensors, dtype: DTypeLike, seed: int) -> None:
    """Give a module without values its place in memory, and its values from the tensors of a folder.

    The heads that the folder doesn't have get first values drawn from `seed`, with a warning, and another warning says
    which tensors are ignored. Raises UserError if the encoder isn't whole, or a shape isn't the config's.
    """
    file = str(tensors.files[0])
    if np.dtype(dtype) not in (np.float32, np.float64):
        raise UserError(f"dtype is {np.dtype(dtype)}; models compute in float32 or float64")
    parameters = dict(module.named_parameters())
    match = match_names(parameters, tensors)
    lacking = [name for name in map(hugging_face_name, match.missing) if canonical_name(name).startswith(_ENCODER)]
    if lacking:
        raise UserError(f"{file} lacks {_some(lacking)}, which the encoder needs")
    _check_shapes(parameters, match, tensors.shapes, file)
    _check_size_of_heads(parameters, match, file)
    module.allocate(dtype)
    _copy(parameters, match, tensors)
    for name in match.missing:
        parameter = parameters[name]
        parameter.value[...] = parameter.initialiser(generator(seed, "initial value", name), parameter.shape)
    _report(match, file)


def has_own_decoder(tensors: Mapping[str, np.ndarray]) -> bool:
    """Whether the masked-LM decoder isn't the token embedding, as it is in BERT, but a matrix of its own."""
    names = canonical_names(tensors)
    if DECODER not in names or names[DECODER] == names[WORD_EMBEDDINGS]:
        return False
    return not np.array_equal(tensors[names[DECODER]], tensors[names[WORD_EMBEDDINGS]])


def _check_shapes(
    parameters: Mapping[str, Parameter], match: NameMatch, shapes: Mapping[str, tuple[int, ...]], where: str
) -> None:
    for name, tensor in match.sources.items():
        expected = turned_shape(name, parameters[name].shape)
        if shapes[tensor] != expected:
            raise UserError(
                f"{where}: the tensor {tensor} has the shape {list(shapes[tensor])}, but by the model's config it is "
                f"{list(expected)}"
            )


def _check_size_of_heads(parameters: Mapping[str, Parameter], match: NameMatch, file: str) -> None:
    """New heads are small beside the encoder, unless a setting is absurd: refuse before memory is asked for."""
    found, new = (sum(parameters[name].size for name in names) for names in (match.sources, match.missing))
    if new > found:
        heads = _parts(map(hugging_face_name, match.missing))
        raise UserError(f"by the model's config {heads} would have {new} weights, but the whole of {file} has {found}")


def _copy(parameters: Mapping[str, Parameter], match: NameMatch, tensors: Mapping[str, np.ndarray]) -> None:
    for name, tensor in match.sources.items():
        parameters[name].value[...] = turned(name, tensors[tensor])


def _report(match: NameMatch, file: str) -> None:
    """Say in a warning what is new and what is ignored."""
    if match.missing:
        new = _parts(map(hugging_face_name, match.missing))
        warnings.warn(f"{file} has no {new}: new, with random values; train before you use it", stacklevel=4)
    if match.unused:
        warnings.warn(f"{file} also holds {_parts(match.unused)}: ignored, this model has no such part", stacklevel=4)


def _parts(names: Iterable[str]) -> str:
    """The parts of a model that tensors belong to: "cls.predictions, pooler"."""
    part = re.compile(r"cls\.\w+|encoder\.layer\.\d+|[^.]*")
    found = (part.match(canonical_name(name)) for name in names)
    return _some(sorted({match[0] for match in found if match}))


def _some(names: Iterable[str]) -> str:
    """The first few names, and how many more there are."""
    listed = list(names)
    more = f" and {len(listed) - 4} more" if len(listed) > 4 else ""
    return ", ".join(listed[:4]) + more
