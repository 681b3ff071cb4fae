import json

import pytest

from minitransformer.cli import doctor
from tests.cli.test_fill_mask import assert_one_line_error


@pytest.fixture(autouse=True)
def in_no_time(monkeypatch):
    monkeypatch.setattr(doctor, "SECONDS", 0.01)


def test_versions_blas_cores_memory_and_speed(run):
    result = run("doctor")
    assert result.status == 0
    facts = dict(line.split(maxsplit=1) for line in result.output.splitlines())
    assert {"minitransformer", "Python", *doctor.LIBRARIES, "BLAS", "cores", "memory"} <= facts.keys()
    assert float(facts["products"].split()[2]) > 0


def test_what_a_model_can_be_used_for_and_why_not(run, model_folder, encoder_folder):
    result = run("doctor", model_folder)
    assert result.status == 0
    assert "fill-mask:" in result.output
    uses = json.loads(run("doctor", encoder_folder, "--json").output)["uses"]
    assert uses["embed, similarity, train-sbert"] == "yes"
    assert "has no masked-LM head" in uses["fill-mask"]
    assert "has no classifier" in uses["predict"]


def test_a_folder_without_any_use_has_the_status_1(run, tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "t5"}')
    result = run("doctor", tmp_path)
    assert result.status == 1
    assert result.output.count("no, ") == len(doctor.USES)


def test_a_model_that_is_not_there_is_said_in_one_line(run, tmp_path):
    assert_one_line_error(run("doctor", tmp_path / "none"), "does not exist")
