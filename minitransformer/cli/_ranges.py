"""The numbers that an option takes."""

import math
from typing import Any

import click


class FiniteFloatRange(click.FloatRange):
    """A range that nan and inf aren't in."""

    def convert(self, value: Any, param: click.Parameter | None, context: click.Context | None) -> float:
        number = super().convert(value, param, context)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, context)
        return number


POSITIVE = click.IntRange(min=1)
ABOVE_0 = FiniteFloatRange(min=0, min_open=True)
SHARE = FiniteFloatRange(0, 1, max_open=True)
