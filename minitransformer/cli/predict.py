"""minitransformer predict MODEL [FILE]: a fine-tuned model's answers, a line for each text."""

import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import click
import numpy as np
from tqdm import tqdm

from minitransformer.cli._arguments import STANDARD_INPUT, file_argument, input_lines, input_name, model_argument
from minitransformer.corpora.tables import PAIRS, TEXTS, has_columns, read_table
from minitransformer.corpora.targets import targets_of
from minitransformer.corpora.text_files import NumberedLine
from minitransformer.errors import UserError
from minitransformer.evaluation.classification import prediction_metrics
from minitransformer.formatting import in_words
from minitransformer.inference.prediction import Predictor, load_predictor

LINES_AT_ONCE = 1024


@click.command()
@model_argument
@file_argument
def command(model: str, file: str) -> None:
    """Print a classifier's answer for each line of a text.

    A line of FILE (UTF-8, plain or .gz), or of standard input, is a text, or two texts with a tab between them. If the
    first line of FILE is a header with the column text, or sentence1 and sentence2, FILE is a table (TSV); if it also
    has a column label or score, the accuracy or correlation is printed at the end.

    An answer is one line: the label and its probability, or each label above one half and its probability, or the
    number; then the text. MODEL comes from `finetune`, from transformers' BertForSequenceClassification, or from
    `train-sbert --objective classification`.

    \b
    Example:
      minitransformer predict my-classifier reviews.txt > answers.tsv
    """
    predictor = load_predictor(model)
    if file != STANDARD_INPUT and has_columns(Path(file), TEXTS, PAIRS):
        predict_table(predictor, Path(file))
    else:
        predict_lines(predictor, file)


def predict_lines(predictor: Predictor, file: str) -> None:
    total = None if file == STANDARD_INPUT else sum(1 for _ in input_lines(file))
    with progress_bar(total) as progress:
        for columns in chunks_of_lines(input_lines(file), input_name(file)):
            print_answers(predictor, columns, progress)


def predict_table(predictor: Predictor, file: Path) -> None:
    wanted = "score" if predictor.problem_type == "regression" else "label"
    table = read_table(file, (*PAIRS, wanted), (*TEXTS, wanted), PAIRS, TEXTS)
    targets = targets_of(table, predictor.problem_type, predictor.labels) if wanted in table.columns else None
    starts = range(0, len(table.lines), LINES_AT_ONCE)
    chunks = [tuple(column[start : start + LINES_AT_ONCE] for column in table.texts) for start in starts]
    with progress_bar(len(table.lines)) as progress:
        answers = [print_answers(predictor, columns, progress) for columns in chunks]
    if targets is not None:
        scores = prediction_metrics(predictor.problem_type, np.concatenate(answers), targets)
        click.echo(f"{len(targets):,} examples: {in_words(scores._asdict())}", err=True)


def progress_bar(total: int | None) -> tqdm:
    """A bar of texts, unless standard output is a terminal: there, the answers show the progress themselves."""
    return tqdm(total=total, unit=" texts", disable=sys.stdout.isatty() or not sys.stderr.isatty())


def chunks_of_lines(lines: Iterator[NumberedLine], source: str) -> Iterator[tuple[list[str], ...]]:
    """LINES_AT_ONCE lines at a time, split at their tabs into columns. All lines have as many columns as the first."""
    num_columns = None
    while chunk := [*islice(lines, LINES_AT_ONCE)]:
        rows = [line.split("\t") for _, line in chunk]
        num_columns = num_columns or len(rows[0])
        for (number, _), row in zip(chunk, rows, strict=True):
            if len(row) != num_columns or len(row) > 2:
                expected = "one or two texts" if num_columns > 2 else f"as many texts as in line 1 ({num_columns})"
                raise UserError(
                    f"{source}, line {number}: expected {expected}, found {len(row)}; a tab separates two texts"
                )
        yield tuple(map(list, zip(*rows, strict=True)))


def print_answers(predictor: Predictor, columns: tuple[list[str], ...], progress: tqdm) -> np.ndarray:
    """Print the answers to a chunk of texts, and return its scores (n, K)."""
    scores = predictor.scores(columns)
    for row, *texts in zip(scores, *columns, strict=True):
        click.echo("\t".join([*answer(predictor, row), *texts]))
    progress.update(len(scores))
    return scores


def answer(predictor: Predictor, scores: np.ndarray) -> tuple[str, ...]:
    """What the scores (K,) of a text say: labels and probabilities, or the numbers."""
    if predictor.problem_type == "regression":
        return tuple(f"{score:.4f}" for score in scores)
    if predictor.problem_type == "single_label_classification":
        chosen = [int(scores.argmax())]
    else:
        chosen = [int(i) for i in np.flatnonzero(scores > 0.5)]
    return ",".join(predictor.labels[i] for i in chosen), ",".join(f"{scores[i]:.4f}" for i in chosen)
