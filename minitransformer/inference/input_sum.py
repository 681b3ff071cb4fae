"""What goes into the first layer: the rows of two or three tables, and their sum."""

from typing import NamedTuple

import numpy as np

from minitransformer.models.gpt import Gpt
from minitransformer.models.transformer_encoder import TransformerEncoder
from minitransformer.text.packed_tokens import PackedTokens


class Summand(NamedTuple):
    """For each token an id, and that row of a table."""

    name: str
    ids: np.ndarray  # (N,)
    rows: np.ndarray  # (N, H)


class InputSum(NamedTuple):
    summands: list[Summand]
    total: np.ndarray  # (N, H), their sum
    embedded: np.ndarray  # (N, H), what the first layer gets: in an encoder the sum normalised, in a GPT the sum itself


def input_sum(model: TransformerEncoder | Gpt, tokens: PackedTokens) -> InputSum:
    """The sum that is the model's input (Devlin et al. 2018, figure 2), for tokens of any number of sequences."""
    embedded, embeddings = model.embedded(tokens), model.embeddings
    tables = [("token", embeddings.token, tokens.token_ids)]
    places = tokens.position_ids
    if isinstance(model, TransformerEncoder):
        places = model.embeddings.position_ids(tokens.token_ids, places)
        if model.embeddings.segment is not None:
            tables.append(("segment", model.embeddings.segment, tokens.segment_ids))
    tables.append(("position", embeddings.position, places))
    summands = [Summand(name, ids, table(ids)) for name, table, ids in tables]
    return InputSum(summands, np.sum([summand.rows for summand in summands], axis=0), embedded)
