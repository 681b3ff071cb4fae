import numpy as np

from minitransformer.inference.layer_steps import LayerStep, layer_steps
from minitransformer.pictures.layer import layer_drawing, layer_picture
from tests.small_models import small_gpt

X, DY = np.random.default_rng(0).normal(size=(2, 3, 12))
STEPS = layer_steps(small_gpt().layers[0], X, DY)
PICTURE = layer_picture(["a", "b", "c"], 0, STEPS, "the loss")


def test_the_data_and_the_table_are_the_steps():
    assert [step["name"] for step in PICTURE.data["steps"]] == [step.name for step in STEPS]
    np.testing.assert_array_equal(PICTURE.data["steps"][0]["value"], X)
    first = PICTURE.tables[0].rows[0]
    length, of_gradient = (np.linalg.norm(rows, axis=1).mean() for rows in (X, STEPS[0].gradient))
    assert first == ["x", "3 × 12", f"{length:.3f}", f"{of_gradient:.2e}"]


def test_the_sentence_compares_what_is_added_with_x():
    lengths = {step.name: np.linalg.norm(step.value, axis=1).mean() for step in STEPS}
    assert f"adds to x is {lengths['attended'] / lengths['x']:.0%} as long" in PICTURE.finding
    assert f"adds to x1, {lengths['transformed'] / lengths['x1 = x + attended']:.0%} as long" in PICTURE.finding
    assert PICTURE.finding.endswith("The gradients are those of the loss.")


def test_every_number_of_every_matrix_and_its_gradient_is_a_cell():
    assert PICTURE.as_svg().count("<rect") == sum(2 * step.value.size for step in STEPS)
    without = layer_picture(["a", "b", "c"], 0, layer_steps(small_gpt().layers[0], X))
    assert without.as_svg().count("<rect") == sum(step.value.size for step in STEPS)


def test_of_long_rows_the_first_numbers_are_drawn_to_one_scale():
    wide, narrow = LayerStep("wide", np.ones((2, 160)), None), LayerStep("x", np.ones((2, 40)), None)
    assert str(layer_drawing(["a", "b"], [narrow, wide]).element).count("<rect") == 2 * (16 + 64)
