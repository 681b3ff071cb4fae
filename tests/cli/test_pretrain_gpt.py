import shutil
import signal
from pathlib import Path

import pytest

from minitransformer.models.gpt import Gpt
from minitransformer.text.character_tokenizer import CharacterTokenizer
from minitransformer.text.tokenizer_of_folder import tokenizer_of_folder
from minitransformer.training.metrics import read_metrics
from tests.cli.other_process import HOW_LONG, in_another_process, number_of_lines, wait_for
from tests.cli.test_fill_mask import assert_one_line_error

MODEL_FILES = {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
SMALL_GPT = ["--batch-size", "4", "--max-length", "16", "--save-every", "5", "--tokenizer", "characters"]
THIRTY_STEPS = ["--steps", "30", *SMALL_GPT, "--dropout", "0.1"]


def pretrain_gpt(run, corpus, out, *options):
    return run("pretrain-gpt", "--corpus", corpus, "--out", out, "--steps", 3, *SMALL_GPT, *options)


def test_it_makes_a_model_folder_and_says_what_must_be_beaten(run, text_file, tmp_path):
    result = pretrain_gpt(run, text_file, tmp_path / "gpt")
    assert result.status == 0
    assert MODEL_FILES.issubset(path.name for path in (tmp_path / "gpt").iterdir())
    for words in ("per token", "per character", "-grams of characters", "unigrams", "ln V", str(tmp_path / "gpt")):
        assert words in result.output
    model, tokenizer = Gpt.from_pretrained(tmp_path / "gpt"), tokenizer_of_folder(tmp_path / "gpt")
    assert isinstance(tokenizer, CharacterTokenizer)
    assert model.config.vocab_size == tokenizer.vocab_size
    assert not (tmp_path / "gpt/training/checkpoints").exists()
    assert not (tmp_path / "gpt/training/best").exists()


def test_byte_pairs_are_the_default_and_their_number_can_be_chosen(run, text_file, tmp_path):
    result = run("pretrain-gpt", "--corpus", text_file, "--out", tmp_path / "gpt", "--steps", 1, "--vocab-size", 300)
    assert result.status == 0
    assert "300 tokens in its vocabulary (bytes)" in result.output
    assert tokenizer_of_folder(tmp_path / "gpt").vocab_size == 300


def test_after_150_steps_it_knows_more_than_pairs_of_characters(run, text_file, tmp_path):
    """That of a 2-gram is 1.75 on this text."""
    pretrain_gpt(run, text_file, tmp_path / "gpt", "--steps", 150, "--save-every", 150)
    lines = [line for line in read_metrics(tmp_path / "gpt/metrics.jsonl") if "held_out_nats_per_character" in line]
    assert lines[-1]["held_out_nats_per_character"] < 1.7


# -- stopped and resumed -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole_run(text_file, tmp_path_factory):
    """A run of 30 steps that was never stopped."""
    out = tmp_path_factory.mktemp("whole") / "gpt"
    process = in_another_process("pretrain-gpt", "--corpus", text_file, "--out", out, *THIRTY_STEPS)
    _, error = process.communicate(timeout=HOW_LONG)
    assert process.returncode == 0, error
    return out


@pytest.mark.parametrize(
    ("number", "lines_before"),
    [(signal.SIGKILL, None), (signal.SIGKILL, 1), (signal.SIGKILL, 13), (signal.SIGINT, 7), (signal.SIGTERM, 7)],
)
def test_a_run_stopped_and_resumed_ends_with_the_same_bytes(text_file, tmp_path, whole_run, number, lines_before):
    """Stopped after this many lines of metrics; None means while the text is still being read."""
    out = tmp_path / "gpt"
    process = in_another_process("pretrain-gpt", "--corpus", text_file, "--out", out, *THIRTY_STEPS)
    if lines_before is None:
        wait_for((out / "training/settings.json").exists)
    else:
        wait_for(lambda: number_of_lines(out / "metrics.jsonl") >= lines_before)
    process.send_signal(number)
    output, error = process.communicate(timeout=HOW_LONG)
    assert process.returncode == (-number if number == signal.SIGKILL else 128 + number), error
    if number != signal.SIGKILL:
        assert f"minitransformer pretrain-gpt --resume {out}" in output
    assert "Traceback" not in error
    resumed = in_another_process("pretrain-gpt", "--resume", out)
    _, error = resumed.communicate(timeout=HOW_LONG)
    assert resumed.returncode == 0, error
    for name in MODEL_FILES:
        assert (out / name).read_bytes() == (whole_run / name).read_bytes(), name
    timeless = [
        [{key: line[key] for key in line if key != "seconds"} for line in read_metrics(folder / "metrics.jsonl")]
        for folder in (out, whole_run)
    ]
    assert timeless[0] == timeless[1]


def test_a_run_of_the_other_command_is_not_resumed(run, whole_run, tmp_path):
    unfinished = Path(shutil.copytree(whole_run, tmp_path / "gpt"))
    (unfinished / "model.safetensors").unlink()
    assert_one_line_error(run("pretrain", "--resume", unfinished), "started by another command")


# -- bad input ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        (b"", [], "is empty"),
        (b" \n \n", [], "only white space"),
        (b"caf\xe9\n", [], "line 1: byte 4 of the line is 0xe9"),
        (b"some text\n\x00", [], "line 2 holds a zero byte"),
        (b"a short text", [], "the text to train on has 11 tokens, but max_length is 16"),
        (b"short", [], "held out for evaluation has no character"),
        (b"a little more text, but not enough for so many tokens", ["--tokenizer", "bytes"], "supports at most 2"),
        (b"a vocabulary of characters is as large as it is", ["--vocab-size", 99], "leave --vocab-size out"),
    ],
)
def test_a_bad_corpus_is_a_one_line_error_and_leaves_no_folder(run, tmp_path, content, options, words):
    (tmp_path / "text.txt").write_bytes(content)
    assert_one_line_error(pretrain_gpt(run, tmp_path / "text.txt", tmp_path / "gpt", *options), words)
    assert not (tmp_path / "gpt").exists()


@pytest.mark.parametrize(
    ("option", "value"), [("--held-out-share", 0), ("--held-out-share", 1), ("--max-length", 1), ("--dropout", 1)]
)
def test_a_value_out_of_range_names_the_option(run, text_file, tmp_path, option, value):
    result = pretrain_gpt(run, text_file, tmp_path / "gpt", option, value)
    assert result.status == 2
    assert option in result.error
