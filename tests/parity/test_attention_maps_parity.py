"""Attention maps held against the ones that transformers gives."""

import numpy as np
import pytest

from minitransformer.inference.attention_maps import attention_maps
from minitransformer.models.bert import Bert
from tests.small_models import random_tokens, randomise, small_config, small_gpt

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")


@pytest.mark.parametrize("kind", ["BertModel", "GPT2LMHeadModel"])
def test_the_weights_are_transformers(tmp_path, kind):
    model = small_gpt(np.float32) if kind == "GPT2LMHeadModel" else randomise(Bert(small_config()))
    model.save_pretrained(tmp_path)
    theirs = getattr(transformers, kind).from_pretrained(tmp_path, attn_implementation="eager").eval()
    tokens = random_tokens(model.config, lengths=(6,))
    inputs = {"input_ids": torch.from_numpy(tokens.token_ids[None])}
    if kind == "BertModel":
        inputs["token_type_ids"] = torch.from_numpy(tokens.segment_ids[None])
    with torch.no_grad():
        expected = theirs(**inputs, output_attentions=True).attentions
    np.testing.assert_allclose(attention_maps(model, tokens).weights, torch.cat(expected).numpy(), atol=2e-6)
