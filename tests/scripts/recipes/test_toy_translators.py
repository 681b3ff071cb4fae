"""Reversing and adding on one page each, cut short."""

import random
import re
from pathlib import Path

import pytest

from scripts.recipes import addition, reverse


@pytest.mark.parametrize("task", ["reverse", "copy"])
def test_every_architecture_has_a_line_and_learns(monkeypatch, capsys, task):
    for name, value in {"STEPS": 30, "WARM_UP_STEPS": 3, "LONGEST": 4, "HELD_OUT": 3}.items():
        monkeypatch.setattr(reverse, name, value)
    reverse.main(task)
    header, *lines = capsys.readouterr().out.splitlines()
    assert header.split() == ["loss", "2", "4", "letters"]
    assert [line[:22].strip() for line in lines] == [*reverse.architectures()]
    assert all(float(line[22:].split()[0]) < 2.4 for line in lines)  # it begins at ln 9 + 0.5


def test_a_word_and_the_same_word_turned_round_or_as_it_is():
    batch = reverse.batch_of(["abc"])
    assert [reverse.TOKENIZER.decode(tokens.token_ids) for tokens in batch.inputs] == ["abc", "cba"]
    copied = reverse.batch_of(["abc"], "copy")
    assert [reverse.TOKENIZER.decode(tokens.token_ids) for tokens in copied.inputs] == ["abc", "abc"]


def test_sums_that_are_held_out_are_never_learnt_from():
    learnt = addition.sums(random.Random(1), 200, held_out=False)
    assert set(learnt).isdisjoint(addition.sums(random.Random(2), 200, held_out=True))
    batch = addition.batch_of([(356, 827)])
    assert [addition.TOKENIZER.decode(tokens.token_ids) for tokens in batch.inputs] == ["728+653", "3811"]


def test_the_loss_of_adding_falls(monkeypatch, capsys):
    for name, value in {"STEPS": 60, "WARM_UP_STEPS": 6, "ASKED": 10}.items():
        monkeypatch.setattr(addition, name, value)
    addition.main()
    printed = capsys.readouterr().out
    first, last = (float(loss) for loss in re.findall(r"^ +\d+   (\d\.\d+)$", printed, re.MULTILINE))
    assert last < first - 1
    assert re.search(r"\d% of 10 sums", printed)


@pytest.mark.parametrize("recipe", [reverse, addition])
def test_it_fits_on_a_page(recipe):
    assert len(Path(recipe.__file__).read_text().splitlines()) < 100
