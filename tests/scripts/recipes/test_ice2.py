"""The sizes of BERT's outputs, on a small BERT."""

import ice2

from minitransformer import Bert
from tests.small_models import randomise, small_config


def test_pooled_and_cls_have_the_hidden_size_and_the_last_layer_20_times_that():
    printed = ice2.outputs(Bert(small_config(max_position_embeddings=20)))
    sizes = [line.split(" | ")[1:] for line in printed.splitlines()[2:5]]
    assert sizes == [["12", "12 |"], ["12", "12 |"], ["20 x 12", "240 |"]]


def test_pooled_is_made_of_cls_and_is_not_cls():
    printed = ice2.outputs(randomise(Bert(small_config(max_position_embeddings=20))))
    *_, made, different = printed.split("\n\n")[1].split(",")[0].split(), printed.split("|CLS - pooled| up to ")[1]
    assert float(made[-1]) < 1e-6
    assert float(different.split(";")[0]) > 0.5
