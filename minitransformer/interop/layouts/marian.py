"""Marian's folders (transformers' MarianMTModel, from the names in fairseq's and BART's code).

Our names as in Seq2Seq. Positions are computed, and aren't in the file.
"""

from minitransformer.interop.folder_layout import FolderLayout
from minitransformer.interop.tensor_layout import ONE_ROW, Row, TensorLayout, embedding, layer_norm, linear


def attention(ours: str, theirs: str) -> list[Row]:
    names = {"query": "q_proj", "key": "k_proj", "value": "v_proj", "output": "out_proj"}
    return [row for our, their in names.items() for row in linear(f"{ours}.{our}", f"{theirs}.{their}")]


def feed_forward(ours: str, theirs: str) -> list[Row]:
    return [
        *linear(f"{ours}.feed_forward.inner", f"{theirs}.fc1"),
        *linear(f"{ours}.feed_forward.outer", f"{theirs}.fc2"),
        *layer_norm(f"{ours}.output_norm", f"{theirs}.final_layer_norm"),
    ]


ENCODER, DECODER = "model.encoder.layers.{i}", "model.decoder.layers.{i}"
ROWS = [
    *embedding("embeddings.token", "model.shared"),
    *attention("encoder.{i}.attention", f"{ENCODER}.self_attn"),
    *layer_norm("encoder.{i}.attention_norm", f"{ENCODER}.self_attn_layer_norm"),
    *feed_forward("encoder.{i}", ENCODER),
    *attention("decoder.{i}.self_attention", f"{DECODER}.self_attn"),
    *layer_norm("decoder.{i}.self_attention_norm", f"{DECODER}.self_attn_layer_norm"),
    *attention("decoder.{i}.cross_attention", f"{DECODER}.encoder_attn"),
    *layer_norm("decoder.{i}.cross_attention_norm", f"{DECODER}.encoder_attn_layer_norm"),
    *feed_forward("decoder.{i}", DECODER),
    Row("head.bias", "final_logits_bias", ONE_ROW),
]

MARIAN = FolderLayout(
    "marian",
    TensorLayout(
        ROWS,
        their_prefix="model.",
        heads={"head": "bias of the vocabulary head"},
        layers={"num_encoder_layers": "encoder.layers.{i}.", "num_decoder_layers": "decoder.layers.{i}."},
        tied={
            "lm_head.weight": "shared.weight",
            "encoder.embed_tokens.weight": "shared.weight",
            "decoder.embed_tokens.weight": "shared.weight",
        },
        buffers=("encoder.embed_positions.weight", "decoder.embed_positions.weight"),
    ),
    config_names={
        "hidden_size": "d_model",
        "num_encoder_layers": "encoder_layers",
        "num_decoder_layers": "decoder_layers",
        "num_attention_heads": "encoder_attention_heads",
        "intermediate_size": "encoder_ffn_dim",
        "hidden_act": "activation_function",
        "hidden_dropout_prob": "dropout",
        "attention_probs_dropout_prob": "attention_dropout",
    },
    only={
        "is_encoder_decoder": (True, "an encoder or a decoder alone is another model"),
        "scale_embedding": (True, "embeddings are multiplied by the square root of their size"),
        "share_encoder_decoder_embeddings": (True, "source and target share their embeddings"),
        "tie_word_embeddings": (True, "the vocabulary head is the token embedding"),
        "normalize_before": (False, "LayerNorm comes after each sum"),
        "normalize_embedding": (False, "embeddings aren't normalised"),
        "add_final_layer_norm": (False, "nothing follows the last layer's LayerNorm"),
        "static_position_embeddings": (True, "positions are sinusoids"),
        "activation_dropout": (0, "there is no dropout inside the feed-forward networks"),
        "encoder_layerdrop": (0, "no layer is left out in training"),
        "decoder_layerdrop": (0, "no layer is left out in training"),
    },
    equal={
        "decoder_attention_heads": "encoder_attention_heads",
        "decoder_ffn_dim": "encoder_ffn_dim",
        "decoder_vocab_size": "vocab_size",
    },
    written={"is_encoder_decoder": True, "scale_embedding": True, "forced_eos_token_id": None},
    defaults={
        "vocab_size": 58101,
        "d_model": 1024,
        "encoder_layers": 12,
        "decoder_layers": 12,
        "encoder_attention_heads": 16,
        "decoder_attention_heads": 16,
        "encoder_ffn_dim": 4096,
        "decoder_ffn_dim": 4096,
        "max_position_embeddings": 1024,
        "activation_function": "gelu",
        "scale_embedding": False,
        "pad_token_id": 58100,
        "eos_token_id": 0,
        "decoder_start_token_id": 58100,
    },
    harmless=frozenset(
        {"num_hidden_layers", "init_std", "add_bias_logits", "classif_dropout", "extra_pos_embeddings", "is_decoder"}
    ),
)
