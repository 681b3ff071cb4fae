"""What a step sees: masking, next-sentence pairs, sentence examples, epochs, shards."""
