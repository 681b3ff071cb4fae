"""Captions as a table, and what is measured of a run of two epochs."""

import gzip

from click.testing import CliRunner

from minitransformer.evaluation.translation import translation_quality
from minitransformer.training.runs.translation import TranslationRun
from scripts.experiments.translation import epoch_seconds, main, quality_table, translations
from tests.training.runs.test_translation import settings


def test_two_files_become_pairs_line_by_line(tmp_path):
    for name, text in {"en.gz": "A dog.\nTwo\tmen run. \n", "de.gz": "Ein Hund.\nZwei Männer rennen.\n"}.items():
        (tmp_path / name).write_bytes(gzip.compress(text.encode()))
    files = [str(tmp_path / name) for name in ("en.gz", "de.gz")]
    printed = CliRunner().invoke(main, ["pairs", *files], catch_exceptions=False).output
    assert printed == "source\ttarget\nA dog.\tEin Hund.\nTwo men run.\tZwei Männer rennen.\n"


def test_a_run_is_measured_on_its_dev_table(tmp_path):
    run = TranslationRun.start(tmp_path / "run", settings(tmp_path))
    run.train(workers=1)
    quality = translation_quality(translations(run, 4), run.dev.texts[1])
    options = ["measure", str(run.folder), "--timed", "2"]
    printed = CliRunner().invoke(main, options, catch_exceptions=False).output
    assert printed.startswith("24 pairs, 2 epochs, ")
    assert f"| 4 beams | {quality.bleu:.1f} | {quality.chrf:.1f} | {quality.exact_match:.1f} |" in printed
    assert "An epoch takes 0 s of one processor, by 2 of its steps." in printed
    assert epoch_seconds(run, 2) > 0


def test_translations_that_are_the_references_are_perfect():
    sentences = ["Ein Hund läuft durch das Gras."]
    *_, row = quality_table({"as it should be": sentences}, sentences).splitlines()
    assert row == "| as it should be | 100.0 | 100.0 | 100.0 |"
