"""From a model to answers: fill-mask, prediction, explanation, generated text."""
