"""PyTorch's nn.Transformer as a translator with our weights, for train_seq2seq.py to measure our step against.

The fastest step that we could write with it: PyTorch's own attention, the vocabulary head on the rows of tokens alone,
fused AdamW. Sources and targets are padded to the longest of their batch, and masks hide what is padding. Dropout falls
where it does in ours, after the embeddings and each sub-layer: PyTorch's attention would be slower with more of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import cycle

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from minitransformer import PackedTokens, Seq2Seq
from minitransformer.batches.translation import TranslationBatch
from minitransformer.nn.sinusoidal_embeddings import sinusoids
from scripts.benchmarks.torch_steps import TorchStep

PARTS = {  # of a layer: nn.Transformer's names, and those in a folder of ours
    "linear1": "fc1",
    "linear2": "fc2",
    "self_attn.out_proj": "self_attn.out_proj",
    "norm1": "self_attn_layer_norm",
}
ENCODER_PARTS = {**PARTS, "norm2": "final_layer_norm"}
DECODER_PARTS = {
    **PARTS,
    "multihead_attn.out_proj": "encoder_attn.out_proj",
    "norm2": "encoder_attn_layer_norm",
    "norm3": "final_layer_norm",
}
ATTENTIONS = {"self_attn": "self_attn", "multihead_attn": "encoder_attn"}


class TorchTranslator(torch.nn.Module):
    """Logits (N, V) of the targets' rows, one batch after the other."""

    def __init__(self, model: Seq2Seq) -> None:
        super().__init__()
        config = model.config
        self.dropout = torch.nn.Dropout(config.hidden_dropout_prob)
        self.transformer = torch.nn.Transformer(
            config.hidden_size,
            config.num_attention_heads,
            config.num_encoder_layers,
            config.num_decoder_layers,
            config.intermediate_size,
            config.hidden_dropout_prob,
            batch_first=True,
        )
        self.transformer.encoder.norm = self.transformer.decoder.norm = None  # not in the paper, nor in ours
        for stack in (self.transformer.encoder, self.transformer.decoder):
            for layer in stack.layers:
                layer.dropout.p = layer.self_attn.dropout = 0.0
        for layer in self.transformer.decoder.layers:
            layer.multihead_attn.dropout = 0.0
        tensors = {name: torch.from_numpy(value.copy()) for name, value in model.state_dict().items()}
        self.transformer.load_state_dict(
            {**_tensors_of("encoder", ENCODER_PARTS, tensors), **_tensors_of("decoder", DECODER_PARTS, tensors)}
        )
        self.table = torch.nn.Parameter(tensors["model.shared.weight"])
        self.bias = torch.nn.Parameter(tensors["final_logits_bias"][0])
        waves = sinusoids(np.arange(config.max_position_embeddings), config.hidden_size)
        self.waves = torch.from_numpy(waves.astype(np.float32))

    def forward(self, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
        length = inputs["targets"].shape[1]
        hidden = self.transformer(
            self.embedded(inputs["sources"]),
            self.embedded(inputs["targets"]),
            tgt_mask=torch.ones(length, length, dtype=torch.bool).triu(1),
            src_key_padding_mask=inputs["source_is_padding"],
            tgt_key_padding_mask=inputs["target_is_padding"],
            memory_key_padding_mask=inputs["source_is_padding"],
        )
        return hidden[~inputs["target_is_padding"]] @ self.table.T + self.bias

    def embedded(self, token_ids: torch.Tensor) -> torch.Tensor:
        table_rows = torch.nn.functional.embedding(token_ids, self.table)
        return self.dropout(table_rows * math.sqrt(table_rows.shape[2]) + self.waves[: token_ids.shape[1]])


def translator_step(model: Seq2Seq, batches: Sequence[TranslationBatch], threads: int) -> TorchStep:
    """Steps that learn the batches one after the other."""
    network, config = TorchTranslator(model), model.config
    start = config.decoder_start_token_id
    coming = cycle([(_padded_inputs(batch, start), torch.from_numpy(batch.targets.token_ids)) for batch in batches])

    def loss() -> torch.Tensor:
        inputs, ids = next(coming)
        return cross_entropy(network(inputs), ids, label_smoothing=config.label_smoothing)

    return TorchStep(network, loss, fused=True, threads=threads)


def _tensors_of(side: str, parts: dict[str, str], tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors of the encoder or the decoder under nn.Transformer's names: Q, K and V stand in one matrix."""
    found, layer = {}, 0
    while f"model.{side}.layers.{layer}.fc1.weight" in tensors:
        ours, theirs = f"model.{side}.layers.{layer}", f"{side}.layers.{layer}"
        for kind in ("weight", "bias"):
            found.update({f"{theirs}.{name}.{kind}": tensors[f"{ours}.{own}.{kind}"] for name, own in parts.items()})
            for name, own in ATTENTIONS.items():
                if f"{ours}.{own}.q_proj.{kind}" in tensors:
                    stacked = [tensors[f"{ours}.{own}.{letter}_proj.{kind}"] for letter in "qkv"]
                    found[f"{theirs}.{name}.in_proj_{kind}"] = torch.cat(stacked)
        layer += 1
    return found


def _padded_inputs(batch: TranslationBatch, start: int) -> dict[str, torch.Tensor]:
    inputs = batch.targets.unpack(batch.targets.token_ids)
    shifted = PackedTokens.pack([[start, *ids[:-1]] for ids in inputs])
    return {
        "sources": _padded(batch.sources, batch.sources.token_ids),
        "targets": _padded(shifted, shifted.token_ids),
        "source_is_padding": _padded(batch.sources, np.ones_like(batch.sources.token_ids)) == 0,
        "target_is_padding": _padded(shifted, np.ones_like(shifted.token_ids)) == 0,
    }


def _padded(tokens: PackedTokens, rows: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(tokens.to_padded(rows))
