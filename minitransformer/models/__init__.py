"""BERT and what is built on it."""
