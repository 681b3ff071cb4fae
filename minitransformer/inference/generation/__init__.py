"""From a language model to a text: one token after the other, chosen greedily, by chance or among several beams."""
