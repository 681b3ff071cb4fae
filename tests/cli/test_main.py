"""What the command line does whatever the command: its statuses, and what it says where."""

import os
import signal
import subprocess

import pytest

from minitransformer import __version__
from tests.cli.other_process import COMMAND, HOW_LONG, in_another_process, wait_for

FULL_DISK = "/dev/full"  # writing to it fails as on a full disk
on_a_full_disk = pytest.mark.skipif(not os.path.exists(FULL_DISK), reason=f"there is no {FULL_DISK} here")


def test_python_m_minitransformer_is_the_command():
    """COMMAND is python -m minitransformer."""
    output, _ = in_another_process("--version").communicate(timeout=HOW_LONG)
    assert output == f"minitransformer, version {__version__}\n"


def test_a_wrong_command_line_shows_how_a_right_one_looks(run):
    result = run("embed")
    assert (result.status, result.output) == (2, "")
    usage, hint, _, error = result.error.splitlines()
    assert usage.startswith("Usage: ")
    assert usage.endswith("embed [OPTIONS] MODEL [FILE]")
    assert hint.startswith("Try '")
    assert error == "Error: Missing argument 'MODEL'."


def test_without_arguments_the_help_is_shown(run):
    result = run()
    assert (result.status, result.output) == (2, "")
    assert result.error.startswith("Usage: ")
    assert "Measure:" in result.error


def test_an_unknown_command_is_a_wrong_command_line(run):
    result = run("fil-mask")
    assert result.status == 2
    assert "No such command 'fil-mask'" in result.error


@on_a_full_disk
@pytest.mark.parametrize("arguments", [["-h"], ["--version"], ["similarity"], ["embed", "--out", "-"]])
def test_a_full_disk_behind_the_output_is_one_sentence(encoder_folder, tmp_path, arguments):
    (tmp_path / "lines.txt").write_text("my dog\n")
    rest = {"similarity": [encoder_folder, "my dog", "a b"], "embed": [encoder_folder, tmp_path / "lines.txt"]}
    with open(FULL_DISK, "w") as full:
        words = [*COMMAND, *arguments, *map(str, rest.get(arguments[0], []))]
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, timeout=HOW_LONG)
    assert done.stderr == "Error: standard output can't be written: No space left on device\n"
    assert done.returncode == 1


def test_a_reader_that_closes_the_pipe_ends_the_command_quietly(encoder_folder):
    process = in_another_process("inspect", encoder_folder, "my dog")
    process.stdout.close()
    assert process.stderr.read() == ""
    process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_command_with_its_status_and_leaves_nothing_half_written(encoder_folder, tmp_path, number):
    lines = tmp_path / "lines"
    os.mkfifo(lines)
    process = in_another_process("embed", encoder_folder, lines, "--out", tmp_path / "rows.npy")
    pipe = wait_for(lambda: open_once_read(lines))
    assert {path.name for path in tmp_path.iterdir()} == {"lines", ".rows.npy.partial", ".rows.npy.lock"}
    process.send_signal(number)
    os.close(pipe)  # wakes it up, should the signal have come just before it began to wait
    output, error = process.communicate(timeout=HOW_LONG)
    assert process.returncode == 128 + number
    assert (output, error.strip()) == ("", "")
    assert list(tmp_path.iterdir()) == [lines]


def open_once_read(pipe):
    """The pipe, open for writing, if a process has opened it for reading."""
    try:
        return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return None
