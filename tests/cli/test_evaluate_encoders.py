import pytest

from minitransformer import BertTokenizer, SentenceEncoder
from tests.cli.conftest import small_text
from tests.cli.test_fill_mask import assert_one_line_error
from tests.small_models import small_config


@pytest.fixture(scope="module")
def encoder_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoder")
    tokenizer = BertTokenizer.train(small_text(), vocab_size=120)
    config = small_config(vocab_size=120, max_position_embeddings=32, initializer_range=0.5)
    SentenceEncoder(config, tokenizer, seed=1).save_pretrained(folder)
    return folder


@pytest.fixture
def pairs(tmp_path):
    def write(*rows):
        file = tmp_path / "pairs.tsv"
        file.write_text("sentence1\tsentence2\tscore\n" + "".join("\t".join(row) + "\n" for row in rows))
        return file

    return write


ROWS = [
    ("the dog sees the river", "the dog sees the river", "5"),
    ("the dog sees the river", "the dog likes cold water", "3"),
    ("some bread", "every bird follows the old horse near the bridge", "0"),
]


def test_correlations_and_health_are_printed_for_each_file(run, encoder_folder, pairs):
    result = run("evaluate", "sts", encoder_folder, pairs(*ROWS), pairs(*ROWS))
    assert result.status == 0
    assert result.error == ""  # no progress bar, which is for terminals
    header, first, second = result.output.splitlines()
    assert header.split() == ["Spearman", "Pearson", "pairs"]
    assert "pairs.tsv: mean cosine 0." in first
    assert "of 12" in first
    assert second == first


@pytest.mark.parametrize("embeddings", ["tokens", "mean", "cls", "max"])
def test_the_baselines_run_by_the_same_command(run, encoder_folder, pairs, embeddings):
    result = run("evaluate", "sts", encoder_folder, pairs(*ROWS), "--embeddings", embeddings)
    assert result.status == 0
    assert -100 <= float(result.output.splitlines()[1].split()[0]) <= 100


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("a", "b", "nan")], "line 2: the score 'nan' is not a finite number"),
        ([("a", "b", "3"), ("c", "", "1")], "line 3: the field 'sentence2' is empty"),
        ([("a", "b", "3"), ("c", "d", "3")], "all 2 pairs have the same score"),
    ],
)
def test_bad_tables_end_in_one_sentence(run, encoder_folder, pairs, rows, message):
    assert_one_line_error(run("evaluate", "sts", encoder_folder, pairs(*rows)), message)


def test_senteval_measures_the_tasks_it_finds(run, encoder_folder, tmp_path):
    lines = [f"{'the dog likes' if i % 2 else 'every bird sees'} word{i}\t{i % 2}\n" for i in range(60)]
    (tmp_path / "CR.tsv").write_text("text\tlabel\n" + "".join(lines))
    (tmp_path / "TREC.train.tsv").write_text("text\tlabel\n" + "".join(lines[:40]))
    (tmp_path / "TREC.test.tsv").write_text("text\tlabel\n" + "".join(lines[40:]))
    result = run("evaluate", "senteval", encoder_folder, tmp_path)
    assert result.status == 0
    assert result.error == ""
    header, cr, trec, mean = result.output.splitlines()
    assert "CR, ten folds: mean cosine" in cr
    assert "TREC, test part: mean cosine" in trec
    assert "mean of the 2" in mean
    assert float(cr.split()[0]) > 90
    only = run("evaluate", "senteval", encoder_folder, tmp_path, "--task", "TREC").output.splitlines()
    assert only == [header, trec]


def test_senteval_without_data_says_what_it_looks_for(run, encoder_folder, tmp_path):
    assert_one_line_error(run("evaluate", "senteval", encoder_folder, tmp_path), "no files of MR, CR")
    assert_one_line_error(run("evaluate", "senteval", encoder_folder, tmp_path / "no"), "is not a folder")


def test_a_task_with_one_class_is_refused_by_its_name_before_anything_is_measured(run, encoder_folder, tmp_path):
    (tmp_path / "CR.tsv").write_text("text\tlabel\n" + "the dog\t1\nthe cat\t0\n" * 20)
    (tmp_path / "MR.tsv").write_text("text\tlabel\n" + "the dog\t1\n" * 30)
    assert_one_line_error(run("evaluate", "senteval", encoder_folder, tmp_path), "MR: all texts", "label '1'")
