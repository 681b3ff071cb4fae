"""docs/reference-numbers.json: what our operations, losses and AdamW make of small inputs, for checking other people's.

    python -m scripts.reference_numbers                 computes the numbers anew and writes the file

A case has `inputs`, `outputs`, the `upstream` gradient of its first output, and `gradients` of the inputs, in float64:
each is the derivative of sum(output * upstream) with respect to the input of the same name. Inputs have two decimals,
so that they can be typed in; what is computed has twelve digits. Weights are (in, out). The test run
(tests/scripts/test_reference_numbers.py) computes everything anew and compares it with the file.
"""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from minitransformer.batches.pretraining_batch import PretrainingBatch
from minitransformer.models.bert_config import BertConfig
from minitransformer.models.bert_for_pretraining import BertForPreTraining
from minitransformer.nn.attention import SelfAttention
from minitransformer.nn.encoder_layer import EncoderLayer
from minitransformer.nn.feed_forward import FeedForward
from minitransformer.nn.lstm import Lstm
from minitransformer.nn.parameter import FlatStorage
from minitransformer.nn.pre_norm_layer import PreNormLayer
from minitransformer.ops.attention import attention_backward, attention_forward
from minitransformer.ops.binary_cross_entropy import binary_cross_entropy_backward, binary_cross_entropy_forward
from minitransformer.ops.cosine_similarity import cosine_similarity_backward, cosine_similarity_forward
from minitransformer.ops.cross_entropy import cross_entropy_backward, cross_entropy_forward
from minitransformer.ops.gelu import gelu_backward, gelu_forward, gelu_tanh_forward
from minitransformer.ops.layer_norm import layer_norm_backward, layer_norm_forward
from minitransformer.ops.linear import linear_backward, linear_forward
from minitransformer.ops.multi_head_attention import multi_head_attention_backward, multi_head_attention_forward
from minitransformer.ops.ranking_loss import ranking_loss_backward, ranking_loss_forward
from minitransformer.ops.softmax import softmax_backward, softmax_forward
from minitransformer.ops.triplet_loss import triplet_loss_backward, triplet_loss_forward
from minitransformer.randomness import generator
from minitransformer.text.packed_tokens import PackedTokens
from minitransformer.training.optimizer.adamw import AdamW
from minitransformer.training.optimizer.clipping import clip_scale
from scripts.recipes.ice0 import W_K, W_Q, W_V, X
from scripts.reference_cases import LENGTHS, SIZE, Case, case, drawn, layer_case

FILE = Path(__file__).parents[1] / "docs" / "reference-numbers.json"
DIGITS = 12  # of what is computed
EPS = 1e-12  # BERT's, of LayerNorm
ABOUT = (
    "Reference numbers of minitransformer, in float64. `gradients` are those of sum(first output * upstream). Weights "
    "are (in, out), except in bert_for_pretraining, where they have Hugging Face's names and shapes. Dropout is off."
)


def data() -> dict[str, Any]:
    return {"about": ABOUT, **operations(), **attentions(), **layers(), **losses(), **whole()}


def operations() -> dict[str, Case]:
    x, weight, bias = (5, 3), (3, 4), (4,)
    return {
        "linear": case("y = x weight + bias", linear_forward, linear_backward, x=x, weight=weight, bias=bias),
        "softmax": case("y = softmax of each row of x", softmax_forward, softmax_backward, x=(3, 4)),
        "layer_norm": case(
            "y = gamma (x - mean) / sqrt(variance + 1e-12) + beta, over each row",
            lambda x, gamma, beta: layer_norm_forward(x, gamma, beta, EPS),
            layer_norm_backward,
            x=(3, 4),
            gamma=(4,),
            beta=(4,),
        ),
        "gelu": case("y = x Phi(x), by erf", gelu_forward, gelu_backward, x=(8,)),
        "gelu_tanh": case(
            "y = x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2", gelu_tanh_forward, gelu_backward, x=(8,)
        ),
    }


def attentions() -> dict[str, Case]:
    q, k = (2, 4), (3, 4)
    return {
        "ice0": ice0(scale=1 / math.sqrt(3)),
        "ice0_unscaled": ice0(scale=1.0),
        "attention": case("y = softmax(q k^T / sqrt(4)) v", attention_forward, attention_backward, q=q, k=k, v=(3, 4)),
        "causal_attention": case(
            "as attention, but row i of q sees rows 0 to i of k",
            lambda q, k, v: attention_forward(q, k, v, causal=True),
            attention_backward,
            q=k,
            k=k,
            v=k,
        ),
        "multi_head_attention": case(
            "two sequences of 3 and 2 rows, two heads of 2 columns; no sequence sees the other",
            lambda q, k, v: multi_head_attention_forward(q, k, v, LENGTHS, LENGTHS, num_heads=2),
            multi_head_attention_backward,
            q=(5, 4),
            k=(5, 4),
            v=(5, 4),
        ),
    }


def layers() -> dict[str, Case]:
    """Of BERT, of GPT-2, and what was there before, each for sequences of 3 and 2 rows."""

    def attention(causal: bool = False) -> SelfAttention:
        return SelfAttention(SIZE, num_heads=2, attention_dropout=0.0, hidden_dropout=0.0, causal=causal)

    return {
        "encoder_layer": layer_case(
            "x1 = LN(x + attention(x)), y = LN(x1 + gelu(x1 W1 + b1) W2 + b2); two heads, eps 1e-12",
            EncoderLayer(attention(), FeedForward(SIZE, 6, "gelu", dropout=0.0), size=SIZE, eps=EPS),
        ),
        "gpt_layer": layer_case(
            "x1 = x + attention(LN(x)), y = x1 + gelu_tanh(LN(x1) W1 + b1) W2 + b2; causal, two heads, eps 1e-5",
            PreNormLayer(attention(causal=True), FeedForward(SIZE, 6, "gelu_tanh", dropout=0.0), size=SIZE, eps=1e-5),
        ),
        "lstm": layer_case(
            "i, f, g, o = columns of x_t weight + h_(t-1) recurrent + bias; c_t = s(f) c_(t-1) + s(i) tanh(g), "
            "h_t = s(o) tanh(c_t), s = sigmoid; y_t = h_t, and each sequence starts from h = c = 0",
            Lstm(SIZE, 3),
        ),
    }


def losses() -> dict[str, Case]:
    labels, targets = np.array([2, 0, 3]), np.array([1.0, 0, 1, 0.5])
    return {
        "cross_entropy": case(
            f"y_i = -log softmax(logits_i)[label_i], labels {labels.tolist()}",
            lambda logits: cross_entropy_forward(logits, labels),
            cross_entropy_backward,
            logits=(3, 4),
        ),
        "binary_cross_entropy": case(
            f"y = -t log s - (1 - t) log(1 - s), s = sigmoid(logits), t = {targets.tolist()}",
            lambda logits: binary_cross_entropy_forward(logits, targets),
            binary_cross_entropy_backward,
            logits=(4,),
        ),
        "cosine_similarity": case(
            "y_i = u_i . v_i / (|u_i| |v_i|)", cosine_similarity_forward, cosine_similarity_backward, u=(3, 4), v=(3, 4)
        ),
        "triplet_loss": case(
            "y_i = max(|a_i - p_i| - |a_i - n_i| + 1, 0)",
            lambda a, p, n: triplet_loss_forward(a, p, n, margin=1.0),
            triplet_loss_backward,
            **dict.fromkeys("apn", (3, 4)),
        ),
        "ranking_loss": case(
            "y_i = -log softmax(20 similarities_i)[i]: in-batch negatives",
            lambda similarities: ranking_loss_forward(similarities, None, scale=20.0, symmetric=False),
            ranking_loss_backward,
            similarities=(3, 3),
        ),
    }


def whole() -> dict[str, Case]:
    return {"adamw": adamw(), "bert_for_pretraining": bert_for_pretraining()}


def ice0(scale: float) -> Case:
    """The lecture's exercise: two tokens, one head."""
    q, k, v = X @ W_Q, X @ W_K, X @ W_V
    upstream = np.array([[1.0, -2, 3], [2, 1, -1]])
    y, cache = attention_forward(q, k, v, scale=scale)
    dq, dk, dv = attention_backward(upstream, cache)
    return {
        "formula": f"y = softmax({scale:.6g} q k^T) v, q = x w_q, k = x w_k, v = x w_v",
        "inputs": {"x": X, "w_q": W_Q, "w_k": W_K, "w_v": W_V},
        "outputs": {"y": y, "q": q, "k": k, "v": v, "scores": q @ k.T * scale, "weights": cache.weights},
        "upstream": upstream,
        "gradients": {
            "x": dq @ W_Q.T + dk @ W_K.T + dv @ W_V.T,
            "w_q": X.T @ dq,
            "w_k": X.T @ dk,
            "w_v": X.T @ dv,
        },
    }


def adamw() -> Case:
    """Three steps with clipping; the last two of the five weights don't decay."""
    rng = generator(0, "adamw")
    storage = FlatStorage(drawn(rng, (5,)), num_decayed=3)
    before, gradients = storage.values.copy(), drawn(rng, (3, 5))
    optimizer, after = AdamW(storage, weight_decay=0.1), []
    for gradient in gradients:
        storage.gradients[:] = gradient
        optimizer.step(0.1, clip_scale(float(np.linalg.norm(gradient)), max_norm=1.0))
        after.append(storage.values.copy())
    return {
        "formula": "betas 0.9, 0.999, eps 1e-8, bias correction, rate 0.1, decay 0.1 of the first three weights alone; "
        "each gradient is first clipped to length 1: times min(1, 1 / (length + 1e-6))",
        "inputs": {"weights": before, "gradients_of_steps": gradients},
        "outputs": {"weights_after_steps": np.array(after), "m": optimizer.m, "v": optimizer.v},
    }


def bert_for_pretraining() -> Case:
    """A whole BERT with both losses: two pairs, three masked rows."""
    sizes = {"vocab_size": 12, "hidden_size": 4, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = BertConfig(**sizes, intermediate_size=6, max_position_embeddings=8)
    model = BertForPreTraining(config, dtype=np.float64)
    rng = generator(0, "bert")
    for _, parameter in model.named_parameters():
        parameter.value[...] = drawn(rng, parameter.shape)
    tokens = PackedTokens.pack(
        [[2, 5, 4, 3, 8, 4, 3], [2, 4, 6, 3, 11, 3]], [[0, 0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 1, 1]]
    )
    batch = PretrainingBatch(tokens, [2, 5, 8], [7, 9, 10], [0, 1])
    loss, cache = model.forward(batch)
    model.zero_grad()
    model.backward(cache)
    return {
        "formula": "loss = mean over the masked rows + mean over the pairs; exact GELU, eps 1e-12, decoder tied",
        "inputs": {
            "config": {**sizes, "intermediate_size": 6, "max_position_embeddings": 8},
            "input_ids": tokens.to_padded(tokens.token_ids),
            "token_type_ids": tokens.to_padded(tokens.segment_ids),
            "attention_mask": tokens.to_padded(np.ones_like(tokens.token_ids)),
            "labels": [[-100, -100, 7, -100, -100, 9, -100], [-100, 10, -100, -100, -100, -100, -100]],
            "next_sentence_label": [0, 1],
            "state_dict": model.state_dict(),
        },
        "outputs": {"loss": loss.total, "mlm": loss.mlm, "nsp": loss.nsp},
        "gradients": model.grad_dict(),
    }


def plain(value: Any) -> Any:
    """Lists and numbers of DIGITS digits in place of arrays."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | np.ndarray):
        return [plain(item) for item in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else getattr(value, "item", lambda: value)()


def text(numbers: dict[str, Any]) -> str:
    """As JSON with a line for each array."""

    def lines(value: Any, depth: int) -> str:
        if not isinstance(value, dict):
            return json.dumps(value)
        entries = [f"{' ' * depth}{json.dumps(key)}: {lines(item, depth + 1)}" for key, item in value.items()]
        return "{\n" + ",\n".join(entries) + "\n" + " " * (depth - 1) + "}"

    return lines(plain(numbers), 1) + "\n"


def main() -> None:
    FILE.write_text(text(data()), encoding="utf-8", newline="\n")
    print(FILE)


if __name__ == "__main__":
    main()
