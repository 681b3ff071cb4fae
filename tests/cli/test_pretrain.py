import json
import os
import resource
import shutil
import signal
from pathlib import Path

import pytest

from minitransformer.models.bert_for_pretraining import BertForPreTraining
from minitransformer.text.bert_tokenizer import BertTokenizer
from minitransformer.training.metrics import read_metrics
from tests.cli.conftest import SMALL_RUN, small_text
from tests.cli.other_process import HOW_LONG, files_of, in_another_process, number_of_lines, wait_for
from tests.cli.test_fill_mask import assert_one_line_error

MODEL_FILES = {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "vocab.txt"}


def pretrain(run, corpus, out, *options):
    return run("pretrain", "--corpus", corpus, "--out", out, "--steps", 3, *SMALL_RUN, *options)


# -- what it makes -----------------------------------------------------------------------------------------------------


def test_it_makes_a_model_folder_and_says_what_was_learnt(run, text_file, tmp_path):
    result = pretrain(run, text_file, tmp_path / "bert")
    assert result.status == 0
    assert MODEL_FILES.issubset(path.name for path in (tmp_path / "bert").iterdir())
    for words in ("ln V", "unigram entropy", "ln 2", "[MASK]", "it was:", str(tmp_path / "bert")):
        assert words in result.output
    model = BertForPreTraining.from_pretrained(tmp_path / "bert")
    tokenizer = BertTokenizer.from_pretrained(tmp_path / "bert")
    assert model.config.vocab_size == tokenizer.vocab_size == 140
    assert model.config.max_position_embeddings == tokenizer.model_max_length == 24
    assert not (tmp_path / "bert/training/checkpoints").exists()


def test_it_shows_the_pairs_before_it_trains_on_them(run, text_file, tmp_path):
    result = pretrain(run, text_file, tmp_path / "bert")
    assert "with a random second text" in result.output
    audit = (tmp_path / "bert/training/pair_audit.txt").read_text(encoding="utf-8")
    assert "pairs in an epoch" in audit
    assert "[CLS]" in audit


def test_whole_words_change_what_is_masked(run, text_file, tmp_path):
    pretrain(run, text_file, tmp_path / "pieces")
    pretrain(run, text_file, tmp_path / "words", "--whole-words")
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("pieces", "words")]
    assert weights[0] != weights[1]


def test_after_150_steps_it_knows_more_than_how_frequent_tokens_are(model_folder):
    """The unigram cross-entropy of these tokens is 3.67."""
    lines = [line for line in read_metrics(model_folder / "metrics.jsonl") if "held_out_mlm" in line]
    assert lines[-1]["held_out_mlm"] < 3.6


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(run, text_file, tmp_path):
    for name, seed in (("first", 1), ("again", 1), ("other", 2)):
        assert pretrain(run, text_file, tmp_path / name, "--seed", seed).status == 0
    first, again, other = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("first", "again", "other"))
    assert first == again != other


def test_several_files_are_one_corpus(run, tmp_path):
    for number in range(2):
        (tmp_path / f"{number}.txt").write_text(small_text(num_documents=30, seed=number))
    result = pretrain(run, tmp_path / "0.txt", tmp_path / "bert", "--corpus", tmp_path / "1.txt")
    assert result.status == 0
    assert "60 documents" in result.output


def test_masked_words_alone_are_a_model_that_fills_and_can_be_measured(run, text_file, tmp_path):
    result = pretrain(run, text_file, tmp_path / "bert", "--no-next-sentence")
    assert result.status == 0
    assert "unigram entropy" in result.output
    assert "next sentence" not in result.output
    assert run("fill-mask", tmp_path / "bert", "the dog [MASK]").status == 0
    for data in ([], [text_file]):
        measured = run("evaluate", "pretraining", tmp_path / "bert", *data)
        assert measured.status == 0
        assert f"Note: {tmp_path / 'bert'} has no next-sentence head: only masked tokens are measured" in measured.error
        assert "next sentence" not in measured.output
    assert_one_line_error(run("next-sentence", tmp_path / "bert", "a", "b"), "has no next-sentence head")


def test_a_model_is_trained_further_with_small_steps(run, text_file, model_folder, tmp_path):
    out = tmp_path / "further"
    arguments = ["--corpus", text_file, "--out", out, "--steps", 2, "--max-length", 24, "--held-out-pairs", 8]
    assert run("pretrain", "--from", model_folder, *arguments).status == 0
    settings = json.loads((out / "training/settings.json").read_text())
    assert settings["learning_rate"] == 1e-4
    assert settings["further"] == str(model_folder)
    assert MODEL_FILES.issubset(path.name for path in out.iterdir())
    result = run("pretrain", "--from", model_folder, "--size", "mini")
    assert_one_line_error(result, "has its own vocabulary and sizes; leave out --size")
    assert "leave out --from" in run("pretrain", "--resume", out, "--from", model_folder).error


# -- stopped and resumed -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole_run(text_file, tmp_path_factory):
    """A run of 30 steps that was never stopped."""
    out = tmp_path_factory.mktemp("whole") / "bert"
    process = in_another_process("pretrain", "--corpus", text_file, "--out", out, "--steps", 30, *SMALL_RUN)
    _, error = process.communicate(timeout=HOW_LONG)
    assert process.returncode == 0, error
    return out


def assert_same_run(folder, whole_run):
    for name in MODEL_FILES:
        assert (folder / name).read_bytes() == (whole_run / name).read_bytes(), name
    timeless = [
        [
            {name: value for name, value in line.items() if name != "seconds"}
            for line in read_metrics(out / "metrics.jsonl")
        ]
        for out in (folder, whole_run)
    ]
    assert timeless[0] == timeless[1]


@pytest.mark.parametrize("lines_before", [None, 1, 13])
def test_a_run_killed_at_any_moment_and_resumed_ends_with_the_same_bytes(text_file, tmp_path, whole_run, lines_before):
    """Killed after this many lines of metrics; None means while the corpus is still being read."""
    out = tmp_path / "bert"
    process = in_another_process("pretrain", "--corpus", text_file, "--out", out, "--steps", 30, *SMALL_RUN)
    if lines_before is None:
        wait_for((out / "training/settings.json").exists)
    else:
        wait_for(lambda: number_of_lines(out / "metrics.jsonl") >= lines_before)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=HOW_LONG)
    assert process.returncode == -signal.SIGKILL
    assert not (out / "model.safetensors").exists()
    resumed = in_another_process("pretrain", "--resume", out)
    _, error = resumed.communicate(timeout=HOW_LONG)
    assert resumed.returncode == 0, error
    assert_same_run(out, whole_run)


@pytest.fixture
def stopped_run(run_stopped_once, tmp_path):
    """A run of 30 steps that SIGTERM stopped after some of them."""
    return Path(shutil.copytree(run_stopped_once, tmp_path / "bert"))


@pytest.fixture(scope="module")
def run_stopped_once(text_file, tmp_path_factory):
    out = tmp_path_factory.mktemp("stopped") / "bert"
    process = in_another_process("pretrain", "--corpus", text_file, "--out", out, "--steps", 30, *SMALL_RUN)
    wait_for(lambda: number_of_lines(out / "metrics.jsonl") >= 7)
    process.send_signal(signal.SIGTERM)
    output, error = process.communicate(timeout=HOW_LONG)
    assert process.returncode == 128 + signal.SIGTERM, error
    assert f"--resume {out}" in output
    assert "Traceback" not in error
    return out


def test_a_full_disk_while_saving_loses_nothing_and_the_run_goes_on_when_there_is_room(stopped_run, whole_run):
    """No file may get longer than 2.5 MB: the weights fit, the moments don't."""
    before = files_of(stopped_run / "training")

    def limit_file_size():
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_500_000, 2_500_000))

    process = in_another_process("pretrain", "--resume", stopped_run, preexec_fn=limit_file_size)
    _, error = process.communicate(timeout=HOW_LONG)
    assert process.returncode == 1
    assert error.startswith("Error: the checkpoint of step")
    assert error.count("\n") == 1
    assert files_of(stopped_run / "training") == before
    resumed = in_another_process("pretrain", "--resume", stopped_run)
    assert resumed.wait(HOW_LONG) == 0
    assert_same_run(stopped_run, whole_run)


@pytest.mark.parametrize("file", ["model.safetensors", "moments.safetensors"])
def test_a_truncated_checkpoint_is_refused(run, stopped_run, file):
    [checkpoint] = (stopped_run / "training/checkpoints").iterdir()
    os.truncate(checkpoint / file, 1000)
    result = run("pretrain", "--resume", stopped_run)
    assert result.status == 1
    assert result.error.startswith(f"Error: {checkpoint / file}")
    assert result.error.count("\n") == 1


def test_an_unfinished_run_is_not_overwritten(run, stopped_run, text_file):
    assert_one_line_error(pretrain(run, text_file, stopped_run), "unfinished run", f"--resume {stopped_run}")


def test_a_finished_run_has_nothing_to_resume(run, whole_run):
    assert_one_line_error(run("pretrain", "--resume", whole_run), "is finished")


def test_a_folder_without_a_run_has_nothing_to_resume(run, tmp_path):
    assert_one_line_error(run("pretrain", "--resume", tmp_path), "no training run", "settings.json")


def test_settings_cannot_change_when_a_run_is_resumed(run, whole_run):
    result = run("pretrain", "--resume", whole_run, "--steps", 99)
    assert result.status == 2
    assert "leave out --steps" in result.error


# -- bad input ---------------------------------------------------------------------------------------------------------

BAD_FILES = {
    "empty": (b"", "is empty"),
    "blank": (b"\n \n", "only white space"),
    "binary": (b"some text\n\x00\x01\x02\n", "line 2 holds a zero byte"),
    "latin1": (b"some text\ncaf\xe9\n", "line 2: byte 4 of the line is 0xe9"),
    "one_line": (b"word " * 3_400_000, "line 1 is longer than 16 MB"),
    "one_document": (b"One sentence.\nAnother sentence.\n" * 50, "is one document"),
    "no_gzip": (b"\x1f\x8b and no more", "damaged or cut-off gzip"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_corpus_is_a_one_line_error_and_leaves_no_folder(run, tmp_path, kind):
    content, words = BAD_FILES[kind]
    (tmp_path / kind).write_bytes(content)
    assert_one_line_error(pretrain(run, tmp_path / kind, tmp_path / "bert"), words)
    assert not (tmp_path / "bert").exists()


def test_a_missing_corpus_is_a_one_line_error(run, tmp_path):
    assert_one_line_error(pretrain(run, tmp_path / "none.txt", tmp_path / "bert"), "none.txt does not exist")


def test_a_vocabulary_larger_than_the_text_supports_is_refused(run, text_file, tmp_path):
    assert_one_line_error(pretrain(run, text_file, tmp_path / "bert", "--vocab-size", 5000), "5000")
    assert not (tmp_path / "bert").exists()


def test_a_corpus_too_small_to_hold_a_part_out_is_refused(run, tmp_path):
    (tmp_path / "tiny.txt").write_text("a b c d.\nd c b a.\n\nb a d c.\nc d a b.\n")
    result = pretrain(run, tmp_path / "tiny.txt", tmp_path / "bert", "--vocab-size", 10)
    assert_one_line_error(result, "too small to hold a part of it out")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--max-length", 4], "max_length is 4"),
        (["--learning-rate", 1e30], "training stopped: in step"),
    ],
)
def test_a_bad_setting_is_a_one_line_error(run, text_file, tmp_path, options, words):
    result = pretrain(run, text_file, tmp_path / "bert", *options)
    assert result.status == 1
    assert words in result.error
    assert result.error.count("\n") == 1


@pytest.mark.parametrize(("option", "value"), [("--dropout", 1.5), ("--dropout", "nan"), ("--learning-rate", "nan")])
def test_a_value_out_of_range_names_the_option_and_makes_no_folder(run, text_file, tmp_path, option, value):
    result = pretrain(run, text_file, tmp_path / "bert", option, value)
    assert result.status == 2
    assert option in result.error
    assert result.error.splitlines()[-1].startswith("Error: ")
    assert not (tmp_path / "bert").exists()


def test_an_out_folder_with_another_model_is_refused_and_left_alone(run, text_file, tmp_path):
    (tmp_path / "model.safetensors").write_text("years of work")
    assert_one_line_error(pretrain(run, text_file, tmp_path), "holds another model", "--out")
    assert {path: content.decode() for path, content in files_of(tmp_path).items()} == {
        (tmp_path / "model.safetensors").relative_to(tmp_path): "years of work"
    }


def test_an_out_folder_with_other_files_and_an_out_file_are_refused(run, text_file, tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    assert_one_line_error(pretrain(run, text_file, tmp_path), "holds other files")
    assert_one_line_error(pretrain(run, text_file, tmp_path / "thesis.tex"), "is a file")


def test_a_loss_that_is_not_finite_leaves_the_last_good_checkpoint(run, text_file, tmp_path):
    result = pretrain(run, text_file, tmp_path / "bert", "--learning-rate", 1e30, "--steps", 20, "--save-every", 1)
    assert "The last good checkpoint is" in result.error
    assert "training/checkpoints/step-000001" in result.error
    settings = json.loads((tmp_path / "bert/training/settings.json").read_text())
    assert settings["learning_rate"] == 1e30
