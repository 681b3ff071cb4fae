"""all-MiniLM-L6-v2 on onnxruntime, for encode.py: as fast as that library gets it in float32.

PyTorch exports the graph; onnxruntime's own optimiser for BERT then fuses the embeddings, each attention, each
bias + GELU and each residual + LayerNorm into one kernel. Texts are sorted by length and encoded in batches of 32.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

INPUTS = ("input_ids", "attention_mask", "token_type_ids")
FUSED = {"EmbedLayerNormalization": 1, "Attention": 6, "BiasGelu": 6, "SkipLayerNormalization": 12}
BATCH_SIZE = 32
MAX_LENGTH = 256  # the model's max_seq_length


def export(model_folder: Path, graph: Path) -> None:
    """Write the optimised graph of the model in a folder. Raises RuntimeError if the optimiser left a part unfused."""
    import torch
    from onnxruntime.transformers.optimizer import optimize_model
    from transformers import AutoModel

    class HiddenStates(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.bert = AutoModel.from_pretrained(model_folder, attn_implementation="eager").eval()

        def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
            return self.bert(**dict(zip(INPUTS, inputs, strict=True))).last_hidden_state

    network = HiddenStates()
    example = torch.ones((2, 8), dtype=torch.long)
    axes = {name: {0: "sentences", 1: "tokens"} for name in (*INPUTS, "hidden")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracing exporter is deprecated, but its graphs are those that fuse
        torch.onnx.export(
            network,
            tuple(example for _ in INPUTS),
            graph,
            input_names=list(INPUTS),
            output_names=["hidden"],
            dynamic_axes=axes,
            opset_version=17,
            dynamo=False,
        )
    heads, size = network.bert.config.num_attention_heads, network.bert.config.hidden_size
    optimised = optimize_model(str(graph), model_type="bert", num_heads=heads, hidden_size=size)
    fused = optimised.get_fused_operator_statistics()
    if any(fused[name] != count for name, count in FUSED.items()):
        raise RuntimeError(f"onnxruntime fused {fused}, expected {FUSED}")
    optimised.save_model_to_file(str(graph))


class OnnxEncoder:
    """Texts to embeddings: the exported graph, mean pooling and L2 normalisation."""

    def __init__(self, model_folder: Path, graph: Path, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        self.tokenizer = Tokenizer.from_file(str(model_folder / "tokenizer.json"))
        self.tokenizer.enable_truncation(MAX_LENGTH)
        self.tokenizer.no_padding()

    def encode(self, texts: list[str]) -> np.ndarray:
        """The embeddings (S, D) of S texts."""
        sentences = [encoding.ids for encoding in self.tokenizer.encode_batch(texts)]
        longest_first = sorted(range(len(texts)), key=lambda i: -len(sentences[i]))
        embeddings = np.empty((len(texts), self.session.get_outputs()[0].shape[-1]), np.float32)
        for start in range(0, len(texts), BATCH_SIZE):
            batch = longest_first[start : start + BATCH_SIZE]
            embeddings[batch] = self._embed([sentences[i] for i in batch])
        return embeddings

    def _embed(self, sentences: list[list[int]]) -> np.ndarray:
        lengths = np.array([len(ids) for ids in sentences])
        is_token = np.arange(lengths.max()) < lengths[:, None]
        input_ids = np.zeros(is_token.shape, np.int64)
        input_ids[is_token] = np.concatenate(sentences)
        inputs = (input_ids, is_token.astype(np.int64), np.zeros_like(input_ids))
        names = [graph_input.name for graph_input in self.session.get_inputs()]
        given = {name: array for name, array in zip(INPUTS, inputs, strict=True) if name in names}
        hidden = self.session.run(["hidden"], given)[0]
        means = np.einsum("sth,st->sh", hidden, is_token.astype(np.float32)) / lengths[:, None]
        return means / np.linalg.norm(means, axis=1, keepdims=True)
