"""Table 6 on a small encoder and made pairs."""

import numpy as np
import pytest
from click.testing import CliRunner

from scripts.experiments import concatenations
from scripts.experiments.concatenations import CONCATENATIONS, POOLINGS, Run
from tests.small_encoders import random_texts, small_encoder

WITH_DIFFERENCE = ("u", "v", "|u-v|")


@pytest.fixture
def base(tmp_path):
    small_encoder().save_pretrained(tmp_path / "base")
    return str(tmp_path / "base")


@pytest.fixture
def nli(tmp_path):
    return write_pairs(tmp_path / "nli.tsv", "label", ["contradiction", "entailment", "neutral"], 40)


@pytest.fixture
def sts(tmp_path):
    return write_pairs(tmp_path / "sts.tsv", "score", [0, 1, 2, 3, 4, 5], 12)


def write_pairs(file, column, targets, count):
    texts = [text for text in random_texts(9 * count) if text]
    lines = [f"{texts[2 * i]}\t{texts[2 * i + 1]}\t{targets[i % len(targets)]}" for i in range(count)]
    file.write_text("\n".join([f"sentence1\tsentence2\t{column}", *lines]))
    return str(file)


def read(base, *nli_files):
    encoder = small_encoder()
    tables = [concatenations.read_table(file, concatenations.LABELLED_PAIRS) for file in nli_files]
    return encoder, tables, concatenations.read_pairs(encoder, tables)


def test_chosen_pairs_keep_their_texts_and_labels(base, nli):
    encoder, [table], pairs = read(base, nli)
    chosen = pairs.select(np.array([7, 2]))
    expected = encoder.tokenize([table.texts[0][7], table.texts[0][2], table.texts[1][7], table.texts[1][2]])
    np.testing.assert_array_equal(chosen.tokens.token_ids, expected.token_ids)
    np.testing.assert_array_equal(chosen.labels, [1, 2])  # 7 and 2 modulo 3


def test_tables_add_up(base, nli):
    _, _, once = read(base, nli)
    encoder, [table, _], twice = read(base, nli, nli)
    assert len(twice.labels) == 2 * len(once.labels)
    last = twice.select(np.array([len(twice.labels) - 1]))
    expected = encoder.tokenize([table.texts[0][-1], table.texts[1][-1]])
    np.testing.assert_array_equal(last.tokens.token_ids, expected.token_ids)


def test_a_run_is_a_function_of_its_seed(base, nli):
    _, _, pairs = read(base, nli)

    def weights(seed):
        run = Run(seed, "mean", WITH_DIFFERENCE)
        return concatenations.trained(base, pairs, run, num_epochs=1, peak_rate=1e-3).storage.values

    np.testing.assert_array_equal(weights(0), weights(0))
    assert np.abs(weights(0) - weights(1)).max() > 1e-4


def test_mean_and_standard_error():
    assert concatenations.spread([1.0, 2.0, 3.0]) == "2.00 ± 0.58"  # 1 / sqrt(3)
    assert concatenations.spread([1.0]) == "1.00"


def test_gains_are_differences_within_a_seed():
    found = {(pooling, parts): [50.0, 52.0] for pooling in POOLINGS for parts in CONCATENATIONS}
    found["mean", WITH_DIFFERENCE] = [60.0, 62.0]  # 10 more than without, for both seeds
    row = next(line for line in concatenations.table_of_gains(found).splitlines() if "over (u, v) " in line)
    assert row == r"| (u, v, \|u-v\|) over (u, v) | 10.00 ± 0.00 | 0.00 ± 0.00 | 0.00 ± 0.00 | 14.74 |"


def test_the_command_prints_all_21_configurations(base, nli, sts):
    arguments = [base, "--nli", nli, "--sts", sts, "--seeds", "2"]
    printed = CliRunner().invoke(concatenations.main, arguments, catch_exceptions=False).stdout
    rows = [line.split(" | ") for line in printed.splitlines() if line.startswith("| (u") or line.startswith(r"| (\|")]
    table_6, gains = rows[:7], rows[7:]
    assert len({row[0] for row in table_6}) == 7
    assert all("±" in cell for row in table_6 for cell in row[1:4])
    assert [row[4] for row in table_6] == ["66.04", "69.78", "70.54", "78.37", "77.44", "80.78", "80.44"]
    assert len(gains) == 3
