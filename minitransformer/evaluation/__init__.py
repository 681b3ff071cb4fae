"""Evaluation: what a model is worth, beside what it must beat."""
