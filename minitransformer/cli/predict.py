"""minitransformer predict MODEL [FILE]: a fine-tuned model's answers, a line for each text."""

import json
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from itertools import chain, islice
from pathlib import Path

import click
import numpy as np
from tqdm import tqdm

from minitransformer.cli._arguments import file_argument, input_lines, input_name, input_texts, model_argument
from minitransformer.corpora.tables import PAIRS, TEXTS, Table, is_header, looks_like_header, table_of
from minitransformer.corpora.targets import answerable, targets_of
from minitransformer.corpora.text_files import NumberedLine
from minitransformer.errors import UserError
from minitransformer.evaluation.classification import prediction_metrics
from minitransformer.formatting import in_words
from minitransformer.inference.prediction import Columns, Predictor, load_predictor

LINES_AT_ONCE = 1024
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

Line = Callable[[Predictor, np.ndarray, list[str]], str]  # from the scores (K,) of some texts to a line of output


@click.command()
@model_argument
@file_argument
@click.option("--all", "every", is_flag=True, help="Every label with its probability, the most probable first.")
@click.option("--json", "as_json", is_flag=True, help="A JSON object for each text, with every label's probability.")
def command(model: str, file: str, every: bool, as_json: bool) -> None:
    """Print a classifier's answer for each line of a text.

    A line of FILE (UTF-8, plain or .gz), or of standard input, is a text, or two texts with a tab between them. If the
    first line is a header with the column text, or sentence1 and sentence2, the lines are a table (TSV or CSV); if it
    also has a column label or score, the accuracy or correlation is printed at the end.

    An answer is one line: the label and its probability, or each label above one half and its probability, or the
    number; then the text. MODEL comes from `finetune`, from transformers' BertForSequenceClassification, or from
    `train-sbert --objective classification`.

    \b
    Example:
      minitransformer predict my-classifier reviews.txt > answers.tsv
    """
    predictor = load_predictor(model)
    line: Line = json_line if as_json else ranked_line if every else answer_line
    lines = input_lines(file)
    first = [*islice(lines, 1)]
    if any(is_header(text, TEXTS, PAIRS) for _, text in first):
        predict_table(predictor, line, input_table(predictor, chain(first, lines), input_name(file)))
    else:
        total = sum(1 for _ in input_lines(file)) if Path(file).is_file() else None  # a pipe is read once
        predict_lines(predictor, line, chain(first, lines), input_name(file), total)
    predictor.cutter.report()


def predict_lines(
    predictor: Predictor, line: Line, lines: Iterator[NumberedLine], source: str, total: int | None
) -> None:
    with progress_bar(total) as progress:
        for columns in chunks_of_lines(input_texts(lines, source), source):
            print_answers(predictor, line, columns, progress)


def input_table(predictor: Predictor, lines: Iterator[NumberedLine], source: str) -> Table:
    """The texts or pairs, whichever the model takes if both are there, and its labels or scores if they are."""
    wanted = "score" if predictor.problem_type == "regression" else "label"
    texts, pairs = [(*TEXTS, wanted), TEXTS], [(*PAIRS, wanted), PAIRS]
    layouts = texts + pairs if predictor.num_texts == 1 else pairs + texts
    return table_of(lines, source, *layouts, may_be_empty=("label", "score"))


def predict_table(predictor: Predictor, line: Line, table: Table) -> None:
    starts = range(0, len(table.lines), LINES_AT_ONCE)
    chunks = [tuple(column[start : start + LINES_AT_ONCE] for column in table.texts) for start in starts]
    with progress_bar(len(table.lines)) as progress:
        answers = [print_answers(predictor, line, columns, progress) for columns in chunks]
    if not {"label", "score"}.isdisjoint(table.columns):
        print_measures(predictor, np.concatenate(answers), table)


def print_measures(predictor: Predictor, answers: np.ndarray, table: Table) -> None:
    """How good the answers (n, K) are, where the table says what is right; a note tells where it doesn't."""
    known = answerable(table, predictor.problem_type, predictor.labels)
    if len(known) < len(table.lines):
        unknown = f"{len(table.lines) - len(known):,} of {len(table.lines):,} examples have a target that isn't one of"
        warnings.warn(f"{table.path}: {unknown} the model's; they are not measured", stacklevel=2)
    if not known:
        return
    targets = targets_of(table.select(known), predictor.problem_type, predictor.labels)
    metrics = prediction_metrics(predictor.problem_type, answers[known], targets)
    click.echo(f"{len(known):,} examples: {in_words(metrics._asdict())}", err=True)


def progress_bar(total: int | None) -> tqdm:
    """A bar of texts, unless standard output is a terminal: there, the answers show the progress themselves."""
    return tqdm(total=total, unit=" texts", disable=sys.stdout.isatty() or not sys.stderr.isatty())


def chunks_of_lines(lines: Iterator[NumberedLine], source: str) -> Iterator[tuple[list[str], ...]]:
    """LINES_AT_ONCE lines at a time, split at their tabs into columns. All lines have as many columns as the first."""
    num_columns = None
    while chunk := [*islice(lines, LINES_AT_ONCE)]:
        if num_columns is None and looks_like_header([line for _, line in chunk]):
            neither = "has neither the column text nor the columns sentence1 and sentence2"
            raise UserError(f"{source}: line 1 looks like a header, but {neither}; rename its columns, or delete it")
        rows = [[text.strip() for text in line.split("\t")] for _, line in chunk]
        num_columns = num_columns or len(rows[0])
        for (number, _), row in zip(chunk, rows, strict=True):
            if len(row) != num_columns or len(row) > 2:
                expected = "one or two texts" if num_columns > 2 else f"as many texts as in line 1 ({num_columns})"
                raise UserError(
                    f"{source}, line {number}: expected {expected}, found {len(row)}; a tab separates two texts"
                )
        yield tuple(map(list, zip(*rows, strict=True)))


def print_answers(predictor: Predictor, line: Line, columns: Columns, progress: tqdm) -> np.ndarray:
    """Print the answers to a chunk of texts, and return its scores (n, K)."""
    scores = predictor.scores(columns)
    for row, *texts in zip(scores, *columns, strict=True):
        click.echo(line(predictor, row, texts))
    progress.update(len(scores))
    return scores


def answer_line(predictor: Predictor, scores: np.ndarray, texts: list[str]) -> str:
    """The label or the labels with their probabilities, or the numbers; then the texts."""
    if predictor.problem_type == "regression":
        return _fields([*(f"{score:.4f}" for score in scores), *texts])
    if predictor.problem_type == "single_label_classification":
        chosen = [int(scores.argmax())]
    else:
        chosen = [int(i) for i in np.flatnonzero(scores > 0.5)]
    return _labels_line(predictor, scores, chosen, texts)


def ranked_line(predictor: Predictor, scores: np.ndarray, texts: list[str]) -> str:
    """All labels with their probabilities, the most probable first; then the texts."""
    if predictor.problem_type == "regression":
        return answer_line(predictor, scores, texts)
    return _labels_line(predictor, scores, np.argsort(-scores, kind="stable").tolist(), texts)


def json_line(predictor: Predictor, scores: np.ndarray, texts: list[str]) -> str:
    """{"texts", "label" or "labels" or neither, "probabilities" or "scores"} as JSON."""
    numbers = {label: float(f"{score:.6g}") for label, score in zip(predictor.labels, scores, strict=True)}
    answer: dict[str, object] = {"text": texts[0]} if len(texts) == 1 else {"texts": texts}
    if predictor.problem_type == "regression":
        return json.dumps({**answer, "scores": numbers}, ensure_ascii=False)
    if predictor.problem_type == "single_label_classification":
        answer["label"] = predictor.labels[int(scores.argmax())]
    else:
        answer["labels"] = [predictor.labels[i] for i in np.flatnonzero(scores > 0.5)]
    return json.dumps({**answer, "probabilities": numbers}, ensure_ascii=False)


def _labels_line(predictor: Predictor, scores: np.ndarray, chosen: list[int], texts: list[str]) -> str:
    labels, probabilities = [predictor.labels[i] for i in chosen], [f"{scores[i]:.4f}" for i in chosen]
    return _fields([",".join(labels), ",".join(probabilities), *texts])


def _fields(fields: list[str]) -> str:
    """One line, whatever a text or a label holds of tabs, line ends and other control characters."""
    return "\t".join(_CONTROL.sub(" ", field) for field in fields)
