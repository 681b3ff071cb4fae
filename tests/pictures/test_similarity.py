import re

import numpy as np
import pytest

from minitransformer.inference.explanation import explain_similarity
from minitransformer.pictures.similarity import explanation_picture, similarity_picture
from tests.small_encoders import small_encoder

SIMILARITIES = np.array([[1, 0.9, -0.2], [0.9, 1, 0.1], [-0.2, 0.1, 1]])


def numbers(picture):
    return re.findall(r'text-anchor="middle"[^>]*>([^<]*)<', picture.as_svg())


def test_the_closest_and_the_furthest_are_named_and_every_pair_is_a_cell():
    picture = similarity_picture(["a", "b", "c"], SIMILARITIES)
    assert picture.finding == "The most similar are “a” and “b”, with 0.90; the least, “a” and “c”, with -0.20."
    assert numbers(picture) == [f"{value:.2f}" for value in SIMILARITIES.flat]
    assert picture.tables[0].rows[2] == ["3", "-0.2000", "0.1000", "1.0000", "c"]


def test_the_parts_of_a_cosine_add_up_to_it():
    encoder = small_encoder(np.float64)
    explanation = explain_similarity(encoder, "my dog", "he likes a")
    picture = explanation_picture(explanation)
    cosine = encoder.similarity("my dog", "he likes a")[0, 0]
    assert np.sum(picture.data["contributions"]) == pytest.approx(cosine)
    assert f"The cosine is {cosine:.4f}, the sum of 20 parts" in picture.finding
    assert numbers(picture) == [f"{100 * part:.1f}" for part in explanation.contributions.flat]
    assert picture.tables[0].rows[-1][-1] == f"{100 * cosine:.1f}"
