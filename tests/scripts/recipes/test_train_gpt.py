"""Training a GPT on one page, cut short."""

import re
from pathlib import Path

from scripts.recipes import train_gpt


def test_the_loss_falls_and_every_prompt_is_continued(monkeypatch, capsys):
    monkeypatch.setattr(train_gpt, "STEPS", 100)
    monkeypatch.setattr(train_gpt, "WARM_UP_STEPS", 10)
    train_gpt.main()
    printed = capsys.readouterr().out
    first, last = (float(loss) for loss in re.findall(r"^ +\d+   (\d\.\d+)$", printed, re.MULTILINE))
    assert last < first - 1
    assert re.search(r"\d-grams of characters get \d\.\d+", printed)
    assert len(re.findall(r" \.\.\..", printed)) == 3


def test_it_fits_on_a_page():
    assert len(Path(train_gpt.__file__).read_text().splitlines()) < 100
