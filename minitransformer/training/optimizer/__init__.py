"""AdamW, and what a step of it is scaled by: the schedule, clipping, rates that differ by layer."""
