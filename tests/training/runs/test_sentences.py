from dataclasses import replace

import numpy as np
import pytest

from minitransformer.batches.sentence_examples import NO_TEXT
from minitransformer.errors import UserError
from minitransformer.objectives.classification import ClassificationObjective
from minitransformer.objectives.cosent import CosentObjective
from minitransformer.objectives.ranking import RankingObjective
from minitransformer.objectives.regression import RegressionObjective
from minitransformer.objectives.triplet import TripletObjective
from minitransformer.training.runs.sentences import LAYOUTS, SentencesRun
from tests.small_tables import NLI, write_table
from tests.training.fine_tuning_runs import sentences_settings

FITTING = [  # a kind of table, the objective, its class, how many columns of texts, whether there are targets
    ("labelled_pairs", "classification", ClassificationObjective, 2, True),
    ("scored_pairs", "regression", RegressionObjective, 2, True),
    ("scored_pairs", "cosent", CosentObjective, 2, True),
    ("triplets", "ranking", RankingObjective, 3, False),
    ("labelled_pairs", "ranking", RankingObjective, 3, False),
    ("pairs", "ranking", RankingObjective, 2, False),
    ("triplets", "triplet", TripletObjective, 3, False),
]
KINDS = {"labelled_pairs", "scored_pairs", "triplets", "pairs"}
fitting = pytest.mark.parametrize(("kind", "objective", "objective_type", "num_columns", "has_targets"), FITTING)


def run_of(tmp_path, *arguments, **settings):
    return SentencesRun.start(tmp_path / "run", sentences_settings(tmp_path, *arguments, **settings))


@fitting
def test_each_objective_trains_on_the_tables_that_fit_it(
    tmp_path, kind, objective, objective_type, num_columns, has_targets
):
    run = run_of(tmp_path, kind, objective)
    assert type(run.model.objective) is objective_type
    assert len(run.examples.text_ids) == num_columns
    assert (run.examples.targets is not None) == has_targets
    before = run.model.storage.values.copy()
    best = run.train(workers=1)
    assert np.isfinite([*best.values()]).all()
    assert not np.array_equal(run.model.storage.values, before)


@pytest.mark.parametrize("objective", LAYOUTS)
def test_an_objective_refuses_the_tables_that_do_not_fit_it_and_leaves_nothing(tmp_path, objective):
    for kind in KINDS - {fit[0] for fit in FITTING if fit[1] == objective}:
        if kind == "triplets" and objective != "ranking":  # a pair with something else next to it has no score or label
            continue
        with pytest.raises(UserError, match=r"train.tsv.*(must be a header|has scores, but ranking)"):
            run_of(tmp_path, kind, objective)
        assert not (tmp_path / "run").exists()


def test_any_objective_may_be_evaluated_on_any_table(tmp_path):
    for kind, first in (
        ("scored_pairs", "spearman"),
        ("triplets", "accuracy"),
        ("pairs", "mean_reciprocal_rank"),
        ("labelled_pairs", "mean_reciprocal_rank"),
    ):
        (tmp_path / kind).mkdir()
        dev = sentences_settings(tmp_path / kind, kind).dev
        run = SentencesRun.start(tmp_path / kind / "run", sentences_settings(tmp_path, dev=dev, epochs=1))
        assert next(iter(run.train(workers=1))) == first


def test_of_nli_pairs_ranking_takes_entailments_and_their_contradictions(tmp_path):
    run = run_of(tmp_path, "labelled_pairs", "ranking")
    assert len(run.examples) == 8
    assert (run.examples.text_ids != NO_TEXT).all()


def test_a_pair_classifier_knows_its_labels(tmp_path):
    run = run_of(tmp_path, "labelled_pairs", "classification", components=["u", "u*v"])
    assert run.model.labels == NLI
    assert run.model.objective.classifier.weight.shape == (24, 3)


def test_settings_reach_the_encoder_and_the_objective(tmp_path):
    run = run_of(tmp_path, "pairs", "ranking", pooling="max", max_length=5, scale=7.0, symmetric=True)
    assert run.model.encoder.settings.pooling == ("max",)
    assert run.model.encoder.max_seq_length == 5
    assert (run.model.objective.scale, run.model.objective.symmetric) == (7.0, True)
    assert run.examples.tokens.lengths.max() <= 5


@pytest.mark.parametrize(("settings", "highest"), [({}, 5), ({"highest_score": 8.0}, 8)])
def test_the_highest_score_is_a_cosine_of_1(tmp_path, settings, highest):
    run = run_of(tmp_path, **settings)
    assert run.examples.targets.max() == pytest.approx(5 / highest)


def test_gradient_caching_ends_with_the_same_model_up_to_rounding(tmp_path):
    values = []
    for caching in (False, True):
        run = SentencesRun.start(tmp_path / str(caching), sentences_settings(tmp_path, gradient_caching=caching))
        assert run.task.gradient_caching == caching
        run.train(workers=1)
        values.append(run.model.storage.values.copy())
    np.testing.assert_allclose(values[0], values[1], rtol=1e-4, atol=1e-5)


def test_a_component_given_twice_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"components must be some of .* each once"):
        run_of(tmp_path, "labelled_pairs", "classification", components=["u", "u"])


def test_long_texts_are_counted_in_a_warning(tmp_path):
    settings = sentences_settings(tmp_path, max_length=4)
    write_table(tmp_path / "train.tsv", ("sentence1", "sentence2", "score"), [("a b c a", "a", 1), ("a b", "a", 2)])
    with pytest.warns(UserWarning, match="1 of 3 texts are longer than the model's 4 tokens: 2 of 13 tokens"):
        SentencesRun.start(tmp_path / "run", settings)


def test_several_negatives_are_candidates_in_ranking_and_triplets_of_their_own_otherwise(tmp_path):
    settings = sentences_settings(tmp_path, "triplets", "ranking")
    names = ("anchor", "positive", "negative_1", "negative_2")
    for table in (settings.train, settings.dev):
        write_table(table, names, [("a", "a b", "c", "my"), ("he", "he is", "dog", "cute")])
    run = SentencesRun.start(tmp_path / "ranking", settings)
    assert run.examples.text_ids.shape == (4, 2)
    assert [len(column) for column in run.dev.columns] == [4, 4, 4]
    run.train(workers=1)
    run = SentencesRun.start(tmp_path / "triplet", replace(settings, objective="triplet"))
    assert run.examples.text_ids.shape == (3, 4)


@pytest.mark.parametrize(
    ("kind", "objective", "message"),
    [
        ("pairs", "ranking", "--batch-size is 1, but the objective ranking needs other pairs to tell apart in a batch"),
        (
            "scored_pairs",
            "cosent",
            "--batch-size is 1, but the objective cosent needs two scores to compare in a batch",
        ),
    ],
)
def test_a_batch_of_one_that_teaches_nothing_is_refused(tmp_path, kind, objective, message):
    with pytest.raises(UserError, match=message):
        run_of(tmp_path, kind, objective, batch_size=1)


@pytest.mark.parametrize(
    ("kind", "objective"), [("triplets", "ranking"), ("triplets", "triplet"), ("scored_pairs", "regression")]
)
def test_a_batch_of_one_that_teaches_something_is_taken(tmp_path, kind, objective):
    run = run_of(tmp_path, kind, objective, batch_size=1)
    assert run.steps == 2 * len(run.examples)


def test_no_batch_is_a_single_example_that_teaches_nothing(tmp_path):
    """24 pairs, 23 a step: the last one is joined to them."""
    run = run_of(tmp_path, "pairs", "ranking", batch_size=23)
    assert run.steps == 2
    assert len(run.task.batch(0).targets[0]) == 24


@pytest.mark.parametrize(
    ("objective", "header", "rows", "message"),
    [
        ("ranking", ("anchor", "positive"), [("a", "b")], "train.tsv gives one example"),
        ("ranking", ("anchor", "positive"), [("a", "b"), ("c", "b")], "all examples have the same second text"),
        ("triplet", ("anchor", "positive", "negative"), [("a", "b", "b")], "every negative is the positive itself"),
    ],
)
def test_examples_that_teach_nothing_are_refused(tmp_path, objective, header, rows, message):
    settings = sentences_settings(tmp_path, objective=objective)
    write_table(settings.train, header, rows)
    with pytest.raises(UserError, match=message):
        SentencesRun.start(tmp_path / "run", settings)


def test_a_single_pair_to_measure_with_would_always_be_right(tmp_path):
    settings = sentences_settings(tmp_path, "pairs", "ranking")
    write_table(settings.dev, ("anchor", "positive"), [("a", "b"), ("c", "b")])
    with pytest.raises(UserError, match=r"dev.tsv: all pairs have the same second text, so that finding it"):
        SentencesRun.start(tmp_path / "run", settings)


def test_a_pair_classifier_of_these_labels_is_trained_further(tmp_path):
    first = run_of(tmp_path, "labelled_pairs", "classification")
    first.train(workers=1)
    settings = sentences_settings(tmp_path, "labelled_pairs", "classification", model=str(first.folder))
    second = SentencesRun.start(tmp_path / "second", settings)
    np.testing.assert_array_equal(second.model.storage.values, first.model.storage.values)


@pytest.mark.parametrize(
    ("kind", "objective", "settings", "instead"),
    [
        ("labelled_pairs", "classification", {"components": ["u", "v"]}, "a new one is trained"),
        ("scored_pairs", "regression", {}, "the objective regression keeps none"),
    ],
)
def test_a_pair_classifier_that_is_not_kept_is_said(tmp_path, kind, objective, settings, instead):
    first = run_of(tmp_path, "labelled_pairs", "classification")
    first.train(workers=1)
    settings = sentences_settings(tmp_path, kind, objective, model=str(first.folder), **settings)
    with pytest.warns(UserWarning, match=f"has a pair classifier for contradiction, entailment, neutral; {instead}"):
        SentencesRun.start(tmp_path / "second", settings)
