"""Answers that aren't numbers: refused, with the tensor that is to blame."""

import numpy as np

from minitransformer.errors import UserError
from minitransformer.nn.module import Module


def finite(answer: np.ndarray, model: Module) -> np.ndarray:
    """The answer, if all of it is finite. Raises UserError that names the parameter with the largest weight."""
    if np.isfinite(answer).all():
        return answer
    largest = {name: float(np.abs(parameter.value).max(initial=0)) for name, parameter in model.named_parameters()}
    name = max(largest, key=lambda name: largest[name])
    raise UserError(
        f"the model's answer is not a finite number; its largest weight, {largest[name]:g}, is in {name}: the model is "
        "damaged, or its training diverged"
    )
