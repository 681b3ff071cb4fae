"""A fine-tuned model that answers with a label, several labels or a number for each text or pair of texts."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.special import expit

from minitransformer.batches.many_texts import in_batches
from minitransformer.errors import MissingHead, UserError
from minitransformer.interop.model_files import TOKENIZER_FILES, ModelFiles
from minitransformer.models.encoders import classifier_of_folder
from minitransformer.models.finite_answers import finite
from minitransformer.models.sequence_classifier import SequenceClassifier
from minitransformer.models.siamese_network import SiameseNetwork, has_pair_classifier
from minitransformer.ops.softmax import softmax_forward
from minitransformer.text.bert_tokenizer import BertTokenizer
from minitransformer.text.packed_tokens import PackedTokens
from minitransformer.text.truncation import Truncation

Columns = tuple[Sequence[str], ...]  # the texts; for pairs, the first texts and the second texts


class Predictor(NamedTuple):
    """`scores` returns (S, K) for S texts or pairs: the probabilities of the labels, or the numbers of a regression.

    num_texts   1 if it takes texts, 2 if pairs of texts, None if that isn't known
    cutter      counts the texts that are longer than the model takes; its report says how many there were
    """

    labels: tuple[str, ...]
    problem_type: str
    scores: Callable[[Columns], np.ndarray]
    num_texts: int | None
    cutter: Truncation


def load_predictor(name: str | os.PathLike[str]) -> Predictor:
    """The classifier in a folder, or with that name on the hub: made by `finetune`, transformers or `train-sbert`.

    Raises UserError if the model has none.
    """
    files = ModelFiles.of(name)
    if has_pair_classifier(files.folder):
        return _pair_predictor(files)
    try:
        return _sequence_predictor(files)
    except MissingHead as error:
        raise UserError(
            f"{error}; `minitransformer finetune` makes a classifier, and so does `minitransformer train-sbert "
            "--objective classification`"
        ) from None


def _sequence_predictor(files: ModelFiles) -> Predictor:
    model = classifier_of_folder(files.base).from_pretrained(files)
    tokenizer = BertTokenizer.from_pretrained(files.folder_with(*TOKENIZER_FILES))
    cutter = Truncation(min(tokenizer.model_max_length, model.config.num_positions), "warn")
    labels, problem_type, num_texts = model.settings.labels, model.settings.problem_type, model.settings.num_texts

    def scores(columns: Columns) -> np.ndarray:
        _check_texts(columns, num_texts, files.folder)
        return scores_of(model, cut_tokens(columns, tokenizer, cutter))

    return Predictor(labels, problem_type, scores, num_texts, cutter)


def _pair_predictor(files: ModelFiles) -> Predictor:
    network = SiameseNetwork.from_pretrained(files)
    cutter = Truncation(network.encoder.max_seq_length, "warn")

    def scores(columns: Columns) -> np.ndarray:
        _check_texts(columns, 2, files.folder)
        for column in columns:
            cutter.count(network.encoder.tokenizer.pack([column]).lengths)
        first, second = columns
        return network.classify(first, second, truncation="silent")

    return Predictor(network.labels, "single_label_classification", scores, 2, cutter)


def _check_texts(columns: Columns, num_texts: int | None, folder: Path) -> None:
    if num_texts == 1 < len(columns):
        raise UserError(f"{folder} classifies single texts, found pairs; replace tabs inside texts by spaces")
    if num_texts == 2 > len(columns):
        raise UserError(f"{folder} classifies pairs of texts, found single texts; separate the two by a tab")


def cut_tokens(columns: Columns, tokenizer: BertTokenizer, cutter: Truncation) -> PackedTokens:
    """The tokens of texts or pairs, the longer ones cut to the cutter's limit, and counted by it."""
    tokens = tokenizer.pack(columns)
    cutter.count(tokens.lengths)
    is_cut = tokens.lengths.max(initial=0) > cutter.limit
    return tokenizer.pack(columns, cutter.limit) if is_cut else tokens


def scores_of(model: SequenceClassifier, tokens: PackedTokens) -> np.ndarray:
    """(S, K) for any number of texts, on all cores: probabilities of the labels, or the numbers of a regression."""
    logits = np.empty((len(tokens), len(model.settings.labels)), model.dtype)
    for sequences, rows in in_batches(tokens, model):
        logits[sequences] = rows
    finite(logits, model)
    if model.settings.answers == "softmax":
        return softmax_forward(logits)[0]
    return expit(logits) if model.settings.answers == "sigmoid" else logits
