import math

import numpy as np
import pytest

from minitransformer.batches.masked_lm_batch import MaskedLMBatch
from minitransformer.errors import MissingHead
from minitransformer.models.bert_for_masked_lm import BertForMaskedLM
from minitransformer.models.bert_for_pretraining import BertForPreTraining
from minitransformer.randomness import generator
from tests.gradient_check import assert_parameter_gradients
from tests.small_models import pretraining_batch, pretraining_model, randomise, small_config


def masked_lm_batch(config, **options):
    batch = pretraining_batch(config, **options)
    return MaskedLMBatch(batch.tokens, batch.masked_positions, batch.masked_ids)


@pytest.fixture
def model():
    return randomise(BertForMaskedLM(small_config(), dtype=np.float64))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"hidden_act": "relu"},
        {"tie_word_embeddings": False},
        {"hidden_dropout_prob": 0.2, "attention_probs_dropout_prob": 0.3},
    ],
    ids=str,
)
def test_the_gradient_of_every_parameter_equals_central_differences(changes):
    model = randomise(BertForMaskedLM(small_config(**changes), dtype=np.float64))
    batch = masked_lm_batch(model.config)

    def forward():
        return model.forward(batch, generator(1, "dropout") if "hidden_dropout_prob" in changes else None)

    model.backward(forward()[1])
    assert_parameter_gradients(model, lambda: forward()[0].total)


def test_the_loss_is_the_mean_over_masked_tokens(model):
    batch = masked_lm_batch(model.config)
    logits = model(batch.tokens)[batch.masked_positions]
    surprises = [math.log(np.exp(row).sum()) - row[i] for row, i in zip(logits, batch.masked_ids, strict=True)]
    loss, _ = model.forward(batch)
    assert loss.total == loss.mlm == pytest.approx(np.mean(surprises))
    assert loss.mlm_accuracy == (logits.argmax(axis=1) == batch.masked_ids).mean()


def test_the_shards_of_a_step_add_up_to_it(model):
    batch = masked_lm_batch(model.config)
    whole, cache = model.forward(batch)
    model.backward(cache)
    expected = model.storage.gradients.copy()
    model.zero_grad()
    losses = []
    for chosen in ([0, 3], [1, 2, 4]):
        loss, cache = model.forward(batch.select(chosen), of_step=batch.counts)
        model.backward(cache)
        losses.append(loss)
    assert [sum(numbers) for numbers in zip(*losses, strict=True)] == pytest.approx([*whole])
    np.testing.assert_allclose(model.storage.gradients, expected, rtol=1e-9, atol=1e-13)


def test_it_is_the_masked_lm_half_of_the_model_with_both_heads():
    both = pretraining_model()
    model = BertForMaskedLM(both.config, dtype=np.float64)
    values = both.state_dict()
    model.load_state_dict({name: values[name] for name in model.state_dict()})
    batch = pretraining_batch(both.config)
    np.testing.assert_allclose(model(batch.tokens), both(batch.tokens)[0], rtol=1e-12)


def test_its_folder_has_neither_a_pooler_nor_a_next_sentence_head(tmp_path, model):
    model.save_pretrained(tmp_path)
    again = BertForMaskedLM.from_pretrained(tmp_path, np.float64)
    np.testing.assert_allclose(again.storage.values, model.storage.values, rtol=1e-6)
    assert BertForPreTraining.from_pretrained(tmp_path, needed=("mlm_head",))
    with pytest.raises(MissingHead, match="has no next-sentence head, pooler"):
        BertForPreTraining.from_pretrained(tmp_path, needed=("mlm_head", "nsp_head", "bert.pooler"))
