"""minitransformer evaluate senteval MODEL DATA ...: what a linear classifier reads off frozen embeddings."""

import sys
from pathlib import Path

import click

from minitransformer.cli._arguments import model_argument
from minitransformer.cli._encoders import embeddings_option, load_encode
from minitransformer.evaluation.senteval import evaluate_task
from minitransformer.evaluation.senteval_files import TASKS, read_tasks


@click.command()
@model_argument
@click.argument("data", type=click.Path(), nargs=-1, required=True)
@click.option("--task", "tasks", multiple=True, type=click.Choice(TASKS), help="Only this task; may be repeated.")
@embeddings_option
def command(model: str, data: tuple[str, ...], tasks: tuple[str, ...], embeddings: str | None) -> None:
    """Print the accuracy of linear classifiers on embeddings.

    They are logistic regressions on MODEL's frozen embeddings, one for each of SentEval's tasks found in DATA: folders
    with SentEval's files (MR/rt-polarity.pos, TREC/train_5500.label, ...) or with tables (TSV) named after the tasks,
    such as MR.tsv or TREC.train.tsv, with the columns text and label.

    \b
    Example:
      minitransformer evaluate senteval my-sbert senteval/ --task MR
    """
    parts_of_tasks = read_tasks([Path(folder) for folder in data], tasks or TASKS)
    encode = load_encode(model, embeddings)
    click.echo("accuracy")
    accuracies = []
    for task, parts in parts_of_tasks.items():
        score = evaluate_task(encode, parts, show_progress=sys.stderr.isatty())
        accuracies.append(score.accuracy)
        click.echo(f"{score.accuracy:8.2f}  {task}, {score.protocol}: {score.health}")
    if len(accuracies) > 1:
        click.echo(f"{sum(accuracies) / len(accuracies):8.2f}  mean of the {len(accuracies)}")
