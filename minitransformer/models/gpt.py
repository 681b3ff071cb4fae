"""GPT: embeddings, a stack of causal layers, and a score for each token that may come next."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from minitransformer.errors import UserError
from minitransformer.interop.layouts.gpt2 import GPT2
from minitransformer.interop.loading import Checkpoint
from minitransformer.models.encoder import Encoder
from minitransformer.models.gpt_config import GptConfig
from minitransformer.models.id_check import check_tokens
from minitransformer.models.pretrained_model import PretrainedModel, untied_if_the_file_is
from minitransformer.nn.attention import SelfAttention
from minitransformer.nn.embedding import Embedding
from minitransformer.nn.feed_forward import FeedForward
from minitransformer.nn.gpt_embeddings import GptEmbeddings, GptEmbeddingsCache
from minitransformer.nn.key_values import KeyValues
from minitransformer.nn.layer_norm import LayerNorm
from minitransformer.nn.parameter import Normal
from minitransformer.nn.pre_norm_layer import PreNormLayer
from minitransformer.nn.stack import Stack
from minitransformer.nn.vocabulary_head import VocabularyHead
from minitransformer.objectives.row_prediction import (
    RowPredictionCache,
    row_prediction_backward,
    row_prediction_forward,
)
from minitransformer.ops.layer_norm import LayerNormCache
from minitransformer.text.packed_tokens import IntArray, PackedTokens


class NextTokenLoss(NamedTuple):
    """How well a batch's tokens were foreseen: nats for each, and the share of them that had the highest score.

    When a step's batch is cut into shards, each shard's numbers are divided by the whole step's count already: added
    up, they are the step's.
    """

    total: float
    accuracy: float


class GptHiddenCache(NamedTuple):
    embeddings: GptEmbeddingsCache | None  # None if they are frozen
    layers: list[Any]
    norm: LayerNormCache


class GptCache(NamedTuple):
    hidden: GptHiddenCache
    prediction: RowPredictionCache


class Gpt(PretrainedModel[GptConfig], Encoder):
    """The decoder of Radford et al. 2019 ("Language Models are Unsupervised Multitask Learners", section 2.3).

        hidden = norm(layers(embeddings(tokens))),   logits = hidden table^T
        loss = mean of -log p(the token that comes next), over all rows but the last of each sequence

        >>> from minitransformer import Gpt, GptConfig, PackedTokens
        >>> model = Gpt(GptConfig.preset("tiny", vocab_size=1000), seed=0)
        >>> tokens = PackedTokens.pack([[2, 17, 42, 3], [2, 99, 3]])
        >>> model(tokens).shape
        (7, 1000)
        >>> loss, cache = model.forward(tokens)
        >>> model.backward(cache)

    No row sees what comes after it, so one pass over a text asks for the next token at every place of it.
    The seed None leaves the parameters without values: for a model that this one becomes a part of.
    """

    config_type = GptConfig
    layout = GPT2
    architecture = "GPT2LMHeadModel"

    def __init__(self, config: GptConfig, seed: int | None = 0, dtype: DTypeLike = np.float32) -> None:
        self.config = config
        self.hidden_size = config.hidden_size
        sizes = config.vocab_size, config.max_position_embeddings, config.hidden_size
        self.embeddings = GptEmbeddings(*sizes, config.embedding_dropout_prob)
        self.layers = Stack([_pre_norm_layer(config) for _ in range(config.num_hidden_layers)])
        self.norm = LayerNorm(config.hidden_size, config.layer_norm_eps)
        tied = config.tie_word_embeddings
        self.head = VocabularyHead(self.embeddings.token if tied else Embedding(config.vocab_size, config.hidden_size))
        self._choose_first_weights()
        if seed is not None:
            self.initialise(seed, dtype)

    def __call__(self, tokens: PackedTokens, seen: Sequence[KeyValues] | None = None) -> np.ndarray:
        """logits (N, V): for each row, which token comes next. No dropout, no cache; `seen` as in hidden()."""
        return self.head(self.hidden(tokens, seen))

    def forward(
        self, tokens: PackedTokens, rng: np.random.Generator | None = None, of_step: int | None = None
    ) -> tuple[NextTokenLoss, GptCache]:
        """The loss of the batch, and the cache. Dropout happens only with an rng.

        If the batch is one shard of a step, `of_step` is how many tokens the whole step predicts (N - S), so that
        losses and gradients of the shards add up to those of the step as one batch. A batch that predicts none has the
        loss 0.
        """
        hidden, hidden_cache = self.hidden_forward(tokens, rng)
        predicted, cache = row_prediction_forward(self.head, hidden, *next_tokens(tokens), of_step)
        return NextTokenLoss(*predicted), GptCache(hidden_cache, cache)

    def backward(self, cache: GptCache) -> None:
        """Add the gradients of loss.total to those of all parameters."""
        d_hidden = row_prediction_backward(self.head, cache.prediction)
        self.hidden_backward(d_hidden, cache.hidden)

    def hidden(self, tokens: PackedTokens, seen: Sequence[KeyValues] | None = None) -> np.ndarray:
        """hidden (N, H), what the head makes logits of.

        With `seen`, what key_values() gave for as many sequences, the tokens continue those sequences: their positions
        count on, they see what was seen, and are remembered in it.
        """
        if seen is not None:
            tokens = tokens.after(seen[0].lengths)
        return self.norm(self.layers(self.embedded(tokens), tokens.lengths, seen))

    def embedded(self, tokens: PackedTokens) -> np.ndarray:
        """x (N, H), what goes into the first layer, for inference."""
        self._check(tokens)
        return self.embeddings(tokens.token_ids, tokens.position_ids)

    def hidden_forward(
        self, tokens: PackedTokens, rng: np.random.Generator | None = None
    ) -> tuple[np.ndarray, GptHiddenCache]:
        """hidden (N, H), and the cache. Dropout happens only with an rng, and not in what is frozen at the bottom."""
        self._check(tokens)
        ids = tokens.token_ids, tokens.position_ids
        if self.embeddings.is_trained:
            x, embeddings_cache = self.embeddings.forward(*ids, rng)
        else:
            x, embeddings_cache = self.embeddings(*ids), None
        x, layer_caches = self.layers.forward(x, tokens.lengths, rng, x_is_frozen=embeddings_cache is None)
        hidden, norm_cache = self.norm.forward(x)
        return hidden, GptHiddenCache(embeddings_cache, layer_caches, norm_cache)

    def hidden_backward(self, d_hidden: np.ndarray, cache: GptHiddenCache) -> None:
        dx = self.layers.backward(self.norm.backward(d_hidden, cache.norm), cache.layers)
        if dx is not None and cache.embeddings is not None:
            self.embeddings.backward(dx, cache.embeddings)

    def key_values(self, num_sequences: int) -> list[KeyValues]:
        """Room for what each layer will have seen of so many sequences; as yet nothing."""
        return [KeyValues(num_sequences, self.hidden_size, self.dtype) for _ in self.layers]

    def _check(self, tokens: PackedTokens) -> None:
        check_tokens(tokens, self.config)
        if tokens.segment_ids.any():
            raise UserError(f"there is a segment id {tokens.segment_ids.max()}, but a GPT has no segments: all are 0")

    def _choose_first_weights(self) -> None:
        """Matrices of standard deviation init_std; those that write into the sum of 2 L sub-layers, of less.

        A sum of 2 L independent numbers is sqrt(2 L) times as large as one of them (section 2.3).
        """
        init_std, num_sublayers = self.config.initializer_range, 2 * self.config.num_hidden_layers
        for name, parameter in self.named_parameters():
            if name.endswith(("attention.output.weight", "feed_forward.outer.weight")):
                parameter.initialiser = Normal(init_std / math.sqrt(num_sublayers))
            elif len(parameter.shape) == 2:
                parameter.initialiser = Normal(init_std)

    @classmethod
    def _read_config(cls, folder: Path, tensors: Checkpoint) -> GptConfig:
        return untied_if_the_file_is(super()._read_config(folder, tensors), GPT2.tensors, tensors)


def next_tokens(tokens: PackedTokens) -> tuple[IntArray, IntArray]:
    """The rows that another token of their sequence follows, and the ids of those tokens: (N - S,) each."""
    is_followed = np.ones(len(tokens.token_ids), bool)
    is_followed[tokens.starts + tokens.lengths - 1] = False
    rows = np.flatnonzero(is_followed)
    return rows, tokens.token_ids[rows + 1]


def _pre_norm_layer(config: GptConfig) -> PreNormLayer:
    size, dropout = config.hidden_size, config.hidden_dropout_prob
    heads, attention_dropout = config.num_attention_heads, config.attention_probs_dropout_prob
    attention = SelfAttention(size, heads, attention_dropout, dropout, causal=True)
    feed_forward = FeedForward(size, config.intermediate_size, config.activation, dropout)
    return PreNormLayer(attention, feed_forward, size, config.layer_norm_eps)
