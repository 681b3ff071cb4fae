import json

import pytest

from minitransformer.errors import UserError
from minitransformer.files import path_within, read_json, read_json_object, replace_all, replacing


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not valid JSON"),
        (b'{"a": 1', "not valid JSON"),
        (b'{"a": "\xff"}', "not valid JSON"),
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
