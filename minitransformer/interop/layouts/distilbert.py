"""DistilBERT's folders: other names than BERT's for the same layers, neither segments nor a pooler."""

from minitransformer.interop.folder_layout import FolderLayout
from minitransformer.interop.layouts.bert import BUFFERS, SENTENCE_HEAD_ROWS, embedding_rows
from minitransformer.interop.tensor_layout import TensorLayout, layer_norm, linear

_LAYER = "distilbert.transformer.layer.{i}"
DISTILBERT = FolderLayout(
    "distilbert",
    TensorLayout(
        [
            *embedding_rows("distilbert"),
            *linear("layers.{i}.attention.query", f"{_LAYER}.attention.q_lin"),
            *linear("layers.{i}.attention.key", f"{_LAYER}.attention.k_lin"),
            *linear("layers.{i}.attention.value", f"{_LAYER}.attention.v_lin"),
            *linear("layers.{i}.attention.output", f"{_LAYER}.attention.out_lin"),
            *layer_norm("layers.{i}.attention_norm", f"{_LAYER}.sa_layer_norm"),
            *linear("layers.{i}.feed_forward.inner", f"{_LAYER}.ffn.lin1"),
            *linear("layers.{i}.feed_forward.outer", f"{_LAYER}.ffn.lin2"),
            *layer_norm("layers.{i}.output_norm", f"{_LAYER}.output_layer_norm"),
            *SENTENCE_HEAD_ROWS,
        ],
        our_prefix="bert.",
        their_prefix="distilbert.",
        heads={"head": "dense layers"},
        layers={"num_hidden_layers": "transformer.layer.{i}."},
        buffers=BUFFERS,
    ),
    config_names={
        "hidden_size": "dim",
        "num_hidden_layers": "n_layers",
        "num_attention_heads": "n_heads",
        "intermediate_size": "hidden_dim",
        "hidden_act": "activation",
        "hidden_dropout_prob": "dropout",
        "attention_probs_dropout_prob": "attention_dropout",
    },
    lora_targets=("q_lin", "k_lin", "v_lin", "out_lin", "lin1", "lin2"),
    harmless=frozenset({"sinusoidal_pos_embds", "qa_dropout", "seq_classif_dropout"}),  # the positions are in the file
)
