"""LSTM layers against torch.nn.LSTM, and both attentions against autograd: every row, and every gradient."""

import numpy as np
import pytest

from minitransformer.nn.bahdanau_decoder import BahdanauDecoder
from minitransformer.nn.lstm import BidirectionalLstm, Lstm, LstmState
from minitransformer.nn.luong_attention import LuongAttention
from tests.gradient_check import upstream
from tests.parity.test_pretraining_parity import TOLERANCES, assert_close, every_dtype
from tests.small_models import randomise

torch = pytest.importorskip("torch")

IN, H = 5, 7
LENGTHS = [3, 6, 1, 6, 2]


def lstms(layer):
    return [layer.forwards, layer.backwards] if isinstance(layer, BidirectionalLstm) else [layer]


def twin_of(layer, dtype):
    """torch.nn.LSTM with our weights; of its two biases the second one is 0."""
    twin = torch.nn.LSTM(IN, H, batch_first=True, bidirectional=isinstance(layer, BidirectionalLstm)).to(
        torch.from_numpy(np.zeros(0, dtype)).dtype
    )
    with torch.no_grad():
        for suffix, lstm in zip(("", "_reverse"), lstms(layer), strict=False):
            getattr(twin, f"weight_ih_l0{suffix}").copy_(torch.from_numpy(lstm.weight.value.T))
            getattr(twin, f"weight_hh_l0{suffix}").copy_(torch.from_numpy(lstm.recurrent.value.T))
            getattr(twin, f"bias_ih_l0{suffix}").copy_(torch.from_numpy(lstm.bias.value))
            getattr(twin, f"bias_hh_l0{suffix}").zero_()
    return twin


@every_dtype
@pytest.mark.parametrize("kind", [Lstm, BidirectionalLstm])
def test_rows_and_gradients_are_those_of_pytorch(kind, dtype):
    layer = randomise(kind(IN, H).initialise(dtype=dtype))
    x = np.random.default_rng(3).normal(size=(sum(LENGTHS), IN)).astype(dtype)
    rows = torch.from_numpy(x).requires_grad_()
    sequences = torch.nn.utils.rnn.pack_sequence(rows.split(LENGTHS), enforce_sorted=False)
    twin = twin_of(layer, dtype)
    theirs = torch.cat(torch.nn.utils.rnn.unpack_sequence(twin(sequences)[0]))

    y, cache = layer.forward(x, np.array(LENGTHS))
    assert_close(y, theirs.detach().numpy(), TOLERANCES[dtype])
    dy = upstream(y)
    theirs.backward(torch.from_numpy(dy))
    assert_close(layer.backward(dy, cache), rows.grad.numpy(), TOLERANCES[dtype])
    for suffix, lstm in zip(("", "_reverse"), lstms(layer), strict=False):
        for name, parameter in (("weight_ih", lstm.weight), ("weight_hh", lstm.recurrent), ("bias_ih", lstm.bias)):
            expected = getattr(twin, f"{name}_l0{suffix}").grad.numpy().T
            assert_close(parameter.grad, expected, TOLERANCES[dtype], name=name)


@every_dtype
def test_luongs_attention_has_the_gradients_of_autograd(dtype):
    layer = randomise(LuongAttention(H).initialise(dtype=dtype), std=0.4)
    rng, source_lengths = np.random.default_rng(4), [2, 4, 3, 1, 5]
    arrays = [rng.normal(size=(sum(lengths), H)).astype(dtype) for lengths in (LENGTHS, source_lengths)]
    rows, source = (torch.from_numpy(array).requires_grad_() for array in arrays)
    weights = [layer.weight, layer.combination.weight, layer.combination.bias]
    w_a, w_c, b = (torch.from_numpy(weight.value.copy()).requires_grad_() for weight in weights)
    parts = []
    for x, seen in zip(rows.split(LENGTHS), source.split(source_lengths), strict=True):
        context = (x @ w_a @ seen.T).softmax(dim=1) @ seen
        parts.append(torch.tanh(torch.cat([context, x], dim=1) @ w_c + b))
    theirs = torch.cat(parts)

    y, cache = layer.forward(arrays[0], np.array(LENGTHS), arrays[1], np.array(source_lengths))
    assert_close(y, theirs.detach().numpy(), TOLERANCES[dtype])
    theirs.backward(torch.from_numpy(upstream(y)))
    for found, expected in zip(layer.backward(upstream(y), cache), (rows, source), strict=True):
        assert_close(found, expected.grad.numpy(), TOLERANCES[dtype])
    for parameter, expected in zip(weights, (w_a, w_c, b), strict=True):
        assert_close(parameter.grad, expected.grad.numpy(), TOLERANCES[dtype])


@every_dtype
def test_bahdanaus_decoder_has_the_rows_and_gradients_of_autograd(dtype):
    layer = randomise(BahdanauDecoder(IN, H).initialise(dtype=dtype), std=0.4)
    rng, source_lengths = np.random.default_rng(4), [2, 4, 3, 1, 5]
    shapes = [(sum(LENGTHS), IN), (sum(source_lengths), H), (len(LENGTHS), H), (len(LENGTHS), H)]
    arrays = [rng.normal(size=shape).astype(dtype) for shape in shapes]
    x, source, h, c = inputs = [torch.from_numpy(array).requires_grad_() for array in arrays]
    named = [*layer.named_parameters()]
    theirs = {name: torch.from_numpy(parameter.value.copy()).requires_grad_() for name, parameter in named}
    rows = []
    sequences = zip(x.split(LENGTHS), source.split(source_lengths), h, c, strict=True)
    for of_target, seen, h_last, c_last in sequences:
        for row in of_target:
            fit = torch.tanh(h_last @ theirs["query"] + seen @ theirs["key"]) @ theirs["score"]
            context = fit.softmax(dim=0) @ seen
            z = row @ theirs["lstm.weight"] + context @ theirs["context"] + theirs["lstm.bias"]
            i, f, g, o = (z + h_last @ theirs["lstm.recurrent"]).chunk(4)
            c_last = f.sigmoid() * c_last + i.sigmoid() * g.tanh()
            h_last = o.sigmoid() * c_last.tanh()
            rows.append(h_last)
    expected = torch.stack(rows)

    sources = layer.sources(arrays[1], np.array(source_lengths))
    hidden, _, cache = layer.forward_from(LstmState(*arrays[2:]), arrays[0], np.array(LENGTHS), sources)
    assert_close(hidden, expected.detach().numpy(), TOLERANCES[dtype])
    expected.backward(torch.from_numpy(upstream(hidden)))
    dx, d_state, d_source = layer.backward_to(upstream(hidden), cache)
    for found, theirs_of_it in zip((dx, d_source, *d_state), inputs, strict=True):
        assert_close(found, theirs_of_it.grad.numpy(), TOLERANCES[dtype])
    for name, parameter in named:
        assert_close(parameter.grad, theirs[name].grad.numpy(), TOLERANCES[dtype], name=name)
