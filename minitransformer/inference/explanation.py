"""Why two texts have the cosine that they have: the part that each pair of their tokens contributes.

With mean pooling an embedding is a sum over tokens, u = sum_i h_i / T and v = sum_j g_j / U. So the cosine is a sum
over pairs of tokens, without a remainder:

    cos(u, v) = u . v / (|u| |v|) = sum_ij  h_i . g_j / (T U |u| |v|)

The parts say what the cosine is made of. They don't say what it would be without a token, since attention has already
mixed the tokens of each text.
"""

from typing import NamedTuple

import numpy as np

from minitransformer.errors import UserError
from minitransformer.models.finite_answers import finite
from minitransformer.models.sentence_encoder import SentenceEncoder


class SimilarityExplanation(NamedTuple):
    first_tokens: list[str]  # T
    second_tokens: list[str]  # U
    contributions: np.ndarray  # (T, U), which add up to the cosine

    @property
    def cosine(self) -> float:
        return float(self.contributions.sum())


def explain_similarity(encoder: SentenceEncoder, first: str, second: str) -> SimilarityExplanation:
    """What each pair of tokens contributes to the cosine of two texts.

    Raises UserError for an encoder whose embedding isn't a sum over tokens: one with another pooling or a dense layer.
    """
    settings = encoder.settings
    if settings.pooling not in (("mean",), ("mean_sqrt_len",)) or not {*settings.head} <= {"normalise"}:
        raise UserError(
            "the cosine is a sum over pairs of tokens only with mean pooling and without a dense layer; this encoder "
            f"has {' and '.join(settings.pooling)} pooling{' and a head' if settings.head else ''}"
        )
    tokens = encoder.tokenize([first, second])
    rows, other_rows = tokens.unpack(encoder.encoder.hidden(tokens))
    lengths = np.linalg.norm(rows.sum(axis=0)) * np.linalg.norm(other_rows.sum(axis=0))
    names, other_names = map(encoder.tokenizer.convert_ids_to_tokens, tokens.unpack(tokens.token_ids))
    return SimilarityExplanation(names, other_names, finite(rows @ other_rows.T / lengths, encoder))
