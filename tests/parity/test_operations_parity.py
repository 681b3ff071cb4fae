"""Operations against the functions of torch.nn.functional, their gradients against autograd's."""

import numpy as np
import pytest

from minitransformer.ops.attention import attention_backward, attention_forward
from minitransformer.ops.binary_cross_entropy import binary_cross_entropy_backward, binary_cross_entropy_forward
from minitransformer.ops.cross_entropy import cross_entropy_backward, cross_entropy_forward
from minitransformer.ops.elementwise import elementwise_backward, elementwise_forward
from minitransformer.ops.gelu import gelu_backward, gelu_forward, gelu_tanh_forward
from minitransformer.ops.layer_norm import layer_norm_backward, layer_norm_forward
from minitransformer.ops.linear import linear_backward, linear_forward
from minitransformer.ops.low_rank import low_rank_backward, low_rank_forward
from minitransformer.ops.negative_sampling import negative_sampling_backward, negative_sampling_forward
from minitransformer.ops.softmax import softmax_backward, softmax_forward

torch = pytest.importorskip("torch")
F = torch.nn.functional

LABELS = [3, 0, 6, 3, 1]
TARGETS = np.linspace(0, 1, 35).reshape(5, 7)
# name: ours, its backward, theirs, the shapes of the arguments.
OPERATIONS = {
    "linear": (
        linear_forward,
        linear_backward,
        lambda x, weight, bias: F.linear(x, weight.T, bias),
        [(5, 7), (7, 3), (3,)],
    ),
    "low_rank": (
        lambda x, a, b: low_rank_forward(x, a, b, 1.7),
        low_rank_backward,
        lambda x, a, b: 1.7 * F.linear(F.linear(x, a.T), b.T),
        [(5, 7), (7, 2), (2, 3)],
    ),
    "layer_norm": (
        lambda x, gamma, beta: layer_norm_forward(x, gamma, beta, 1e-12),
        layer_norm_backward,
        lambda x, gamma, beta: F.layer_norm(x, (7,), gamma, beta, 1e-12),
        [(5, 7), (7,), (7,)],
    ),
    "softmax": (softmax_forward, softmax_backward, lambda x: F.softmax(x, -1), [(2, 5, 7)]),
    "gelu": (gelu_forward, gelu_backward, F.gelu, [(50, 70)]),
    "gelu, tanh form": (gelu_tanh_forward, gelu_backward, lambda x: F.gelu(x, approximate="tanh"), [(50, 70)]),
    **{
        f"elementwise, {name}": (
            lambda x, name=name: elementwise_forward(x, name),
            elementwise_backward,
            theirs,
            [(50, 70)],
        )
        for name, theirs in {
            **{"sigmoid": F.sigmoid, "silu": F.silu, "softplus": F.softplus, "log_sigmoid": F.logsigmoid},
            **{"mish": F.mish, "tanhshrink": F.tanhshrink, "softsign": F.softsign, "leaky_relu": F.leaky_relu},
            **{"elu": F.elu, "selu": F.selu, "relu6": F.relu6, "hardtanh": F.hardtanh},
            "hardswish": F.hardswish,  # torch multiplies by a float32 1/6 in hardsigmoid's backward
        }.items()
    },
    "attention": (
        attention_forward,
        attention_backward,
        F.scaled_dot_product_attention,
        [(2, 3, 5, 4), (2, 3, 7, 4), (2, 3, 7, 6)],
    ),
    "attention, unscaled": (
        lambda q, k, v: attention_forward(q, k, v, scale=1.0),
        attention_backward,
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, scale=1.0),
        [(5, 4), (7, 4), (7, 6)],
    ),
    "attention, causal": (
        lambda q, k, v: attention_forward(q, k, v, causal=True),
        attention_backward,
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True),
        [(3, 5, 4), (3, 5, 4), (3, 5, 6)],
    ),
    "cross_entropy": (
        lambda logits: cross_entropy_forward(logits, np.array(LABELS)),
        cross_entropy_backward,
        lambda logits: F.cross_entropy(logits, torch.tensor(LABELS), reduction="none"),
        [(5, 7)],
    ),
    "negative_sampling": (
        negative_sampling_forward,
        negative_sampling_backward,
        lambda v, u, negatives: (
            -F.logsigmoid((v * u).sum(1)) - F.logsigmoid(-(negatives @ v[:, :, None])[:, :, 0]).sum(1)
        ),
        [(5, 7), (5, 7), (5, 3, 7)],
    ),
    "binary_cross_entropy": (
        lambda logits: binary_cross_entropy_forward(logits, TARGETS.astype(logits.dtype)),
        binary_cross_entropy_backward,
        lambda logits: F.binary_cross_entropy_with_logits(
            logits, torch.from_numpy(TARGETS).to(logits.dtype), reduction="none"
        ),
        [(5, 7)],
    ),
}


@pytest.mark.parametrize(("forward", "backward", "theirs", "shapes"), OPERATIONS.values(), ids=OPERATIONS.keys())
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 1e-5)])
def test_results_and_gradients_equal_torch(forward, backward, theirs, shapes, dtype, tolerance):
    rng = np.random.default_rng(8)
    arguments = [(2 * rng.normal(size=shape)).astype(dtype) for shape in shapes]
    y, cache = forward(*arguments)
    dy = rng.normal(size=y.shape).astype(dtype)
    gradients = backward(dy, cache)
    gradients = gradients if isinstance(gradients, tuple) else (gradients,)

    tensors = [torch.tensor(argument, requires_grad=True) for argument in arguments]
    expected = theirs(*tensors)
    expected.backward(torch.from_numpy(dy))
    np.testing.assert_allclose(y, expected.detach().numpy(), rtol=tolerance, atol=tolerance)
    for gradient, tensor in zip(gradients, tensors, strict=True):
        np.testing.assert_allclose(gradient, tensor.grad.numpy(), rtol=tolerance, atol=tolerance)
