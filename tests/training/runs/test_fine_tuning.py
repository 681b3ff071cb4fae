import math
import os
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest

from minitransformer import BertForSequenceClassification
from minitransformer.errors import UserError
from minitransformer.models.siamese_network import SiameseNetwork
from minitransformer.training import checkpoint
from minitransformer.training.metrics import read_metrics
from minitransformer.training.runs import best
from minitransformer.training.runs.classification import ClassificationRun
from minitransformer.training.runs.sentences import SentencesRun
from tests.small_tables import learning_encoder
from tests.training.fine_tuning_runs import classification_settings, sentences_settings
from tests.training.test_loop import PowerCutError, timeless

LORA = {"lora": 2, "lora_dropout": 0.1}
RUNS = {
    "train-sbert": (SentencesRun, lambda folder: sentences_settings(folder, "labelled_pairs", "classification")),
    "finetune": (ClassificationRun, classification_settings),
    "finetune --lora": (ClassificationRun, lambda folder: classification_settings(folder, **LORA)),
    "train-sbert --lora": (
        SentencesRun,
        lambda folder: sentences_settings(folder, "labelled_pairs", "classification", **LORA),
    ),
}
every_command = pytest.mark.parametrize("command", RUNS)


class Score(NamedTuple):
    accuracy: float


def scripted(run, values):
    """An evaluation that says what it is told to, and remembers the weights that it was asked about."""
    seen, coming = [], iter(values)

    def evaluate():
        seen.append(run.model.storage.values.copy())
        return Score(next(coming))

    return evaluate, seen


def started(folder, command):
    run_type, settings = RUNS[command]
    return run_type.start(folder / "run", settings(folder))


# -- the best model is kept --------------------------------------------------------------------------------------------


@every_command
@pytest.mark.parametrize(
    ("values", "best"),
    [
        ([0.2, 0.9, 0.5, 0.4], 1),
        ([0.1, 0.2, 0.3, 0.4], 3),
        ([0.7, 0.7, 0.1, 0.7], 0),
        ([math.nan, -0.5, math.nan, -0.7], 1),
        ([0.3, math.nan, 0.2, math.nan], 0),
        ([math.nan] * 4, 0),
    ],
)
def test_the_best_model_is_kept_the_first_of_equal_ones_and_nan_is_never_better(tmp_path, command, values, best):
    run = started(tmp_path, command)
    run.evaluate, seen = scripted(run, values)
    found = run.train(workers=1)
    assert len(seen) == 4
    assert len({weights.tobytes() for weights in seen}) == 4
    assert found == pytest.approx({"accuracy": values[best]}, nan_ok=True)
    np.testing.assert_array_equal(run.model.storage.values, seen[best])
    if "--lora" in command:
        run.model.storage.values[...] = 0
        run.model.restore(run.folder)
        np.testing.assert_array_equal(run.model.storage.values, seen[best])
    else:
        loaded = (BertForSequenceClassification if command == "finetune" else SiameseNetwork).from_pretrained(
            run.folder
        )
        np.testing.assert_array_equal(loaded.storage.values, seen[best])


@every_command
def test_a_finished_folder_holds_the_model_and_nothing_of_the_way(tmp_path, command):
    run = started(tmp_path, command)
    run.train(workers=1)
    assert {path.name for path in (run.folder / "training").iterdir()} == {"settings.json", "best.json"}
    adapter = {"adapter_config.json", "adapter_model.safetensors"}
    model = adapter if "--lora" in command else {"config.json", "model.safetensors"}
    assert {*model, "vocab.txt", "metrics.jsonl"} < {path.name for path in run.folder.iterdir()}


def test_it_is_evaluated_so_often_per_epoch_and_at_the_end(tmp_path):
    """27 examples, 4 a step: 7 steps an epoch, so 3 evaluations per epoch are one every 3 steps."""
    run = ClassificationRun.start(tmp_path / "run", classification_settings(tmp_path, evaluations_per_epoch=3))
    run.train(workers=1)
    lines = read_metrics(run.metrics_file)
    assert run.steps == 14
    assert [line["step"] for line in lines if "held_out_accuracy" in line] == [3, 6, 9, 12, 14]


def test_making_a_run_reads_and_writes_nothing(tmp_path):
    for run_type, settings in (
        (ClassificationRun, {"model": "none", "train": "none.tsv", "dev": "none.tsv"}),
        (SentencesRun, {"model": "none", "train": "none.tsv", "dev": "none.tsv", "objective": "triplet"}),
    ):
        run_type(tmp_path / "run", run_type.settings_type(**settings))
    assert not any(tmp_path.iterdir())


@every_command
def test_a_finished_run_can_be_opened_and_evaluates_as_its_best(tmp_path, command):
    run = started(tmp_path, command)
    best = run.train(workers=1)
    opened = type(run).open(run.folder)
    np.testing.assert_array_equal(opened.model.storage.values, run.model.storage.values)
    assert opened.evaluate()._asdict() == pytest.approx(best)
    assert opened.report(best) == run.report(best)


# -- stopped and resumed -----------------------------------------------------------------------------------------------


PLACES = {  # what is called there, and the number of the call
    "in an evaluation, before the best model is saved": (lambda run: (type(run), "worth"), 2),
    "between the best model and its evaluation": (lambda run: (best, "json_text"), 1),
    "after the evaluation, before the checkpoint is whole": (lambda run: (checkpoint, "flush_to_disk"), 2),
    "after the last step, before the finished model is written": (lambda run: (type(run.model), "restore"), 1),
}


def train_until_the_power_is_cut(monkeypatch, run, place):
    find, count = PLACES[place]
    owner, name = find(run)
    sound, calls = getattr(owner, name), iter(range(1, 1000))

    def cut(*arguments, **options):
        if next(calls) == count:
            raise PowerCutError
        return sound(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, cut)
        with pytest.raises(PowerCutError):
            run.train(workers=1)


@every_command
@pytest.mark.parametrize("place", PLACES)
def test_a_run_cut_off_anywhere_and_resumed_ends_with_the_same_bytes(tmp_path, monkeypatch, command, place):
    whole = started(tmp_path, command)
    expected = whole.train(workers=1)
    run_type, settings = RUNS[command]
    run = run_type.start(tmp_path / "cut", settings(tmp_path))
    train_until_the_power_is_cut(monkeypatch, run, place)
    assert run_type.resume(run.folder).train(workers=1) == expected
    for name in [path.name for path in whole.folder.iterdir() if path.is_file() and path.name != "metrics.jsonl"]:
        assert (run.folder / name).read_bytes() == (whole.folder / name).read_bytes(), name
    assert timeless(run.metrics_file) == timeless(whole.metrics_file)


@every_command
def test_one_worker_and_two_differ_only_in_the_order_of_summation(tmp_path, command):
    run_type, settings = RUNS[command]
    values = []
    for workers in (1, 2):
        run = run_type.start(tmp_path / f"run{workers}", settings(tmp_path))
        run.loop().run(workers)
        values.append(run.model.storage.values.copy())
    np.testing.assert_allclose(values[0], values[1], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("table", ["train", "dev"])
def test_a_table_that_changed_is_not_resumed_and_named(tmp_path, monkeypatch, table):
    run = ClassificationRun.start(tmp_path / "run", classification_settings(tmp_path))
    train_until_the_power_is_cut(monkeypatch, run, "after the evaluation, before the checkpoint is whole")
    with open(getattr(run.settings, table), "a", encoding="utf-8") as file:
        file.write("my dog\tdog\n")
    resumed = ClassificationRun.resume(run.folder)
    with pytest.raises(UserError, match=f"step-000004 belongs to a run with checksum of --{table} "):
        resumed.train(workers=1)


def test_an_adapter_of_a_model_that_changed_is_not_resumed(tmp_path, monkeypatch):
    run = ClassificationRun.start(tmp_path / "run", classification_settings(tmp_path, **LORA))
    train_until_the_power_is_cut(monkeypatch, run, "after the evaluation, before the checkpoint is whole")
    learning_encoder(initializer_range=0.2).save_pretrained(run.settings.model)
    with pytest.raises(UserError, match="belongs to a run with checksum of MODEL "):
        ClassificationRun.resume(run.folder).train(workers=1)


@every_command
@pytest.mark.parametrize("table", ["train", "dev"])
def test_a_table_that_can_be_read_only_once_is_refused(tmp_path, command, table):
    run_type, settings = RUNS[command]
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(
        UserError, match="pipe is a pipe or a device, but a run reads its tables more than once; save it"
    ):
        run_type.start(tmp_path / "run", replace(settings(tmp_path), **{table: str(tmp_path / "pipe")}))
    assert not (tmp_path / "run").exists()


def test_two_processes_do_not_train_in_one_folder(tmp_path):
    run = ClassificationRun.start(tmp_path / "run", classification_settings(tmp_path))
    with run.locked():
        for refused in (lambda: ClassificationRun.resume(run.folder), lambda: run.train(workers=1)):
            with pytest.raises(UserError, match="run is being written by another process; wait for that one"):
                refused()
    settings = classification_settings(tmp_path)
    second = ClassificationRun(tmp_path / "second", settings)
    with second.locked(), pytest.raises(UserError, match="second is being written by another process"):
        ClassificationRun.start(tmp_path / "second", settings)


def test_a_run_that_was_killed_before_it_began_is_no_run(tmp_path):
    (tmp_path / "run/training").mkdir(parents=True)
    for name in ("lock", ".settings.json.partial"):
        (tmp_path / "run/training" / name).write_text("{")
    with pytest.raises(UserError, match=r"holds no training run: there is no .*settings.json; start one with --out"):
        ClassificationRun.resume(tmp_path / "run")
    ClassificationRun.start(tmp_path / "run", classification_settings(tmp_path))


def test_a_run_of_the_other_command_is_not_resumed(tmp_path):
    run = ClassificationRun.start(tmp_path / "run", classification_settings(tmp_path))
    with pytest.raises(UserError, match=r"was started by another command"):
        SentencesRun.resume(run.folder)
    with pytest.raises(UserError, match=r"holds no training run"):
        SentencesRun.resume(tmp_path)
