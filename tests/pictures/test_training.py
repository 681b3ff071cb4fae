import re

import pytest

from minitransformer.pictures.training import TrainedRun, column, training_picture

BERT = TrainedRun(
    "my-bert",
    [
        {"step": 1, "loss": 8.0, "mlm": 7.3, "nsp": 0.7, "learning_rate": 0.1, "gradient_norm": 2.0},
        {"step": 2, "loss": 7.5, "mlm": 6.9, "nsp": 0.6, "learning_rate": 0.0, "gradient_norm": 1.0},
        {"step": 2, "held_out_mlm": 6.95, "held_out_nsp": 0.65},
    ],
    {"ln V": 7.2, "unigram entropy": 6.0},
)
OTHER = TrainedRun("other", [{"step": 1, "loss": 3.0, "learning_rate": 0.1, "gradient_norm": 2.0}], {})


def test_the_table_and_the_sentence_have_the_records_numbers():
    picture = training_picture([BERT])
    assert picture.tables[0].rows[0] == ["my-bert", "mlm", "2", "7.300", "7.100", "6.950"]
    assert picture.finding == "my-bert: in 2 steps the mlm loss went from 7.30 to 7.10, below ln V."
    assert picture.data["runs"][0]["metrics"] == BERT.metrics


def test_what_a_run_must_beat_is_in_the_drawing():
    text = training_picture([BERT]).as_svg()
    for words in ("ln V 7.20", "unigram entropy 6.00", "mlm, held out", "learning rate", "gradient norm"):
        assert f">{words}<" in text


def test_several_runs_have_their_names_and_colours():
    text = training_picture([BERT, OTHER]).as_svg()
    for words in ("my-bert mlm", "my-bert nsp", "other loss"):
        assert f">{words}<" in text


def test_each_loss_of_each_run_has_a_colour_of_its_own():
    """The first run has two losses, the second one."""
    losses, *_ = re.split("learning rate", training_picture([BERT, OTHER]).as_svg())
    in_legend = re.findall(r'stroke="(#[^"]+)" stroke-width="2"', losses)[-3:]
    assert len({*in_legend}) == 3


def test_a_column_is_where_a_line_has_it():
    steps, values = column(BERT, "held_out_mlm")
    assert (steps.tolist(), values.tolist()) == ([2], [6.95])
    assert [len(part) for part in column(BERT, "unknown")] == [0, 0]
    assert column(OTHER, "loss")[1] == pytest.approx([3.0])


def test_a_gpts_held_out_text_has_nats_per_token():
    gpt = OTHER._replace(metrics=[*OTHER.metrics, {"step": 1, "held_out_nats_per_token": 2.5}])
    picture = training_picture([gpt])
    assert picture.tables[0].rows[0] == ["other", "loss", "1", "3.000", "3.000", "2.500"]
    assert ">nats per token, held out<" in picture.as_svg()
