"""The face of a translator: what turns a source into a target."""

from typing import Any, NamedTuple, TypeVar

import numpy as np

from minitransformer.errors import UserError
from minitransformer.models.id_check import check_tokens
from minitransformer.models.pretrained_model import PretrainedModel
from minitransformer.nn.module import Module
from minitransformer.objectives.smoothed_prediction import (
    SmoothedPrediction,
    SmoothedPredictionCache,
    smoothed_prediction_backward,
    smoothed_prediction_forward,
)
from minitransformer.text.packed_tokens import PackedTokens, unchecked

Config = TypeVar("Config")


class TranslatorCache(NamedTuple):
    hidden: Any
    prediction: SmoothedPredictionCache


class Translator(PretrainedModel[Config]):
    """A model of targets for sources: two batches of as many sequences, each of which ends with config.eos_token_id.

    In training its decoder's input is the true target one place later, config.decoder_start_token_id first ("teacher
    forcing"): each row predicts the token that its target has there, and no row sees it.
    """

    config: Any
    head: Module

    def __call__(self, sources: PackedTokens, targets: PackedTokens) -> np.ndarray:
        """logits (N, V): for each token of the targets, which one the rows before it foresaw. No dropout, no cache."""
        self._check_pairs(sources, targets)
        decoder = self.over(sources)
        return self.head(decoder.hidden(self._shifted(targets), decoder.key_values(len(targets))))

    def forward(
        self,
        sources: PackedTokens,
        targets: PackedTokens,
        rng: np.random.Generator | None = None,
        of_step: int | None = None,
    ) -> tuple[SmoothedPrediction, TranslatorCache]:
        """The loss of the batch, and the cache. Dropout happens only with an rng.

        If the batch is one shard of a step, `of_step` is how many target tokens the whole step has, so that losses and
        gradients of the shards add up to those of the step as one batch.
        """
        self._check_pairs(sources, targets)
        hidden, hidden_cache = self._hidden_forward(sources, self._shifted(targets), rng)
        ids, smoothing = targets.token_ids, self.config.label_smoothing
        loss, prediction_cache = smoothed_prediction_forward(self.head, hidden, ids, smoothing, of_step)
        return loss, TranslatorCache(hidden_cache, prediction_cache)

    def backward(self, cache: TranslatorCache) -> None:
        """Add the gradients of loss.total to those of all parameters."""
        self._hidden_backward(smoothed_prediction_backward(self.head, cache.prediction), cache.hidden)

    def _hidden_forward(
        self, sources: PackedTokens, inputs: PackedTokens, rng: np.random.Generator | None
    ) -> tuple[np.ndarray, Any]:
        """hidden (N, H), what the decoder makes of its inputs and of the sources, and the cache."""
        raise NotImplementedError

    def _hidden_backward(self, d_hidden: np.ndarray, cache: Any) -> None:
        """Add the gradients of all parameters but the head's own, for d_hidden (N, H)."""
        raise NotImplementedError

    def over(self, sources: PackedTokens) -> Any:
        """The decoder with S sources that it has read: a language model of their targets, as generation asks for it.

        That is a Decoder of inference/generation/decoder.py.
        """
        raise NotImplementedError

    def source_weights(self, source: PackedTokens, target: PackedTokens) -> np.ndarray:
        """(L, A, T, M) as source_attention of inference/source_attention.py, whose work this is."""
        raise NotImplementedError

    def _shifted(self, targets: PackedTokens) -> PackedTokens:
        """Each target one place later, behind the start token and without its last one."""
        ids = np.roll(targets.token_ids, 1)
        ids[targets.starts] = self.config.decoder_start_token_id
        return unchecked(PackedTokens, ids, targets.segment_ids, targets.position_ids, targets.lengths)

    def _check_pairs(self, sources: PackedTokens, targets: PackedTokens) -> None:
        if len(sources) != len(targets):
            raise UserError(f"there are {len(sources)} sources but {len(targets)} targets; each needs the other")
        self._check(sources, "source")
        self._check(targets, "target")

    def _check(self, tokens: PackedTokens, what: str) -> None:
        longest, positions = int(tokens.lengths.max(initial=0)), self.config.max_position_embeddings
        if longest > positions:
            raise UserError(f"a {what} has {longest} tokens, but this model has {positions} positions; shorten it")
        check_tokens(tokens, self.config)
