"""Translation: from sources to the targets that a translator writes."""

from collections.abc import Sequence

import numpy as np

from minitransformer.batches.many_texts import TOKENS_PER_CORE
from minitransformer.batches.shards import bounded_shards
from minitransformer.errors import UserError
from minitransformer.inference.generation.generate import generate_stepwise, search_beams
from minitransformer.inference.generation.options import GenerationOptions
from minitransformer.models.translator import Translator
from minitransformer.parallel import available_cores, map_on_cores
from minitransformer.text.packed_tokens import IntArray, PackedTokens

TOKENS_PER_BATCH = 2048  # of sources


def translate(
    model: Translator, sources: PackedTokens, *, num_beams: int = 1, length_penalty: float = 1.0
) -> list[list[int]]:
    """The target's ids for each of S sources, without the token that ends it; on all cores.

    With one beam that is the most probable token at each step, otherwise beam search; length_penalty is what
    GenerationOptions says. A target ends at the latest with the model's positions.

        >>> from minitransformer import PackedTokens, Seq2Seq, Seq2SeqConfig
        >>> model = Seq2Seq(Seq2SeqConfig.preset("tiny", vocab_size=100, max_position_embeddings=9), seed=0)
        >>> first, second = translate(model, PackedTokens.pack([[17, 42, 0], [99, 0]]))

    Raises UserError for an id outside the vocabulary, and for a source longer than the positions.
    """
    if num_beams == 1 and length_penalty != 1:
        raise UserError(f"the length penalty {length_penalty} compares beams, but there is only one; ask for more")
    cores = min(available_cores(), max(1, len(sources.token_ids) // TOKENS_PER_CORE))
    batches = [np.array([i]) for i in range(len(sources))]
    if num_beams == 1:
        batches = bounded_shards(sources.lengths, cores, TOKENS_PER_BATCH)[::-1]

    def work(batch: IntArray) -> list[list[int]]:
        chosen = sources.select(batch)
        return _greedy(model, chosen) if num_beams == 1 else [_beams(model, chosen, num_beams, length_penalty)]

    targets: list[list[int]] = [[] for _ in range(len(sources))]
    for batch, found in zip(batches, map_on_cores(work, batches, cores), strict=True):
        for i, ids in zip(batch, found, strict=True):
            targets[i] = ids
    return targets


def _greedy(model: Translator, sources: PackedTokens) -> list[list[int]]:
    """Of a batch, which goes on until its last target ends."""
    start, eos = model.config.decoder_start_token_id, model.config.eos_token_id
    targets: list[list[int]] = [[] for _ in range(len(sources))]
    options = GenerationOptions(model.config.max_position_embeddings, eos_token_id=eos)
    starts, rngs = [[start]] * len(sources), [None] * len(sources)
    for step in generate_stepwise(model.over(sources), starts, options, rngs):
        for text, token_id in zip(step.texts, step.token_ids, strict=True):
            targets[text].append(int(token_id))
    return [_until(eos, ids) for ids in targets]


def _beams(model: Translator, source: PackedTokens, num_beams: int, length_penalty: float) -> list[int]:
    eos, limit = model.config.eos_token_id, model.config.max_position_embeddings
    options = GenerationOptions(limit, num_beams, length_penalty, eos_token_id=eos)
    [best, *_] = search_beams(model.over(source), [model.config.decoder_start_token_id], options)
    return _until(eos, best.token_ids)


def _until(eos: int, ids: Sequence[int]) -> list[int]:
    return [*ids[: ids.index(eos)]] if eos in ids else [*ids]
