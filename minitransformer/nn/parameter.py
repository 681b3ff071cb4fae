"""A trained array, and the flat vectors that all the arrays of a model live in."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import numpy as np

from minitransformer.randomness import generator

Initialiser = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


class FlatStorage:
    """Two vectors of one layout: every value of a model, and every gradient.

    values (P,) and gradients (P,) have P entries, one for each trained number. The optimizer, clipping, zeroing,
    summing over workers and a checkpoint are then one statement on one vector each. The gradients are made when they
    are first asked for: a model that only answers never has them.

    Zeros are written as late as can be: zero_grad only notes which places are to be 0, and a matrix's first gradient is
    written straight to its place (Parameter.first_grad), which saves writing zeros and adding to them. Whoever asks for
    the gradients finds the zeros there.
    """

    def __init__(self, values: np.ndarray, num_decayed: int) -> None:
        self.values = values
        self.num_decayed = num_decayed  # the first entries: the matrices, which weight decay pulls towards 0
        self._gradients: np.ndarray | None = None
        self._to_be_zero: dict[int, slice] = {}  # places by their starts

    @property
    def gradients(self) -> np.ndarray:
        gradients = self._vector()
        for place in self._to_be_zero.values():
            gradients[place] = 0
        self._to_be_zero.clear()
        return gradients

    def zero_grad(self, places: Iterable[slice]) -> None:
        """Make the gradients at these places of parameters 0."""
        self._to_be_zero.update((place.start, place) for place in places)

    def gradient(self, place: slice) -> np.ndarray:
        """The gradients of one parameter, a view."""
        gradient = self._vector()[place]
        if self._to_be_zero.pop(place.start, None):
            gradient[...] = 0
        return gradient

    def first_gradient(self, place: slice) -> np.ndarray | None:
        """A view to write a parameter's first gradient to, if nothing has been added to it since it was made 0."""
        return self._vector()[place] if self._to_be_zero.pop(place.start, None) else None

    def _vector(self) -> np.ndarray:
        if self._gradients is None:
            self._gradients = np.zeros_like(self.values)
        return self._gradients

    def replica(self) -> FlatStorage:
        """The same values, with gradients of its own."""
        return FlatStorage(self.values, self.num_decayed)


class Parameter:
    """A trained array: `value`, and `grad` of the same shape, both views into the model's flat vectors.

    It has a shape and an initialiser from the start, and a value once the model it belongs to is initialised.
    """

    def __init__(self, shape: tuple[int, ...], initialiser: Initialiser) -> None:
        self.shape = shape
        self.initialiser = initialiser
        self.storage: FlatStorage | None = None
        self.place = slice(0)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def decayed(self) -> bool:
        """Weight decay is for matrices alone, not for biases, gamma, beta (google-research/bert, optimization.py)."""
        return len(self.shape) > 1

    @property
    def value(self) -> np.ndarray:
        return self.placed_in().values[self.place].reshape(self.shape)

    @property
    def grad(self) -> np.ndarray:
        return self.placed_in().gradient(self.place).reshape(self.shape)

    def initialise(self, seed: int, name: str) -> None:
        """Draw the first value, which is a function of the seed and the parameter's name."""
        self.value[...] = self.initialiser(generator(seed, "initial value", name), self.shape)

    def first_grad(self) -> np.ndarray | None:
        """Where to write the gradient, if none has come since zero_grad; otherwise None. `accumulate` it all the same.

        dweight = np.matmul(x.T, dy, out=weight.first_grad())
        weight.accumulate(dweight)
        """
        place = self.placed_in().first_gradient(self.place)
        return None if place is None else place.reshape(self.shape)

    def accumulate(self, grad: np.ndarray) -> None:
        """Add one call's gradient to `grad`: an array used twice in a loss gets the sum of both gradients."""
        total = self.grad
        if not np.may_share_memory(total, grad):  # else it was written to its place, as the first
            total += grad

    def placed_in(self) -> FlatStorage:
        if self.storage is None:
            raise RuntimeError("this parameter has no value yet: call initialise() on the layer or model it belongs to")
        return self.storage


def zeros(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.zeros(shape)


def ones(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.ones(shape)


def truncated_normal(std: float) -> Initialiser:
    """Normal numbers of mean 0 and standard deviation std, those beyond 2 std drawn again: BERT's initialisation.

    What is left has a standard deviation of 0.88 std.
    """

    def initialise(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        draws = rng.standard_normal(shape)
        while (beyond := np.abs(draws) > 2).any():
            draws[beyond] = rng.standard_normal(int(beyond.sum()))
        return std * draws

    return initialise
