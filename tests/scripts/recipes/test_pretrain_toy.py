"""The training loop on one page, cut short."""

import re
from pathlib import Path

from scripts.recipes import pretrain_toy


def test_the_loss_falls_and_every_mask_gets_fillings(monkeypatch, capsys):
    monkeypatch.setattr(pretrain_toy, "STEPS", 100)
    monkeypatch.setattr(pretrain_toy, "WARM_UP_STEPS", 10)
    pretrain_toy.main()
    printed = capsys.readouterr().out
    first, last = (float(loss) for loss in re.findall(r"^ +\d+ +(\d\.\d+) \(", printed, re.MULTILINE))
    assert last < first - 1
    assert len(re.findall(r"\[MASK\].*( +\S+ \d+%){3}", printed)) == 3


def test_it_fits_on_a_page():
    assert len(Path(pretrain_toy.__file__).read_text().splitlines()) < 100
