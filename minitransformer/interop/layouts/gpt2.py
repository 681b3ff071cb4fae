"""GPT-2's folders (transformers' GPT2LMHeadModel, from the names in openai/gpt-2).

Our names as in Gpt. Their matrices are (in, out) as ours are, so that none is transposed, and c_attn holds query, key
and value side by side. OpenAI's own file, converted, has the names without "transformer.".
"""

from minitransformer.interop.folder_layout import FolderLayout
from minitransformer.interop.tensor_layout import THIRDS, Row, TensorLayout, embedding, layer_norm


def conv1d(ours: str, theirs: str) -> list[Row]:
    """The rows of our Linear where theirs is a Conv1D, which is y = x W + b as well."""
    return [Row(f"{ours}.weight", f"{theirs}.weight"), Row(f"{ours}.bias", f"{theirs}.bias")]


ROWS = [
    *embedding("embeddings.token", "transformer.wte"),
    *embedding("embeddings.position", "transformer.wpe"),
    *layer_norm("layers.{i}.attention_norm", "transformer.h.{i}.ln_1"),
    *(
        Row(f"layers.{{i}}.attention.{ours}.{array}", f"transformer.h.{{i}}.attn.c_attn.{array}", third)
        for ours, third in zip(("query", "key", "value"), THIRDS, strict=True)
        for array in ("weight", "bias")
    ),
    *conv1d("layers.{i}.attention.output", "transformer.h.{i}.attn.c_proj"),
    *layer_norm("layers.{i}.feed_forward_norm", "transformer.h.{i}.ln_2"),
    *conv1d("layers.{i}.feed_forward.inner", "transformer.h.{i}.mlp.c_fc"),
    *conv1d("layers.{i}.feed_forward.outer", "transformer.h.{i}.mlp.c_proj"),
    *layer_norm("norm", "transformer.ln_f"),
    Row("head.table", "lm_head.weight"),  # there only where it isn't the token embedding's
]

GPT2 = FolderLayout(
    "gpt2",
    TensorLayout(
        ROWS,
        their_prefix="transformer.",
        heads={"head": "vocabulary head"},
        layers={"num_hidden_layers": "h.{i}."},
        tied={"lm_head.weight": "wte.weight"},
        buffers=("h.{i}.attn.bias", "h.{i}.attn.masked_bias"),
    ),
    config_names={
        "hidden_size": "n_embd",
        "num_hidden_layers": "n_layer",
        "num_attention_heads": "n_head",
        "intermediate_size": "n_inner",
        "hidden_act": "activation_function",
        "embedding_dropout_prob": "embd_pdrop",
        "hidden_dropout_prob": "resid_pdrop",
        "attention_probs_dropout_prob": "attn_pdrop",
        "max_position_embeddings": "n_positions",
        "layer_norm_eps": "layer_norm_epsilon",
    },
    only={
        "scale_attn_weights": (True, "scores are always divided by the square root of a head's width"),
        "scale_attn_by_inverse_layer_idx": (False, "scores are scaled alike in all layers"),
        "reorder_and_upcast_attn": (False, "attention computes in the model's own precision"),
        "add_cross_attention": (False, "a GPT reads one text, and has no source to attend to"),
    },
    lora_targets=("c_attn", "c_proj", "c_fc"),
    harmless=frozenset({"n_ctx", "predict_special_tokens", "is_decoder", "vocab_size_or_config_json_file"}),
)
