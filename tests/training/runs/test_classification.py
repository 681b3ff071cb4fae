from dataclasses import replace

import numpy as np
import pytest

from minitransformer import BertForSequenceClassification
from minitransformer.errors import UserError
from minitransformer.training.runs.classification import ClassificationRun
from tests.small_tables import LABELS, NLI, write_table
from tests.training.fine_tuning_runs import classification_settings

pytestmark = pytest.mark.filterwarnings("ignore:.*are longer than the model")


def run_of(tmp_path, *arguments, **settings):
    return ClassificationRun.start(tmp_path / "run", classification_settings(tmp_path, *arguments, **settings))


@pytest.mark.parametrize(
    ("kind", "settings", "problem_type", "labels"),
    [
        ("labelled_texts", {}, "single_label_classification", LABELS),
        ("labelled_pairs", {}, "single_label_classification", NLI),
        ("multi_labelled_texts", {"multi_label": True}, "multi_label_classification", ("cute", "dog", "he", "other")),
        ("scored_texts", {}, "regression", ("score",)),
        ("scored_pairs", {}, "regression", ("score",)),
    ],
)
def test_the_table_says_what_the_classifier_answers(tmp_path, kind, settings, problem_type, labels):
    run = run_of(tmp_path, kind, **settings)
    assert run.model.settings.problem_type == problem_type
    assert run.model.settings.labels == labels
    assert run.examples.tokens.segment_ids.max() == int("pairs" in kind)
    assert np.isfinite([*run.train(workers=1).values()]).all()


def test_the_targets_of_several_labels_are_a_row_for_each_text(tmp_path):
    run = run_of(tmp_path, "multi_labelled_texts", multi_label=True)
    assert run.examples.targets.shape == (26, 4)
    assert run.examples.targets[-2:].tolist() == [
        [False, True, True, False],
        [True, True, False, False],
    ]  # he dog, cute dog


def test_a_regression_starts_at_the_mean_of_its_scores(tmp_path):
    run = run_of(tmp_path, "scored_texts")
    assert run.model.classifier.bias.value == pytest.approx(run.examples.targets.mean())


@pytest.mark.parametrize("settings", [{}, {"hidden_sizes": [5, 4], "dropout": 0.25, "pooling": "mean"}])
def test_settings_reach_the_head(tmp_path, settings):
    head = run_of(tmp_path, **settings).model.settings
    assert head.hidden_sizes == tuple(settings.get("hidden_sizes", ()))
    assert head.dropout == settings.get("dropout")
    assert head.pooling == settings.get("pooling", "pooler")


@pytest.mark.parametrize("pooling", ["pooler", "mean"])
def test_a_frozen_encoder_is_as_it_was_in_the_end(tmp_path, pooling):
    run = run_of(tmp_path, freeze_encoder=True, pooling=pooling)
    before = run.model.state_dict()
    run.train(workers=1)
    after = run.model.state_dict()
    for name, value in before.items():
        if name.startswith(("bert.encoder", "bert.embeddings")):
            assert np.array_equal(after[name], value), name
        elif pooling == "pooler" or "pooler" not in name:  # which a mean doesn't go through
            assert not np.array_equal(after[name], value), name


@pytest.mark.parametrize(
    ("settings", "factors"),
    [({}, [1]), ({"rate_decay": 0.5}, [0.125, 0.25, 0.5, 1]), ({"freeze_encoder": True, "rate_decay": 0.5}, [1])],
)
def test_the_rates_of_layers_are_what_the_settings_say(tmp_path, settings, factors):
    run = run_of(tmp_path, **settings)
    assert sorted({factor for _, _, factor in run.rate_factors()}) == factors


@pytest.mark.parametrize(("max_length", "longest"), [(None, 5), (4, 4), (100, 5)])
def test_texts_are_cut_at_the_length_and_the_tokenizer_keeps_it(tmp_path, max_length, longest):
    run = run_of(tmp_path, max_length=max_length)
    assert run.examples.lengths.max() == run.dev.lengths.max() == longest
    assert run.tokenizer.model_max_length == min(max_length or 9, 9)


def test_texts_that_are_cut_are_counted_in_a_warning(tmp_path):
    settings = classification_settings(tmp_path, max_length=4)
    write_table(settings.train, ("text", "label"), [("a b c", "dog"), ("a b", "cat"), ("b", "none")])
    with pytest.warns(
        UserWarning, match=r"train.tsv: 1 of 3 texts are longer than the model's 4 tokens: 1 of 12 tokens"
    ):
        ClassificationRun.start(tmp_path / "run", settings)


@pytest.mark.parametrize(("kind", "too_short"), [("labelled_texts", 2), ("labelled_pairs", 4)])
def test_a_length_that_leaves_nothing_of_a_text_is_refused(tmp_path, kind, too_short):
    with pytest.raises(UserError, match=f"max_length is {too_short}, which leaves no room for a text"):
        run_of(tmp_path, kind, max_length=too_short)


def test_texts_that_are_all_the_same_are_refused(tmp_path):
    """ "my" is all that is left of them."""
    settings = classification_settings(tmp_path, max_length=3)
    write_table(settings.train, ("text", "label"), [("my dog", "x"), ("my", "y")])
    write_table(settings.dev, ("text", "label"), [("a", "x"), ("b", "y")])
    with pytest.raises(UserError, match=r"train.tsv: all texts have the same 3 tokens, by which none can be told"):
        ClassificationRun.start(tmp_path / "run", settings)


@pytest.mark.parametrize(("kind", "num_texts"), [("labelled_texts", 1), ("labelled_pairs", 2), ("scored_texts", 1)])
def test_a_classifier_remembers_whether_it_takes_one_text_or_two(tmp_path, kind, num_texts):
    run = run_of(tmp_path, kind)
    run.train(workers=1)
    assert BertForSequenceClassification.from_pretrained(run.folder).settings.num_texts == num_texts


@pytest.mark.parametrize("kind", ["labelled_texts", "multi_labelled_texts", "scored_texts"])
def test_a_classifier_of_these_answers_is_trained_further(tmp_path, kind):
    several = {"multi_label": kind.startswith("multi")}
    first = run_of(tmp_path, kind, hidden_sizes=[5], pooling="mean", dropout=0.2, **several)
    first.train(workers=1)
    settings = classification_settings(tmp_path, kind, model=str(first.folder), **several)
    second = ClassificationRun.start(tmp_path / "second", settings)
    assert second.model.settings == first.model.settings
    np.testing.assert_array_equal(second.model.storage.values, first.model.storage.values)
    assert "Classifier: the model's own, for " in second.describe()
    third = ClassificationRun.start(tmp_path / "third", replace(settings, dropout=0.3))
    assert third.model.settings.dropout == third.model.dropout == 0.3


def test_a_classifier_keeps_the_labels_that_the_new_table_lacks(tmp_path):
    first = run_of(tmp_path)
    first.train(workers=1)
    settings = classification_settings(tmp_path, model=str(first.folder))
    for table in (settings.train, settings.dev):
        write_table(table, ("text", "label"), [("my dog", "dog"), ("a b", "none")])
    second = ClassificationRun.start(tmp_path / "second", settings)
    assert second.model.settings.labels == LABELS
    assert second.examples.targets.tolist() == [1, 2]


@pytest.mark.parametrize("changes", [{"pooling": "mean"}, {"hidden_sizes": [5]}, {"kind": "labelled_pairs"}])
def test_another_classifier_than_the_models_is_a_new_one_and_said(tmp_path, changes):
    first = run_of(tmp_path)
    first.train(workers=1)
    settings = classification_settings(tmp_path, model=str(first.folder), **changes)
    with pytest.warns(UserWarning, match="has another classifier, for cat, dog, none; a new one is trained for"):
        second = ClassificationRun.start(tmp_path / "second", settings)
    assert "Classifier: a new one, for " in second.describe()


def test_what_stands_for_no_label_is_no_class(tmp_path):
    settings = classification_settings(tmp_path)
    write_table(settings.train, ("text", "label"), [("a", "x"), ("b", "-"), ("c", "y")])
    write_table(settings.dev, ("text", "label"), [("a", "x"), ("b", "-")])
    with pytest.warns(UserWarning, match="have no label, but '-'"):
        run = ClassificationRun.start(tmp_path / "run", settings)
    assert run.model.settings.labels == ("x", "y")
    assert (len(run.examples), len(run.dev)) == (2, 1)


def test_one_of_several_labels_may_be_missing_altogether(tmp_path):
    settings = classification_settings(tmp_path, multi_label=True)
    for table in (settings.train, settings.dev):
        write_table(table, ("text", "label"), [("a", "x,y"), ("b", ""), ("c", "y")])
    run = ClassificationRun.start(tmp_path / "run", settings)
    assert run.examples.targets.astype(int).tolist() == [[1, 1], [0, 0], [0, 1]]


@pytest.mark.parametrize("table", ["train", "dev"])
def test_scores_that_are_all_equal_are_refused(tmp_path, table):
    settings = classification_settings(tmp_path, "scored_texts")
    write_table(getattr(settings, table), ("text", "score"), [("a", 1), ("b", 1)])
    with pytest.raises(UserError, match=rf"{table}.tsv: all 2 lines have the score 1"):
        ClassificationRun.start(tmp_path / "run", settings)
    assert not (tmp_path / "run").exists()


def test_several_labels_make_no_sense_of_scores(tmp_path):
    with pytest.raises(UserError, match=r"train.tsv has scores instead of labels; leave out --multi-label"):
        run_of(tmp_path, "scored_texts", multi_label=True)
