"""The recipe from text to a sentence encoder, with a model and tables of a few lines."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from minitransformer.models.sentence_encoder import SentenceEncoder
from tests.cli.conftest import small_text

SCRIPT = Path(__file__).parents[3] / "scripts" / "recipes" / "from_scratch.py"
NLI = """premise\thypothesis\tlabel
the dog sees the river\tthe dog sees cold water\tentailment
the dog sees the river\tthe dog forgets the river\tcontradiction
my friend likes some bread\tmy friend likes the bread\tentailment
"""
STS = """sentence1\tsentence2\tscore
the dog sees the river\tthe dog sees cold water\t4.0
the dog sees the river\tevery bird finds some bread\t0.5
my friend likes some bread\tmy friend finds some bread\t3.0
"""


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPT.parents[1]))
    return runpy.run_path(str(SCRIPT))


def test_three_stages_lead_from_text_to_a_sentence_encoder_and_none_is_done_twice(script, tmp_path, monkeypatch):
    settings = script["PretrainingSettings"]
    small = lambda **given: settings(**{**given, "vocab_size": 140, "batch_size": 8, "held_out_every": 20})  # noqa: E731
    monkeypatch.setitem(script["pretrain"].__globals__, "PretrainingSettings", small)
    for name, text in (("corpus.txt", small_text()), ("nli.tsv", NLI), ("sts.tsv", STS)):
        (tmp_path / name).write_text(text)
    sts, out = tmp_path / "sts.tsv", tmp_path / "out"
    arguments = [tmp_path / "corpus.txt", "--nli", tmp_path / "nli.tsv", "--sts-train", sts, "--sts-dev", sts]
    arguments = [*map(str, arguments), "--out", str(out), "--steps", "3"]
    script["main"](arguments, standalone_mode=False)
    assert SentenceEncoder.from_pretrained(out / "3-sts").encode("the dog").shape == (128,)
    written = {file: file.stat().st_mtime_ns for file in out.rglob("*.safetensors")}
    script["main"](arguments, standalone_mode=False)
    assert written == {file: file.stat().st_mtime_ns for file in out.rglob("*.safetensors")}


def test_a_corpus_that_is_not_there_is_one_sentence(tmp_path):
    tables = ["--nli", "nli.tsv", "--sts-train", "train.tsv", "--sts-dev", "dev.tsv"]
    command = [sys.executable, SCRIPT, tmp_path / "no.txt", *tables, "--out", tmp_path / "out"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(SCRIPT.parents[1])])}
    ended = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert ended.returncode != 0
    assert "no.txt" in ended.stderr
    assert "Traceback" not in ended.stderr
