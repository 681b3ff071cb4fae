"""The files of Hugging Face and sentence-transformers: their names, their transposes, their formats.

This floor knows tensors and settings, not models; models/ builds models from what is read here.
"""
