"""Results on their way into a page."""

import subprocess
import sys

import pytest

from scripts.pages import main, table


def test_a_bar_in_a_cell_does_not_end_the_cell():
    assert table(["", "score"], [["(|u-v|)", "69.78"]]).splitlines()[-1] == r"| (\|u-v\|) | 69.78 |"


@pytest.fixture
def page(tmp_path):
    page = tmp_path / "experiments.md"
    page.write_text("# Experiments\n\nBefore.\n\n<!-- one -->\nold\n<!-- /one -->\n\nAfter.\n")
    return page


def fill(monkeypatch, page, section, program):
    monkeypatch.setattr(sys, "argv", ["pages.py", str(page), section, "-c", program])
    main()


def test_what_a_program_prints_replaces_the_section_and_nothing_else(page, monkeypatch):
    for _ in range(2):
        fill(monkeypatch, page, "one", "print('new')")
        assert page.read_text() == "# Experiments\n\nBefore.\n\n<!-- one -->\nnew\n<!-- /one -->\n\nAfter.\n"


def test_a_program_that_fails_leaves_the_page_as_it_is(page, monkeypatch):
    old = page.read_text()
    with pytest.raises(subprocess.CalledProcessError):
        fill(monkeypatch, page, "one", "print('half of it'); raise SystemExit(1)")
    assert page.read_text() == old


def test_a_section_that_the_page_lacks_is_named(page, monkeypatch):
    with pytest.raises(ValueError, match="no section 'two'"):
        fill(monkeypatch, page, "two", "print('new')")
