"""RoBERTa's input: BERT's, but positions begin at the row behind the padding token's."""

from typing import Any

import numpy as np

from minitransformer.nn.bert_embeddings import BertEmbeddings


class RobertaEmbeddings(BertEmbeddings):
    """BertEmbeddings whose position 0 is row pad_token_id + 1 of the table (Liu et al. 2019, 1907.11692; fairseq).

    A padding token in a text has row pad_token_id itself and doesn't count, whatever it may be there for.
    """

    def __init__(self, pad_token_id: int, *of_bert: Any) -> None:
        super().__init__(*of_bert)
        self.pad_token_id = pad_token_id

    def position_ids(self, token_ids: np.ndarray, position_ids: np.ndarray) -> np.ndarray:
        counts = token_ids != self.pad_token_id
        places = np.cumsum(counts)
        starts = np.arange(len(token_ids)) - position_ids
        return self.pad_token_id + counts * (places - (places - counts)[starts])
