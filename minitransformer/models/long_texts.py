"""A text that is longer than the model takes, embedded whole: the mean of the embeddings of windows of it."""

from collections.abc import Sequence

import numpy as np

from minitransformer.ops.normalise import normalise_forward

LONG_TEXTS = ("cut", "mean")  # what may be done about them


def windows(token_ids: list[int], num_before: int, limit: int, num_after: int = 1) -> list[list[int]]:
    """The tokens of a text in as few windows as `limit` allows, all of them about equally long.

    The first num_before tokens ([CLS] and a prompt) and the last num_after ([SEP]) are put around every window.

    >>> windows([101, 1, 2, 3, 4, 5, 102], num_before=1, limit=5)
    [[101, 1, 2, 3, 102], [101, 4, 5, 102]]
    """
    end = len(token_ids) - num_after
    before, pieces, after = token_ids[:num_before], token_ids[num_before:end], token_ids[end:]
    num_windows = max(1, -(-len(pieces) // (limit - num_before - num_after)))
    return [[*before, *window.tolist(), *after] for window in np.array_split(np.array(pieces, int), num_windows)]


def mean_of_windows(
    embeddings: np.ndarray, num_tokens: np.ndarray, num_windows: Sequence[int], normalise: bool
) -> np.ndarray:
    """(S, E) from the embeddings (W, E) of windows, of which text s has the next num_windows[s].

    Each window counts by its num_tokens (W,), so that each token of the text counts alike. With `normalise`, means are
    scaled to length 1, as the windows' embeddings are. A text of one window keeps the embedding of that.
    """
    firsts = np.cumsum(num_windows) - num_windows
    mean = embeddings[firsts]
    for s in np.flatnonzero(np.array(num_windows) > 1).tolist():
        own = slice(firsts[s], firsts[s] + num_windows[s])
        weights = num_tokens[own] / num_tokens[own].sum()
        mean[s] = weights.astype(embeddings.dtype) @ embeddings[own]
        if normalise:
            mean[s : s + 1], _ = normalise_forward(mean[s : s + 1])
    return mean
