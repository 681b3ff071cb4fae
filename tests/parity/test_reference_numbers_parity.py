"""docs/reference-numbers.json against PyTorch's own functions, and the PyTorch program of its page."""

import json
import re

import numpy as np
import pytest

from scripts.reference_numbers import EPS, FILE

torch = pytest.importorskip("torch")
F = torch.nn.functional

NUMBERS = json.loads(FILE.read_text(encoding="utf-8"))
LABELS, TARGETS = torch.tensor([2, 0, 3]), torch.tensor([1.0, 0, 1, 0.5], dtype=torch.float64)


def ice0(x, w_q, w_k, w_v, scale=None):
    return F.scaled_dot_product_attention(x @ w_q, x @ w_k, x @ w_v, scale=scale)


def two_heads(q, k, v, causal=False):
    """Each sequence by itself, its two heads as a batch."""
    parts = []
    for rows in (slice(0, 3), slice(3, 5)):
        heads = (x[rows].reshape(-1, 2, 2).transpose(0, 1) for x in (q, k, v))
        attended = F.scaled_dot_product_attention(*heads, is_causal=causal)
        parts.append(attended.transpose(0, 1).reshape(-1, 4))
    return torch.cat(parts)


class Layer:
    """The parts of a layer, from the file's parameters."""

    def __init__(self, p, eps, causal=False):
        self.p, self.eps, self.causal = p, eps, causal

    def linear(self, name, x):
        return x @ self.p[f"{name}.weight"] + self.p[f"{name}.bias"]

    def norm(self, name, x):
        return F.layer_norm(x, (4,), self.p[f"{name}.gamma"], self.p[f"{name}.beta"], self.eps)

    def attention(self, x):
        q, k, v = (self.linear(f"attention.{name}", x) for name in ("query", "key", "value"))
        return self.linear("attention.output", two_heads(q, k, v, self.causal))

    def feed_forward(self, x, approximate):
        return self.linear("feed_forward.outer", F.gelu(self.linear("feed_forward.inner", x), approximate=approximate))


def encoder_layer(x, **p):
    layer = Layer(p, EPS)
    x1 = layer.norm("attention_norm", x + layer.attention(x))
    return layer.norm("output_norm", x1 + layer.feed_forward(x1, "none"))


def gpt_layer(x, **p):
    layer = Layer(p, 1e-5, causal=True)
    x1 = x + layer.attention(layer.norm("attention_norm", x))
    return x1 + layer.feed_forward(layer.norm("feed_forward_norm", x1), "tanh")


def lstm(x, weight, recurrent, bias):
    theirs = torch.nn.LSTM(4, 3).double()
    named = {"weight_ih_l0": weight.T, "weight_hh_l0": recurrent.T, "bias_ih_l0": bias, "bias_hh_l0": 0 * bias}
    return torch.cat([torch.func.functional_call(theirs, named, sequence)[0] for sequence in x.split([3, 2])])


THEIRS = {
    "linear": lambda x, weight, bias: F.linear(x, weight.T, bias),
    "softmax": lambda x: F.softmax(x, -1),
    "layer_norm": lambda x, gamma, beta: F.layer_norm(x, (4,), gamma, beta, EPS),
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "ice0": ice0,
    "ice0_unscaled": lambda **inputs: ice0(**inputs, scale=1.0),
    "attention": lambda q, k, v: F.scaled_dot_product_attention(q, k, v),
    "causal_attention": lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True),
    "multi_head_attention": two_heads,
    "encoder_layer": encoder_layer,
    "gpt_layer": gpt_layer,
    "lstm": lstm,
    "cross_entropy": lambda logits: F.cross_entropy(logits, LABELS, reduction="none"),
    "binary_cross_entropy": lambda logits: F.binary_cross_entropy_with_logits(logits, TARGETS, reduction="none"),
    "cosine_similarity": lambda u, v: F.cosine_similarity(u, v),
    "triplet_loss": lambda a, p, n: (1 + (a - p).norm(dim=1) - (a - n).norm(dim=1)).clamp(min=0),
    "ranking_loss": lambda similarities: F.cross_entropy(20 * similarities, torch.arange(3), reduction="none"),
}


NAMED = ("encoder_layer", "gpt_layer", "ice0_unscaled")  # functions that take their arguments by name


def tensor(value, **arguments):
    return torch.tensor(value, dtype=torch.float64, **arguments)


def test_every_case_with_an_upstream_gradient_is_compared():
    cases = NUMBERS.keys() - {"about"}
    assert set(THEIRS) == {name for name in cases if "upstream" in NUMBERS[name]}


@pytest.mark.parametrize("name", THEIRS)
def test_outputs_and_gradients_are_pytorchs(name):
    case = NUMBERS[name]
    inputs = {key: tensor(value, requires_grad=True) for key, value in case["inputs"].items()}
    theirs = THEIRS[name]
    y = theirs(**inputs) if name in NAMED else theirs(*inputs.values())
    (y * tensor(case["upstream"])).sum().backward()
    np.testing.assert_allclose(case["outputs"]["y"], y.detach().numpy(), rtol=1e-9, atol=1e-11)
    for key, x in inputs.items():
        np.testing.assert_allclose(case["gradients"][key], x.grad.numpy(), rtol=1e-9, atol=1e-11, err_msg=key)


def test_three_steps_of_adamw_are_pytorchs():
    case = NUMBERS["adamw"]
    decayed, rest = (torch.nn.Parameter(tensor(part)) for part in np.split(case["inputs"]["weights"], [3]))
    groups = [{"params": [decayed], "weight_decay": 0.1}, {"params": [rest], "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=0.1)
    for gradient, after in zip(
        case["inputs"]["gradients_of_steps"], case["outputs"]["weights_after_steps"], strict=True
    ):
        decayed.grad, rest.grad = tensor(gradient[:3]), tensor(gradient[3:])
        torch.nn.utils.clip_grad_norm_([decayed, rest], 1.0)
        optimizer.step()
        np.testing.assert_allclose(after, [*decayed.tolist(), *rest.tolist()], rtol=1e-9)


def test_the_whole_bert_is_transformers():
    transformers = pytest.importorskip("transformers")
    inputs, outputs = NUMBERS["bert_for_pretraining"]["inputs"], NUMBERS["bert_for_pretraining"]["outputs"]
    dropouts = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    model = transformers.BertForPreTraining(transformers.BertConfig(**inputs["config"], **dropouts)).double()
    state = {name: tensor(value) for name, value in inputs["state_dict"].items()}
    missing = model.load_state_dict(state, strict=False)
    assert not missing.unexpected_keys
    integers = ("input_ids", "token_type_ids", "attention_mask", "labels", "next_sentence_label")
    loss = model(**{name: torch.tensor(inputs[name]) for name in integers}).loss
    loss.backward()
    np.testing.assert_allclose(outputs["loss"], loss.item(), rtol=1e-9)
    gradients = NUMBERS["bert_for_pretraining"]["gradients"]
    theirs = dict(model.named_parameters())
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, theirs[name].grad.numpy(), rtol=1e-7, atol=1e-10, err_msg=name)


def test_the_pytorch_program_of_the_page_runs():
    page = (FILE.parent / "check-your-own.md").read_text(encoding="utf-8")
    [program] = re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    exec(program, {})
