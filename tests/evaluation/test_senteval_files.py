import pytest

from minitransformer.errors import UserError
from minitransformer.evaluation.senteval_files import TASKS, Part, read_task


def write(path, content, encoding="utf-8"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode(encoding))


def test_a_file_of_each_class_as_senteval_has_them(tmp_path):
    write(tmp_path / "downstream/MR/rt-polarity.pos", "good \n\nvery good\n")
    write(tmp_path / "downstream/MR/rt-polarity.neg", "bad\n")
    assert read_task(tmp_path, "MR") == {"train": Part((["bad", "good", "very good"],), [".neg", ".pos", ".pos"])}


def test_subj_has_its_own_endings_and_latin_1_is_read(tmp_path):
    write(tmp_path / "SUBJ/subj.objective", "the café opens\n", "latin-1")
    write(tmp_path / "SUBJ/subj.subjective", "a dull film\n", "latin-1")
    assert read_task(tmp_path, "SUBJ")["train"].texts == (["the café opens", "a dull film"],)


def test_sst_has_three_parts_and_one_may_be_missing(tmp_path):
    write(tmp_path / "SST/binary/sentiment-train", "a charming journey . \t1\nno wit\t0\n")
    write(tmp_path / "SST/binary/sentiment-dev", "desperate\t0\n")
    write(tmp_path / "SST/fine/sentiment-test", "not these\t4\n")
    parts = read_task(tmp_path, "SST")
    assert parts == {
        "train": Part((["a charming journey .", "no wit"],), ["1", "0"]),
        "dev": Part((["desperate"],), ["0"]),
    }


def test_trec_counts_the_six_coarse_classes(tmp_path):
    write(tmp_path / "TREC/train_5500.label", "DESC:manner How did serfdom end ?\nENTY:cremat What films ?\n")
    write(tmp_path / "TREC/TREC_10.label", "DESC:def What is it ?\n")
    parts = read_task(tmp_path, "TREC")
    assert parts["train"] == Part((["How did serfdom end ?", "What films ?"],), ["DESC", "ENTY"])
    assert parts["test"].labels == ["DESC"]


def test_mrpc_is_pairs_below_a_header(tmp_path):
    header = "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\n"
    write(tmp_path / "MRPC/msr_paraphrase_train.txt", header + '1\t7\t8\tHe said "so".\tSo he said.\n')
    assert read_task(tmp_path, "MRPC")["train"] == Part((['He said "so".'], ["So he said."]), ["1"])


def test_tables_are_found_by_the_words_of_their_paths(tmp_path):
    write(tmp_path / "CR.open.tsv", "text\tlabel\ngood\t1\nbad\t0\n")
    write(tmp_path / "mrpc_data/train.tsv", "sentence1\tsentence2\tlabel\na\tb\t1\n")
    write(tmp_path / "mrpc_data/val.tsv", "sentence1\tsentence2\tlabel\nc\td\t0\n")
    write(tmp_path / "mrpc_data/test.tsv", "sentence1\tsentence2\tlabel\ne\tf\t0\n")
    assert read_task(tmp_path, "CR") == {"train": Part((["good", "bad"],), ["1", "0"])}
    parts = read_task(tmp_path, "MRPC")
    assert {part: content.texts for part, content in parts.items()} == {
        "train": (["a"], ["b"]),
        "dev": (["c"], ["d"]),
        "test": (["e"], ["f"]),
    }


@pytest.mark.filterwarnings("error")
def test_what_stands_for_no_label_is_left_out_of_a_table(tmp_path):
    write(tmp_path / "CR.tsv", "text\tlabel\ngood\t1\nso\t-\nbad\t0\n")
    with pytest.warns(UserWarning, match="CR.tsv: 1 of 3 lines have no label"):
        assert read_task(tmp_path, "CR")["train"] == Part((["good", "bad"],), ["1", "0"])


@pytest.mark.filterwarnings("ignore:.*is read as CSV")
def test_a_table_may_be_a_csv_and_its_labels_must_be_classes(tmp_path):
    write(tmp_path / "CR.csv", 'text,label\n"good, very",1\nbad,0\n')
    assert read_task(tmp_path, "CR")["train"].texts == (["good, very", "bad"],)
    write(tmp_path / "MR.csv", "text,label\ngood,4.5\nbad,1\n")
    with pytest.raises(UserError, match=r"MR.csv: the labels are numbers such as 4.5, not classes"):
        read_task(tmp_path, "MR")


def test_the_folder_itself_may_have_the_tasks_name(tmp_path):
    write(tmp_path / "TREC/train.tsv", "text\tlabel\nwho ?\tHUM\n")
    assert read_task(tmp_path / "TREC", "TREC")["train"].labels == ["HUM"]


def test_a_task_without_files_has_no_parts(tmp_path):
    write(tmp_path / "CR.tsv", "text\tlabel\ngood\t1\n")
    assert [task for task in TASKS if read_task(tmp_path, task)] == ["CR"]


@pytest.mark.parametrize(
    ("files", "task", "message"),
    [
        ({"CR.tsv": "", "CR.open.tsv": ""}, "CR", "both .*CR.open.tsv and .*CR.tsv look like the train part"),
        ({"TREC/TREC_10.label": "DESC:def What ?\n"}, "TREC", "has the test part of TREC, but no train part"),
        ({"SST/binary/sentiment-train": "good\t1\nbad\n"}, "SST", "sentiment-train, text 2: expected 2 fields"),
        ({"MR/rt-polarity.pos": "good\n"}, "MR", "rt-polarity.pos, but no rt-polarity.neg; both are needed"),
        ({"MR/rt-polarity.pos": "", "MR/rt-polarity.neg": "bad\n"}, "MR", "rt-polarity.pos holds no text; a broken"),
        ({"MRPC/msr_paraphrase_train.txt": "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\n"}, "MRPC", "holds no text"),
        ({"MRPC/msr_paraphrase_train.txt": "h\n1\t7\t8\t\tb\n"}, "MRPC", "text 1: expected 5 fields .* none empty"),
    ],
)
def test_errors_name_the_files(tmp_path, files, task, message):
    for name, content in files.items():
        write(tmp_path / name, content)
    with pytest.raises(UserError, match=message):
        read_task(tmp_path, task)
