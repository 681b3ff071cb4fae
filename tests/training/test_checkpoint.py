import errno
import os
import shutil

import numpy as np
import pytest

from minitransformer.errors import UserError
from minitransformer.interop.safetensors_files import save_tensors
from minitransformer.training import checkpoint as checkpoint_module
from tests.training.small_loop import make_loop


@pytest.fixture
def finished(tmp_path):
    loop = make_loop(tmp_path)
    loop.run()
    return loop


def test_a_checkpoint_is_a_model_folder_and_only_the_last_is_kept(finished):
    latest = finished.checkpoints.latest()
    assert [path.name for path in latest.parent.iterdir()] == ["step-000012"]
    model = type(finished.model).from_pretrained(latest)
    assert model.storage.values.tobytes() == finished.model.storage.values.tobytes()


def test_checkpoints_that_the_run_needs_stay_when_others_come(tmp_path):
    loop = make_loop(tmp_path)
    loop.checkpoints.kept = {4, 6, 8}  # 6 is a step whose checkpoint isn't saved
    loop.run()
    assert [*loop.checkpoints.by_step()] == [4, 8, 12]


def test_the_mean_of_checkpoints_is_that_of_every_number(tmp_path):
    loop = make_loop(tmp_path)
    loop.checkpoints.kept = {4, 8}
    loop.run()
    checkpoints = [*loop.checkpoints.by_step().values()]
    values = [type(loop.model).from_pretrained(checkpoint).storage.values for checkpoint in checkpoints]
    checkpoint_module.take_the_mean(loop.model, checkpoints)
    expected = np.mean(values, axis=0, dtype=np.float64).astype(np.float32)
    np.testing.assert_array_equal(loop.model.storage.values, expected)


def test_a_partial_checkpoint_is_never_taken_for_a_whole_one(finished):
    latest = finished.checkpoints.latest()
    shutil.copytree(latest, latest.with_name("step-000016.partial"))
    assert finished.checkpoints.latest() == latest


@pytest.mark.parametrize("file", ["model.safetensors", "moments.safetensors", "run.json"])
@pytest.mark.parametrize("share", [0.5, 0.0])
def test_a_truncated_file_is_noticed_and_named(finished, file, share):
    damaged = finished.checkpoints.latest() / file
    content = damaged.read_bytes()
    damaged.write_bytes(content[: int(share * len(content))])
    with pytest.raises(UserError, match=file):
        finished.checkpoints.restore(finished.model, finished.optimizer)


@pytest.mark.parametrize("file", ["model.safetensors", "moments.safetensors", "run.json"])
def test_a_missing_file_is_noticed_and_named(finished, file):
    (finished.checkpoints.latest() / file).unlink()
    with pytest.raises(UserError, match=file):
        finished.checkpoints.restore(finished.model, finished.optimizer)


def test_a_checkpoint_of_another_run_is_refused_with_the_difference(tmp_path):
    make_loop(tmp_path).run()
    with pytest.raises(UserError, match="step-000012 belongs to a run with seed 3, but this run has 9"):
        make_loop(tmp_path, seed=9).run()


def test_moments_of_another_kind_are_not_taken_for_ours(finished):
    means = np.zeros_like(finished.model.storage.values)
    save_tensors({"first": means, "second": means}, finished.checkpoints.latest() / "moments.safetensors")
    with pytest.raises(UserError, match=r"step-000012 is of another version of minitransformer; start the run again"):
        finished.checkpoints.restore(finished.model, finished.optimizer)


@pytest.mark.parametrize("full", ["moments.safetensors", "tokenizer", "rename"])
def test_a_full_disk_while_saving_leaves_the_last_checkpoint_as_it_was(tmp_path, monkeypatch, full):
    """Whatever part of the writing fails first."""

    def fail(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    loop = make_loop(tmp_path)
    loop.run()
    before = {path.name: path.read_bytes() for path in loop.checkpoints.latest().iterdir()}
    if full == "moments.safetensors":
        monkeypatch.setattr(checkpoint_module, "save_tensors", fail)
    elif full == "tokenizer":
        loop.checkpoints.save_tokenizer = fail
    else:
        monkeypatch.setattr(checkpoint_module, "flush_to_disk", fail)
    for step in (12, 16):
        with pytest.raises(UserError, match=r"No space left on device.*step-000012, is as it was"):
            loop.checkpoints.save(step, loop.model, loop.optimizer)
    assert [path.name for path in loop.checkpoints.folder.iterdir()] == ["step-000012"]
    assert {path.name: path.read_bytes() for path in loop.checkpoints.latest().iterdir()} == before


def test_every_file_is_on_the_disk_before_a_checkpoint_counts_those_in_folders_too(tmp_path, monkeypatch):
    """A sentence encoder has folders below its own, with weights in them."""
    (tmp_path / "2_Dense").mkdir()
    files = [tmp_path / "model.safetensors", tmp_path / "2_Dense" / "model.safetensors"]
    for file in files:
        file.touch()
    flushed = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: flushed.append(os.fstat(descriptor).st_ino))
    checkpoint_module.flush_to_disk(tmp_path)
    assert {*flushed} == {path.stat().st_ino for path in (tmp_path, tmp_path / "2_Dense", *files)}


def test_checkpoints_work_where_folders_can_not_be_opened_and_files_must_be_writable_to_be_synced(
    tmp_path, monkeypatch
):
    """As on Windows."""
    open_, flushed = os.open, []

    def open_no_folder(path, flags, *rest, **options):
        if os.path.isdir(path):
            raise PermissionError(errno.EACCES, "Permission denied")
        return open_(path, flags, *rest, **options)

    def sync_what_is_writable(descriptor):
        os.write(descriptor, b"")  # fails for a descriptor that was opened to read only
        flushed.append(os.fstat(descriptor).st_ino)

    monkeypatch.setattr(os, "open", open_no_folder)
    monkeypatch.setattr(os, "fsync", sync_what_is_writable)
    loop = make_loop(tmp_path)
    loop.run()
    files = {path.stat().st_ino for path in loop.checkpoints.latest().iterdir()}
    assert files <= {*flushed}
