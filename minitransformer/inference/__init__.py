"""From a model to answers: fill-mask, prediction, explanation, attention maps, generated text."""
