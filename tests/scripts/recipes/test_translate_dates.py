"""Training a translator on one page, cut short."""

import re
from pathlib import Path

from scripts.recipes import translate_dates


def test_no_day_that_is_held_out_is_learnt_from():
    pairs = [*translate_dates.dates()]
    cut = translate_dates.HELD_OUT * translate_dates.FORMS_OF_EACH
    assert {target for _, target in pairs[:cut]}.isdisjoint(target for _, target in pairs[cut:])


def test_the_loss_falls_and_every_date_is_translated(monkeypatch, capsys):
    sizes = {"STEPS": 40, "WARM_UP_STEPS": 4, "BATCH_SIZE": 32, "DAYS": 300, "HELD_OUT": 5}
    for name, value in sizes.items():
        monkeypatch.setattr(translate_dates, name, value)
    translate_dates.main()
    printed = capsys.readouterr().out
    first, last = (float(loss) for loss in re.findall(r"^ +\d+   (\d\.\d+)$", printed, re.MULTILINE))
    assert last < first - 1
    assert re.search(r"\d% of 10 dates", printed)


def test_it_fits_on_a_page():
    assert len(Path(translate_dates.__file__).read_text().splitlines()) < 100
