"""The sizes of BERT's outputs, on a small BERT."""

import re

import pytest

from minitransformer import Bert
from scripts.recipes import ice2
from tests.small_models import randomise, small_config


@pytest.fixture
def printed(capsys):
    ice2.main(randomise(Bert(small_config(max_position_embeddings=20))))
    return capsys.readouterr().out


def test_pooled_and_cls_have_the_hidden_size_and_the_last_layer_20_times_that(printed):
    sizes = [line.split(" | ")[1:] for line in printed.splitlines()[2:5]]
    assert sizes == [["12", "12 |"], ["12", "12 |"], ["20 x 12", "240 |"]]


def test_pooled_is_made_of_cls_and_is_not_cls(printed):
    by_hand, different = re.findall(r"at most (\S+), .* up to (\S+);", printed)[0]
    assert float(by_hand) < 1e-6
    assert float(different) > 0.5
