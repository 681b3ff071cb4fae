"""Between the parameters of a module and the tensors of a checkpoint: who is who, do the shapes agree, copy.

A checkpoint is any mapping from Hugging Face's names to arrays: the tensors of a folder, or a dictionary.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping

import numpy as np

from minitransformer.errors import IgnoredTensors, UserError
from minitransformer.interop.safetensors_files import Tensors
from minitransformer.interop.tensor_names import (
    DECODER,
    DECODER_BIAS,
    MASKED_LM_BIAS,
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
from minitransformer.randomness import generator

_REQUIRED = ("embeddings.", "encoder.", "linear.weight")  # what no checkpoint may lack; everything else may be new


def values_of(module: Module) -> dict[str, np.ndarray]:
    """Every parameter's value by Hugging Face's names, [out, in]: views, which change when the module is trained."""
    values = {hugging_face_name(name): turned(name, p.value) for name, p in module.named_parameters()}
    if DECODER in values:  # transformers then has a bias of each name, and computes with the decoder's
        values[DECODER_BIAS] = values[MASKED_LM_BIAS]
    return values


def gradients_of(module: Module) -> dict[str, np.ndarray]:
    """Every parameter's gradient, by the names and in the shapes of values_of."""
    return {hugging_face_name(name): turned(name, p.grad) for name, p in module.named_parameters()}


def load_dictionary(module: Module, arrays: Mapping[str, np.ndarray]) -> None:
    """Give every parameter the value that the dictionary, or the tensors of a folder, have for it.

    Raises UserError, and changes nothing, if an array is missing, unknown or of another shape.
    """
    where = str(arrays.files[0]) if isinstance(arrays, Tensors) else "the dictionary"
    match = match_names(_names(module), arrays)
    shapes = arrays.shapes if isinstance(arrays, Tensors) else {name: array.shape for name, array in arrays.items()}
    if match.missing:
        raise UserError(f"{where} lacks {_some(map(hugging_face_name, match.missing))}")
    if match.unused:
        raise UserError(f"{where} holds {_some(match.unused)}, which this model doesn't have")
    if has_own_decoder(arrays, shapes) and DECODER not in match.sources.values():
        raise UserError(f"{DECODER} differs from the token embedding, which is this model's decoder")
    _check_shapes(module, match, shapes, where)
    _copy(module, match, arrays)


def match_tensors(
    module: Module, tensors: Tensors, new: tuple[str, ...] = (), needed: tuple[str, ...] = ()
) -> NameMatch:
    """Which tensor of a folder fills which parameter of a module that has no values yet.

    What no checkpoint may lack is there, and every shape is the module's: nothing is read or allocated before that is
    sure. Heads may be missing, unless their names begin with one of `needed`; those that begin with one of `new` count
    as missing even if they are there. Raises UserError.
    """
    file = str(tensors.files[0])
    match = _without(match_names(_names(module), tensors), new)
    names = {name: hugging_face_name(name) for name in match.missing}
    lacking = [
        found for name, found in names.items() if canonical_name(found).startswith(_REQUIRED) or name.startswith(needed)
    ]
    if lacking:
        raise UserError(f"{file} lacks {_some(lacking)}, which the model needs")
    _check_shapes(module, match, tensors.shapes, file)
    _check_size_of_heads(module, match, file)
    return match


def fill(module: Module, match: NameMatch, tensors: Mapping[str, np.ndarray], seed: int) -> None:
    """Give every parameter its tensor's value, and the missing ones first values drawn from `seed`."""
    _copy(module, match, tensors)
    parameters = dict(module.named_parameters())
    for name in match.missing:
        parameter = parameters[name]
        parameter.value[...] = parameter.initialiser(generator(seed, "initial value", name), parameter.shape)


def report(match: NameMatch, tensors: Tensors) -> None:
    """Say in warnings which heads are new and which tensors are ignored."""
    file = tensors.files[0]
    if match.missing:
        new = _parts(map(hugging_face_name, match.missing))
        warnings.warn(f"{file} has no {new}: new, with random values; train before you use it", stacklevel=4)
    if match.unused:
        unused = _parts(match.unused)
        warnings.warn(f"{file} also holds {unused}: ignored, not needed here", IgnoredTensors, stacklevel=4)


def has_own_decoder(tensors: Mapping[str, np.ndarray], shapes: Mapping[str, tuple[int, ...]]) -> bool:
    """Whether the masked-LM decoder isn't the token embedding, as it is in BERT, but a matrix of its own."""
    names = canonical_names(tensors)
    if DECODER not in names or names[DECODER] == names[WORD_EMBEDDINGS]:
        return False
    decoder, embedding = names[DECODER], names[WORD_EMBEDDINGS]
    if shapes[decoder] != shapes[embedding] or len(shapes[decoder]) != 2:
        return True  # _check_shapes will say what is wrong with them
    return not np.array_equal(tensors[decoder], tensors[embedding])


def _without(match: NameMatch, new: tuple[str, ...]) -> NameMatch:
    """The match if the tensors of the parameters whose names begin with one of `new` weren't needed."""
    renewed = {name: tensor for name, tensor in match.sources.items() if name.startswith(new)}
    sources = {name: tensor for name, tensor in match.sources.items() if name not in renewed}
    return NameMatch(sources, [*match.missing, *renewed], [*match.unused, *renewed.values()])


def _names(module: Module) -> list[str]:
    return [name for name, _ in module.named_parameters()]


def _check_shapes(module: Module, match: NameMatch, shapes: Mapping[str, tuple[int, ...]], where: str) -> None:
    parameters = dict(module.named_parameters())
    for name, tensor in match.sources.items():
        expected = turned_shape(name, parameters[name].shape)
        if shapes[tensor] != expected:
            raise UserError(
                f"{where}: the tensor {tensor} has the shape {list(shapes[tensor])}, but by the model's config it is "
                f"{list(expected)}"
            )


def _check_size_of_heads(module: Module, match: NameMatch, file: str) -> None:
    """New heads are small beside the encoder, unless a setting is absurd: refuse before memory is asked for."""
    sizes = {name: parameter.size for name, parameter in module.named_parameters()}
    found, new = (sum(sizes[name] for name in names) for names in (match.sources, match.missing))
    if new > found:
        heads = _parts(map(hugging_face_name, match.missing))
        raise UserError(f"by the model's config {heads} would have {new} weights, but the whole of {file} has {found}")


def _copy(module: Module, match: NameMatch, tensors: Mapping[str, np.ndarray]) -> None:
    parameters = dict(module.named_parameters())
    for name, tensor in match.sources.items():
        destination = turned(name, parameters[name].value)
        if isinstance(tensors, Tensors):
            tensors.copy_to(tensor, destination)
        else:
            destination[...] = tensors[tensor]


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
