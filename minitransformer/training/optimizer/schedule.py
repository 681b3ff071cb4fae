"""The learning rate over a run: up in a straight line, then down in a straight line to 0.

    factor
      1 |    /\\
        |   /    \\
        |  /        \\
      0 | /____________\\___
        0   warm-up     total steps

Devlin et al. 2018 (arXiv 1810.04805), appendix A.2. The published code drops by a notch where the lines meet, since
its decay line starts at step 0; here they meet, as in transformers' get_linear_schedule_with_warmup.
"""


def linear_warm_up_and_decay(step: int, warm_up_steps: int, total_steps: int) -> float:
    """What the peak learning rate is multiplied by in step 0, 1, ..., total_steps - 1.

    >>> [linear_warm_up_and_decay(step, 2, 6) for step in range(7)]
    [0.0, 0.5, 1.0, 0.75, 0.5, 0.25, 0.0]
    """
    if step < warm_up_steps:
        return step / warm_up_steps
    return max(0, total_steps - step) / max(1, total_steps - warm_up_steps)
