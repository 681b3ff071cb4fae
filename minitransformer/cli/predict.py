"""minitransformer predict MODEL [FILE]: a fine-tuned model's answers, a line for each text."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import click
import numpy as np

from minitransformer.corpora.tables import PAIRS, TEXTS, has_columns, read_table
from minitransformer.corpora.targets import targets_of
from minitransformer.corpora.text_files import decoded_lines, read_lines
from minitransformer.errors import UserError
from minitransformer.evaluation.classification import prediction_metrics
from minitransformer.evaluation.in_words import in_words
from minitransformer.inference.prediction import Predictor, load_predictor

LINES_AT_ONCE = 4096


@click.command()
@click.argument("model")
@click.argument("file", required=False)
def command(model: str, file: str | None) -> None:
    """Print MODEL's answer for each line of FILE (UTF-8, plain or .gz), or of standard input.

    A line is a text, or two texts with a tab between them. If the first line is a header with a column text, or
    sentence1 and sentence2, FILE is a table (TSV); if that has labels or scores, too, how many are right is said in the
    end.

    An answer is a line: the label and its probability, each label above one half and its probability, or the number;
    then the text. MODEL comes from `finetune`, from transformers' BertForSequenceClassification, or from `train-sbert
    --objective classification`.
    """
    predictor = load_predictor(model)
    if file not in (None, "-") and has_columns(Path(file), TEXTS, PAIRS):
        predict_table(predictor, Path(file))
        return
    lines = decoded_lines(sys.stdin.buffer, "standard input") if file in (None, "-") else read_lines(Path(file))
    for columns in blocks_of_lines(lines, "standard input" if file in (None, "-") else file):
        print_answers(predictor, columns, predictor.scores(columns))


def predict_table(predictor: Predictor, file: Path) -> None:
    wanted = "score" if predictor.problem_type == "regression" else "label"
    table = read_table(file, (*PAIRS, wanted), (*TEXTS, wanted), PAIRS, TEXTS)
    targets = targets_of(table, predictor.problem_type, predictor.labels) if wanted in table.columns else None
    answers = []
    for start in range(0, len(table.lines), LINES_AT_ONCE):
        columns = tuple(column[start : start + LINES_AT_ONCE] for column in table.texts)
        answers.append(predictor.scores(columns))
        print_answers(predictor, columns, answers[-1])
    if targets is not None:
        scores = prediction_metrics(predictor.problem_type, np.concatenate(answers), targets)
        click.echo(f"{len(targets):,} examples: {in_words(scores._asdict())}", err=True)


def blocks_of_lines(lines: Iterator[tuple[int, str]], source: str) -> Iterator[tuple[list[str], ...]]:
    """LINES_AT_ONCE lines at a time, cut at their tabs into columns. All lines have as many columns as the first."""
    number_of_columns = None
    while block := [*islice(lines, LINES_AT_ONCE)]:
        rows = [line.split("\t") for _, line in block]
        number_of_columns = number_of_columns or len(rows[0])
        for (number, _), row in zip(block, rows, strict=True):
            if len(row) != number_of_columns or len(row) > 2:
                raise UserError(
                    f"{source}, line {number} has {len(row)} texts with tabs between them; expected one or two, and as "
                    f"many as in line 1, which has {number_of_columns}"
                )
        yield tuple(map(list, zip(*rows, strict=True)))


def print_answers(predictor: Predictor, columns: tuple[list[str], ...], scores: np.ndarray) -> None:
    for row, *texts in zip(scores, *columns, strict=True):
        click.echo("\t".join([*answer(predictor, row), *texts]))


def answer(predictor: Predictor, scores: np.ndarray) -> tuple[str, ...]:
    """What the scores (K,) of a text say: labels and probabilities, or the numbers."""
    if predictor.problem_type == "regression":
        return tuple(f"{score:.4f}" for score in scores)
    if predictor.problem_type == "single_label_classification":
        chosen = [int(scores.argmax())]
    else:
        chosen = [int(i) for i in np.flatnonzero(scores > 0.5)]
    return ",".join(predictor.labels[i] for i in chosen), ",".join(f"{scores[i]:.4f}" for i in chosen)
