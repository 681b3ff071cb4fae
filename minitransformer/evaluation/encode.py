"""What is evaluated, a function from texts to embeddings, and the baseline that any encoder must beat."""

from collections.abc import Callable

import numpy as np

from minitransformer.models.stacked_encoder import StackedEncoder
from minitransformer.ops.pooling import mean_pooling_forward
from minitransformer.text.bert_tokenizer import BertTokenizer

Encode = Callable[[list[str]], np.ndarray]  # texts to embeddings (S, E), in the same order


def averaged_token_embeddings(model: StackedEncoder, tokenizer: BertTokenizer) -> Encode:
    """Embeds a text as the mean of its token embeddings, the way GloVe vectors are averaged: no context, no order.

    [CLS] and [SEP] don't count. The embedding of a text without tokens is 0.
    """
    table = model.embeddings.token.table.value

    def encode(texts: list[str]) -> np.ndarray:
        token_ids = tokenizer.encode_plain(texts)
        lengths = np.array([len(ids) for ids in token_ids], int)
        embeddings = np.zeros((len(texts), table.shape[1]), table.dtype)
        rows = table[[token_id for ids in token_ids for token_id in ids]]
        embeddings[lengths > 0], _ = mean_pooling_forward(rows, lengths[lengths > 0])
        return embeddings

    return encode
