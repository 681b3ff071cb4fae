"""Completing a text while it is typed: one suggestion that is likely to be right, or none."""
