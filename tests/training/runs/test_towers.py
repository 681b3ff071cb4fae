"""The cascade. Runs cut off anywhere and resumed are tried in test_crash_points.py."""

import os

import numpy as np
import pytest

from minitransformer import SentenceEncoder, UserError
from minitransformer.models.two_towers import TwoTowers
from minitransformer.training.metrics import read_metrics
from minitransformer.training.runs.best import BestModelRun
from minitransformer.training.runs.towers import TowersRun
from tests.small_shop import ROWS, products_table
from tests.training.small_towers import log_table, towers_settings


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run of 4 epochs of both steps, and what its training returned."""
    folder = tmp_path_factory.mktemp("towers")
    settings = towers_settings(folder, warm_up_epochs=4, cascade_epochs=4, evaluations_per_epoch=2)
    run = TowersRun.start(folder / "run", settings)
    return run, run.train(workers=1)


def values_of(tower):
    return tower.storage.values


def texts_of(pairs):
    """The texts of queries that are learnt from, by their tokens."""
    tokens, [queries, _] = pairs.examples.tokens, pairs.examples.text_ids
    return {tuple(tokens.select(np.array([number])).token_ids.tolist()) for number in queries}


def test_the_folder_has_both_towers_and_the_warm_ups_has_one(finished):
    run, _ = finished
    files = {path.name for path in run.folder.iterdir()}
    assert {"modules.json", "model.safetensors", "product", "warm-up", "metrics.jsonl"} < files
    assert {path.name for path in (run.folder / "training").iterdir()} == {"settings.json", "best.json"}
    cascade, warm_up = TwoTowers.from_pretrained(run.folder), TwoTowers.from_pretrained(run.folder / "warm-up")
    assert not cascade.are_shared
    assert warm_up.are_shared
    assert (values_of(cascade.query) != values_of(cascade.product)).any()
    assert {path.name for path in (run.folder / "warm-up" / "training").iterdir()} == {"best.json"}


@pytest.mark.filterwarnings("ignore:.* has two towers")
def test_the_query_tower_is_a_sentence_encoder_like_any_other(finished):
    run, _ = finished
    encoder = SentenceEncoder.from_pretrained(run.folder)
    assert encoder.encode(["milk", "fruit"]).shape == (2, 5)
    np.testing.assert_array_equal(encoder.encode("milk"), run.model.query.encode("milk"))


def test_both_steps_are_evaluated_as_their_best_and_opening_the_run_gives_the_same(finished):
    run, metrics = finished
    opened = TowersRun.open(run.folder)
    assert opened.evaluate()._asdict() == pytest.approx(metrics)
    assert opened.report(metrics) == run.report(metrics)
    lines = run.report(metrics).splitlines()
    assert [line.partition(":")[0] for line in lines] == ["On the held-out queries", "Before", "Warm-up", "Cascade"]


def test_both_steps_learn(finished):
    run, _ = finished
    for folder in (run.folder / "warm-up", run.folder):
        losses = [line["loss"] for line in read_metrics(folder / "metrics.jsonl") if "loss" in line]
        assert np.mean(losses[-3:]) < np.mean(losses[:3])


def test_the_scale_and_the_bias_are_learnt_and_kept(finished):
    run, _ = finished
    score = TwoTowers.from_pretrained(run.folder).score
    assert score.log_scale.value != pytest.approx(np.log(10), abs=1e-3)
    assert score.bias.value != pytest.approx(-5, abs=1e-3)
    np.testing.assert_array_equal(score.bias.value, run.model.score.bias.value)


def test_the_cascade_begins_with_the_warm_ups_best_model_in_both_towers(tmp_path, monkeypatch):
    run = TowersRun.start(tmp_path / "run", towers_settings(tmp_path, warm_up_epochs=1, cascade_epochs=1))
    seen = []
    monkeypatch.setattr(BestModelRun, "train_and_finish", watching(run, seen))
    run.train(workers=1)
    warm_up = TwoTowers.from_pretrained(run.folder / "warm-up")
    for values in seen:
        np.testing.assert_array_equal(values, values_of(warm_up.query))


def watching(run, seen):
    """The real thing, which puts the values of the cascade's towers into `seen` before it trains."""
    real = BestModelRun.train_and_finish

    def train_and_finish(step_run, workers):
        if step_run is run:
            folder = run.folder / "begin"
            run.model.save_pretrained(folder)
            towers = TwoTowers.from_pretrained(folder)
            seen.extend((values_of(towers.query), values_of(towers.product)))
        return real(step_run, workers)

    return train_and_finish


def test_held_out_queries_are_learnt_in_neither_step(tmp_path):
    run = TowersRun.start(tmp_path / "run", towers_settings(tmp_path))
    [query] = run.held_out.queries
    learnt = texts_of(run.step.pairs) | texts_of(run.warm_up.step.pairs)
    [token_ids] = [tuple(run.model.query.tokenize(query).token_ids.tolist())]
    assert token_ids not in learnt
    assert len(learnt) == 7
    assert len(run.held_out.products) == 7


@pytest.mark.parametrize(("keep_top_of_frequent", "num_cascade"), [(1.0, 14 + 5), (0.5, 7)])
def test_the_cascade_has_the_best_products_several_times_and_fewer_of_frequent_queries(
    tmp_path, keep_top_of_frequent, num_cascade
):
    """7 queries have 14 products. 5 have two or three of them, whose best is there again; or only the best of each."""
    settings = towers_settings(tmp_path, keep_top_of_frequent=keep_top_of_frequent)
    run = TowersRun.start(tmp_path / "run", settings)
    warm_up, cascade = (pairs.examples.text_ids.T.tolist() for pairs in (run.warm_up.step.pairs, run.step.pairs))
    assert len(warm_up) == len({*map(tuple, warm_up)})
    assert len(warm_up) == 14
    assert len(cascade) == num_cascade


@pytest.mark.parametrize(("left_out", "shared"), [("warm_up_epochs", False), ("cascade_epochs", True)])
def test_a_step_can_be_left_out(tmp_path, left_out, shared):
    epochs = {"warm_up_epochs": 1, "cascade_epochs": 1, left_out: 0}
    run = TowersRun.start(tmp_path / "run", towers_settings(tmp_path, **epochs))
    run.train(workers=1)
    assert not (run.folder / "warm-up").exists()
    assert TwoTowers.from_pretrained(run.folder).are_shared == shared


@pytest.mark.parametrize(
    "changes",
    [
        {"score": "dot", "weights": "relu", "shared": True},
        {"weights": "softmax", "weight_gradient": "through", "num_negatives": 2},
        {"objective": "softmax", "log_q": True, "gradient_caching": True},
        {"synthetic_share": 0.2, "synthetic_columns": ["department"], "min_shown": 0},
        {"embed": ["department"], "measure": "lift", "lambda_negatives": 5.0, "reduction": "mean"},
    ],
    ids=lambda changes: ", ".join(changes),
)
def test_every_setting_trains_and_is_loaded_again(tmp_path, changes):
    run = TowersRun.start(tmp_path / "run", towers_settings(tmp_path, warm_up_epochs=1, cascade_epochs=1, **changes))
    metrics = run.train(workers=2)
    assert 0 <= metrics["recall_at_20"] <= 1
    towers = TwoTowers.from_pretrained(run.folder)
    np.testing.assert_array_equal(towers.product.encode("whole milk"), run.model.product.encode("whole milk"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"warm_up_epochs": 0, "cascade_epochs": 0}, "are both 0; there is nothing to train"),
        ({"batch_size": 1}, "--batch-size is 1, but a query needs the products of others"),
        ({"log_q": True}, "--log-q belongs to --objective softmax"),
        ({"objective": "softmax", "weights": "relu"}, "--weights belongs to --objective binary"),
        ({"objective": "softmax", "reduction": "mean"}, "--reduction belongs to --objective binary"),
        ({"synthetic_columns": ["department"]}, "--synthetic-columns needs a --synthetic-share above 0"),
        ({"synthetic_share": 0.5}, "synthetic queries need synthetic_columns"),
        ({"temperature": 0.5}, "--temperature belongs to --weights softmax"),
        ({"embed": ["colour"]}, "no product has a column 'colour'; there are department"),
        ({"min_users": 50}, "no pair of the log is left as a positive; select less strictly"),
        ({"weights": "heavy"}, "weights must be one of equal, identity, .* found 'heavy'"),
    ],
)
def test_settings_that_make_no_sense_are_refused_and_nothing_is_left_behind(tmp_path, changes, message):
    settings = towers_settings(tmp_path, **changes)
    with pytest.raises(UserError, match=message):
        TowersRun.start(tmp_path / "run", settings)
    assert not (tmp_path / "run").exists()


def test_a_log_of_too_few_queries_is_refused(tmp_path):
    settings = towers_settings(tmp_path)
    log_table(tmp_path / "log.tsv", {"milk": ("17",), "bread": ("15",)})
    with pytest.raises(UserError, match=r"log.tsv has positives for 2 of its queries; training needs 3"):
        TowersRun.start(tmp_path / "run", settings)


@pytest.mark.parametrize("table", ["log", "products"])
def test_a_table_that_can_be_read_only_once_is_refused(tmp_path, table):
    os.mkfifo(tmp_path / "pipe")
    settings = towers_settings(tmp_path, **{table: str(tmp_path / "pipe")})
    with pytest.raises(UserError, match="is a pipe or a device, but a run reads its tables more than once"):
        TowersRun.start(tmp_path / "run", settings)


def test_towers_that_are_two_already_are_no_beginning(tmp_path, finished):
    run, _ = finished
    settings = towers_settings(tmp_path, model=str(run.folder))
    with pytest.raises(UserError, match="has two towers, and training begins with one encoder; choose its warm-up"):
        TowersRun.start(tmp_path / "run", settings)


def test_training_goes_on_from_a_warm_up_without_a_second_projection(tmp_path, finished):
    run, _ = finished
    settings = towers_settings(tmp_path, model=str(run.folder / "warm-up"), warm_up_epochs=0, cascade_epochs=1)
    going_on = TowersRun.start(tmp_path / "run", settings)
    assert going_on.model.query.settings.head == TwoTowers.from_pretrained(run.folder).query.settings.head
    np.testing.assert_array_equal(
        going_on.model.query.encode("milk"), TwoTowers.from_pretrained(run.folder / "warm-up").query.encode("milk")
    )


@pytest.mark.parametrize("step", ["warm_up", "cascade"])
@pytest.mark.parametrize("table", ["log", "products"])
def test_a_table_that_changed_is_not_resumed_and_named(tmp_path, table, step):
    epochs = {"warm_up_epochs": 0, "cascade_epochs": 1} if step == "cascade" else {}
    run = TowersRun.start(tmp_path / "run", towers_settings(tmp_path, **epochs))
    stopped = run.warm_up or run
    stopped.training_folder.mkdir(parents=True, exist_ok=True)
    stopped.loop().run(workers=1)
    if table == "log":
        with open(tmp_path / "log.tsv", "a", encoding="utf-8") as file:
            file.write("milk\t23\tanother\tadd_to_cart\n")
    else:
        rows = [("99", "Whole Bread", "bakery", "1")]
        products_table(tmp_path / "products.tsv", rows=[*rows, *ROWS])
    with pytest.raises(UserError, match=f"belongs to a run with checksum of --{table} "):
        TowersRun.resume(run.folder).train(workers=1)
