"""Beam search: the most probable text that can be found while only a few beginnings are followed.

Greedy choice takes the best token at each step, and may miss the best text: after a poor start can come a great end.
Beam search follows the B best beginnings at once. At each step it

1. scores every continuation of every beam: the sum of the log-probabilities of its tokens;
2. takes the best 2 B of them all, enough to go on with even if half of them end here;
3. puts those among the first B that end (with eos, or at the last step) aside, with the score
   sum / (number of tokens)^length_penalty, and keeps the B best of what was put aside;
4. goes on with the best B that don't end;

and stops when B texts have been put aside and the best beam, were it to end now, would not be better than the worst of
them. This is transformers' algorithm with early_stopping=False (generation/utils.py, _beam_search). The sum is negative
and falls with every token; a penalty of 1 makes it a mean, 0 leaves the sum, and above 1 long texts are preferred.
"""

from typing import NamedTuple

import numpy as np

from minitransformer.inference.generation.continuations import Continuations


class Beam(NamedTuple):
    """New tokens of a text, and what each of them adds to its log-probability."""

    token_ids: list[int]
    log_probabilities: list[float]

    @property
    def log_probability(self) -> float:
        return sum(self.log_probabilities)

    def score(self, length_penalty: float) -> float:
        return self.log_probability / len(self.token_ids) ** length_penalty

    def followed_by(self, token_id: int, log_probability: float) -> "Beam":
        return Beam([*self.token_ids, token_id], [*self.log_probabilities, log_probability])


def beam_search(
    text: Continuations,
    max_new_tokens: int,
    num_beams: int,
    length_penalty: float = 1.0,
    eos_token_id: int | None = None,
) -> list[Beam]:
    """The best ends that were found for one text, at most num_beams, the best first; eos is a part of them."""
    running, finished = [Beam([], [])], []
    for length in range(1, max_new_tokens + 1):
        candidates = best_continuations(running, text.log_probabilities, 2 * num_beams)
        ends = [length == max_new_tokens or beam.token_ids[-1] == eos_token_id for _, beam in candidates]
        finished += [beam for (_, beam), end in zip(candidates[:num_beams], ends, strict=False) if end]
        finished.sort(key=lambda beam: -beam.score(length_penalty))
        del finished[num_beams:]
        going_on = [candidate for candidate, end in zip(candidates, ends, strict=True) if not end][:num_beams]
        running = [beam for _, beam in going_on]
        is_full = len(finished) == num_beams
        if not running or (is_full and finished[-1].score(length_penalty) >= running[0].score(length_penalty)):
            break
        text.select(np.array([parent for parent, _ in going_on]))
        text.append(np.array([beam.token_ids[-1] for beam in running]))
    return finished


def best_continuations(running: list[Beam], log_probabilities: np.ndarray, count: int) -> list[tuple[int, Beam]]:
    """The best continuations of all beams by one token, and which beam each comes from; the best first."""
    sums = np.array([[beam.log_probability] for beam in running]) + log_probabilities
    flat = sums.ravel()
    best = np.argpartition(-flat, count)[:count] if count < flat.size else np.arange(flat.size)
    best = best[np.argsort(-flat[best], kind="stable")]
    parents, token_ids = np.divmod(best[np.isfinite(flat[best])], sums.shape[1])
    return [
        (parent, running[parent].followed_by(token_id, float(log_probabilities[parent, token_id])))
        for parent, token_id in zip(parents.tolist(), token_ids.tolist(), strict=True)
    ]
