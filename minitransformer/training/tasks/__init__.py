"""What a step learns: a task for each kind of training."""
