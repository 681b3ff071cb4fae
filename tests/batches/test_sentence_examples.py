import numpy as np
import pytest

from minitransformer.batches.sentence_examples import (
    NO_TEXT,
    dev_examples,
    entailed_columns,
    sentence_examples,
    target_cosines,
    text_ids_of,
)
from minitransformer.corpora.tables import LABELLED_PAIRS, PAIRS, SCORED_PAIRS, TRIPLETS, read_table
from minitransformer.errors import UserError
from minitransformer.text.packed_tokens import PackedTokens
from tests.small_tables import write_table

NLI = [  # the example of the tests, one line per pair
    ("a", "b", "contradiction"),
    ("a", "c", "entailment"),
    ("d", "e", "entailment"),
    ("a", "f", "contradiction"),
    ("a", "g", "entailment"),
    ("a", "h", "entailment"),
    ("d", "i", "neutral"),
    ("j", "k", "contradiction"),
]


def table_of(tmp_path, header, rows, *layouts):
    return read_table(write_table(tmp_path / "table.tsv", header, rows), *layouts)


@pytest.fixture
def nli_table(tmp_path):
    return table_of(tmp_path, ("premise", "hypothesis", "label"), NLI, LABELLED_PAIRS)


def scored_table(tmp_path, *scores):
    rows = [("a", "b", score) for score in scores]
    return table_of(tmp_path, ("sentence1", "sentence2", "score"), rows, SCORED_PAIRS)


def tokenize(texts):
    """As many tokens as characters, and what they are."""
    return PackedTokens.pack([[ord(character) for character in text] for text in texts])


def test_each_different_text_is_tokenised_once_and_found_by_its_number():
    examples = sentence_examples([["ab", "c", "ab"], ["c", "def", "ab"]], tokenize, np.array([1, 2, 3]))
    assert examples.text_ids.tolist() == [[0, 1, 0], [1, 2, 0]]
    assert examples.tokens.lengths.tolist() == [2, 1, 3]
    assert examples.tokens.token_ids.tolist() == [ord(character) for character in "abcdef"]
    assert examples.targets.tolist() == [1, 2, 3]
    assert len(examples) == 3


def test_equal_texts_have_equal_numbers_in_all_columns():
    ids = text_ids_of((["a cat", "a dog", "a cat"], ["a pet", "a cat", "a pet"]))
    assert ids.tolist() == [[0, 1, 0], [2, 0, 2]]


def test_an_example_may_lack_its_last_text():
    examples = sentence_examples([["a", "b"], ["c", "d"], [None, "a"]], tokenize)
    assert examples.text_ids.tolist() == [[0, 1], [2, 3], [NO_TEXT, 0]]
    assert examples.targets is None


def test_entailments_are_pairs_and_contradictions_of_the_same_premise_their_hard_negatives(nli_table):
    """Premise a entails c, g and h and has two contradictions, each used once; d has none; j entails nothing."""
    premises, hypotheses, negatives = entailed_columns(nli_table)
    assert premises == ["a", "d", "a", "a"]
    assert hypotheses == ["c", "e", "g", "h"]
    assert negatives[1] is None
    assert negatives[3] is None
    assert {negatives[0], negatives[2]} == {"b", "f"}


def test_pairs_without_an_entailment_rank_nothing(tmp_path):
    table = table_of(tmp_path, ("premise", "hypothesis", "label"), [("a", "b", "neutral")], LABELLED_PAIRS)
    with pytest.raises(UserError, match=r"table.tsv: no pair has the label 'entailment'.*leave the label column out"):
        entailed_columns(table)


def test_dev_examples_are_what_their_table_and_the_classifier_allow(tmp_path, nli_table):
    assert dev_examples(scored_table(tmp_path, 1, 2), ()).gold.tolist() == [1, 2]
    names = ("contradiction", "entailment", "neutral")
    assert dev_examples(nli_table, names).label_ids.tolist() == [0, 1, 1, 0, 1, 1, 2, 0]
    belonging = dev_examples(nli_table, ())
    assert [*belonging.columns] == [["a", "d", "a", "a"], ["c", "e", "g", "h"]]
    assert belonging.label_ids is None
    for header, layout in ((("anchor", "positive"), PAIRS), (("anchor", "positive", "negative"), TRIPLETS)):
        dev = dev_examples(table_of(tmp_path, header, [("a", "b", "c")[: len(header)]], layout), ())
        assert len(dev.columns) == len(header)
        assert dev.gold is None
        assert dev.label_ids is None


def test_a_label_that_training_did_not_have_is_refused_with_its_line(nli_table):
    with pytest.raises(UserError, match=r"line 8: the label 'neutral' is none of those"):
        dev_examples(nli_table, ("contradiction", "entailment"))


def test_a_score_is_the_share_of_the_highest(tmp_path):
    assert target_cosines(scored_table(tmp_path, 0, 2.5, 4, -1), None).tolist() == [0, 0.625, 1, -0.25]
    assert target_cosines(scored_table(tmp_path, 0, 2.5, 4), 5).tolist() == [0, 0.5, 0.8]


@pytest.mark.parametrize(
    ("scores", "highest", "message"),
    [
        ((1, 5), 4.0, r"line 3: the score 5 is beyond the highest one, 4, .*--highest-score"),
        ((1, -5, 4), None, r"line 3: the score -5 is beyond the highest one, 4"),
        ((-1, 0), None, "no score is above 0"),
        ((0, 0), None, "all 2 lines have the score 0"),
        ((1, "nan"), None, "line 3: the score 'nan' is not a finite number"),
    ],
)
def test_scores_that_can_be_no_cosines_are_refused(tmp_path, scores, highest, message):
    with pytest.raises(UserError, match=rf"table.tsv.*{message}"):
        target_cosines(scored_table(tmp_path, *scores), highest)


def test_dev_scores_that_are_all_equal_are_refused_before_they_are_needed(tmp_path):
    with pytest.raises(UserError, match=r"table.tsv: all 3 lines have the score 2; expected different ones"):
        dev_examples(scored_table(tmp_path, 2, 2, 2), ())
