"""Evaluation: how good a model is, next to the baselines it must beat."""
