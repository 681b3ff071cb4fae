"""SentEval's transfer tasks: how much of a text's meaning can a linear classifier read off its frozen embedding?

A logistic regression is fitted to the embeddings, or to (|u - v|, u * v) for pairs. C, the weight of the data against
the L2 penalty, is whichever of 2^-2, 2^-1 ... 2^3 has the best accuracy on texts that it wasn't fitted to (Conneau,
Kiela 2018, arXiv 1803.05449, section 4, and the published code, senteval/tools/validation.py):

    train, dev and test (SST)        choose C on dev
    train and test (TREC, MRPC)      choose C by ten folds of train
    train alone (MR, CR, SUBJ, MPQA) ten folds, each the test part once; choose C by ten folds of the rest

A task without its test part is tested on dev, if it has one.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from minitransformer.errors import UserError
from minitransformer.evaluation.embedding_health import EmbeddingHealth, embedding_health
from minitransformer.evaluation.encode import Encode
from minitransformer.evaluation.logistic_regression import fit_logistic_regression, principal_axes
from minitransformer.evaluation.senteval_files import Part
from minitransformer.ops.pair_features import pair_features_forward
from minitransformer.parallel import one_blas_thread

C_CHOICES = tuple(2.0**power for power in range(-2, 4))
FOLDS = 10


class TaskScore(NamedTuple):
    accuracy: float  # times 100, as papers print it
    protocol: str  # what the accuracy was measured on: "test part", "dev part" or "ten folds"
    health: EmbeddingHealth


class Split(NamedTuple):
    """The rows to fit to, and those to test on."""

    fit: np.ndarray
    test: np.ndarray


def check_parts(parts: dict[str, Part]) -> None:
    """Raise UserError for parts of a task on which an accuracy would say nothing."""
    counts = Counter(parts["train"].labels)
    if len(counts) < 2:
        raise UserError(f"all texts of the train part have the label {min(counts)!r}: there is nothing to tell apart")
    for name, part in parts.items():
        if unknown := {*part.labels} - {*counts}:
            raise UserError(f"texts of the {name} part have the label {min(unknown)!r}, but none of the train part has")
    label = min(counts, key=counts.__getitem__)
    if len(parts) < 3 and counts[label] < FOLDS:  # folds of the train part choose the penalty or are the measure itself
        few = f"only {counts[label]} texts of the train part have the label {label!r}"
        raise UserError(f"{few}; its {FOLDS} folds need as many of each")


def evaluate_task(encode: Encode, parts: dict[str, Part], show_progress: bool = False) -> TaskScore:
    """The accuracy of the embeddings on a task, given as its parts (see read_task). Errors: check_parts."""
    check_parts(parts)
    features, health = _features(encode, parts)
    labels = np.array([label for part in parts.values() for label in part.labels])
    ends = np.cumsum([len(part.labels) for part in parts.values()])
    rows = dict(zip(parts, np.split(np.arange(len(labels)), ends[:-1]), strict=True))
    probe = Probe(principal_axes(features), labels)
    with one_blas_thread():  # such narrow products take longer on several threads
        accuracy, protocol = _measure(probe, rows, show_progress)
    return TaskScore(100 * accuracy, protocol, health)


class Probe:
    """Logistic regressions on parts of the rows of x (n, num_features) with labels (n,)."""

    def __init__(self, x: np.ndarray, labels: np.ndarray) -> None:
        self.x = x
        classes, self.labels = np.unique(labels, return_inverse=True)
        self.num_classes = len(classes)

    def accuracy(self, split: Split, c: float) -> float:
        """The share of right answers on the split's test rows."""
        regression = fit_logistic_regression(self.x[split.fit], self.labels[split.fit], self.num_classes, c)
        return float((regression.predict(self.x[split.test]) == self.labels[split.test]).mean())

    def best_c(self, splits: Sequence[Split], show_progress: bool = False) -> float:
        """The C with the best mean accuracy over the splits; the smallest of equally good ones."""
        bar = tqdm(C_CHOICES, "choosing the penalty", leave=False, disable=not show_progress)
        accuracies = [np.mean([self.accuracy(split, c) for split in splits]) for c in bar]
        return C_CHOICES[int(np.argmax(accuracies))]

    def cross_validated_accuracy(self, show_progress: bool = False) -> float:
        """The mean accuracy over ten folds, each with a C chosen by ten folds of the rows outside it."""
        outer = tqdm(self.folds(np.arange(len(self.x))), "folds", leave=False, disable=not show_progress)
        return float(np.mean([self.accuracy(split, self.best_c(self.folds(split.fit))) for split in outer]))

    def folds(self, rows: np.ndarray) -> list[Split]:
        """Ten ways to split the rows, with each row in one test part and about the same share of each class in all.

        These are SentEval's folds, scikit-learn's StratifiedKFold(10, shuffle=True, random_state=1111), because other
        folds would change an accuracy by up to half a point.
        """
        rng = np.random.RandomState(1111)
        labels = self.labels[rows]
        fold_of, dealt = np.empty(len(rows), int), 0
        for label in dict.fromkeys(labels.tolist()):  # in the order of first appearance
            of_class = labels == label
            folds_of_class = np.sort((dealt + np.arange(of_class.sum())) % FOLDS)
            rng.shuffle(folds_of_class)
            fold_of[of_class] = folds_of_class
            dealt += len(folds_of_class)
        return [Split(rows[fold_of != fold], rows[fold_of == fold]) for fold in range(FOLDS)]


def _measure(probe: Probe, rows: dict[str, np.ndarray], show_progress: bool) -> tuple[float, str]:
    """The accuracy, and what it was measured on."""
    test = "test" if "test" in rows else "dev"
    if test not in rows:
        return probe.cross_validated_accuracy(show_progress), "ten folds"
    choice = [Split(rows["train"], rows["dev"])] if len(rows) == 3 else probe.folds(rows["train"])
    return probe.accuracy(Split(rows["train"], rows[test]), probe.best_c(choice, show_progress)), f"{test} part"


def _features(encode: Encode, parts: dict[str, Part]) -> tuple[np.ndarray, EmbeddingHealth]:
    """What the regression sees of each example (n, num_features), and the health of the embeddings themselves."""
    columns = [[text for part in parts.values() for text in part.texts[i]] for i in range(len(parts["train"].texts))]
    embeddings = encode([text for column in columns for text in column])
    health = embedding_health(embeddings)
    if len(columns) == 1:
        return embeddings, health
    u, v = np.split(embeddings, 2)
    return pair_features_forward(u, v, ("|u-v|", "u*v"))[0], health
