"""The folders of RoBERTa and XLM-RoBERTa: BERT's, with names that begin with "roberta.", and heads of their own."""

from dataclasses import replace

from minitransformer.interop.folder_layout import FolderLayout
from minitransformer.interop.layouts.bert import (
    BUFFERS,
    ENCODER_ONLY,
    LORA_TARGETS,
    OLD_ENDINGS,
    SENTENCE_HEAD_ROWS,
    embedding_rows,
    layer_rows,
    segment_rows,
)
from minitransformer.interop.tensor_layout import TensorLayout, linear

ROBERTA = FolderLayout(
    "roberta",
    TensorLayout(
        [
            *embedding_rows("roberta"),
            *segment_rows("roberta"),
            *layer_rows("roberta"),
            *linear("pooler", "roberta.pooler.dense"),
            *SENTENCE_HEAD_ROWS,
        ],
        our_prefix="bert.",
        their_prefix="roberta.",
        heads={"pooler": "pooler", "head": "dense layers"},
        layers={"num_hidden_layers": "encoder.layer.{i}."},
        old_endings=OLD_ENDINGS,
        buffers=BUFFERS,
    ),
    only=ENCODER_ONLY,
    lora_targets=LORA_TARGETS,
)
XLM_ROBERTA = replace(ROBERTA, model_type="xlm-roberta")
