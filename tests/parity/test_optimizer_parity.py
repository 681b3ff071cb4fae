"""The optimizer, clipping and the schedule against PyTorch's and transformers'."""

import numpy as np
import pytest

from minitransformer.nn.parameter import FlatStorage
from minitransformer.training.optimizer.adamw import AdamW
from minitransformer.training.optimizer.clipping import clip_scale, global_norm
from minitransformer.training.optimizer.schedule import linear_warm_up_and_decay

torch = pytest.importorskip("torch")


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-6), (np.float64, 1e-13)])
def test_twenty_clipped_steps_equal_torch(dtype, tolerance):
    rng = np.random.default_rng(5)
    storage = FlatStorage(rng.normal(size=40_000).astype(dtype), 25_000)
    decayed, rest = (torch.tensor(part.copy(), requires_grad=True) for part in np.split(storage.values, [25_000]))
    groups = [{"params": [decayed], "weight_decay": 0.1}, {"params": [rest], "weight_decay": 0.0}]
    theirs = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.98), eps=1e-7)
    ours = AdamW(storage, betas=(0.9, 0.98), eps=1e-7, weight_decay=0.1)
    for _ in range(20):
        gradients = (rng.normal(size=40_000) * 10.0 ** rng.integers(-6, 1, size=40_000)).astype(dtype)
        decayed.grad, rest.grad = (torch.tensor(part) for part in np.split(gradients, [25_000]))
        norm = torch.nn.utils.clip_grad_norm_([decayed, rest], 1.0)
        theirs.step()
        storage.gradients[:] = gradients
        assert global_norm(gradients) == pytest.approx(norm.item(), rel=1e-5)
        ours.step(1e-3, clip_scale(global_norm(gradients), 1.0))
    expected = torch.cat([decayed, rest]).detach().numpy()
    np.testing.assert_allclose(storage.values, expected, rtol=tolerance, atol=tolerance)


def test_the_schedule_equals_transformers():
    optimization = pytest.importorskip("transformers.optimization")
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    schedule = optimization.get_linear_schedule_with_warmup(optimizer, 7, 31)
    for step in range(31):
        assert schedule.get_last_lr()[0] == pytest.approx(linear_warm_up_and_decay(step, 7, 31), abs=1e-12)
        optimizer.step()
        schedule.step()
