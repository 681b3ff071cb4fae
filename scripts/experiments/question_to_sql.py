"""ICE #1 measured: which architecture turns a question into SQL, if its query was seen before, and if it wasn't?

    python -m scripts.experiments.question_to_sql path/to/all-MiniLM-L6-v2 \\
        --train train.tsv --dev dev.tsv --database geography.sqlite

The data is GeoQuery (Zelle, Mooney 1996; its SQL from Finegan-Dollak et al. 2018): tables (TSV) with the columns
question, sql and query_split. Two ways to divide it:

- by questions: train.tsv to learn from, dev.tsv to answer. Nearly all of its queries were seen, with other values;
- by queries: of both tables, the rows whose query_split is "train" to learn from, and those with "dev" to answer. None
  of their queries was seen, with whatever values.

All architectures see the values hidden in the same way (sql_values.py) and the SQL without aliases (sql_aliases.py).
Of several seeds there are the mean and, in brackets, the lowest and the highest; seconds are those of a processor, for
learning and answering by questions.
"""

from __future__ import annotations

import csv
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import click

from minitransformer import SentenceEncoder
from minitransformer.evaluation.sql import Database, SqlQuality, sql_quality
from scripts.experiments.sql_values import Example, Values, sql_of
from scripts.experiments.sql_writers import Learn, architectures
from scripts.pages import table

HEADER = ["", "exact, same queries", "execution", "exact, new queries", "execution", "seconds"]


class Split(NamedTuple):
    train: list[Example]
    dev: list[Example]


class Trial(NamedTuple):
    """What one architecture reaches on one split with one seed."""

    quality: SqlQuality
    seconds: float


@click.command()
@click.argument("encoder")
@click.option("--train", required=True, type=click.Path(path_type=Path), help="Questions and their SQL (TSV).")
@click.option("--dev", required=True, type=click.Path(path_type=Path), help="Other questions and their SQL (TSV).")
@click.option("--database", required=True, help="What the SQL asks (SQLite).")
@click.option("--steps", type=click.IntRange(1), help="Of each training, for a trial.")
@click.option("--seeds", default=3, show_default=True, type=click.IntRange(1))
def main(encoder: str, train: Path, dev: Path, database: str, steps: int | None, seeds: int) -> None:
    """Compare six architectures; ENCODER is a folder of a sentence encoder or a name on the hub."""
    asked = Database(database)
    splits = splits_of(rows_of(train), rows_of(dev), Values(asked))
    click.echo(", ".join(f"{name}: {len(s.train)} and {len(s.dev)}" for name, s in splits.items()), err=True)
    rows = []
    for name, learn in architectures(SentenceEncoder.from_pretrained(encoder), steps).items():
        trials = [[trial(learn, split, asked, seed) for seed in range(seeds)] for split in splits.values()]
        rows.append([name, *cells_of(trials)])
        click.echo(" | ".join(rows[-1]), err=True)
    print(f"{table(HEADER, rows)}\n\n{answers_line(splits['by questions'], asked)}")


def rows_of(tsv: Path) -> list[dict[str, str]]:
    with tsv.open(encoding="utf-8", newline="") as file:
        return [*csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]


def splits_of(train: list[dict[str, str]], dev: list[dict[str, str]], values: Values) -> dict[str, Split]:
    def examples(rows: list[dict[str, str]]) -> list[Example]:
        return [values.example(row["question"], row["sql"]) for row in rows]

    def with_split(name: str) -> list[dict[str, str]]:
        return [row for row in [*train, *dev] if row["query_split"] == name]

    return {
        "by questions": Split(examples(train), examples(dev)),
        "by queries": Split(examples(with_split("train")), examples(with_split("dev"))),
    }


def trial(learn: Learn, split: Split, database: Database, seed: int) -> Trial:
    began = time.process_time()
    targets = learn(split.train, seed)(split.dev)
    seconds = time.process_time() - began
    queries = [sql_of(target, example.values) for target, example in zip(targets, split.dev, strict=True)]
    return Trial(sql_quality(queries, [example.sql for example in split.dev], [database]), seconds)


def cells_of(trials: Sequence[Sequence[Trial]]) -> list[str]:
    """Of each split's trials exact match and execution, and the seconds of one trial of the first split."""
    cells = []
    for of_split in trials:
        cells.append(mean_and_range([trial.quality.exact_match for trial in of_split]))
        cells.append(mean_and_range([trial.quality.execution for trial in of_split]))
    return [*cells, f"{sum(trial.seconds for trial in trials[0]) / len(trials[0]):,.0f}"]


def answers_line(split: Split, database: Database) -> str:
    """How little an answer says of the query that it came from."""
    queries = {example.sql for part in split for example in part}
    found = [rows for query in queries if (rows := database.run(query)) is not None]
    times = Counter(repr(sorted(rows, key=repr)) for rows in found)
    shared = sum(count for count in times.values() if count > 1)
    empty = sum(all(value is None for row in rows for value in row) for rows in found)
    return (
        f"{len(queries)} different queries are expected, and {len(found)} of them run: {shared / len(found):.0%} give "
        f"the same answer as another one does, and {empty} give nothing."
    )


def mean_and_range(numbers: Sequence[float]) -> str:
    mean = f"{sum(numbers) / len(numbers):.1f}"
    low, high = f"{min(numbers):.1f}", f"{max(numbers):.1f}"
    return mean if low == high else f"{mean} ({low} to {high})"


if __name__ == "__main__":
    main()
