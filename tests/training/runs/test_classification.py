import numpy as np
import pytest

from minitransformer.errors import UserError
from minitransformer.training.runs.classification import ClassifierRun
from tests.small_tables import LABELS, NLI, write_table
from tests.training.fine_tuning_runs import classifier_settings, train

pytestmark = pytest.mark.filterwarnings("ignore:.*fill all of the")


def run_of(tmp_path, *arguments, **settings):
    return ClassifierRun.start(tmp_path / "run", classifier_settings(tmp_path, *arguments, **settings))


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
    assert run.tokens.segment_ids.max() == int("pairs" in kind)
    assert len(run.targets) == len(run.tokens) == run.num_examples
    assert np.isfinite([*train(run).values()]).all()


def test_the_targets_of_several_labels_are_a_row_a_text(tmp_path):
    run = run_of(tmp_path, "multi_labelled_texts", multi_label=True)
    assert run.targets.shape == (26, 4)
    assert run.targets[-2:].tolist() == [[False, True, True, False], [True, True, False, False]]  # he dog, cute dog


def test_a_regression_starts_at_the_mean_of_its_scores(tmp_path):
    run = run_of(tmp_path, "scored_texts")
    assert run.model.classifier.bias.value == pytest.approx(run.targets.mean())


@pytest.mark.parametrize("settings", [{}, {"hidden_sizes": [5, 4], "dropout": 0.25, "pooling": "mean"}])
def test_settings_reach_the_head(tmp_path, settings):
    head = run_of(tmp_path, **settings).model.settings
    assert head.hidden_sizes == tuple(settings.get("hidden_sizes", ()))
    assert head.dropout == settings.get("dropout")
    assert head.pooling == settings.get("pooling", "cls")


@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_a_frozen_encoder_is_as_it_was_in_the_end(tmp_path, pooling):
    run = run_of(tmp_path, freeze_encoder=True, pooling=pooling)
    before = run.model.state_dict()
    train(run)
    after = run.model.state_dict()
    for name, value in before.items():
        if name.startswith(("bert.encoder", "bert.embeddings")):
            assert np.array_equal(after[name], value), name
        elif pooling == "cls" or "pooler" not in name:  # which a mean doesn't go through
            assert not np.array_equal(after[name], value), name


@pytest.mark.parametrize(
    ("settings", "factors"),
    [({}, [1]), ({"rate_decay": 0.5}, [0.125, 0.25, 0.5, 1]), ({"freeze_encoder": True, "rate_decay": 0.5}, [1])],
)
def test_the_rates_of_layers_are_what_the_settings_say(tmp_path, settings, factors):
    run = run_of(tmp_path, **settings)
    assert sorted({factor for _, _, factor in run.loop(None).optimizer.rate_factors}) == factors


@pytest.mark.parametrize(("max_length", "longest"), [(None, 5), (4, 4), (100, 5)])
def test_texts_are_cut_at_the_length_and_the_tokenizer_keeps_it(tmp_path, max_length, longest):
    run = run_of(tmp_path, max_length=max_length)
    assert run.tokens.lengths.max() == run.dev_tokens.lengths.max() == longest
    assert run.tokenizer.model_max_length == min(max_length or 9, 9)


def test_full_texts_are_counted_in_a_warning(tmp_path):
    settings = classifier_settings(tmp_path, max_length=4)
    write_table(settings.train, ("text", "label"), [("a b c", "dog"), ("a", "cat"), ("b", "none")])
    with pytest.warns(UserWarning, match=r"train.tsv: 1 of 3 texts fill all of the 4 tokens"):
        ClassifierRun.start(tmp_path / "run", settings)


@pytest.mark.parametrize("table", ["train", "dev"])
def test_scores_that_are_all_equal_are_refused(tmp_path, table):
    settings = classifier_settings(tmp_path, "scored_texts")
    write_table(getattr(settings, table), ("text", "score"), [("a", 1), ("b", 1)])
    with pytest.raises(UserError, match=rf"{table}.tsv: all 2 lines have the score 1"):
        ClassifierRun.start(tmp_path / "run", settings)
    assert not (tmp_path / "run").exists()


def test_several_labels_make_no_sense_of_scores(tmp_path):
    with pytest.raises(UserError, match=r"train.tsv has scores instead of labels; leave out --multi-label"):
        run_of(tmp_path, "scored_texts", multi_label=True)
