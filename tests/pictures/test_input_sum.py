import numpy as np

from minitransformer.inference.input_sum import input_sum
from minitransformer.pictures.input_sum import input_picture
from tests.small_encoders import small_encoder


def test_the_table_has_the_ids_and_the_lengths_of_the_rows():
    encoder = small_encoder(np.float64)
    tokens = encoder.tokenizer("my dog", "he likes")
    parts = input_sum(encoder.encoder, tokens)
    picture = input_picture(encoder.tokenizer.convert_ids_to_tokens(tokens.token_ids), parts)
    [table] = picture.tables
    assert table.rows[5][:4] == ("likes", "10", "1", "5")
    rows = [*(summand.rows[5] for summand in parts.summands), parts.total[5], parts.embedded[5]]
    assert [float(cell) for cell in table.rows[5][4:]] == [round(float(np.linalg.norm(row)), 3) for row in rows]
    np.testing.assert_array_equal(picture.data["summands"]["segment"]["rows"], parts.summands[1].rows)
    mean = np.linalg.norm(parts.summands[0].rows, axis=1).mean()
    assert f"{mean:.2f}" in picture.finding


def test_the_drawing_has_a_cell_for_each_number_of_each_strip():
    encoder = small_encoder(np.float64)
    tokens = encoder.tokenizer("my dog")
    picture = input_picture(["[CLS]", "my", "dog", "[SEP]"], input_sum(encoder.encoder, tokens))
    assert picture.as_svg().count("<rect") == 5 * 4 * 12
