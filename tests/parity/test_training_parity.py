"""Twenty steps of training against transformers, autograd and torch.optim.AdamW."""

import numpy as np
import pytest

from minitransformer.models.bert_for_pretraining import BertForPreTraining
from minitransformer.training.optimizer.adamw import AdamW
from minitransformer.training.optimizer.clipping import clip_scale, global_norm
from minitransformer.training.optimizer.schedule import linear_warm_up_and_decay
from tests.small_models import pretraining_batch, small_config

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
from tests.parity.pretraining_twin import padded_inputs, transformers_twin  # noqa: E402

STEPS, PEAK, WEIGHT_DECAY, MAX_NORM = 20, 0.01, 0.1, 1.0


def learning_rate(step):
    return PEAK * linear_warm_up_and_decay(step + 1, 5, STEPS + 1)


def our_losses(model, batches):
    optimizer = AdamW(model.storage, weight_decay=WEIGHT_DECAY)
    losses = []
    for step, batch in enumerate(batches):
        model.zero_grad()
        loss, cache = model.forward(batch)
        model.backward(cache)
        optimizer.step(learning_rate(step), clip_scale(global_norm(model.storage.gradients), MAX_NORM))
        losses.append(loss.total)
    return losses


def their_losses(twin, batches):
    matrices = [parameter for parameter in twin.parameters() if parameter.ndim > 1]
    vectors = [parameter for parameter in twin.parameters() if parameter.ndim == 1]
    groups = [{"params": matrices, "weight_decay": WEIGHT_DECAY}, {"params": vectors, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups)
    losses = []
    for step, batch in enumerate(batches):
        optimizer.zero_grad()
        loss = twin(**padded_inputs(batch)).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(twin.parameters(), MAX_NORM)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step)
        optimizer.step()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-9), (np.float32, 1e-5)])
@pytest.mark.parametrize("num_layers", [1, 3])
def test_twenty_steps_from_the_same_weights_give_the_same_losses(dtype, tolerance, num_layers):
    """Clipped, warmed up and decayed, over two batches in turn, so that the loss has something to fall from."""
    model = BertForPreTraining(small_config(num_hidden_layers=num_layers), dtype=dtype)
    twin = transformers_twin(model)
    batches = [pretraining_batch(model.config, lengths, seed=9) for lengths in ((4, 1, 6, 6, 3), (9, 2, 5))] * 10
    losses = our_losses(model, batches)
    np.testing.assert_allclose(losses, their_losses(twin, batches), rtol=tolerance)
    assert losses[-1] < losses[0] - 1
    if dtype == np.float64:  # in float32 Adam blows the key bias's gradient, which is rounding alone, up to full steps
        values = model.state_dict()
        for name, parameter in twin.named_parameters():
            np.testing.assert_allclose(values[name], parameter.detach().numpy(), rtol=1e-7, atol=1e-9)
