import json
import os
import shutil
import subprocess
import sys

import pytest

from minitransformer.errors import UserError
from minitransformer.files import (
    check_whole,
    is_there,
    locked,
    path_within,
    read_json,
    read_json_object,
    read_text,
    recover_folder,
    replace_all,
    replace_folder,
    replacing,
)
from tests.power_cut import power_cut_before


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not valid JSON"),
        (b'{"a": 1', "not valid JSON"),
        (b'{"a": "\xff"}', "not a text file in UTF-8"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"a": ' + b"9" * 10_000 + b"}", "not valid JSON"),
        (b'{"a": "\\ud800"}', "surrogates not allowed"),
        (b"[1, 2]", "must hold a JSON object, found a list"),
        (b"null", "must hold a JSON object, found a NoneType"),
    ],
)
def test_a_broken_json_file_is_named(tmp_path, content, message):
    file = tmp_path / "config.json"
    file.write_bytes(content)
    with pytest.raises(UserError, match=message) as error:
        read_json_object(file)
    assert str(file) in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match="No such file"):
        read_json(tmp_path / "config.json")


def test_what_is_no_ordinary_file_is_refused_at_once(tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "to_a_device").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name, message in {
        "loop": "can't be read: Too many levels",
        "to_a_device": "must be an ordinary file",
        "pipe": "must be an ordinary file",
        "folder": "must be an ordinary file",
    }.items():
        with pytest.raises(UserError, match=f"{name} {message}"):
            read_json(tmp_path / name)


def test_a_file_of_gigabytes_is_refused_unread(tmp_path):
    with (tmp_path / "config.json").open("wb") as file:
        file.truncate(3 * 2**30)
    with pytest.raises(UserError, match=r"config.json is too large: at most 16,777,216 bytes"):
        read_json(tmp_path / "config.json")


def test_a_link_to_nowhere_is_there(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    assert is_there(tmp_path / "link")
    assert not is_there(tmp_path / "nowhere")


def test_every_end_of_a_line_is_one(tmp_path):
    (tmp_path / "vocab.txt").write_bytes(b"a\r\nb\rc\n")
    assert read_text(tmp_path / "vocab.txt") == "a\nb\nc\n"


def test_several_files_are_replaced_once_all_are_whole(tmp_path):
    replace_all(tmp_path, {"a.txt": "one\n", "inside/b.txt": lambda file: file.write_text("two\n")})
    assert (tmp_path / "a.txt").read_text() + (tmp_path / "inside/b.txt").read_text() == "one\ntwo\n"
    with pytest.raises(ZeroDivisionError):
        replace_all(tmp_path, {"a.txt": "new", "inside/b.txt": lambda file: 1 / 0})
    assert (tmp_path / "a.txt").read_text() == "one\n"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.txt", "b.txt", "inside"]


def test_a_file_is_replaced_once_the_new_one_is_whole(tmp_path):
    file = tmp_path / "new folder" / "a.txt"
    with replacing(file) as beside:
        beside.write_text("old")
        assert not file.exists()
    with pytest.raises(ZeroDivisionError), replacing(file) as beside:
        beside.write_text(f"the new one, were it not for {1 // 0}")
    assert file.read_text() == "old"
    assert [path.name for path in file.parent.iterdir()] == ["a.txt"]


def test_a_full_disk_is_a_sentence_and_leaves_the_old_file(tmp_path):
    resource = pytest.importorskip("resource", reason="this system has no limit on the size of files")
    file = tmp_path / "a.json"
    file.write_text("old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(UserError, match="what was there is unchanged"), replacing(file) as beside:
            beside.write_text(json.dumps(list(range(1000))))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert file.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/passwd", "..", "C:\\x", "a\\..\\..\\x", "\\\\host\\x"])
def test_a_path_that_leaves_the_folder_is_refused(tmp_path, name):
    with pytest.raises(UserError, match="leaves the folder"):
        path_within(tmp_path, name)


@pytest.mark.parametrize("name", ["a\0b", "a" * 300])
def test_a_name_that_no_file_can_have_is_refused(tmp_path, name):
    with pytest.raises(UserError, match="can't be the path of a file"):
        path_within(tmp_path, name)


@pytest.mark.parametrize("name", ["", "1_Pooling", "a/b.safetensors", "..a"])
def test_a_path_inside_the_folder_is_followed(tmp_path, name):
    assert path_within(tmp_path, name) == tmp_path / name


def test_old_files_are_replaced_by_new_ones_all_together_or_it_is_known(tmp_path):
    names = ["weights", "inside/weights", "config"]
    for change in range(30):
        folder = tmp_path / str(change)
        replace_all(folder, dict.fromkeys(names, "old"))
        with power_cut_before(change) as power:
            replace_all(folder, dict.fromkeys(names, "new"))
        contents = {(folder / name).read_text() for name in names}
        if (folder / ".half_replaced").exists():
            with pytest.raises(
                UserError, match="is half old and half new: its writer was stopped in between; write it"
            ):
                check_whole(folder)
        else:
            check_whole(folder)
            assert len(contents) == 1
        replace_all(folder, dict.fromkeys(names, "newest"))
        check_whole(folder)
        assert {path.name for path in folder.rglob("*")} == {"weights", "inside", "config"}
    assert power.changes < change
    assert contents == {"new"}


def test_a_link_stays_one_and_the_file_that_it_leads_to_is_replaced(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "data" / "target")
    for content in ("first", "second"):
        with replacing(tmp_path / "link") as beside:
            beside.write_text(content)
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "data" / "target").read_text() == content


def test_what_is_no_file_is_refused_and_left_alone(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "to the folder").symlink_to(tmp_path / "folder")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    before = {path: path.lstat().st_ino for path in tmp_path.iterdir()}
    for name, message in (
        ("pipe", "can't be replaced by a file: it is a folder, a device or a pipe"),
        ("folder", "can't be replaced by a file"),
        ("to the folder", "can't be replaced by a file"),
        ("circle", "is a link that leads in a circle"),
    ):
        with pytest.raises(UserError, match=message), replacing(tmp_path / name):
            pass
    assert {path: path.lstat().st_ino for path in tmp_path.iterdir()} == before


def test_a_folder_takes_anothers_place_whole_wherever_that_is_cut_off(tmp_path):
    for change in range(20):
        (tmp_path / "a/inside").mkdir(parents=True)
        (tmp_path / "a/inside/name").write_text("old")
        (tmp_path / "new").mkdir()
        (tmp_path / "new/name").write_text("new")
        with power_cut_before(change):
            replace_folder(tmp_path / "new", tmp_path / "a")
        recover_folder(tmp_path / "a")
        contents = [path.read_text() for path in (tmp_path / "a").rglob("name")]
        assert contents in (["old"], ["new"])
        assert {path.name for path in tmp_path.iterdir()} <= {"a", "new"}
        shutil.rmtree(tmp_path / "a")
        shutil.rmtree(tmp_path / "new", ignore_errors=True)
    assert contents == ["new"]


def test_who_comes_second_is_refused_until_the_first_is_done(tmp_path):
    file = tmp_path / "new folder" / "lock"
    with locked(file, "the model"):
        with pytest.raises(UserError, match="the model is being written by another process"), locked(file, "the model"):
            raise AssertionError
        assert file.exists()
    assert not file.exists()
    with locked(file, "the model"):
        pass


def test_a_lock_does_not_outlive_its_process_even_if_the_file_does(tmp_path):
    code = f"""
import os, pathlib
from minitransformer.files import locked
lock = locked(pathlib.Path({str(tmp_path / "lock")!r}), "it")
lock.__enter__()
print("locked", flush=True)
input()
"""
    process = subprocess.Popen([sys.executable, "-c", code], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout.readline() == "locked\n"
    with pytest.raises(UserError, match="by another process"), locked(tmp_path / "lock", "it"):
        pass
    process.kill()
    process.communicate()
    assert (tmp_path / "lock").exists()
    with locked(tmp_path / "lock", "it"):
        pass
