import re

import pytest

from minitransformer.models.encoders import TRANSFORMERS
from minitransformer.models.sentence_encoder_settings import DenseSettings
from tests.models.test_encoders import small
from tests.small_encoders import small_encoder

DENSE = DenseSettings(12, 12)


@pytest.mark.parametrize("family", TRANSFORMERS[1:], ids=lambda family: family.__name__)
def test_every_row_of_a_table_is_of_a_model_that_is_built_here(family):
    head = [
        name for name, _ in small_encoder(head=(DENSE, "layer_norm")).named_parameters() if name.startswith("head.")
    ]
    names = [name for name, _ in small(family).named_parameters()]
    ours = {re.sub(r"\.\d+\.", ".{i}.", name) for name in [*names, *head]}
    assert ours == {row.ours for row in family.layout.tensors.rows}


@pytest.mark.parametrize("family", TRANSFORMERS, ids=lambda family: family.__name__)
def test_a_file_may_have_the_names_with_the_familys_prefix_and_with_old_endings(family):
    tensors = family.layout.tensors
    name, _ = tensors.find("embeddings.norm.gamma")
    prefix = tensors.their_prefix
    assert prefix.removesuffix(".") in family.layout.model_type.replace("xlm-", "")
    assert tensors.canonical(prefix + name) == name == "embeddings.LayerNorm.weight"
    if tensors.old_endings:
        assert tensors.canonical(prefix + "embeddings.LayerNorm.gamma") == name
