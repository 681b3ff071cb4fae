"""A file for each family of models: what its config.json and its tensors are called, and how tensors are stored.

A new family is a new file with a FolderLayout, and a model whose `layout` it is.
"""
