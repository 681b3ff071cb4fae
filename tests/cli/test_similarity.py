import pytest

from tests.cli.test_fill_mask import assert_one_line_error
from tests.small_encoders import small_encoder

A, B, C = "my dog is cute", "he likes playing", "a b c"


def test_two_texts_have_one_number(run, encoder_folder):
    result = run("similarity", encoder_folder, A, B)
    assert result.status == 0
    assert float(result.output) == pytest.approx(small_encoder().similarity(A, B)[0, 0], abs=6e-5)


def test_several_texts_have_a_table(run, encoder_folder):
    lines = run("similarity", encoder_folder, A, B, C).output.splitlines()
    expected = small_encoder().similarity([A, B, C], [A, B, C])
    assert len(lines) == 4
    for i, (line, text) in enumerate(zip(lines[1:], (A, B, C), strict=True)):
        number, *numbers = line.split()[:4]
        assert number == str(i + 1)
        assert [float(x) for x in numbers] == pytest.approx(expected[i].tolist(), abs=6e-5)
        assert line.endswith(text)


def test_the_explanation_has_a_number_for_each_pair_of_tokens_which_add_up(run, encoder_folder):
    lines = run("similarity", "--explain", encoder_folder, A, C).output.splitlines()
    cosine = small_encoder().similarity(A, C)[0, 0]
    assert f"cosine {cosine:.4f}" in lines[0]
    assert lines[1].split() == ["[CLS]", "a", "b", "c", "[SEP]", "sum"]
    rows = {line.split()[0]: [float(x) for x in line.split()[1:]] for line in lines[2:]}
    assert [*rows] == ["[CLS]", "my", "dog", "is", "cute", "[SEP]", "sum"]
    assert rows["sum"][-1] == pytest.approx(100 * cosine, abs=0.06)
    assert sum(sum(row[:-1]) for token, row in rows.items() if token != "sum") == pytest.approx(100 * cosine, abs=2)


def test_what_cannot_be_compared_or_explained_is_refused(run, encoder_folder, tmp_path):
    assert_one_line_error(run("similarity", encoder_folder, A), "expected at least two texts, found 1")
    assert_one_line_error(run("similarity", "--explain", encoder_folder, A, B, C), "expected two texts, found 3")
    small_encoder(pooling=("cls",)).save_pretrained(tmp_path)
    assert_one_line_error(run("similarity", "--explain", tmp_path, A, B), "only with mean pooling", "cls pooling")


def test_a_text_that_begins_with_a_dash_goes_after_two_and_that_is_said(run, encoder_folder):
    result = run("similarity", encoder_folder, "-5 degrees", A)
    assert result.status == 2
    assert "A text that begins with a dash goes after all options and a --" in result.error
    assert run("similarity", encoder_folder, "--", "-5 degrees", A).status == 0
    assert " -- " not in run("predict", encoder_folder, "--unknown").error
