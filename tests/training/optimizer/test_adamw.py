import numpy as np
import pytest

from minitransformer.nn.layer_norm import LayerNorm
from minitransformer.nn.parameter import FlatStorage
from minitransformer.training.optimizer.adamw import AdamW, RateFactor
from minitransformer.training.workers import Workers


def storage_and_gradients(size=23, decayed=17, steps=20, dtype=np.float64):
    rng = np.random.default_rng(3)
    storage = FlatStorage(rng.normal(size=size).astype(dtype), decayed)
    return storage, rng.normal(size=(steps, size)).astype(dtype)


def textbook(values, decayed, gradients, rates, betas, eps, weight_decay, bias_correction):
    """The formulas of the papers, word by word."""
    w, m, v = values.copy(), np.zeros_like(values), np.zeros_like(values)
    decay = np.where(np.arange(len(w)) < decayed, weight_decay, 0)
    for t, (g, rate) in enumerate(zip(gradients, rates, strict=True), start=1):
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g**2
        m_hat = m / (1 - betas[0] ** t) if bias_correction else m
        v_hat = v / (1 - betas[1] ** t) if bias_correction else v
        w = w - rate * decay * w
        w = w - rate * m_hat / (np.sqrt(v_hat) + eps)
    return w


@pytest.mark.parametrize("bias_correction", [True, False])
def test_twenty_steps_equal_the_textbook_form(bias_correction):
    storage, gradients = storage_and_gradients(size=300_000, decayed=170_000)  # several blocks, the decay's end within
    start, rates = storage.values.copy(), np.linspace(0.1, 0.01, 20)
    options = {"betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.3, "bias_correction": bias_correction}
    optimizer = AdamW(storage, **options)
    for g, rate in zip(gradients, rates, strict=True):
        storage.gradients[:] = g
        optimizer.step(rate)
    np.testing.assert_allclose(
        storage.values, textbook(start, 170_000, gradients, rates, **options), rtol=1e-10, atol=1e-12
    )


def test_the_gradient_scale_multiplies_the_gradient():
    scaled, gradients = storage_and_gradients()
    given, _ = storage_and_gradients()
    optimizers = [AdamW(scaled, eps=1e-2), AdamW(given, eps=1e-2)]
    for g in gradients:
        scaled.gradients[:] = g
        given.gradients[:] = 0.3 * g
        optimizers[0].step(0.1, gradient_scale=0.3)
        optimizers[1].step(0.1)
    np.testing.assert_allclose(scaled.values, given.values, rtol=1e-12)
    assert np.array_equal(scaled.gradients, gradients[-1]), "a step must not change the gradients"


def test_the_first_step_moves_every_weight_by_the_rate_and_by_sqrt_10_rates_as_published():
    for bias_correction, rates in ((True, 1), (False, np.sqrt(10))):
        storage, gradients = storage_and_gradients()
        start = storage.values.copy()
        storage.gradients[:] = gradients[0]
        AdamW(storage, eps=0, weight_decay=0, bias_correction=bias_correction).step(0.1)
        np.testing.assert_allclose(np.abs(storage.values - start), 0.1 * rates)


def test_float32_stays_float32():
    storage, gradients = storage_and_gradients(dtype=np.float32)
    storage.gradients[:] = gradients[0]
    optimizer = AdamW(storage)
    optimizer.step(0.1)
    assert all(x.dtype == np.float32 for x in (storage.values, optimizer.m, optimizer.v))


def test_moments_without_a_gradient_never_become_denormal():
    storage, gradients = storage_and_gradients(dtype=np.float32)
    optimizer = AdamW(storage, betas=(0.9, 0.98))
    for step in range(5000):
        storage.gradients[:] = gradients[0] if step == 0 else 0
        optimizer.step(1e-3)
        for moments in (optimizer.m, optimizer.v):
            assert np.abs(moments).min() > np.finfo(np.float32).tiny


def test_a_weight_that_never_had_a_gradient_stays_as_it_was():
    storage, _ = storage_and_gradients(dtype=np.float32)
    start = storage.values.copy()
    optimizer = AdamW(storage, weight_decay=0)
    for _ in range(100):
        optimizer.step(1e-2)
    assert np.array_equal(storage.values, start)


def test_a_step_on_threads_right_after_zero_grad_takes_zeros_for_the_gradients():
    model = LayerNorm(200_000).initialise()
    model.storage.gradients[:] = 5
    with Workers(model, 2) as pool:
        model.zero_grad()
        AdamW(model.storage, weight_decay=0).step(0.1, spread=pool.spread)
    assert np.array_equal(model.gamma.value, np.ones(200_000))
    assert np.array_equal(model.storage.gradients, np.zeros(400_000))


def test_spread_over_threads_a_step_is_the_same_bit_for_bit():
    updated = []
    with Workers(LayerNorm(2).initialise(), 3) as pool:
        for options in ({}, {"spread": pool.spread}):
            storage, gradients = storage_and_gradients(size=800_001, decayed=500_000, steps=2, dtype=np.float32)
            optimizer = AdamW(storage)
            for g in gradients:
                storage.gradients[:] = g
                optimizer.step(0.1, 0.5, **options)
            updated.append(storage.values)
    np.testing.assert_array_equal(*updated)


def test_rate_factors_give_each_part_its_learning_rate_and_its_decay():
    """Three parts, whose borders are none of blocks or of decay; the whole equals the parts on their own."""
    storage, gradients = storage_and_gradients(size=300_000, decayed=170_000)
    start, rates = storage.values.copy(), np.linspace(0.1, 0.01, 20)
    options = {"betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.3, "bias_correction": True}
    factors = [RateFactor(0, 70_000, 0.25), RateFactor(70_000, 190_000, 1.0), RateFactor(190_000, 300_000, 0.5)]
    optimizer = AdamW(storage, **options, rate_factors=factors)
    for g, rate in zip(gradients, rates, strict=True):
        storage.gradients[:] = g
        optimizer.step(rate)
    for begin, end, factor in factors:
        expected = textbook(start, 170_000, gradients, factor * rates, **options)[begin:end]
        np.testing.assert_allclose(storage.values[begin:end], expected, rtol=1e-10, atol=1e-12)


def test_a_factor_of_0_leaves_the_values_as_they_are():
    storage, gradients = storage_and_gradients()
    start = storage.values.copy()
    optimizer = AdamW(storage, rate_factors=[RateFactor(0, 20, 0.0), RateFactor(20, 23, 1.0)])
    for g in gradients:
        storage.gradients[:] = g
        optimizer.step(0.1)
    assert np.array_equal(storage.values[:20], start[:20])
    assert (storage.values[20:] != start[20:]).all()
