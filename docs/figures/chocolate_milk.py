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
    first, second, parts = explain_similarity(encoder, "I like chocolate milk", "I like milk chocolate")
    alone = explain_similarity(encoder, "chocolate milk", "milk chocolate").cosine
    return {"first": first, "second": second, "contributions": parts.tolist(), "of two words alone": alone}


def draw(data):
    explanation = SimilarityExplanation(data["first"], data["second"], np.array(data["contributions"]))
    picture, alone = explanation_picture(explanation), data["of two words alone"]
    finding = f"{picture.finding} Of the two words alone, without “I like”, the cosine is {alone:.4f}."
    return svg(picture.drawing, "The cosine of chocolate milk and milk chocolate", finding, data)
