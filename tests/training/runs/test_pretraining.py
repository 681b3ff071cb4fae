import numpy as np
import pytest

from minitransformer.corpora.text_files import TextFiles
from minitransformer.errors import UserError
from minitransformer.training.runs.pretraining import PretrainingRun, PretrainingSettings
from tests.cli.conftest import small_text


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "text.txt").write_text(small_text(num_documents=30))
    sizes = {"vocab_size": 140, "batch_size": 8, "max_length": 24, "held_out_pairs": 40}
    return PretrainingSettings(corpus=[str(tmp_path / "text.txt")], steps=3, **sizes)


def test_making_a_run_reads_and_writes_nothing(tmp_path):
    PretrainingRun(tmp_path / "run", PretrainingSettings(corpus=["no such file"]))
    assert not any(tmp_path.iterdir())


def test_the_text_is_read_once(tmp_path, settings, monkeypatch):
    sentences, readings = TextFiles.sentences, []
    monkeypatch.setattr(TextFiles, "sentences", lambda self, *rest: readings.append(self) or sentences(self, *rest))
    run = PretrainingRun.start(tmp_path / "run", settings)
    assert len(readings) == 1
    assert run.corpus.num_documents == 30
    PretrainingRun.resume(tmp_path / "run")
    assert len(readings) == 1


def test_a_finished_run_can_be_opened_and_evaluates_as_its_training_ended(tmp_path, settings):
    run = PretrainingRun.start(tmp_path / "run", settings)
    metrics = run.train(workers=1)
    opened = PretrainingRun.open(tmp_path / "run")
    np.testing.assert_array_equal(opened.model.storage.values, run.model.storage.values)
    assert opened.evaluate()._asdict() == metrics
    assert f"{metrics['mlm']:.3f}" in opened.report(metrics)
    with pytest.raises(UserError, match="is finished: there is nothing to resume"):
        PretrainingRun.resume(tmp_path / "run")


def test_the_folder_has_the_audit_of_the_pairs_that_it_was_trained_on(tmp_path, settings):
    run = PretrainingRun.start(tmp_path / "run", settings)
    run.train(workers=1)
    assert run.audit_file.read_text(encoding="utf-8") == f"{run.audit}\n"
