"""Learning rates that differ from layer to layer.

The lower a layer, the more general what it has learnt, and the less it should change (Howard, Ruder 2018, arXiv
1801.06146, section 3.2, "discriminative fine-tuning"): each layer has the learning rate of the one above it times a
number below 1. What is above the encoder has all of it, and layer i of L, counted from 0, and the embeddings

    factor of layer i = decay^(L - i),   factor of the embeddings = decay^(L + 1)

And a part that is a few numbers, not a matrix, may have a higher one: AdamW moves a number by no more than the learning
rate in a step, however far it has to go.
"""

import re
from collections.abc import Callable
from itertools import groupby

from minitransformer.nn.module import Module
from minitransformer.training.optimizer.adamw import RateFactor


def rate_factors_by_depth(model: Module, num_layers: int, decay: float) -> list[RateFactor]:
    """The factors for every entry of a model's flat vectors; a decay of 1 trains all alike."""
    return _rate_factors(model, lambda name: decay ** _depth(name, num_layers))


def rate_factors_of_part(model: Module, name: str, factor: float) -> list[RateFactor]:
    """The factors for every entry of a model's flat vectors: one for the part of this name, 1 for all others."""
    return _rate_factors(model, lambda parameter: factor if parameter.startswith(f"{name}.") else 1.0)


def _rate_factors(model: Module, factor_of: Callable[[str], float]) -> list[RateFactor]:
    """From the factor of each parameter, by its name."""
    trained = [entry for entry in model.named_parameters() if entry[1].trained]
    parameters = sorted(trained, key=lambda entry: entry[1].place.start)
    factors = [(factor_of(name), parameter.place) for name, parameter in parameters]
    runs = [(factor, [place for _, place in run]) for factor, run in groupby(factors, key=lambda entry: entry[0])]
    return [RateFactor(places[0].start, places[-1].stop, factor) for factor, places in runs]


def _depth(name: str, num_layers: int) -> int:
    """How many steps a parameter lies below the head: 0 for the head and the pooler.

    >>> [_depth(f"bert.{name}", 12) for name in ("pooler.dense.weight", "layers.11.output_norm.beta", "embeddings.x")]
    [0, 1, 13]
    """
    layer = re.search(r"\b(?:bert|lstm)\.layers\.(\d+)\.", name)
    if layer:
        return num_layers - int(layer[1])
    return num_layers + 1 if re.search(r"\b(?:bert|lstm)\.embeddings\.", name) else 0
