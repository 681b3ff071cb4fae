import base64
import json
import re
import zlib

import numpy as np
import pytest

from minitransformer.inference.attention_maps import attention_maps
from minitransformer.pictures.attention import attention_picture
from minitransformer.pictures.attention_tables import AttendedText, Question
from tests.small_encoders import small_encoder
from tests.small_models import random_tokens, small_gpt

FIRST, SECOND = "my dog is cute", "my dog is a"
QUESTION = Question(np.arange(1, 5), np.arange(1, 5))


def attended(text):
    encoder = small_encoder(np.float64)
    tokens = encoder.tokenizer(text)
    return AttendedText(
        encoder.tokenizer.convert_ids_to_tokens(tokens.token_ids), attention_maps(encoder.encoder, tokens)
    )


@pytest.fixture(scope="module")
def texts():
    return [attended(FIRST), attended(SECOND)]


@pytest.fixture(scope="module")
def picture(texts):
    return attention_picture(texts, QUESTION, texts[0].maps.best_looks(*QUESTION)[0])


def test_the_data_are_the_models_weights_and_the_ranked_heads(texts, picture):
    np.testing.assert_array_equal(picture.data["weights"], texts[0].maps.weights)
    np.testing.assert_array_equal(picture.data["against"]["weights"], texts[1].maps.weights)
    above = [head["above"] for head in picture.data["heads"]]
    assert len(above) == 6
    assert above == sorted(above, reverse=True)


def test_the_sentence_and_the_tables_say_what_the_weights_are(texts, picture):
    look = texts[0].maps.best_looks(*QUESTION)[0]
    shares = [texts[i].maps.look(*look[:4]) for i in (0, 1)]
    expected = [f"{100 * share:.0f}" for same in shares for share in (same.weight, same.others)]
    assert re.findall(r"(\d+) %", picture.finding) == expected
    assert "With “a” for “cute” it is" in picture.finding
    heads, first, second = picture.tables
    assert heads.rows[0][4:] == [f"{100 * x:.1f}" for same in shares for x in (same.weight, same.others, same.above)]
    for table, text in ((first, texts[0]), (second, texts[1])):
        weights = text.maps.weights[look.layer, look.head]
        assert [row[1:] for row in table.rows[:-1]] == [[f"{100 * w:.0f}" for w in row] for row in weights]
        assert table.rows[-1][1:] == [f"{100 * w:.0f}" for w in weights.mean(axis=0)]


def test_the_page_holds_every_weight_in_hundredths(texts, picture):
    [text] = re.findall(r'<script type="application/json" id="data">(.*?)</script>', picture.as_page())
    data = json.loads(text)
    hundredths = np.frombuffer(zlib.decompress(base64.b64decode(data["weights"])), np.uint8)
    expected = np.stack([np.rint(100 * text.maps.weights) for text in texts])
    np.testing.assert_array_equal(hundredths.reshape(expected.shape), expected)


def test_the_page_asks_for_nothing(picture):
    assert not re.findall(r"""(?:src|href)=["'](?!data:,)|https?:|@import|url\(""", picture.as_page())


def test_a_long_text_has_its_map_in_the_drawing_alone():
    model = small_gpt(max_position_embeddings=30)
    tokens = random_tokens(model.config, lengths=(25,))
    text = AttendedText([f"t{i}" for i in range(25)], attention_maps(model, tokens))
    question = Question(np.arange(25), np.arange(25))
    picture = attention_picture([text], question, text.maps.best_looks(*question)[0])
    assert len(picture.tables) == 1
    assert str(picture.drawing.element).count("<rect") == 25 * 26 / 2


def test_what_a_decoder_cannot_see_is_no_cell():
    model = small_gpt()
    tokens = random_tokens(model.config, lengths=(4,))
    text = AttendedText("abcd", attention_maps(model, tokens))
    question = Question(np.arange(4), np.arange(4))
    picture = attention_picture([text], question, text.maps.best_looks(*question)[0])
    assert picture.tables[1].rows[1][3:] == ["", ""]
    assert str(picture.drawing.element).count("<rect") == 10
