"""A picture of training: losses beside what they must beat, the learning rate, and the norm of the gradient."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from minitransformer.pictures.drawing import titled, under
from minitransformer.pictures.line_chart import Curve, Level, line_chart
from minitransformer.pictures.picture import Picture
from minitransformer.pictures.table import Table

HELD_OUT = "held_out_"
LOSSES = (("mlm", "nsp"), ("loss",))  # what a line of the record calls them: the first that it has all of, or one
INSTEAD = {"loss": "nats_per_token"}  # what held-out text of a GPT or translator has
LAST = 50  # steps that the table's figures are means of


class TrainedRun(NamedTuple):
    """The lines of a run's metrics.jsonl, and the losses that it must beat, by their names."""

    name: str
    metrics: Sequence[Mapping[str, Any]]
    to_beat: Mapping[str, float]


def training_picture(runs: Sequence[TrainedRun]) -> Picture:
    """The runs in one chart for each kind of curve. Every run has the lines of one step at least."""
    losses: list[Curve] = []
    for run in runs:
        losses += loss_curves(run, 1 + max((curve.kind for curve in losses), default=-1), named=len(runs) > 1)
    levels = {name: Level(f"{name} {y:.2f}", y) for run in runs for name, y in run.to_beat.items()}
    charts = [titled("loss, in nats", line_chart(losses, [*levels.values()], "step"))]
    for key in ("learning_rate", "gradient_norm"):
        curves = [Curve(run.name if len(runs) > 1 else "", *column(run, key), i) for i, run in enumerate(runs)]
        charts.append(titled(key.replace("_", " "), line_chart(curves, x_name="step")))
    return Picture(
        title=f"Training: {', '.join(run.name for run in runs)}",
        finding=finding(runs[0]),
        data={"runs": [run._asdict() for run in runs]},
        tables=(losses_table(runs),),
        drawing=under(charts),
    )


def column(run: TrainedRun, key: str) -> tuple[np.ndarray, np.ndarray]:
    """The steps that have this metric, and its values."""
    found = [(line["step"], line[key]) for line in run.metrics if line.get(key) is not None]
    steps, values = np.array(found, float).reshape(-1, 2).T
    return steps, values


def loss_names(run: TrainedRun) -> list[str]:
    first = run.metrics[0]
    return next([name for name in names if name in first] for names in LOSSES if any(name in first for name in names))


def loss_curves(run: TrainedRun, first_kind: int, named: bool) -> list[Curve]:
    """A line for each loss, and dots for the same on held-out text; `named` says which run they are of."""
    curves = []
    for kind, name in enumerate(loss_names(run), first_kind):
        prefix = f"{run.name} " if named else ""
        curves.append(Curve(f"{prefix}{name}", *column(run, name), kind))
        held_out_name, steps, values = held_out(run, name)
        if len(steps):
            curves.append(Curve(f"{prefix}{held_out_name}, held out", steps, values, kind, as_dots=True))
    return curves


def held_out(run: TrainedRun, name: str) -> tuple[str, np.ndarray, np.ndarray]:
    """The same loss on held-out text, or what stands in its place there: its name, the steps, and its values."""
    key = name if any(HELD_OUT + name in line for line in run.metrics) else INSTEAD.get(name, name)
    return key.replace("_", " "), *column(run, HELD_OUT + key)


def losses_table(runs: Sequence[TrainedRun]) -> Table:
    rows = []
    for run in runs:
        for name in loss_names(run):
            steps, values = column(run, name)
            *_, of_held_out = held_out(run, name)
            last = f"{of_held_out[-1]:.3f}" if len(of_held_out) else ""
            rows.append([run.name, name, f"{steps[-1]:,.0f}", f"{values[0]:.3f}", f"{values[-LAST:].mean():.3f}", last])
        rows += [[run.name, f"to beat: {name}", "", f"{y:.3f}", "", ""] for name, y in run.to_beat.items()]
    header = ["run", "loss", "steps", "first", f"mean of the last {LAST}", "held out, last"]
    return Table("Losses in nats", header, rows)


def finding(run: TrainedRun) -> str:
    """How far the first loss has come, and what it has beaten by then."""
    [name, *_] = loss_names(run)
    steps, values = column(run, name)
    last, what = values[-LAST:].mean(), "loss" if name == "loss" else f"{name} loss"
    sentence = f"{run.name}: in {steps[-1]:,.0f} steps the {what} went from {values[0]:.2f} to {last:.2f}"
    beaten = [limit for limit, y in run.to_beat.items() if last < y]
    return f"{sentence}, below {' and '.join(beaten)}." if beaten else f"{sentence}."
