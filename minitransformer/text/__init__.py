"""From text files to batches: tokens, corpora, masking and next-sentence pairs."""
