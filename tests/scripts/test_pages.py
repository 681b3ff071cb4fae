"""Results on their way into a page."""

import pytest
from pages import publish, table


def test_a_bar_in_a_cell_does_not_end_the_cell():
    assert table(["", "score"], [["(|u-v|)", "69.78"]]).splitlines()[-1] == r"| (\|u-v\|) | 69.78 |"


@pytest.fixture
def page(tmp_path):
    page = tmp_path / "experiments.md"
    page.write_text("# Experiments\n\nBefore.\n\n<!-- one -->\nold\n<!-- /one -->\n\nAfter.\n")
    return page


def test_a_section_takes_the_place_of_the_old_one_and_nothing_else_changes(page):
    for _ in range(2):
        publish("one", "new", page)
        assert page.read_text() == "# Experiments\n\nBefore.\n\n<!-- one -->\nnew\n<!-- /one -->\n\nAfter.\n"


def test_a_section_that_the_page_lacks_comes_last(page):
    old = page.read_text()
    publish("two", "new", page)
    assert page.read_text() == f"{old}\n<!-- two -->\nnew\n<!-- /two -->\n"


def test_without_a_page_a_section_is_only_printed(capsys):
    publish("one", "new", None)
    assert capsys.readouterr().out == "new\n"
