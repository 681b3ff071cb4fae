"""Chocolate milk and milk chocolate: what each pair of tokens contributes to their cosine in all-MiniLM-L6-v2.

python -m scripts.figures chocolate_milk all-MiniLM-L6-v2      draws it from that model's folder
"""

import numpy as np

from minitransformer import SentenceEncoder
from minitransformer.inference.explanation import SimilarityExplanation, explain_similarity
from minitransformer.pictures.drawing import svg
from minitransformer.pictures.similarity import explanation_picture


def data(folder):
    encoder = SentenceEncoder.from_pretrained(folder)
    explanation = explain_similarity(encoder, "I like chocolate milk", "I like milk chocolate")
    return {**explanation._asdict(), "contributions": explanation.contributions.tolist()}


def draw(data):
    explanation = SimilarityExplanation(**{**data, "contributions": np.array(data["contributions"])})
    picture = explanation_picture(explanation)
    return svg(picture.drawing, "The cosine of chocolate milk and milk chocolate", picture.finding, data)
