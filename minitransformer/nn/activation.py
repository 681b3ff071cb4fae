"""The activation functions by name."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from minitransformer.ops.elementwise import FUNCTIONS, elementwise_backward, elementwise_forward
from minitransformer.ops.gelu import gelu, gelu_backward, gelu_forward, gelu_tanh, gelu_tanh_forward
from minitransformer.ops.relu import relu_backward, relu_forward
from minitransformer.ops.tanh import tanh_backward, tanh_forward


class Activation(NamedTuple):
    """An activation function: alone for inference, and as a forward/backward pair."""

    function: Callable[[np.ndarray], np.ndarray]
    forward: Callable[[np.ndarray], tuple[np.ndarray, Any]]
    backward: Callable[[np.ndarray, Any], np.ndarray]


def _elementwise(name: str) -> Activation:
    return Activation(lambda x: FUNCTIONS[name](x)[0], partial(elementwise_forward, name=name), elementwise_backward)


ACTIVATIONS = {
    "gelu": Activation(gelu, gelu_forward, gelu_backward),
    "gelu_tanh": Activation(gelu_tanh, gelu_tanh_forward, gelu_backward),  # the cached slope tells the forms apart
    "relu": Activation(lambda x: relu_forward(x)[0], relu_forward, relu_backward),
    "tanh": Activation(np.tanh, tanh_forward, tanh_backward),
    "identity": Activation(lambda x: x, lambda x: (x, None), lambda dy, cache: dy),
    **{name: _elementwise(name) for name in FUNCTIONS},
}
