"""Folders of LSTM encoders, and of sentence encoders and classifiers on them: the names are ours, nobody else has them.

Beside the encoder a sentence encoder's folder has sentence-transformers' files, but that library can't load the LSTM.
"""

from minitransformer.interop.folder_layout import FolderLayout
from minitransformer.interop.layouts.bert import SENTENCE_HEAD_ROWS
from minitransformer.interop.tensor_layout import Row, TensorLayout, linear

LSTM = ("weight", "recurrent", "bias")
NAMES = [f"layers.{{i}}.{direction}.{array}" for direction in ("forwards", "backwards") for array in LSTM]
ROWS = [
    *(Row(name, f"lstm.{name}") for name in ("embeddings.token.table", *NAMES)),
    *linear("classifier", "classifier"),
    *linear("hidden_layers.{i}", "hidden_layers.{i}.linear"),
    *SENTENCE_HEAD_ROWS,
]

LSTM_ENCODER = FolderLayout(
    "lstm_encoder",
    TensorLayout(
        ROWS,
        our_prefix="lstm.",
        their_prefix="lstm.",
        heads={"classifier": "classifier", "hidden_layers": "hidden layers", "head": "dense layers"},
        layers={"num_hidden_layers": "layers.{i}."},
    ),
)
