"""Training runs: each has a folder and can be resumed at any moment."""
