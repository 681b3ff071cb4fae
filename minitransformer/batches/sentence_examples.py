"""Examples for training sentence embeddings: pairs or triplets of texts, tokenised, with what they are trained on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from minitransformer.corpora.tables import Table
from minitransformer.corpora.targets import different_scores, label_ids
from minitransformer.errors import UserError
from minitransformer.text.packed_tokens import IntArray, PackedTokens

NO_TEXT = -1
ENTAILMENT, CONTRADICTION = "entailment", "contradiction"

Texts = Sequence[str]  # a column: one text of each example


class SiameseBatch(NamedTuple):
    """The texts of a step: the first ones of all examples, then the second ones, then the third."""

    tokens: PackedTokens
    ends: list[int]  # where each of these columns but the last ends
    targets: Any  # what the objective asks for

    @property
    def lengths(self) -> IntArray:
        """(S,) the tokens of each text."""
        return self.tokens.lengths


@dataclass(frozen=True)
class SentenceExamples:
    """n examples of C texts each.

    tokens      each different text once
    text_ids    (C, n), which of them is in each column of each example; NO_TEXT where there is none
    targets     (n,) label ids or scores, or None
    """

    tokens: PackedTokens
    text_ids: IntArray
    targets: np.ndarray | None

    def __len__(self) -> int:
        return self.text_ids.shape[1]

    def select(self, examples: IntArray) -> SiameseBatch:
        """The batch of the chosen examples. Without targets of their own, it has the numbers of its texts as targets.

        By these, the ranking objective knows equal texts.
        """
        columns = [found for ids in self.text_ids[:, examples] if len(found := ids[ids != NO_TEXT])]
        ends = np.cumsum([len(column) for column in columns[:-1]], dtype=int).tolist()
        targets = columns if self.targets is None else self.targets[examples]
        return SiameseBatch(self.tokens.select(np.concatenate(columns)), ends, targets)


def sentence_examples(
    columns: Sequence[Sequence[str | None]],
    tokenize: Callable[[list[str]], PackedTokens],
    targets: np.ndarray | None = None,
) -> SentenceExamples:
    """The examples of some columns of texts."""
    different = dict.fromkeys(text for column in columns for text in column if text is not None)
    return SentenceExamples(tokenize(list(different)), text_ids_of(columns), targets)


def text_ids_of(columns: Sequence[Sequence[str | None]]) -> IntArray:
    """(C, n) numbers for C columns of n texts: equal texts have equal numbers, in the order of their first appearance.

    NO_TEXT where there is none.
    """
    ids: dict[str, int] = {}
    numbers = [[NO_TEXT if text is None else ids.setdefault(text, len(ids)) for text in column] for column in columns]
    return np.array(numbers, np.int64)


def entailed_columns(table: Table) -> tuple[list[str], list[str], list[str | None]]:
    """From labelled pairs (NLI): premises, hypotheses that they entail, and hypotheses that contradict them.

    Each pair labelled "entailment" is an example; its hard negative is a contradiction of the same premise, if the
    table has one, and each contradiction is used once (Gao et al. 2021, arXiv 2104.08821, section 4). Raises UserError
    if no pair has this label: which pairs belong together can't be told then.
    """
    firsts, seconds = table.texts
    labels = table.columns["label"]
    if ENTAILMENT not in labels:
        nothing = f"no pair has the label {ENTAILMENT!r}, so there is nothing to rank first"
        raise UserError(f"{table.path}: {nothing}; leave the label column out if all pairs belong together")
    contradictions: dict[str, list[str]] = {}
    for first, second, label in zip(firsts, seconds, labels, strict=True):
        if label == CONTRADICTION:
            contradictions.setdefault(first, []).append(second)
    pairs = [pair for *pair, label in zip(firsts, seconds, labels, strict=True) if label == ENTAILMENT]
    negatives = [contradictions[first].pop() if contradictions.get(first) else None for first, _ in pairs]
    return [first for first, _ in pairs], [second for _, second in pairs], negatives


def triplets_of(table: Table) -> tuple[list[str], list[str], list[str]]:
    """Anchors, positives and negatives: a triplet for each negative of an example that has several."""
    anchors, positives, *negatives = table.texts
    return anchors * len(negatives), positives * len(negatives), [text for column in negatives for text in column]


class DevExamples(NamedTuple):
    """What a sentence encoder is evaluated on while it trains.

    columns of two texts with `gold` scores (n,), with `label_ids` (n,) or with neither: pairs that belong together; or
    of three texts: triplets.
    """

    columns: Sequence[Texts]
    gold: np.ndarray | None = None
    label_ids: np.ndarray | None = None


def dev_examples(table: Table, label_names: Sequence[str]) -> DevExamples:
    """The examples of a table. label_names are those of the model's pair classifier, if it has one.

    Without a classifier, pairs labelled "entailment" belong together and other labels don't count.
    """
    if "score" in table.columns:
        return DevExamples(table.texts, gold=different_scores(table))
    if "label" in table.columns and label_names:
        return DevExamples(table.texts, label_ids=label_ids(table, label_names))
    if "label" in table.columns:
        return DevExamples(entailed_columns(table)[:2])
    return DevExamples(triplets_of(table) if "negative" in table.columns else table.texts)


def target_cosines(table: Table, highest_score: float | None) -> np.ndarray:
    """(n,) the cosine that each score means: its share of the highest score, by default the table's own.

    Raises UserError for a score beyond that, and if all are equal.
    """
    found = different_scores(table)
    highest = found.max() if highest_score is None else highest_score
    if highest <= 0:
        raise UserError(f"{table.path}: no score is above 0; some score must mean a cosine of 1")
    beyond = np.flatnonzero(np.abs(found) > highest)
    if len(beyond):
        wrong = f"the score {found[beyond[0]]:g} is beyond the highest one, {highest:g}, which means a cosine of 1"
        raise UserError(f"{table.where(beyond[0])}: {wrong}; correct it or give a higher --highest-score")
    return found / highest
