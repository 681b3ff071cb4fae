"""BERT's folders (transformers' Bert classes, from the names in google-research/bert).

Our names as in Bert, theirs as in BertForPreTraining: a plain BertModel's file has them without "bert.".
"""

from typing import Any

from minitransformer.interop.folder_layout import FolderLayout
from minitransformer.interop.tensor_layout import Row, TensorLayout, embedding, layer_norm, linear


def embedding_rows(prefix: str) -> list[Row]:
    """Of a family whose names begin with `prefix`, where they are BERT's otherwise."""
    return [
        *embedding("embeddings.token", f"{prefix}.embeddings.word_embeddings"),
        *embedding("embeddings.position", f"{prefix}.embeddings.position_embeddings"),
        *layer_norm("embeddings.norm", f"{prefix}.embeddings.LayerNorm"),
    ]


def segment_rows(prefix: str) -> list[Row]:
    return embedding("embeddings.segment", f"{prefix}.embeddings.token_type_embeddings")


def layer_rows(prefix: str) -> list[Row]:
    layer = f"{prefix}.encoder.layer.{{i}}"
    return [
        *linear("layers.{i}.attention.query", f"{layer}.attention.self.query"),
        *linear("layers.{i}.attention.key", f"{layer}.attention.self.key"),
        *linear("layers.{i}.attention.value", f"{layer}.attention.self.value"),
        *linear("layers.{i}.attention.output", f"{layer}.attention.output.dense"),
        *layer_norm("layers.{i}.attention_norm", f"{layer}.attention.output.LayerNorm"),
        *linear("layers.{i}.feed_forward.inner", f"{layer}.intermediate.dense"),
        *linear("layers.{i}.feed_forward.outer", f"{layer}.output.dense"),
        *layer_norm("layers.{i}.output_norm", f"{layer}.output.LayerNorm"),
    ]


SENTENCE_HEAD_ROWS = [  # of a SentenceEncoder's state_dict alone: its files have other names
    *linear("head.layers.{i}", "head.layers.{i}.linear"),
    *layer_norm("head.layers.{i}", "head.layers.{i}.norm"),
]
OLD_ENDINGS = {"LayerNorm.gamma": "LayerNorm.weight", "LayerNorm.beta": "LayerNorm.bias"}
BUFFERS = ("embeddings.position_ids", "embeddings.token_type_ids")
ENCODER_ONLY: dict[str, tuple[Any, str]] = {
    "position_embedding_type": ("absolute", "relative positions are not supported"),
    "is_decoder": (False, "a decoder hides later tokens, an encoder doesn't"),
    "add_cross_attention": (False, "cross-attention belongs to a decoder"),
}
LORA_TARGETS = ("query", "key", "value", "intermediate.dense", "output.dense")

ROWS = [
    *embedding_rows("bert"),
    *segment_rows("bert"),
    *layer_rows("bert"),
    *linear("pooler", "bert.pooler.dense"),
    # the heads
    *linear("mlm_head.transform", "cls.predictions.transform.dense"),
    *layer_norm("mlm_head.norm", "cls.predictions.transform.LayerNorm"),
    Row("mlm_head.decoder.table", "cls.predictions.decoder.weight"),  # there only where it isn't the token embedding's
    Row("mlm_head.decoder.bias", "cls.predictions.bias"),
    *linear("nsp_head", "cls.seq_relationship"),
    *linear("classifier", "classifier"),
    *linear("hidden_layers.{i}", "hidden_layers.{i}.linear"),  # a name of ours: transformers has none of these
    *SENTENCE_HEAD_ROWS,
]

BERT = FolderLayout(
    "bert",
    TensorLayout(
        ROWS,
        our_prefix="bert.",
        their_prefix="bert.",
        heads={
            "pooler": "pooler",
            "mlm_head": "masked-LM head",
            "nsp_head": "next-sentence head",
            "classifier": "classifier",
            "hidden_layers": "hidden layers",
            "head": "dense layers",
        },
        layers={"num_hidden_layers": "encoder.layer.{i}."},
        tied={"cls.predictions.decoder.weight": "embeddings.word_embeddings.weight"},
        twins={"cls.predictions.decoder.bias": "cls.predictions.bias"},
        old_endings=OLD_ENDINGS,
        buffers=BUFFERS,
    ),
    only=ENCODER_ONLY,
    lora_targets=LORA_TARGETS,
)
