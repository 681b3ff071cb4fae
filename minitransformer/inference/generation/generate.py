"""Generating: the loop that asks a model for the next token, chooses one, and asks again."""

import warnings
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from minitransformer.errors import UserError
from minitransformer.inference.generation.beam_search import Beam, beam_search
from minitransformer.inference.generation.continuations import Continuations
from minitransformer.inference.generation.decoder import Decoder
from minitransformer.inference.generation.options import GenerationOptions
from minitransformer.inference.generation.sampling import draw, sampling_probabilities


class NewToken(NamedTuple):
    """A token, and its log-probability: the model's own, before temperature, top-k and top-p."""

    token_id: int
    log_probability: float


class Step(NamedTuple):
    """A token more for each of R texts, those of S that haven't ended."""

    texts: np.ndarray  # (R,) which of the prompts they go on from
    token_ids: np.ndarray  # (R,)
    log_probabilities: np.ndarray  # (R,)


def generate(
    model: Decoder,
    prompt_ids: Sequence[int],
    *,
    max_new_tokens: int,
    num_beams: int = 1,
    length_penalty: float = 1.0,
    temperature: float | None = None,
    top_k: int | None = None,
    top_p: float | None = None,
    eos_token_id: int | None = None,
    rng: np.random.Generator | None = None,
) -> list[int]:
    """The ids that the model puts after the prompt, at most max_new_tokens; eos is among them if it was reached.

    Without a temperature this is greedy, or beam search with num_beams, and draws nothing. With one, it takes one
    number of `rng` a token (a fresh generator by default). What the options mean: GenerationOptions.

        >>> from minitransformer import Gpt, GptConfig, generate
        >>> model = Gpt(GptConfig.preset("tiny", vocab_size=100), seed=0)
        >>> len(generate(model, [3, 14, 15], max_new_tokens=5))
        5

    If the model's positions run out before that, it stops there and a warning says so. Raises UserError for options
    that contradict each other, for a prompt that is empty or longer than the positions, and for an id outside the
    vocabulary.
    """
    options = GenerationOptions(max_new_tokens, num_beams, length_penalty, temperature, top_k, top_p, eos_token_id)
    return [token.token_id for token in stream(model, prompt_ids, options, rng)]


def stream(
    model: Decoder, prompt_ids: Sequence[int], options: GenerationOptions, rng: np.random.Generator | None = None
) -> Iterator[NewToken]:
    """The tokens of generate(), each as soon as it is chosen; with several beams, all of them at the end."""
    if options.num_beams > 1:
        best = search_beams(model, prompt_ids, options)[0]
        yield from map(NewToken, best.token_ids, best.log_probabilities)
        return
    for step in generate_stepwise(model, [prompt_ids], options, [rng]):
        yield NewToken(int(step.token_ids[0]), float(step.log_probabilities[0]))


def generate_each(
    model: Decoder, prompts: Sequence[Sequence[int]], rng: np.random.Generator | None = None, **options: Any
) -> list[list[int]]:
    """What generate() gives for each prompt with these options, all of them in one batch; each has a child of rng."""
    chosen = GenerationOptions(**options)
    if chosen.num_beams > 1:
        return [search_beams(model, prompt, chosen)[0].token_ids for prompt in prompts]
    results: list[list[int]] = [[] for _ in prompts]
    rngs = [None] * len(prompts) if rng is None else rng.spawn(len(prompts))
    for step in generate_stepwise(model, prompts, chosen, rngs):
        for text, token_id in zip(step.texts, step.token_ids, strict=True):
            results[text].append(int(token_id))
    return results


def generate_stepwise(
    model: Decoder,
    prompts: Sequence[Sequence[int]],
    options: GenerationOptions,
    rngs: Sequence[np.random.Generator | None],
) -> Iterator[Step]:
    """The steps of generate() with one beam, for several prompts at once, each given out as soon as it is taken.

    Every text draws from its own rng, so that it comes out as it would alone.
    """
    _check_eos(model, options)
    sources = [rng or np.random.default_rng() for rng in rngs]
    texts, running = Continuations(model, prompts), np.arange(len(prompts))
    for number in range(1, options.max_new_tokens + 1):
        token_ids = _choose(texts.logits, options, [sources[text] for text in running])
        yield Step(running, token_ids, texts.log_probabilities[np.arange(len(running)), token_ids])
        if number == options.max_new_tokens:
            return
        goes_on = token_ids != options.eos_token_id
        is_full = texts.room == 1
        if (goes_on & is_full).any():
            _warn_of_positions(model)
            goes_on &= ~is_full
        if not goes_on.any():
            return
        if not goes_on.all():
            texts.select(goes_on)
            running, token_ids = running[goes_on], token_ids[goes_on]
        texts.append(token_ids)


def search_beams(model: Decoder, prompt_ids: Sequence[int], options: GenerationOptions) -> list[Beam]:
    """The ends that generate() with several beams finds, the best first."""
    _check_eos(model, options)
    text = Continuations(model, [prompt_ids])
    room, (beams, penalty, eos) = int(text.room[0]), (options.num_beams, options.length_penalty, options.eos_token_id)
    found = beam_search(text, min(options.max_new_tokens, room), beams, penalty, eos)
    if room < options.max_new_tokens and len(found[0].token_ids) == room and found[0].token_ids[-1] != eos:
        _warn_of_positions(model)
    return found


def _choose(logits: np.ndarray, options: GenerationOptions, rngs: Sequence[np.random.Generator]) -> np.ndarray:
    """The next token (S,) of each text, for logits (S, V)."""
    if options.temperature is None:
        return logits.argmax(axis=1)
    probabilities = sampling_probabilities(logits, options.temperature, options.top_k, options.top_p)
    return draw(probabilities, np.array([rng.random() for rng in rngs]))


def _check_eos(model: Decoder, options: GenerationOptions) -> None:
    eos, vocab_size = options.eos_token_id, model.config.vocab_size
    if eos is not None and eos >= vocab_size:
        raise UserError(f"eos_token_id {eos} is outside the vocabulary of {vocab_size} tokens: it can't end a text")


def _warn_of_positions(model: Decoder) -> None:
    positions = model.config.max_position_embeddings
    warnings.warn(f"the text ends here because the model's {positions} positions are used up", stacklevel=3)
