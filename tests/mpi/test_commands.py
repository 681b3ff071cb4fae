"""Commands under mpiexec: the first process writes and speaks, and a stop or an error ends all of them."""

import json
import os
import signal
import time

import numpy as np
import pytest
from safetensors.numpy import load_file

from minitransformer import ProductIndex
from tests.cli.conftest import SMALL_RUN, small_text
from tests.small_encoders import random_texts, small_encoder
from tests.small_shop import products_table
from tests.training.small_towers import log_table, saved_encoder


@pytest.fixture
def text(tmp_path):
    file = tmp_path / "small.txt"
    file.write_text(small_text())
    return file


def pretrain(text, folder, steps):
    return ["-m", "minitransformer", "pretrain", "--corpus", text, "--out", folder, "--steps", steps, *SMALL_RUN]


def test_pretraining_writes_once_says_it_once_and_gives_what_one_process_gives(run, tmp_path, text):
    alone = run(1, *pretrain(text, tmp_path / "alone", 10))
    result = run(2, *pretrain(text, tmp_path / "both", 10))
    assert (alone.status, result.status) == (0, 0), result.error
    assert result.output.count("Cores: 1 in each of 2 processes\n") == result.output.count("Saved to") == 1
    values = [load_file(tmp_path / name / "model.safetensors") for name in ("alone", "both")]
    for name, value in values[0].items():
        np.testing.assert_allclose(values[1][name], value, rtol=1e-4, atol=1e-5)
    lines = (tmp_path / "both" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines if "loss" in line] == [*range(1, 11)]


@pytest.mark.parametrize(("command", "vocab_size"), [("pretrain", 150), ("pretrain-gpt", 300)])
def test_all_processes_tokenise_the_corpus_that_one_process_would(run, tmp_path, text, command, vocab_size):
    further = tmp_path / "further.txt"
    further.write_text(small_text().upper())
    for processes in (1, 2):
        options = ["--corpus", text, "--corpus", further, "--out", tmp_path / str(processes), "--steps", 1]
        result = run(processes, "-m", "minitransformer", command, *options, "--vocab-size", vocab_size)
        assert result.status == 0, result.error
    corpora = [tmp_path / name / "training" / "corpus" for name in ("1", "2")]
    assert (corpora[1] / "corpus.json").read_text() == (corpora[0] / "corpus.json").read_text()


def test_towers_of_two_processes_are_those_of_one(run, tmp_path):
    """Each process embeds its part of a batch; the loss is that of the whole batch, whose other products are wrong."""
    tables = ["--log", log_table(tmp_path / "log.tsv"), "--products", products_table(tmp_path / "products.tsv")]
    small = ["--batch-size", 6, "--embedding-size", 5, "--warm-up-epochs", 1, "--cascade-epochs", 1]
    model = saved_encoder(tmp_path / "encoder")
    for processes in (1, 2):
        out = ["--out", tmp_path / str(processes)]
        result = run(processes, "-m", "minitransformer", "train-towers", model, *tables, *small, *out)
        assert result.status == 0, result.error
        assert result.output.count("Saved to") == 1
    files = ["warm-up/model.safetensors", "model.safetensors", "product/2_Dense/model.safetensors"]
    for file in [*files, "minitransformer_towers.safetensors"]:
        one, two = (load_file(tmp_path / name / file) for name in ("1", "2"))
        for name, value in one.items():
            np.testing.assert_allclose(two[name], value, rtol=1e-4, atol=1e-6)


def test_a_text_that_can_not_be_read_is_said_once(run, tmp_path):
    file = tmp_path / "damaged.txt"
    file.write_bytes(small_text().encode() + b"\xff\n")
    result = run(2, *pretrain(file, tmp_path / "run", 10))
    assert result.status == 1
    assert result.error.count("which is not valid UTF-8") == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_mpiexec_saves_the_run_which_other_processes_resume(start, run, tmp_path, text, number):
    folder = tmp_path / "run"
    process = start(2, *pretrain(text, folder, 100_000))
    while not (folder / "metrics.jsonl").exists() or not (folder / "metrics.jsonl").read_text().count("\n") > 3:
        time.sleep(0.1)
        assert process.poll() is None
    os.kill(process.pid, number)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert output.count(f"Resume with: minitransformer pretrain --resume {folder}") == 1
    settings = folder / "training" / "settings.json"
    assert json.loads(settings.read_text())["processes"] == 2
    [checkpoint] = (folder / "training" / "checkpoints").iterdir()
    stopped_at = int(checkpoint.name.partition("-")[2])
    resumed = start(1, "-m", "minitransformer", "pretrain", "--resume", folder)
    while True:
        steps = [json.loads(line)["step"] for line in (folder / "metrics.jsonl").read_text().splitlines()]
        if steps and steps[-1] > stopped_at:
            break
        time.sleep(0.1)
        assert resumed.poll() is None
    resumed.kill()


def test_an_error_is_said_once(run, tmp_path, text):
    result = run(2, *pretrain(tmp_path / "none.txt", tmp_path / "run", 10))
    assert result.status == 1
    assert result.error.count("Error:") == 1
    assert not (tmp_path / "run").exists()
    result = run(2, *pretrain(text, tmp_path / "run", 10), "--num-shards", 1)
    assert result.status == 2
    assert "--num-shards 1 gives 2 processes too little to do" in result.error


def test_a_process_that_fails_alone_ends_the_job_and_says_why(run, tmp_path):
    program = tmp_path / "fails.py"
    program.write_text(
        "import sys\n"
        "from minitransformer.cli._processes import run_with_others\n"
        "from minitransformer.errors import UserError\n"
        "from minitransformer.training import machines\n"
        "machines.SECONDS_TO_END = 0.5\n"
        "def command():\n"
        "    job = machines.this_job()\n"
        "    if job.rank == 1:\n"
        "        print('Error: the disk of this machine is full', file=sys.stderr)\n"
        "        return 1\n"
        "    job.gather('waits for the other one')\n"
        "    return 0\n"
        "sys.exit(run_with_others(command))\n"
    )
    result = run(2, program)
    assert result.status == 1
    assert result.error.count("process 1 of 2: Error: the disk of this machine is full") == 1


def test_embed_gives_the_rows_of_one_process_and_counts_what_all_have_cut(run, tmp_path):
    small_encoder().save_pretrained(tmp_path / "encoder")
    file = tmp_path / "texts.txt"
    file.write_text("\n".join([*random_texts(2100), *(f"{word} b c a b c a b c" for word in "abc")]) + "\n")
    result = run(2, "-m", "minitransformer", "embed", tmp_path / "encoder", file, "--out", tmp_path / "rows.npy")
    assert result.status == 0, result.error
    assert result.output == "2,103 embeddings of 12 numbers\n"
    assert result.error.startswith("Note: 3 of ")  # of the different texts that each process saw
    assert "texts are longer than the model's 9 tokens" in result.error
    expected = small_encoder().encode(file.read_text().splitlines(), truncation="silent")
    np.testing.assert_allclose(np.load(tmp_path / "rows.npy"), expected, atol=1e-6)


def test_standard_input_is_refused(run, tmp_path):
    small_encoder().save_pretrained(tmp_path / "encoder")
    result = run(2, "-m", "minitransformer", "embed", tmp_path / "encoder", "--out", tmp_path / "rows.npy")
    assert result.status == 1
    assert result.error.count("name a FILE that all can read") == 1


def test_an_index_is_that_of_one_process(run, tmp_path):
    small_encoder().save_pretrained(tmp_path / "encoder")
    rows = [f"{i}\t{text}" for i, text in enumerate(dict.fromkeys(text for text in random_texts(300) if text))]
    (tmp_path / "products.tsv").write_text("\n".join(["product_id\tname", *rows]) + "\n")
    for processes in (1, 2):
        out = tmp_path / str(processes)
        index = ["-m", "minitransformer", "index", tmp_path / "products.tsv", "--out", out]
        result = run(processes, *index, "--model", tmp_path / "encoder")
        assert result.status == 0, result.error
        assert result.output.count(str(out)) == 1
        assert run(processes, *index).status == 0  # nothing is new
    found = [ProductIndex.open(tmp_path / name).search("my dog is cute") for name in ("1", "2")]
    assert [hit.id for hit in found[1]] == [hit.id for hit in found[0]]
    np.testing.assert_allclose([hit.cosine for hit in found[1]], [hit.cosine for hit in found[0]], atol=1e-6)
