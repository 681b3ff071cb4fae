"""A shop's search: a catalogue of products, found by their words and by their meaning, and suggestions while typing."""
