import gzip
import io
import os
import subprocess
import sys
import types

import numpy as np
import pytest

from minitransformer.cli._npy_writer import write_rows
from minitransformer.files import locked
from minitransformer.models.sentence_encoder import SentenceEncoder
from tests.cli.other_process import COMMAND
from tests.cli.test_fill_mask import assert_one_line_error
from tests.small_encoders import small_encoder

LINES = ["my dog is cute", "", "he likes playing", "my dog is cute"]


@pytest.fixture
def expected(encoder_folder):
    return SentenceEncoder.from_pretrained(encoder_folder).encode(LINES)


@pytest.mark.parametrize("name", ["lines.txt", "lines.txt.gz"])
def test_each_line_of_a_file_has_a_row(run, tmp_path, encoder_folder, expected, name):
    text = ("\n".join(LINES) + "\n").encode()
    (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith("gz") else text)
    result = run("embed", encoder_folder, tmp_path / name, "--out", tmp_path / "new folder" / "rows.npy")
    assert result.status == 0
    assert "4 embeddings of 12 numbers" in result.output
    rows = np.load(tmp_path / "new folder" / "rows.npy")
    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows, expected, atol=1e-6)


def test_standard_input_is_read(run, tmp_path, monkeypatch, encoder_folder, expected):
    stream = types.SimpleNamespace(buffer=io.BytesIO("\r\n".join(LINES).encode()))
    for file in ([], ["-"]):
        stream.buffer.seek(0)
        monkeypatch.setattr(sys, "stdin", stream)
        assert run("embed", encoder_folder, *file, "--out", tmp_path / "rows.npy").status == 0
        np.testing.assert_allclose(np.load(tmp_path / "rows.npy"), expected, atol=1e-6)


def test_no_lines_give_no_rows(run, tmp_path, encoder_folder):
    (tmp_path / "empty.txt").touch()
    assert run("embed", encoder_folder, tmp_path / "empty.txt", "--out", tmp_path / "rows.npy").status == 0
    assert np.load(tmp_path / "rows.npy").shape == (0, 12)


def test_a_prompt_is_put_before_each_line(run, tmp_path, encoder_folder):
    (tmp_path / "lines.txt").write_text("likes")
    run("embed", encoder_folder, tmp_path / "lines.txt", "--out", tmp_path / "rows.npy", "--prompt-name", "query")
    np.testing.assert_allclose(np.load(tmp_path / "rows.npy")[0], small_encoder().encode("he likes"), atol=1e-6)


def test_long_lines_are_noted_or_an_error(run, tmp_path, encoder_folder):
    (tmp_path / "lines.txt").write_text("dog\n" + "dog " * 20)
    arguments = ["embed", encoder_folder, tmp_path / "lines.txt", "--out", tmp_path / "rows.npy"]
    result = run(*arguments)
    assert result.status == 0
    assert result.error.startswith("Note: 1 of 2 texts are longer than the model's 9 tokens: 13 of 25 tokens")
    (tmp_path / "rows.npy").write_text("what was there before")
    assert_one_line_error(run(*arguments, "--truncation", "error"), "a text has 22 tokens, but the model takes 9")
    assert (tmp_path / "rows.npy").read_text() == "what was there before"
    assert {path.name for path in tmp_path.iterdir()} == {"lines.txt", "rows.npy"}


def test_a_dash_sends_the_array_down_a_pipe_and_the_message_elsewhere(tmp_path, encoder_folder, expected):
    text = "\n".join(LINES).encode()
    command = [*COMMAND, "embed", encoder_folder, "--out", "-"]
    done = subprocess.run(command, input=text, capture_output=True, cwd=tmp_path, check=True)
    np.testing.assert_allclose(np.load(io.BytesIO(done.stdout)), expected, atol=1e-6)
    assert done.stderr == b"4 embeddings of 12 numbers\n"
    assert not list(tmp_path.iterdir())


def test_a_pipe_with_a_name_gets_the_array_and_stays_a_pipe(tmp_path, encoder_folder, expected):
    os.mkfifo(tmp_path / "pipe")
    reader = subprocess.Popen(["cat", tmp_path / "pipe"], stdout=subprocess.PIPE)
    try:
        command = [*COMMAND, "embed", encoder_folder, "--out", tmp_path / "pipe"]
        done = subprocess.run(command, input="\n".join(LINES).encode(), capture_output=True, check=True)
        np.testing.assert_allclose(np.load(io.BytesIO(reader.communicate()[0])), expected, atol=1e-6)
    finally:
        reader.kill()  # it would wait for ever if nobody wrote
    assert (done.stdout, done.stderr) == (b"", b"4 embeddings of 12 numbers\n")
    assert (tmp_path / "pipe").is_fifo()


def test_a_link_stays_a_link(run, tmp_path, encoder_folder):
    (tmp_path / "lines.txt").write_text("dog")
    (tmp_path / "link.npy").symlink_to(tmp_path / "rows.npy")
    assert run("embed", encoder_folder, tmp_path / "lines.txt", "--out", tmp_path / "link.npy").status == 0
    assert (tmp_path / "link.npy").is_symlink()
    assert np.load(tmp_path / "rows.npy").shape == (1, 12)


def test_a_file_that_another_process_writes_is_refused(run, tmp_path, encoder_folder):
    (tmp_path / "lines.txt").write_text("dog")
    with locked(tmp_path / ".rows.npy.lock", "it"):
        result = run("embed", encoder_folder, tmp_path / "lines.txt", "--out", tmp_path / "rows.npy")
        assert_one_line_error(result, "rows.npy is being written by another process")


def test_a_terminal_gets_no_array(run, monkeypatch, encoder_folder):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert_one_line_error(run("embed", encoder_folder, "--out", "-"), "standard output is a terminal")


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"dog\n\xff\n", "line 2: byte 1 of the line is 0xff"), (b"dog\0", "zero byte"), (b"\x1f\x8b\x08", "gzip")],
)
def test_a_file_that_is_no_text_is_refused(run, tmp_path, encoder_folder, content, message):
    (tmp_path / "lines").write_bytes(content)
    assert_one_line_error(run("embed", encoder_folder, tmp_path / "lines", "--out", tmp_path / "rows.npy"), message)
    assert not (tmp_path / "rows.npy").exists()


def test_what_is_missing_is_said(run, tmp_path, encoder_folder):
    assert_one_line_error(run("embed", encoder_folder, tmp_path / "none", "--out", tmp_path / "o.npy"), "No such file")
    assert_one_line_error(run("embed", tmp_path / "none", "--out", tmp_path / "o.npy"), "does not exist")
    assert_one_line_error(run("embed", encoder_folder, "--out", tmp_path), "is a folder")
    assert run("embed", encoder_folder).status == 2


def test_any_number_of_rows_fits_the_header(tmp_path):
    for count in (0, 9, 10, 12_345):
        blocks = np.array_split(np.arange(3.0 * count).reshape(count, 3), 7)
        assert write_rows(tmp_path / "rows.npy", blocks, 3, np.dtype(np.float32)) == count
        np.testing.assert_array_equal(np.load(tmp_path / "rows.npy"), np.concatenate(blocks))
