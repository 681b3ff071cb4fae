"""A trained array, and the flat vectors that all the arrays of a model live in."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minitransformer.ops.blocks import row_blocks
from minitransformer.randomness import generator

Initialiser = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


class FlatStorage:
    """Two vectors of one layout: the values of many parameters, and their gradients.

    values and gradients are (P,), for P numbers in all. The optimizer, clipping, zeroing, summing over
    workers and a checkpoint are then one statement on one vector each. The gradients are made when they are first asked
    for: a model that only answers never has them, and neither does what is frozen.
    """

    def __init__(self, values: np.ndarray, num_decayed: int) -> None:
        self.values = values
        self.num_decayed = num_decayed  # the first entries: the matrices, which weight decay pulls towards 0
        self._gradients: np.ndarray | None = None

    @property
    def gradients(self) -> np.ndarray:
        if self._gradients is None:
            self._gradients = np.zeros_like(self.values)
        return self._gradients

    def __getstate__(self) -> dict[str, Any]:
        """A copy shares the values (a pickle holds them), and has gradients of its own."""
        return {**vars(self), "_gradients": None}


class Parameter:
    """An array to train: `value`, and `grad` of the same shape, both views into the model's flat vectors.

    It has a shape and an initialiser from the start, and a value once the model it belongs to is initialised. One that
    isn't `trained` (Module.freeze) keeps its value and has no gradient.
    """

    def __init__(self, shape: tuple[int, ...], initialiser: Initialiser) -> None:
        self.shape = shape
        self.initialiser = initialiser
        self.trained = True
        self.place = slice(0)
        self._storage: FlatStorage | None = None
        self._value: np.ndarray | None = None
        self._grad: np.ndarray | None = None

    def place_in(self, storage: FlatStorage, start: int) -> None:
        """Put this parameter at entry `start` of the flat vectors."""
        self._storage, self.place = storage, slice(start, start + self.size)
        self._value = self._grad = None

    @property
    def storage(self) -> FlatStorage:
        if self._storage is None:
            raise RuntimeError("this parameter has no value yet: call initialise() on its layer or model first")
        return self._storage

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def decayed(self) -> bool:
        """Weight decay is for matrices alone, not for biases, gamma, beta (google-research/bert, optimization.py)."""
        return len(self.shape) > 1

    @property
    def value(self) -> np.ndarray:
        if self._value is None:
            self._value = self.storage.values[self.place].reshape(self.shape)
        return self._value

    @property
    def grad(self) -> np.ndarray:
        if self._grad is None:
            if not self.trained:
                raise RuntimeError("this parameter is frozen: it has no gradient")
            self._grad = self.storage.gradients[self.place].reshape(self.shape)
        return self._grad

    def accumulate(self, gradient: np.ndarray) -> None:
        """Add one call's gradient to `grad`: an array used twice in a loss gets the sum of both gradients."""
        if self.trained:
            self.grad[...] += gradient

    def accumulate_product(self, a: np.ndarray, b: np.ndarray) -> None:
        """Add a b to `grad`, block by block of rows: for a vocabulary's table, without a second array of its size."""
        if self.trained:
            for rows in row_blocks(self.grad):
                self.grad[rows] += a[rows] @ b

    def initialise(self, seed: int, name: str) -> None:
        """Draw the initial value, a function of the seed and the parameter's name."""
        self.value[...] = self.initialiser(generator(seed, "initial value", name), self.shape)

    def __getstate__(self) -> dict[str, Any]:
        """A copy makes new views, into the storage that it is put in."""
        return {**vars(self), "_value": None, "_grad": None}


def zeros(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.zeros(shape)


def ones(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.ones(shape)


@dataclass(frozen=True)
class Constant:
    """The same number everywhere."""

    number: float

    def __call__(self, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        return np.full(shape, self.number)


@dataclass(frozen=True)
class Normal:
    """Normal numbers of mean 0 and standard deviation std: GPT-2's initialisation."""

    std: float

    def __call__(self, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        return self.std * rng.standard_normal(shape)


@dataclass(frozen=True)
class Uniform:
    """Numbers between -limit and limit, all equally likely."""

    limit: float

    def __call__(self, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        return rng.uniform(-self.limit, self.limit, shape)


@dataclass(frozen=True)
class TruncatedNormal:
    """Normal numbers of mean 0 and standard deviation std, those beyond 2 std drawn again: BERT's initialisation.

    What is left has a standard deviation of 0.88 std.
    """

    std: float

    def __call__(self, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        draws = rng.standard_normal(shape)
        while (beyond := np.abs(draws) > 2).any():
            draws[beyond] = rng.standard_normal(int(beyond.sum()))
        return self.std * draws
