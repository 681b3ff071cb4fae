import numpy as np
import pytest

from minitransformer.nn.attention import CrossAttention, SelfAttention
from minitransformer.nn.key_values import KeyValues
from tests.small_models import randomise

H, HEADS = 6, 3
LENGTHS = np.array([5, 3, 5, 1])


def rows_of(sequences, first, end):
    """Rows first .. end - 1 of each sequence that has them, packed, and how many rows each has."""
    parts = [rows[first:end] for rows in sequences]
    return np.concatenate(parts), np.array([len(part) for part in parts])


def sequences(seed=5, lengths=LENGTHS):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(length, H)) for length in lengths]


@pytest.mark.parametrize("steps", [(1, 2, 3, 4), (3,), (2, 4), ()])
def test_step_by_step_equals_all_at_once(steps):
    layer = randomise(SelfAttention(H, HEADS, 0.0, 0.0, causal=True).initialise(dtype=np.float64))
    texts = sequences()
    expected = np.split(layer(np.concatenate(texts), LENGTHS), np.cumsum(LENGTHS)[:-1])
    seen = KeyValues(len(LENGTHS), H, np.float64)
    for first, end in zip((0, *steps), (*steps, max(LENGTHS)), strict=True):
        y = layer(*rows_of(texts, first, end), seen)
        np.testing.assert_allclose(y, rows_of(expected, first, end)[0], rtol=1e-10)
    np.testing.assert_array_equal(seen.lengths, LENGTHS)


def test_cross_attention_asks_the_same_source_at_every_step():
    layer = randomise(CrossAttention(H, HEADS, 0.0, 0.0).initialise(dtype=np.float64))
    targets, source_lengths = sequences(), np.array([2, 4, 4, 3])
    source = np.concatenate(sequences(6, source_lengths))
    at_once, _ = layer.forward(np.concatenate(targets), LENGTHS, source, source_lengths)
    expected = np.split(at_once, np.cumsum(LENGTHS)[:-1])
    seen = layer.key_values(source, source_lengths)
    for step in range(max(LENGTHS)):
        y = layer(*rows_of(targets, step, step + 1), seen)
        np.testing.assert_allclose(y, rows_of(expected, step, step + 1)[0], rtol=1e-10)


def test_selected_sequences_go_on_by_themselves():
    """As beams do that branch: sequence 2 twice, then another row for each copy."""
    layer = randomise(SelfAttention(H, HEADS, 0.0, 0.0, causal=True).initialise(dtype=np.float64))
    texts, more = sequences(), np.random.default_rng(8).normal(size=(2, H))
    seen = KeyValues(len(LENGTHS), H, np.float64)
    layer(np.concatenate(texts), LENGTHS, seen)
    y = layer(more, np.array([1, 1]), seen.select(np.array([2, 2])))
    for i in range(2):
        alone = layer(np.concatenate([texts[2], more[i : i + 1]]), np.array([6]))
        np.testing.assert_allclose(y[i], alone[-1], rtol=1e-10)
    np.testing.assert_array_equal(seen.lengths, LENGTHS)


def test_a_step_does_not_copy_the_past():
    seen = KeyValues(1, H, np.float32)
    moves, one_row = 0, np.ones((1, H), np.float32)
    for _ in range(1000):
        before = seen.keys
        seen.append(one_row, one_row, np.array([1]))
        moves += seen.keys is not before
    assert seen.lengths.tolist() == [1000]
    assert moves <= 11  # 1, 2, 4, ... 1024 rows
