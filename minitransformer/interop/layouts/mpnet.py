"""MPNet's folders: BERT's without segments, and a table of relative positions that all layers share."""

from minitransformer.interop.folder_layout import FolderLayout
from minitransformer.interop.layouts.bert import BUFFERS, OLD_ENDINGS, SENTENCE_HEAD_ROWS, embedding_rows
from minitransformer.interop.tensor_layout import TensorLayout, embedding, layer_norm, linear

_LAYER = "mpnet.encoder.layer.{i}"
MPNET = FolderLayout(
    "mpnet",
    TensorLayout(
        [
            *embedding_rows("mpnet"),
            *embedding("distances", "mpnet.encoder.relative_attention_bias"),
            *linear("layers.{i}.attention.query", f"{_LAYER}.attention.attn.q"),
            *linear("layers.{i}.attention.key", f"{_LAYER}.attention.attn.k"),
            *linear("layers.{i}.attention.value", f"{_LAYER}.attention.attn.v"),
            *linear("layers.{i}.attention.output", f"{_LAYER}.attention.attn.o"),
            *layer_norm("layers.{i}.attention_norm", f"{_LAYER}.attention.LayerNorm"),
            *linear("layers.{i}.feed_forward.inner", f"{_LAYER}.intermediate.dense"),
            *linear("layers.{i}.feed_forward.outer", f"{_LAYER}.output.dense"),
            *layer_norm("layers.{i}.output_norm", f"{_LAYER}.output.LayerNorm"),
            *linear("pooler", "mpnet.pooler.dense"),
            *SENTENCE_HEAD_ROWS,
        ],
        our_prefix="bert.",
        their_prefix="mpnet.",
        heads={"pooler": "pooler", "head": "dense layers"},
        layers={"num_hidden_layers": "encoder.layer.{i}."},
        old_endings=OLD_ENDINGS,
        buffers=BUFFERS,
    ),
    only={"relative_attention_num_buckets": (32, "distances fall into 32 buckets here, as in transformers")},
    lora_targets=("attn.q", "attn.k", "attn.v", "attn.o", "intermediate.dense", "output.dense"),
)
