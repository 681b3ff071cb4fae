"""Every page that `show` writes, in a browser: light and dark, wide and narrow, by mouse and by keyboard."""

import re
import struct

import numpy as np
import pytest

from minitransformer.evaluation.embedding_map import embedding_map
from minitransformer.inference.architecture import architecture
from minitransformer.inference.attention_maps import attention_maps
from minitransformer.inference.explanation import explain_similarity
from minitransformer.inference.input_sum import input_sum
from minitransformer.inference.layer_steps import layer_steps
from minitransformer.pictures.architecture import architecture_picture
from minitransformer.pictures.attention import attention_picture
from minitransformer.pictures.attention_tables import AttendedText, Question
from minitransformer.pictures.embeddings import embeddings_picture
from minitransformer.pictures.input_sum import input_picture
from minitransformer.pictures.layer import layer_picture
from minitransformer.pictures.similarity import explanation_picture, similarity_picture
from minitransformer.pictures.source_attention import source_attention_picture
from minitransformer.pictures.training import training_picture
from tests.pictures.test_negatives import PICTURE as NEGATIVES_PICTURE
from tests.pictures.test_source_attention import LOOKS, SOURCE, TARGET
from tests.pictures.test_source_attention import WEIGHTS as OF_SOURCE
from tests.pictures.test_training import BERT
from tests.small_encoders import random_texts, small_encoder
from tests.small_models import small_gpt

ENCODER = small_encoder(np.float64)
X_AND_DY = np.random.default_rng(0).normal(size=(2, 3, 12))
TEXT, OTHER = "my dog is cute", "my dog is a"


def attended(text):
    tokens = ENCODER.tokenizer(text)
    names = ENCODER.tokenizer.convert_ids_to_tokens(tokens.token_ids)
    return AttendedText(names, attention_maps(ENCODER.encoder, tokens))


def attention(*texts):
    question = Question(np.arange(1, 5), np.arange(1, 5))
    read = [attended(text) for text in texts]
    return attention_picture(read, question, read[0].maps.best_looks(*question)[0])


def embeddings():
    texts = [f"{text} {i}" for i, text in enumerate(random_texts(30))]
    return embeddings_picture(texts, embedding_map(np.random.default_rng(0).normal(size=(30, 5))), ["a", "b"] * 15)


def input_of_a_text():
    tokens = ENCODER.tokenizer(TEXT)
    return input_picture(ENCODER.tokenizer.convert_ids_to_tokens(tokens.token_ids), input_sum(ENCODER.encoder, tokens))


PICTURES = {
    "attention": lambda: attention(TEXT),
    "attention of two texts": lambda: attention(TEXT, OTHER),
    "input": input_of_a_text,
    "layer": lambda: layer_picture(["a", "b", "c"], 0, layer_steps(small_gpt().layers[0], *X_AND_DY), "the loss"),
    "architecture": lambda: architecture_picture("small", architecture(ENCODER)),
    "training": lambda: training_picture([BERT]),
    "similarity": lambda: similarity_picture([TEXT, OTHER], ENCODER.similarity([TEXT, OTHER], [TEXT, OTHER])),
    "explanation": lambda: explanation_picture(explain_similarity(ENCODER, TEXT, OTHER)),
    "negatives": lambda: NEGATIVES_PICTURE,
    "translation": lambda: source_attention_picture(SOURCE, TARGET, OF_SOURCE, LOOKS),
    "embeddings": embeddings,
}


@pytest.fixture
def open_picture(look_at, tmp_path):
    def open_picture(name, *screen):
        file = tmp_path / "picture.html"
        file.write_text(PICTURES[name]().as_page(), encoding="utf-8")
        return look_at(file, *screen)

    return open_picture


@pytest.mark.parametrize(("dark", "width"), [(False, 1280), (True, 390)], ids=["light, wide", "dark, narrow"])
@pytest.mark.parametrize("name", PICTURES)
def test_a_page_in_a_browser(open_picture, name, dark, width):
    page = open_picture(name, dark, width)
    assert page.text_content("#finding") == PICTURES[name]().finding


def test_arrow_keys_go_from_head_to_head_and_the_sentence_and_the_map_follow(open_picture):
    page = open_picture("attention")
    maps, question = attended(TEXT).maps, Question(np.arange(1, 5), np.arange(1, 5))
    chosen = maps.best_looks(*question)[0]
    page.focus(".heads button[tabindex='0']")
    page.keyboard.press("ArrowRight")
    layer, head = chosen.layer, (chosen.head + 1) % 3
    assert page.text_content("#finding").startswith(f"In layer {layer}, head {head}, ")
    cells = [cell.text_content() for cell in page.query_selector_all(".map tbody td")]
    assert cells == [f"{100 * weight:.0f}" for weight in maps.weights[layer, head].flat]
    page.keyboard.press("ArrowDown")
    assert page.text_content("#finding").startswith(f"In layer {(layer + 1) % 2}, head {head}, ")
    assert page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true"


def test_another_token_can_be_chosen_and_its_heads_are_ranked(open_picture):
    page = open_picture("attention of two texts")
    page.click(".words >> nth=0 >> text=dog")
    maps = attended(TEXT).maps
    best = maps.best_looks(np.array([2]), np.arange(1, 5))[0]
    row = [cell.text_content() for cell in page.query_selector_all("#ranking tbody tr:first-child > *")]
    assert row[:3] == [str(best.layer), str(best.head), "dog"]
    assert row[4:7] == [f"{100 * share:.1f}" for share in (best.weight, best.others, best.above)]
    page.check("#minus")
    shown = [int(cell.text_content()) for cell in page.query_selector_all(".map >> nth=0 >> tbody td")]
    layer, head = map(int, re.search(r"layer (\d+), head (\d+)", page.text_content("#finding")).groups())
    expected = 100 * (maps.weights[layer, head] - maps.others[layer, head])
    np.testing.assert_allclose(shown, expected.ravel(), atol=1.6)  # made of whole hundredths


def test_typing_a_text_lists_its_nearest(open_picture):
    page = open_picture("embeddings")
    data = embeddings().data
    page.fill("#search", data["texts"][7])
    found = [item.text_content() for item in page.query_selector_all("#nearest li")]
    assert found == [data["texts"][i] for i in data["neighbours"][7]]


def test_a_drawing_can_be_saved_as_an_image_twice_as_large(open_picture):
    page = open_picture("layer", True, 1280)
    box = page.query_selector("figure svg").bounding_box()
    with page.expect_download() as download:
        page.click("text=Save as PNG")
    assert download.value.suggested_filename.endswith(".png")
    image = download.value.path().read_bytes()
    assert image.startswith(b"\x89PNG")
    assert struct.unpack(">2I", image[16:24]) == (2 * box["width"], 2 * box["height"])
