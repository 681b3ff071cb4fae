"""The command line in a process of its own, which a test can stop or kill."""

import subprocess
import sys
import time

COMMAND = [sys.executable, "-m", "minitransformer"]
HOW_LONG = 300  # seconds that a test waits for another process before it fails


def in_another_process(command, *arguments, **options):
    words = [*COMMAND, command, *map(str, arguments)]
    return subprocess.Popen(words, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def wait_for(condition):
    """What the condition returns as soon as that is true."""
    deadline = time.monotonic() + HOW_LONG
    while not (found := condition()):
        assert time.monotonic() < deadline, "the other process didn't get there"
        time.sleep(0.005)
    return found


def number_of_lines(file):
    return file.read_bytes().count(b"\n") if file.exists() else 0


def files_of(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
