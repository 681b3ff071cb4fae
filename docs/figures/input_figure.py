"""The lecture's input figure, with the numbers of a BERT-tiny that hasn't learnt anything yet."""

import numpy as np

from minitransformer import Bert, BertConfig, BertTokenizer
from minitransformer.inference.input_sum import InputSum, Summand, input_sum
from minitransformer.pictures.drawing import svg
from minitransformer.pictures.input_sum import COLUMNS, input_drawing

WORDS = ["my", "dog", "is", "cute", "he", "likes", "play", "##ing"]


def data():
    tokenizer = BertTokenizer.from_vocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS])
    tokens = tokenizer("My dog is cute", pairs="he likes playing")
    parts = input_sum(Bert(BertConfig.preset("tiny", vocab_size=tokenizer.vocab_size), seed=0), tokens)
    return {
        "tokens": tokenizer.convert_ids_to_tokens(tokens.token_ids),
        "summands": [[name, ids.tolist(), rows[:, :COLUMNS].tolist()] for name, ids, rows in parts.summands],
        "sum": parts.total[:, :COLUMNS].tolist(),
        "normalised": parts.embedded[:, :COLUMNS].tolist(),
    }


def draw(data):
    summands = [Summand(name, np.array(ids), np.array(rows)) for name, ids, rows in data["summands"]]
    parts = InputSum(summands, np.array(data["sum"]), np.array(data["normalised"]))
    return svg(
        input_drawing(data["tokens"], parts, num_columns=128),
        "BERT's input",
        "For each token of “my dog is cute” and “he likes playing” a row for what it is, a row for its text and a row "
        "for its place are added up and normalised. The tokens of a text share a segment row.",
        data,
    )
