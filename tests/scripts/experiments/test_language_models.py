"""The table of trained GPTs, of a run of a few steps."""

from click.testing import CliRunner

from minitransformer.training.runs.gpt_pretraining import GptPretrainingRun, GptPretrainingSettings
from scripts.experiments.language_models import main
from tests.cli.conftest import small_text


def test_a_finished_run_is_a_row_with_what_it_pays_and_what_it_must_beat(tmp_path):
    (tmp_path / "text.txt").write_text(small_text(num_documents=20))
    sizes = {"steps": 2, "save_every": 2, "batch_size": 4, "max_length": 16, "tokenizer": "characters"}
    settings = GptPretrainingSettings(corpus=[str(tmp_path / "text.txt")], **sizes)
    run = GptPretrainingRun.start(tmp_path / "dogs", settings)
    metrics = run.train(workers=1)
    printed = CliRunner().invoke(main, [str(tmp_path / "dogs")], catch_exceptions=False).output
    _, _, row = printed.splitlines()
    assert row.startswith("| dogs | ")
    assert f"**{metrics['nats_per_character']:.3f}**" in row
    assert f"{run.baselines.ngram_per_character:.3f} (n = {run.baselines.ngram_order})" in row
