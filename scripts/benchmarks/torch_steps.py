"""PyTorch's training steps, for pretrain.py to measure ours against.

Pretraining:

    plain     transformers' BertForPreTraining as it comes: padded to the longest sequence, labels -100 where nothing is
              masked, torch.optim.AdamW with its defaults
    best      the fastest step that we could write with PyTorch: the same modules, but the vocabulary head sees the
              masked rows alone, no attention mask where nothing is padded, and AdamW is fused

A GPT: the same two, as pretrain_gpt.py says. Fine-tuning of a sentence encoder: a plain loop over transformers'
BertModel, each text padded to the longest of its side of the batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import cycle

import torch
from torch.nn.functional import cosine_similarity, cross_entropy, mse_loss

from minitransformer import BertForPreTraining, Gpt, PretrainingBatch, SentenceEncoder
from minitransformer.batches.language_modelling import LanguageModellingBatch
from scripts.benchmarks.measure import THREADS
from scripts.benchmarks.our_steps import ScoredPairs
from tests.parity.gpt_twin import transformers_gpt
from tests.parity.pretraining_twin import IGNORED, padded, padded_inputs, transformers_twin

ATTENTION = "sdpa"  # PyTorch's scaled_dot_product_attention, which transformers chooses by itself


class TorchStep:
    """One training step: gradients of the loss, clipping, AdamW. Calling it takes the step and returns the loss."""

    def __init__(
        self,
        network: torch.nn.Module,
        loss: Callable[[], torch.Tensor],
        fused: bool | None,
        threads: int = THREADS,
    ) -> None:
        self.network = network.train()
        self.loss = loss
        self.threads = threads
        self.optimizer = torch.optim.AdamW(decayed_and_not(network), lr=1e-4, fused=fused)

    def __call__(self) -> float:
        torch.set_num_threads(self.threads)  # the BLAS limit of our workers may have reached PyTorch's as well
        self.optimizer.zero_grad()
        loss = self.loss()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        return loss.item()

    def loss_and_norm(self) -> tuple[float, float]:
        """The loss without dropout, and the length of its gradient: to check that all contenders compute the same."""
        self.network.eval()
        self.network.zero_grad()
        loss = self.loss()
        loss.backward()
        self.network.train()
        gradients = [parameter.grad for parameter in self.network.parameters() if parameter.grad is not None]
        squares = sum(gradient.double().square().sum().item() for gradient in gradients)
        return loss.item(), math.sqrt(squares)


def plain_step(model: BertForPreTraining, batch: PretrainingBatch) -> TorchStep:
    network, inputs = transformers_twin(model, ATTENTION), padded_inputs(batch)
    return TorchStep(network, lambda: network(**inputs).loss, fused=None)


def best_step(model: BertForPreTraining, batch: PretrainingBatch) -> TorchStep:
    network, inputs = transformers_twin(model, ATTENTION), padded_inputs(batch)
    is_masked = inputs.pop("labels") != IGNORED
    masked_ids = padded_inputs(batch)["labels"][is_masked]
    is_random_next = inputs.pop("next_sentence_label")
    if inputs["attention_mask"].all():
        del inputs["attention_mask"]

    def loss() -> torch.Tensor:
        encoded = network.bert(**inputs)
        mlm_logits = network.cls.predictions(encoded.last_hidden_state[is_masked])
        nsp_logits = network.cls.seq_relationship(encoded.pooler_output)
        return cross_entropy(mlm_logits, masked_ids) + cross_entropy(nsp_logits, is_random_next)

    return TorchStep(network, loss, fused=True)


def plain_gpt_step(model: Gpt, batch: LanguageModellingBatch) -> TorchStep:
    network, ids = transformers_gpt(model, ATTENTION), token_ids(batch)
    return TorchStep(network, lambda: network(input_ids=ids, labels=ids).loss, fused=None)


def best_gpt_step(model: Gpt, batch: LanguageModellingBatch) -> TorchStep:
    network, ids = transformers_gpt(model, ATTENTION), token_ids(batch)
    next_ids = ids[:, 1:].flatten()

    def loss() -> torch.Tensor:
        hidden = network.transformer(input_ids=ids).last_hidden_state
        return cross_entropy(network.lm_head(hidden[:, :-1]).flatten(0, 1), next_ids)

    return TorchStep(network, loss, fused=True)


def token_ids(batch: LanguageModellingBatch) -> torch.Tensor:
    """Sequences of equal length (S, T), which need no padding and so no mask."""
    return torch.from_numpy(batch.tokens.to_padded(batch.tokens.token_ids))


def finetuning_step(encoder: SentenceEncoder, batches: Sequence[ScoredPairs]) -> TorchStep:
    """Steps that learn the batches one after the other: mean pooling, cosine, squared error."""
    network = transformers_twin(encoder.encoder, ATTENTION)
    coming = cycle([sides_and_cosines(batch) for batch in batches])

    def embeddings(inputs: dict[str, torch.Tensor]) -> torch.Tensor:
        hidden = network(**inputs).last_hidden_state
        is_token = inputs["attention_mask"].unsqueeze(-1)
        return (hidden * is_token).sum(dim=1) / is_token.sum(dim=1)

    def loss() -> torch.Tensor:
        first, second, cosines = next(coming)
        return mse_loss(cosine_similarity(embeddings(first), embeddings(second)), cosines)

    return TorchStep(network, loss, fused=None)


def sides_and_cosines(batch: ScoredPairs) -> tuple[dict, dict, torch.Tensor]:
    """The first texts and the second ones, each padded to their longest, and the cosines."""
    half = len(batch.cosines)
    first, second = batch.tokens.select(slice(half)), batch.tokens.select(slice(half, None))
    return padded(first), padded(second), torch.tensor(batch.cosines)


def decayed_and_not(network: torch.nn.Module) -> list[dict]:
    """Weight decay for the matrices alone, as ours."""
    parameters = list(network.parameters())
    return [
        {"params": [parameter for parameter in parameters if parameter.ndim > 1], "weight_decay": 0.01},
        {"params": [parameter for parameter in parameters if parameter.ndim == 1], "weight_decay": 0.0},
    ]
