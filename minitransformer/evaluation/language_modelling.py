"""How well a decoder predicts a text, next to what counting gets that doesn't learn.

A loss per token says little by itself: a tokenizer with longer tokens has fewer of them, each of which is harder to
predict. What all the tokens of a text cost together, divided by the number of its characters, can be compared between
any two models of it.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from minitransformer.batches.language_modelling import windows_in_order
from minitransformer.evaluation.ngrams import ngram_losses
from minitransformer.formatting import format_table
from minitransformer.models.gpt import Gpt
from minitransformer.parallel import map_on_cores
from minitransformer.text.lossless_tokenizer import LosslessTokenizer
from minitransformer.text.packed_tokens import IntArray

TOKENS_PER_BATCH = 1024
MAX_COUNTED = 2**23  # characters to count n-grams in; this many take some ten seconds and a gigabyte
END_OF_DOCUMENT = "\U0010ffff".encode()  # for <|endoftext|>: a code point that Unicode leaves free for such uses

Ids = NDArray[np.integer]


class LanguageModelling(NamedTuple):
    """What a text costs, in nats: the mean of its tokens, and the same for each of its characters."""

    nats_per_token: float
    nats_per_character: float


class LanguageModellingBaselines(NamedTuple):
    """What must be beaten, in nats.

    uniform_per_token    ln V, each of the vocabulary equally likely: where an untrained model starts
    unigram_per_token    the mean of -ln p(token), each counted once more than it occurs in the training text
    ngram_per_character  the best n-gram of evaluation/ngrams.py
    ngram_order          its n
    ngram_counted        how many characters of the training text it was counted on, the last ones
    tokens, characters   of the text that is predicted
    """

    uniform_per_token: float
    unigram_per_token: float
    ngram_per_character: float
    ngram_order: int
    ngram_counted: int
    tokens: int
    characters: int


def evaluate_language_model(
    model: Gpt, tokenizer: LosslessTokenizer, token_ids: Ids, workers: int | None = None
) -> LanguageModelling:
    """What the model pays for token_ids (M,), without dropout, on `workers` cores (default: all).

    The first one is only seen. The text is read in windows as long as the model takes, each beginning with the last
    token of the one before: a token at the start of a window is predicted from little.
    """
    max_length, num_predicted = model.config.max_position_embeddings, len(token_ids) - 1
    batches = [*windows_in_order(token_ids, max(1, TOKENS_PER_BATCH // max_length), max_length)]
    shares = map_on_cores(lambda batch: model.forward(*batch.inputs, of_step=num_predicted)[0].total, batches, workers)
    per_token = sum(shares)
    return LanguageModelling(per_token, per_token * num_predicted / count_characters(tokenizer, token_ids[1:]))


def language_modelling_baselines(
    tokenizer: LosslessTokenizer, training_ids: Ids, token_ids: Ids
) -> LanguageModellingBaselines:
    """The baselines for token_ids (M,), of which the first is only seen, by a training text of training_ids (N,)."""
    predicted = token_ids[1:]
    counts = np.ones(tokenizer.vocab_size, np.int64)
    for part in in_parts(training_ids):
        counts += np.bincount(part, minlength=len(counts))
    training_text = characters_of(tokenizer, training_ids[-MAX_COUNTED:])[-MAX_COUNTED:]
    text = characters_of(tokenizer, predicted)
    losses = ngram_losses(training_text, text)
    num_characters = count_characters(tokenizer, predicted)
    return LanguageModellingBaselines(
        uniform_per_token=math.log(tokenizer.vocab_size),
        unigram_per_token=float(-np.log(counts / counts.sum())[predicted].mean()),
        ngram_per_character=min(losses) * len(text) / num_characters,
        ngram_order=1 + losses.index(min(losses)),
        ngram_counted=len(training_text),
        tokens=len(predicted),
        characters=num_characters,
    )


def in_parts(token_ids: Ids) -> list[Ids]:
    """Views of the ids, so that a long row of them isn't copied as a whole."""
    return [token_ids[start : start + MAX_COUNTED] for start in range(0, len(token_ids), MAX_COUNTED)]


def count_characters(tokenizer: LosslessTokenizer, token_ids: Ids) -> int:
    """How many characters the text of some ids has."""
    return sum(int(tokenizer.num_characters[part].sum()) for part in in_parts(token_ids))


def characters_of(tokenizer: LosslessTokenizer, token_ids: Ids) -> IntArray:
    """The code points of the text of some ids, the ends of its documents included."""
    token_bytes = [*tokenizer.token_bytes]
    token_bytes[tokenizer.eos_token_id] = END_OF_DOCUMENT
    text = b"".join(map(token_bytes.__getitem__, token_ids.tolist())).decode("utf-8", "replace")
    return np.frombuffer(text.encode("utf-32-le"), np.uint32).astype(np.int64)


def language_modelling_report(
    metrics: LanguageModelling, baselines: LanguageModellingBaselines, counted_on: str = "the training text"
) -> str:
    """A table of what the model pays, next to what it must beat; counted_on says what the baselines were counted on.

    >>> print(language_modelling_report(LanguageModelling(1.512, 1.512),
    ...                                 LanguageModellingBaselines(4.19, 3.35, 1.669, 5, 1003854, 1000, 1000)))
    nats       per token  per character
    the model      1.512          1.512  perplexity 4.54 for each token
    to beat        1.669          1.669  5-grams of characters, counted on 1,003,854 of those in the training text
                   3.350          3.350  unigrams: the tokens' shares of the training text
                   4.190          4.190  ln V, all tokens equally likely
    """
    m, b = metrics, baselines
    characters_per_token = b.characters / b.tokens

    def row(name: str, nats_per_token: float, what: str) -> list[str]:
        return [name, f"{nats_per_token:.3f}", f"{nats_per_token / characters_per_token:.3f}", what]

    ngrams = f"{b.ngram_order}-grams of characters, counted on {b.ngram_counted:,} of those in {counted_on}"
    return format_table(
        [
            ["nats", "per token", "per character"],
            row("the model", m.nats_per_token, f"perplexity {math.exp(m.nats_per_token):.2f} for each token"),
            row("to beat", b.ngram_per_character * characters_per_token, ngrams),
            row("", b.unigram_per_token, f"unigrams: the tokens' shares of {counted_on}"),
            row("", b.uniform_per_token, "ln V, all tokens equally likely"),
        ]
    )
