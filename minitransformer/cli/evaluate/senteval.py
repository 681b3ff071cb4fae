"""minitransformer evaluate senteval MODEL DATA ...: what a linear classifier reads off frozen embeddings."""

import sys
from pathlib import Path

import click

from minitransformer.cli._arguments import model_argument
from minitransformer.cli._encoders import embeddings_option, load_encode
from minitransformer.cli._json import json_option, print_json
from minitransformer.errors import errors_in
from minitransformer.evaluation.senteval import check_parts, evaluate_task
from minitransformer.evaluation.senteval_files import TASKS, read_tasks


@click.command()
@model_argument
@click.argument("data", type=click.Path(), nargs=-1, required=True)
@click.option("--task", "tasks", multiple=True, type=click.Choice(TASKS), help="Only this task; may be repeated.")
@embeddings_option
@json_option
def command(model: str, data: tuple[str, ...], tasks: tuple[str, ...], embeddings: str | None, as_json: bool) -> None:
    """Print the accuracy of linear classifiers on embeddings.

    They are logistic regressions on MODEL's frozen embeddings, one for each of SentEval's tasks found in DATA: folders
    with SentEval's files (MR/rt-polarity.pos, TREC/train_5500.label, ...) or with tables (TSV) named after the tasks,
    such as MR.tsv or TREC.train.tsv, with the columns text and label.

    \b
    Example:
      minitransformer evaluate senteval my-sbert senteval/ --task MR
    """
    parts_of_tasks = read_tasks([Path(folder) for folder in data], tasks or TASKS)
    for task, parts in parts_of_tasks.items():
        with errors_in(task):
            check_parts(parts)
    encode = load_encode(model, embeddings)
    say = (lambda line: None) if as_json else click.echo
    say("accuracy")
    scores = {}
    for task, parts in parts_of_tasks.items():
        scores[task] = score = evaluate_task(encode, parts, show_progress=sys.stderr.isatty())
        say(f"{score.accuracy:8.2f}  {task}, {score.protocol}: {score.health}")
    mean = sum(score.accuracy for score in scores.values()) / len(scores)
    if len(scores) > 1:
        say(f"{mean:8.2f}  mean of the {len(scores)}")
    if as_json:
        print_json({"tasks": scores, "mean_accuracy": mean})
