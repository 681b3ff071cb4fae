"""The recipe from text to a sentence encoder, with a model and tables of a few lines."""

import pytest

from minitransformer import SentenceEncoder, UserError
from scripts.recipes import from_scratch
from tests.cli.conftest import small_text

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
def arguments(tmp_path):
    for name, text in (("corpus.txt", small_text()), ("nli.tsv", NLI), ("sts.tsv", STS)):
        (tmp_path / name).write_text(text)
    sts, out = tmp_path / "sts.tsv", tmp_path / "out"
    arguments = [tmp_path / "corpus.txt", "--nli", tmp_path / "nli.tsv", "--sts-train", sts, "--sts-dev", sts]
    return [*map(str, arguments), "--out", str(out), "--steps", "3"]


def test_three_stages_lead_from_text_to_a_sentence_encoder_and_none_is_done_twice(arguments, tmp_path, monkeypatch):
    settings = from_scratch.PretrainingSettings
    small = lambda **given: settings(**{**given, "vocab_size": 140, "batch_size": 8, "held_out_every": 20})  # noqa: E731
    monkeypatch.setattr(from_scratch, "PretrainingSettings", small)
    from_scratch.main(arguments, standalone_mode=False)
    out = tmp_path / "out"
    assert SentenceEncoder.from_pretrained(out / "3-sts").encode("the dog").shape == (128,)
    written = {file: file.stat().st_mtime_ns for file in out.rglob("*.safetensors")}
    from_scratch.main(arguments, standalone_mode=False)
    assert written == {file: file.stat().st_mtime_ns for file in out.rglob("*.safetensors")}


def test_a_corpus_that_is_not_there_is_named(arguments, tmp_path):
    (tmp_path / "corpus.txt").unlink()
    with pytest.raises(UserError, match=r"corpus\.txt"):
        from_scratch.main(arguments, standalone_mode=False)
