"""BertForSequenceClassification against that of transformers: the same folder, logits, losses and gradients."""

import numpy as np
import pytest
import torch
import transformers

from minitransformer import BertForSequenceClassification, ClassifierSettings, PackedTokens
from tests.small_models import random_tokens, randomise, small_config

LABELS = ("no", "maybe", "yes")
CASES = {
    "single_label_classification": (LABELS, np.array([2, 0, 1, 2, 2])),
    "multi_label_classification": (
        LABELS,
        np.array([[1, 0, 1], [0, 0, 0], [1, 1, 1], [0, 1, 0], [0, 0, 1]], np.float32),
    ),
    "regression": (("score",), np.array([0.3, -1, 2, 0, 0.5], np.float32)),
}


@pytest.mark.parametrize("problem_type", CASES)
def test_transformers_loads_the_folder_and_computes_the_same_loss_and_gradients(tmp_path, problem_type):
    labels, targets = CASES[problem_type]
    ours = randomise(BertForSequenceClassification(small_config(), ClassifierSettings(labels, problem_type)), std=0.3)
    ours.save_pretrained(tmp_path)
    theirs, info = transformers.BertForSequenceClassification.from_pretrained(tmp_path, output_loading_info=True)
    assert not any(info.values())
    assert theirs.config.id2label == dict(enumerate(labels))
    assert theirs.config.problem_type == problem_type

    tokens = random_tokens(ours.config)
    mask = tokens.to_padded(np.ones(len(tokens.token_ids), int))
    output = theirs.eval()(
        input_ids=torch.tensor(tokens.to_padded(tokens.token_ids)),
        attention_mask=torch.tensor(mask),
        token_type_ids=torch.tensor(tokens.to_padded(tokens.segment_ids)),
        labels=torch.tensor(targets),
    )
    output.loss.backward()
    np.testing.assert_allclose(ours(tokens), output.logits.detach().numpy(), rtol=1e-4, atol=1e-5)

    loss, cache = ours.forward(tokens, targets)
    ours.zero_grad()
    ours.backward(cache)
    assert loss == pytest.approx(output.loss.item(), rel=1e-5)
    gradients = ours.grad_dict()
    for name, parameter in theirs.named_parameters():
        np.testing.assert_allclose(gradients[name], parameter.grad.numpy(), rtol=1e-3, atol=1e-5, err_msg=name)


def test_a_classifier_of_transformers_loads_here_with_its_labels(tmp_path):
    config = transformers.BertConfig(
        **{name: getattr(small_config(), name) for name in ("vocab_size", "hidden_size", "num_hidden_layers")},
        num_attention_heads=3,
        intermediate_size=7,
        id2label={0: "sad", 1: "glad"},
        label2id={"sad": 0, "glad": 1},
    )
    theirs = transformers.BertForSequenceClassification(config).eval()
    theirs.save_pretrained(tmp_path)
    ours = BertForSequenceClassification.from_pretrained(tmp_path)
    assert ours.settings == ClassifierSettings(labels=("sad", "glad"))
    token_ids = torch.tensor([[2, 17, 5, 3]])
    with torch.no_grad():
        expected = theirs(input_ids=token_ids).logits.numpy()
    np.testing.assert_allclose(ours(PackedTokens.pack(token_ids.numpy())), expected, rtol=1e-4, atol=1e-6)
