"""The command line in this process, a small text, and a model that was pretrained on it."""

import random
import sys
from typing import NamedTuple

import pytest

from minitransformer.cli.main import main
from minitransformer.training import checkpoint
from tests.small_encoders import small_encoder

SUBJECTS = ["the dog", "a small cat", "my friend", "the old horse", "every bird", "our neighbour"]
VERBS = ["likes", "sees", "follows", "hears", "finds", "forgets"]
OBJECTS = ["the river", "green grass", "a red house", "the long road", "cold water", "some bread"]
PLACES = ["in the morning", "near the bridge", "after lunch", "behind the garden"]


class Result(NamedTuple):
    status: int
    output: str
    error: str


def small_text(num_documents=60, seed=0):
    """Documents of eight sentences, a sentence a line, each document about one subject in one place."""
    rng = random.Random(seed)
    documents = []
    for _ in range(num_documents):
        subject, place = rng.choice(SUBJECTS), rng.choice(PLACES)
        ends = [f" {rng.choice(OBJECTS)} {place}." if i % 2 else "." for i in range(8)]
        documents.append("\n".join(f"{subject} {rng.choice(VERBS)}{end}" for end in ends))
    return "\n\n".join(documents) + "\n"


SMALL_RUN = ["--vocab-size", "140", "--batch-size", "8", "--max-length", "24", "--save-every", "5"]
SMALL_RUN += ["--held-out-pairs", "40"]


@pytest.fixture
def run(monkeypatch, capsys):
    """run("fill-mask", ...) calls the command as a shell would, and gives its status, output and error."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["minitransformer", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as exit_:
            main()
        return Result(exit_.value.code or 0, *capsys.readouterr())

    return run


@pytest.fixture
def without_waiting_for_the_disk(monkeypatch):
    """Many small runs save many small checkpoints, none of which has to outlive a power cut."""
    monkeypatch.setattr(checkpoint, "flush_to_disk", lambda folder: None)


@pytest.fixture(scope="session")
def text_file(tmp_path_factory):
    file = tmp_path_factory.mktemp("text") / "small.txt"
    file.write_text(small_text())
    return file


@pytest.fixture(scope="session")
def model_folder(text_file, tmp_path_factory):
    """A model from `minitransformer pretrain`, which has learnt a little."""
    folder = tmp_path_factory.mktemp("model") / "bert"
    arguments = ["pretrain", "--corpus", text_file, "--out", folder, "--steps", 150, *SMALL_RUN]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["minitransformer", *map(str, arguments), "--save-every", "100"])
        with pytest.raises(SystemExit):
            main()
    return folder


@pytest.fixture(scope="session")
def encoder_folder(tmp_path_factory):
    """A small sentence encoder with random weights; it knows the words of small_encoders."""
    folder = tmp_path_factory.mktemp("encoder")
    small_encoder(prompts={"query": "he "}).save_pretrained(folder)
    return folder
