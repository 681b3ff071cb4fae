"""A batch of six queries and their products, each query against all products, in all-MiniLM-L6-v2: what a step sees.

python -m scripts.figures in_batch_negatives all-MiniLM-L6-v2      draws it from that model's folder
"""

import numpy as np

from minitransformer.inference.in_batch_negatives import in_batch_negatives
from minitransformer.models.two_towers import TwoTowers
from minitransformer.pictures.drawing import svg
from minitransformer.pictures.negatives import negatives_picture

PAIRS = {
    "orange": "Navel Oranges",
    "banana": "Organic Bananas",
    "milk": "Whole Milk",
    "chocolate milk": "Lowfat Chocolate Milk",
    "milk chocolate": "Milk Chocolate Bar",
    "oat milk": "Barista Oat Milk",
}


def data(folder):
    found = in_batch_negatives(TwoTowers.from_pretrained(folder), [*PAIRS], [*PAIRS.values()], "identity", 1.0)
    numbers = {name: getattr(found, name).tolist() for name in ("similarities", "negatives", "weights")}
    return {"queries": [*found.firsts], "products": [*found.seconds], **numbers}


def draw(data):
    arrays = (np.array(data[name]) for name in ("similarities", "negatives", "weights"))
    picture = negatives_picture(data["queries"], data["products"], *arrays, "identity")
    return svg(picture.drawing, "In-batch negatives, and how much each counts", picture.finding, data)
