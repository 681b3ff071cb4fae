"""The learning rate over a run: up in a straight line, then down in a straight line to 0, or along a root.

    factor
      1 |    /\\
        |   /    \\
        |  /        \\
      0 | /____________\\___
        0   warm-up     total steps

Devlin et al. 2018 (arXiv 1810.04805), appendix A.2. The published code drops by a notch where the lines meet, since
its decay line starts at step 0; here they meet, as in transformers' get_linear_schedule_with_warmup.

The first Transformer's rate falls more slowly, and needs no end: as 1 / sqrt(step) (Vaswani et al. 2017, section 5.3,
"Noam"). There it is H^-0.5 min(n^-0.5, n w^-1.5) in step n = 1, 2, ..., with w steps of warm-up: that is the factor
here, with the peak learning rate (H w)^-0.5.
"""

from collections.abc import Callable

Schedule = Callable[[int, int, int], float]  # of a step, the warm-up steps and the steps in all


def linear_warm_up_and_decay(step: int, warm_up_steps: int, total_steps: int) -> float:
    """What the peak learning rate is multiplied by in step 0, 1, ..., total_steps - 1.

    >>> [linear_warm_up_and_decay(step, 2, 6) for step in range(7)]
    [0.0, 0.5, 1.0, 0.75, 0.5, 0.25, 0.0]
    """
    if step < warm_up_steps:
        return step / warm_up_steps
    return max(0, total_steps - step) / max(1, total_steps - warm_up_steps)


def linear_warm_up_and_inverse_root(step: int, warm_up_steps: int, total_steps: int) -> float:
    """What the peak learning rate is multiplied by in step 0, 1, ..., of however many.

    >>> [round(linear_warm_up_and_inverse_root(step, 2, 6), 3) for step in range(8)]
    [0.5, 1.0, 0.816, 0.707, 0.632, 0.577, 0.535, 0.5]
    """
    n, w = step + 1, max(1, warm_up_steps)
    return min(n / w, (w / n) ** 0.5)


SCHEDULES: dict[str, Schedule] = {"linear": linear_warm_up_and_decay, "noam": linear_warm_up_and_inverse_root}
