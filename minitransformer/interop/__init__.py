"""The files of Hugging Face, sentence-transformers and peft: their names, their transposes, their formats.

This floor knows tensors and settings, not models; models/ builds models from what is read here.
"""
