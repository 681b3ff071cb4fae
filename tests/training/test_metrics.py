import pytest

from minitransformer.errors import UserError
from minitransformer.training.metrics import MetricsLog, read_metrics


def test_a_resumed_log_cuts_off_what_comes_again_and_a_line_that_is_not_whole(tmp_path):
    file = tmp_path / "metrics.jsonl"
    with MetricsLog(file) as log:
        for step in (1, 2, 3):
            log.write(step, loss=step / 2)
    with file.open("a") as opened:
        opened.write('{"step": 4, "lo')
    with MetricsLog(file, start=2) as log:
        log.write(3, loss=9.0)
    assert read_metrics(file) == [{"step": 1, "loss": 0.5}, {"step": 2, "loss": 1.0}, {"step": 3, "loss": 9.0}]


def test_a_line_is_on_the_disk_at_once(tmp_path):
    with MetricsLog(tmp_path / "metrics.jsonl") as log:
        log.write(1, loss=2.0)
        assert read_metrics(tmp_path / "metrics.jsonl") == [{"step": 1, "loss": 2.0}]


def test_a_full_disk_is_an_error_that_names_the_file_and_the_step(tmp_path):
    with MetricsLog(tmp_path / "metrics.jsonl") as log:
        log._opened.close()
        log._opened = open("/dev/full", "w")  # noqa: SIM115  (a device that is always full)
        with pytest.raises(UserError, match=r"metrics\.jsonl can't be written: No space left.*after step 5"):
            log.write(5, loss=1.0)
        log._opened = open("/dev/null")  # noqa: SIM115
