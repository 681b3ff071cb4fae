"""How the next token is chosen: the options of generating, and which of them contradict each other."""

import math
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

from minitransformer.errors import UserError


@dataclass(frozen=True)
class GenerationOptions:
    """Without a temperature the most probable text is looked for: greedily, or with several beams.

    max_new_tokens    when to stop at the latest
    num_beams         1 is greedy: the most probable token at each step
    length_penalty    what a beam's log-probability is divided by: the number of its tokens to this power
    temperature       draw each token with the probabilities softmax(logits / temperature)
    top_k             draw among the k most probable tokens only
    top_p             draw among the most probable tokens only, as few as have the probability p together
    eos_token_id      the token that ends a text

    Raises UserError if a value is out of range, or if one of them would have no effect beside the others.
    """

    max_new_tokens: int
    num_beams: int = 1
    length_penalty: float = 1.0
    temperature: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    eos_token_id: int | None = None

    def __post_init__(self) -> None:
        for name, smallest in (("max_new_tokens", 1), ("num_beams", 1), ("top_k", 1), ("eos_token_id", 0)):
            value, may_be_left_out = getattr(self, name), name in ("top_k", "eos_token_id")
            if not (_is_whole(value) and value >= smallest) and not (may_be_left_out and value is None):
                raise UserError(f"{name} must be a whole number of at least {smallest}, found {value!r}")
        if not _is_number(self.length_penalty):
            raise UserError(f"length_penalty must be a number, found {self.length_penalty!r}")
        if self.top_p is not None and not (_is_number(self.top_p) and 0 < self.top_p <= 1):
            raise UserError(f"top_p must be above 0 and at most 1, found {self.top_p!r}")
        self._check_temperature()
        self._check_contradictions()

    def _check_temperature(self) -> None:
        temperature = self.temperature
        if temperature is not None and not (_is_number(temperature) and temperature > 0):
            greedy = "leave it out for greedy choice, which takes the most probable token at each step"
            raise UserError(f"the temperature must be a number above 0, found {temperature!r}; {greedy}")

    def _check_contradictions(self) -> None:
        if self.temperature is None:
            for name, value in (("top-k", self.top_k), ("top-p", self.top_p)):
                if value is not None:
                    without = f"{name} {value} is about drawing tokens, and without a temperature none are drawn"
                    raise UserError(f"{without}; add the temperature 1, or leave {name} out")
        elif self.num_beams > 1:
            both = f"the temperature {self.temperature} and {self.num_beams} beams contradict each other"
            raise UserError(f"{both}: beam search draws nothing; leave one of them out")
        if self.num_beams == 1 and self.length_penalty != 1:
            penalty = f"the length penalty {self.length_penalty} compares beams of different lengths"
            raise UserError(f"{penalty}, but there is only one; ask for more beams, or leave it out")


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def _is_whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)
