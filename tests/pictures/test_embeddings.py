import json
import re

import numpy as np

from minitransformer.evaluation.embedding_map import embedding_map
from minitransformer.pictures.embeddings import embeddings_picture

TEXTS = [f"text {i}" for i in range(20)]
MAP = embedding_map(np.random.default_rng(0).normal(size=(20, 5)), 3)


def test_the_sentence_says_how_much_is_lost():
    picture = embeddings_picture(TEXTS, MAP)
    assert (
        f"shows {MAP.shown:.0%} of the variance, and keeps {MAP.kept:.0%} of each text's 3 nearest" in picture.finding
    )
    assert f"trustworthiness {MAP.trustworthiness:.2f}" in picture.finding


def test_neighbours_are_those_of_the_whole_embeddings():
    picture = embeddings_picture(TEXTS, MAP)
    assert picture.tables[0].rows[4] == ["text 4", "; ".join(TEXTS[i] for i in MAP.neighbours[4])]
    [data] = re.findall(r'id="data">(.*?)</script>', picture.as_page())
    assert json.loads(data) == {"texts": TEXTS, "neighbours": MAP.neighbours.tolist()}


def test_each_of_many_labels_has_a_mark_of_its_own():
    text = embeddings_picture(TEXTS, MAP, TEXTS).as_svg()
    marks = re.findall(r"<(?:circle|path)[^>]*>", text)[len(TEXTS) :]
    without_places = {re.sub(r'c[xy]="[^"]*"|M[\d. ]+', "", mark) for mark in marks}
    assert len(without_places) == len(marks) == len(TEXTS)


def test_every_text_is_a_point_and_labels_differ_by_colour_and_shape():
    text = embeddings_picture(TEXTS, MAP, ["a", "b", "c", "d"] * 5).as_svg()
    assert text.count('class="point"') == 20
    assert len({*re.findall(r'fill="(#......)"', text)}) == 5  # and the labels' grey
    assert text.count("<circle") == 10 + 2
    assert text.count("<title>text ") == 20
