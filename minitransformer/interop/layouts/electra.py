"""The folders of ELECTRA's encoder: BERT's without a pooler, and a projection where the embeddings are narrower."""

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

ELECTRA = FolderLayout(
    "electra",
    TensorLayout(
        [
            *embedding_rows("electra"),
            *segment_rows("electra"),
            *linear("embeddings.projection", "electra.embeddings_project"),
            *layer_rows("electra"),
            *SENTENCE_HEAD_ROWS,
        ],
        our_prefix="bert.",
        their_prefix="electra.",
        heads={"head": "dense layers"},
        layers={"num_hidden_layers": "encoder.layer.{i}."},
        old_endings=OLD_ENDINGS,
        buffers=BUFFERS,
    ),
    only=ENCODER_ONLY,
    lora_targets=LORA_TARGETS,
)
