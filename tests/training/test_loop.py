import os
import signal

import numpy as np
import pytest

from minitransformer.errors import UserError
from minitransformer.nn.parameter import FlatStorage
from minitransformer.training.loop import TrainingInterrupted
from minitransformer.training.metrics import read_metrics
from minitransformer.training.optimizer.adamw import AdamW
from tests.training.small_loop import DisturbedTask, RecordingTask, make_loop, random_batch


def test_a_batch_can_be_learnt_by_heart(tmp_path):
    loop = make_loop(tmp_path, lambda step: random_batch(0), dropout=0.0, steps=300, save_every=300)
    loop.run()
    losses = [line["loss"] for line in read_metrics(tmp_path / "metrics.jsonl") if "loss" in line]
    assert losses[0] == pytest.approx(np.log(23) + np.log(2), rel=0.02)
    assert losses[-1] < 0.05


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path):
    values = []
    for name, seed in (("first", 3), ("again", 3), ("other", 4)):
        loop = make_loop(tmp_path / name, seed=seed)
        loop.run()
        values.append(loop.model.storage.values.tobytes())
    assert values[0] == values[1] != values[2]


def test_many_shards_equal_the_batch_in_one_piece(tmp_path):
    values, losses = [], []
    for num_shards in (1, 4):
        folder = tmp_path / str(num_shards)
        loop = make_loop(folder, num_shards=num_shards, dropout=0.0, dtype=np.float64)
        loop.run()
        values.append(loop.model.storage.values)
        losses.append([line["loss"] for line in read_metrics(folder / "metrics.jsonl") if "loss" in line])
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-9)
    np.testing.assert_allclose(values[0], values[1], rtol=1e-6, atol=1e-9)


def test_one_worker_and_two_differ_only_in_the_order_of_summation(tmp_path):
    values = []
    for workers in (1, 2):
        loop = make_loop(tmp_path / str(workers), num_shards=3, dropout=0.3, dtype=np.float64)
        loop.run(workers)
        values.append(loop.model.storage.values)
    np.testing.assert_allclose(values[0], values[1], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("limit", [1e-3, 1e9])
def test_a_step_is_adamws_on_the_gradient_clipped_to_its_limit(tmp_path, limit):
    loop = make_loop(tmp_path, dtype=np.float64, steps=1, save_every=1, warm_up=0, max_gradient_norm=limit, beta2=0.7)
    loop.optimizer.eps = 1e-2  # so that an update depends on the gradient's length
    expected = FlatStorage(loop.model.storage.values.copy(), loop.model.storage.num_decayed)
    loop.run()
    gradients = loop.model.storage.gradients
    norm = read_metrics(loop.metrics_file)[0]["gradient_norm"]
    assert norm == pytest.approx(np.linalg.norm(gradients))
    expected.gradients[:] = gradients * min(1, limit / norm)
    AdamW(expected, (0.9, 0.7), eps=1e-2).step(1e-2)
    np.testing.assert_allclose(loop.model.storage.values, expected.values, rtol=1e-5, atol=1e-9)
    assert loop.optimizer.betas == (0.9, 0.7)  # which a first step doesn't show


@pytest.mark.parametrize("cores", [1, 2])
def test_a_step_uses_as_many_cores_as_there_are_parts_at_most(tmp_path, cores):
    loop = make_loop(tmp_path, steps=1, save_every=1)
    loop.task = task = RecordingTask(loop.task)
    loop.run(cores if cores == 1 else 7)
    [(workers, _, _)] = task.steps
    assert workers.count == cores


def test_every_parameter_changes(tmp_path):
    loop = make_loop(tmp_path, steps=2, warm_up=0.0)
    before = {name: parameter.value.copy() for name, parameter in loop.model.named_parameters()}
    loop.run()
    unchanged = [name for name, p in loop.model.named_parameters() if np.array_equal(p.value, before[name])]
    assert unchanged == []


class PowerCutError(Exception):
    """Stands for whatever ends a process in the middle of a step."""


@pytest.mark.parametrize("fatal_step", [1, 7, 11])
def test_a_run_cut_off_and_resumed_ends_with_the_same_bytes_as_one_never_stopped(tmp_path, fatal_step):
    def batches_until_the_cut(step):
        if step == fatal_step:
            raise PowerCutError
        return random_batch(step)

    with pytest.raises(PowerCutError):
        make_loop(tmp_path / "cut", batches_until_the_cut).run()
    resumed, whole = make_loop(tmp_path / "cut"), make_loop(tmp_path / "whole")
    scores = resumed.run(), whole.run()
    assert resumed.model.storage.values.tobytes() == whole.model.storage.values.tobytes()
    assert scores[0] == scores[1]
    assert timeless(tmp_path / "cut/metrics.jsonl") == timeless(tmp_path / "whole/metrics.jsonl")
    for file in ("model.safetensors", "moments.safetensors", "run.json"):
        cut, uncut = (tmp_path / run / "checkpoints/step-000012" / file for run in ("cut", "whole"))
        assert cut.read_bytes() == uncut.read_bytes()


def timeless(file):
    return [{name: value for name, value in line.items() if name != "seconds"} for line in read_metrics(file)]


def test_a_finished_run_resumed_only_evaluates(tmp_path):
    first, again = make_loop(tmp_path), make_loop(tmp_path)
    scores = first.run()
    assert again.run() == scores
    assert again.model.storage.values.tobytes() == first.model.storage.values.tobytes()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_after_the_step_and_stops(tmp_path, number):
    def batches_with_a_signal(step):
        if step == 6:  # made while step 5 is computed
            os.kill(os.getpid(), number)
        return random_batch(step)

    handler = signal.getsignal(number)
    with pytest.raises(TrainingInterrupted) as stopped:
        make_loop(tmp_path, batches_with_a_signal).run()
    assert signal.getsignal(number) is handler
    assert stopped.value.checkpoint == tmp_path / f"checkpoints/step-{stopped.value.step:06d}"
    assert stopped.value.step in (6, 7)
    assert stopped.value.signal_number == number
    resumed, whole = make_loop(tmp_path), make_loop(tmp_path / "whole")
    resumed.run()
    whole.run()
    assert resumed.model.storage.values.tobytes() == whole.model.storage.values.tobytes()


def test_a_signal_in_a_step_that_is_evaluated_stops_after_the_evaluation(tmp_path):
    """Otherwise the resumed run, which begins with the step after it, would never have seen it."""

    def interrupt(*found):
        os.kill(os.getpid(), signal.SIGINT)
        return found

    loop = make_loop(tmp_path / "stopped")
    loop.task = DisturbedTask(loop.task, 8, interrupt)
    with pytest.raises(TrainingInterrupted) as stopped:
        loop.run()
    assert stopped.value.step == 8
    resumed, whole = make_loop(tmp_path / "stopped"), make_loop(tmp_path / "whole")
    assert resumed.run() == whole.run()
    assert timeless(tmp_path / "stopped/metrics.jsonl") == timeless(tmp_path / "whole/metrics.jsonl")


def test_a_loss_that_is_not_finite_stops_and_names_the_step_and_the_last_good_checkpoint(tmp_path):
    loop = make_loop(tmp_path)
    loop.task = DisturbedTask(loop.task, 7, lambda metrics, norm: ({**metrics, "loss": np.nan}, norm))
    with pytest.raises(UserError, match=r"step 7 the loss is nan.*step-000004"):
        loop.run()
    assert (tmp_path / "checkpoints/step-000004/model.safetensors").exists()
    assert np.isfinite(loop.model.storage.values).all()


def test_a_gradient_that_is_not_finite_stops_before_it_reaches_the_weights(tmp_path):
    loop = make_loop(tmp_path)
    loop.task = DisturbedTask(loop.task, 7, lambda metrics, norm: (metrics, np.nan))
    with pytest.raises(UserError, match=r"step 7 the gradient's norm is nan.*step-000004"):
        loop.run()
    assert loop.optimizer.num_steps == 6


def test_weights_that_are_not_finite_are_never_saved(tmp_path):
    loop = make_loop(tmp_path)

    def overflow(*found):
        loop.model.storage.values[-1] = np.inf
        return found

    loop.task = DisturbedTask(loop.task, 8, overflow)
    with pytest.raises(UserError, match=r"step 8 the weights' norm is inf.*step-000004"):
        loop.run()
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step-000004"]


def test_a_learning_rate_beyond_all_reason_ends_in_that_error_too(tmp_path):
    with pytest.raises(UserError, match="training stopped: in step"):
        make_loop(tmp_path, learning_rate=1e30).run()


def test_metrics_tell_losses_accuracies_rate_norm_tokens_and_held_out_scores(tmp_path):
    make_loop(tmp_path).run()
    lines = read_metrics(tmp_path / "metrics.jsonl")
    steps = [line for line in lines if "loss" in line]
    assert [line["step"] for line in steps] == list(range(1, 13))
    assert [line["step"] for line in lines if "held_out_mlm" in line] == [4, 8, 12]
    assert all(line["loss"] == pytest.approx(line["mlm"] + line["nsp"]) for line in steps)
    assert steps[0]["learning_rate"] == 0
    assert steps[5]["tokens"] == len(random_batch(5).tokens.token_ids)
    assert {"mlm_accuracy", "nsp_accuracy", "gradient_norm", "seconds"} <= steps[0].keys()


def test_every_step_has_dropout_masks_of_its_own(tmp_path):
    loop = make_loop(tmp_path, steps=4)
    loop.task = task = RecordingTask(loop.task)
    loop.run()
    assert len({rng.integers(2**62) for _, _, rng in task.steps}) == 4


def test_the_batch_of_each_step_is_made_once_and_none_for_a_step_that_never_comes(tmp_path):
    made = []
    make_loop(tmp_path, lambda step: made.append(step) or random_batch(step)).run()
    assert made == list(range(12))


def test_each_evaluation_may_be_kept_before_its_checkpoint_is_saved(tmp_path):
    loop, kept = make_loop(tmp_path), []
    loop.keep = lambda evaluation: kept.append((evaluation, loop.checkpoints.latest()))
    last = loop.run()
    assert [checkpoint and checkpoint.name for _, checkpoint in kept] == [None, "step-000004", "step-000008"]
    assert kept[-1][0] == last
