"""Tokens: tokenizers, and batches of token rows."""

import os

# The threads of the `tokenizers` library don't survive a later fork. Set this to "true" if you want the threads.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
