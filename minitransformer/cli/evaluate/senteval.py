"""minitransformer evaluate senteval MODEL DATA ...: what a linear classifier reads off frozen embeddings."""

from __future__ import annotations

from pathlib import Path

import click

from minitransformer.cli._encoders import embeddings_option, load_encode
from minitransformer.errors import UserError
from minitransformer.evaluation.senteval import evaluate_task
from minitransformer.evaluation.senteval_files import TASKS, Part, read_task


@click.command()
@click.argument("model")
@click.argument("data", nargs=-1, required=True)
@click.option("--task", "tasks", multiple=True, type=click.Choice(TASKS), help="Only this task; may be repeated.")
@embeddings_option
def command(model: str, data: tuple[str, ...], tasks: tuple[str, ...], embeddings: str | None) -> None:
    """Print the accuracy of logistic regression on MODEL's frozen embeddings, for each of SentEval's tasks in DATA.

    DATA is a folder with SentEval's files (MR/rt-polarity.pos, TREC/train_5500.label, ...) or with tables (TSV) named
    after the tasks, such as MR.tsv or TREC.train.tsv, with the columns text and label.
    """
    parts_of_tasks = read_tasks([Path(folder) for folder in data], tasks or TASKS)
    encode = load_encode(model, embeddings)
    click.echo("accuracy")
    accuracies = []
    for task, parts in parts_of_tasks.items():
        score = evaluate_task(encode, parts, show_progress=True)
        accuracies.append(score.accuracy)
        click.echo(f"{score.accuracy:8.2f}  {task}, {score.protocol}: {score.health}")
    if len(accuracies) > 1:
        click.echo(f"{sum(accuracies) / len(accuracies):8.2f}  mean of the {len(accuracies)}")


def read_tasks(folders: list[Path], tasks: tuple[str, ...]) -> dict[str, dict[str, Part]]:
    """The parts of each task that one of the folders has, from the first that has it."""
    for folder in folders:
        if not folder.is_dir():
            raise UserError(f"{folder} is no folder; give the folder that SentEval's data lie in")
    found = {task: next(filter(None, (read_task(folder, task) for folder in folders)), None) for task in tasks}
    if not any(found.values()):
        raise UserError(
            f"no files of {', '.join(tasks)} below {', '.join(map(str, folders))}; expected SentEval's own, such as "
            "MR/rt-polarity.pos, or tables such as MR.tsv with the columns text and label"
        )
    return {task: parts for task, parts in found.items() if parts}
