"""Folders of recurrent translators: no other library has exactly these, so the names are ours."""

from minitransformer.interop.folder_layout import FolderLayout
from minitransformer.interop.tensor_layout import Row, TensorLayout

LSTM = ("weight", "recurrent", "bias")
NAMES = [
    "embeddings.token.table",
    *(f"encoder.{array}" for array in LSTM),
    *(f"decoder.lstm.{array}" for array in LSTM),
    *(f"decoder.attention.{array}" for array in ("weight", "combination.weight", "combination.bias")),  # Luong's
    *(f"decoder.{array}" for array in ("query", "key", "score", "context")),  # Bahdanau's
    "head.bias",
]

LSTM_SEQ2SEQ = FolderLayout("lstm_seq2seq", TensorLayout([Row(name, name) for name in NAMES]))
