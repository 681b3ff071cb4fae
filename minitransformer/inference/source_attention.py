"""Which words of a source a decoder looks at while it writes: words against words (Bahdanau et al. 2015, figure 3).

Large weights are no proof of what a word was made from, but where a source and its translation have their words in
different places, they often say which belongs to which.
"""

import numpy as np

from minitransformer.models.translator import Translator
from minitransformer.text.packed_tokens import PackedTokens


def source_attention(model: Translator, source: PackedTokens, target: PackedTokens) -> np.ndarray:
    """(L, A, T, M): for each decoder layer and head, what the row that predicts target token t gives to source token m.

    source and target are one sequence each; every row adds up to 1. An LSTM has one layer, and one head. Raises
    ValueError if there are more sequences, and UserError for a model without attention.
    """
    if len(source) != 1 or len(target) != 1:
        raise ValueError(f"it is of one source and one target, found {len(source)} and {len(target)}")
    return model.source_weights(source, target)
