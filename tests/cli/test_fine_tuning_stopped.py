"""train-sbert and finetune killed, stopped and resumed: they end with the same bytes as a run never stopped."""

import shutil
import signal
from pathlib import Path

import pytest

from minitransformer.training.metrics import read_metrics
from tests.cli.other_process import HOW_LONG, files_of, in_another_process, number_of_lines, wait_for
from tests.cli.test_fill_mask import assert_one_line_error
from tests.small_tables import labelled_pairs, labelled_texts, learning_encoder

OPTIONS = {
    "train-sbert": ["--objective", "classification", "--epochs", 2],
    "finetune": ["--epochs", 2],
}
SMALL = ["--batch-size", 2, "--learning-rate", "1e-2", "--evaluations-per-epoch", 4, "--seed", 5]
every_command = pytest.mark.parametrize("command", OPTIONS)


@pytest.fixture(scope="module")
def arguments(tmp_path_factory):
    """arguments(command, out) of runs of some 200 steps."""
    folder = tmp_path_factory.mktemp("given")
    learning_encoder().save_pretrained(folder / "encoder")
    for command, table in (("train-sbert", labelled_pairs), ("finetune", labelled_texts)):
        for name, count, seed in (("train", 210, 0), ("dev", 30, 50)):
            table(folder / f"{command}-{name}.tsv", count, seed)

    def arguments(command, out):
        tables = ["--train", folder / f"{command}-train.tsv", "--dev", folder / f"{command}-dev.tsv"]
        return [command, folder / "encoder", *tables, "--out", out, *SMALL, *OPTIONS[command]]

    return arguments


@pytest.fixture(scope="module")
def whole_runs(arguments, tmp_path_factory):
    """The folder of each command's run that was never stopped."""
    folders = {command: tmp_path_factory.mktemp("whole") / "run" for command in OPTIONS}
    for process in [in_another_process(*arguments(command, out)) for command, out in folders.items()]:
        _, error = process.communicate(timeout=HOW_LONG)
        assert process.returncode == 0, error
    return folders


def assert_same_run(folder, whole):
    found, expected = files_of(folder), files_of(whole)
    assert found.keys() == expected.keys()
    for name, content in expected.items():
        if name.name not in ("metrics.jsonl", "settings.json"):
            assert found[name] == content, name
    timeless = [[{**line, "seconds": 0} for line in read_metrics(out / "metrics.jsonl")] for out in (folder, whole)]
    assert timeless[0] == timeless[1]


def stopped(arguments, command, out, number, lines):
    """A run that a signal ended after this many lines of metrics; its output and error."""
    process = in_another_process(*arguments(command, out))
    wait_for(lambda: number_of_lines(out / "metrics.jsonl") >= lines)
    process.send_signal(number)
    output, error = process.communicate(timeout=HOW_LONG)
    assert process.returncode == (-number if number == signal.SIGKILL else 128 + number), error
    assert not (out / "model.safetensors").exists()
    return output, error


@every_command
@pytest.mark.parametrize(("number", "lines"), [(signal.SIGKILL, 1), (signal.SIGKILL, 30), (signal.SIGINT, 20)])
def test_a_run_stopped_at_any_moment_and_resumed_ends_with_the_same_bytes(
    arguments, whole_runs, tmp_path, command, number, lines
):
    output, error = stopped(arguments, command, tmp_path / "run", number, lines)
    if number == signal.SIGINT:
        assert f"Resume with: minitransformer {command} --resume {tmp_path / 'run'}" in output
        assert "Traceback" not in error
    resumed = in_another_process(command, "--resume", tmp_path / "run")
    _, error = resumed.communicate(timeout=HOW_LONG)
    assert resumed.returncode == 0, error
    assert_same_run(tmp_path / "run", whole_runs[command])


@pytest.fixture(scope="module")
def run_stopped_once(arguments, tmp_path_factory):
    out = tmp_path_factory.mktemp("stopped") / "run"
    stopped(arguments, "finetune", out, signal.SIGTERM, 20)
    return out


@pytest.fixture
def stopped_run(run_stopped_once, tmp_path):
    return Path(shutil.copytree(run_stopped_once, tmp_path / "run"))


def test_an_unfinished_run_is_not_overwritten(run, arguments, stopped_run):
    before = files_of(stopped_run)
    result = run(*arguments("finetune", stopped_run))
    assert_one_line_error(result, "unfinished run", f"--resume {stopped_run}")
    assert files_of(stopped_run) == before


@pytest.mark.parametrize("options", [["--epochs", 3], ["--freeze-encoder"], ["--train", "x.tsv"], ["--seed", 5]])
def test_settings_cannot_change_when_a_run_is_resumed(run, stopped_run, options):
    result = run("finetune", "--resume", stopped_run, *options)
    assert result.status == 2
    assert result.error.endswith(f"Error: --resume keeps the settings of the start; leave out {options[0]}\n")


def test_another_command_does_not_resume_it(run, stopped_run):
    result = run("train-sbert", "--resume", stopped_run)
    assert_one_line_error(result, f"the run in {stopped_run} was started by another command")


def test_the_number_of_cores_may_change(run, stopped_run):
    result = run("finetune", "--resume", stopped_run, "--workers", 1)
    assert result.status == 0
    assert "Cores: 1" in result.output
    assert_one_line_error(run("finetune", "--resume", stopped_run), "is finished")
