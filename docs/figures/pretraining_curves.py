"""The losses of the README's first run, `minitransformer pretrain`, which takes some minutes and isn't run again here.

python -m scripts.figures pretraining_curves bert-tiny      draws them from the folder of a run
"""

from pathlib import Path

import numpy as np

from minitransformer.cli.show.training import read_run
from minitransformer.pictures.drawing import svg
from minitransformer.pictures.line_chart import Curve, Level, line_chart, shortened
from minitransformer.pictures.training import loss_curves


def data(folder):
    run = read_run(Path(folder))
    curves = map(shortened, loss_curves(run, 0, named=False))
    return {
        "curves": [[c.name, c.x.tolist(), c.y.tolist(), c.kind, c.as_dots] for c in curves],
        "levels": [[name, y] for name, y in run.to_beat.items()],
    }


def draw(data):
    curves = [Curve(name, np.array(x), np.array(y), kind, as_dots) for name, x, y, kind, as_dots in data["curves"]]
    mlm, nsp = (curve for curve in curves if not curve.as_dots)
    levels = [Level(f"{name} {y:.2f}", y) for name, y in data["levels"]]
    return svg(
        line_chart(curves, levels, "step"),
        "Pretraining BERT-tiny on the installed documentation",
        f"The loss of the masked tokens goes from {mlm.y[0]:.1f}, near ln V, to {mlm.y[-1]:.1f}, far below the entropy "
        f"of the text's tokens. That of the next sentences goes from {nsp.y[0]:.2f} to {nsp.y[-1]:.2f}, near ln 2.",
        data,
    )
