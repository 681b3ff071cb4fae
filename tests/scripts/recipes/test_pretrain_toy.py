"""The training loop on one page, cut short."""

import re
import runpy
from pathlib import Path

SCRIPT = Path(__file__).parents[3] / "scripts" / "recipes" / "pretrain_toy.py"


def test_the_loss_falls_and_every_mask_gets_fillings(capsys):
    script = runpy.run_path(str(SCRIPT))
    script["main"].__globals__.update(STEPS=100, WARM_UP_STEPS=10)
    script["main"]()
    printed = capsys.readouterr().out
    first, last = (float(loss) for loss in re.findall(r"^ +\d+ +(\d\.\d+) \(", printed, re.MULTILINE))
    assert last < first - 1
    assert len(re.findall(r"\[MASK\].*( +\S+ \d+%){3}", printed)) == 3


def test_it_fits_on_a_page():
    assert len(SCRIPT.read_text().splitlines()) < 100
