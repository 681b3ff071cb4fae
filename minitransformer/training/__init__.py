"""Training: the optimizer, the schedule, the loop, its checkpoints and its workers."""
