"""README.md and the pages of docs/: links, command lines and width. (Their numbers are doctests of their own.)"""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.command_lines import check_command_line, command_lines

DOCS = Path(__file__).parents[1] / "docs"
PAGES = sorted(DOCS.glob("*.md"))
README = DOCS.parent / "README.md"
LADDER_ROW = re.compile(r"^\| (\d+) \| \[[^\]]+\]\(([\w-]+\.md)\)", re.MULTILINE)
LADDER = [(int(number), page) for number, page in LADDER_ROW.findall((DOCS / "README.md").read_text())]
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
MAX_CODE_WIDTH = 88  # characters that fit the column of a page, so that code doesn't scroll sideways


def links(page: Path) -> list[str]:
    return [link for link in LINK.findall(FENCED.sub("", page.read_text())) if not link.startswith("http")]


def anchors(page: Path) -> set[str]:
    """The names that GitHub gives to a page's headings."""
    headings = re.findall(r"^#+ (.*)$", FENCED.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [README, *PAGES], ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_a_heading(page):
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name} links to {path}, which does not exist"
        if anchor:
            assert anchor in anchors(target), f"{page.name} links to {link}, but there is no such heading"


def test_every_page_is_listed_in_the_course():
    listed = {link.partition("#")[0] for link in links(DOCS / "README.md")}
    missing = [page.name for page in PAGES if page.name not in listed | {"README.md"}]
    assert not missing, f"docs/README.md does not mention {', '.join(missing)}"


def test_the_ladder_counts_its_pages():
    assert [number for number, _ in LADDER] == [*range(1, len(LADDER) + 1)]


@pytest.mark.parametrize(("page", "next_page"), [(page, after) for (_, page), (_, after) in pairwise(LADDER)])
def test_a_page_of_the_ladder_ends_with_a_link_to_the_next(page, next_page):
    last_line = (DOCS / page).read_text().rstrip().rpartition("\n\n")[2]
    assert last_line.startswith("Next: "), f"{page} ends without a line that begins with 'Next: '"
    assert LINK.findall(last_line) == [next_page], f"on the ladder {page} is followed by {next_page}"


@pytest.mark.parametrize("page", [README, *PAGES], ids=lambda page: page.name)
def test_every_command_line_has_options_that_exist(page):
    for words in command_lines(FENCED.sub("", page.read_text())):
        check_command_line(words)


def code_lines(page: Path) -> Iterator[tuple[int, str]]:
    """(number, line) of each line of code or diagram, fenced or indented. Formulas are typeset, so they don't count."""
    fence = ""
    for number, line in enumerate(page.read_text().splitlines(), 1):
        if line.startswith("```"):
            fence = "" if fence else line
        elif (fence and fence != "```math") or (not fence and line.startswith("    ")):
            yield number, line


@pytest.mark.parametrize("page", [README, *PAGES], ids=lambda page: page.name)
def test_no_line_of_code_is_wider_than_a_page(page):
    wide = [number for number, line in code_lines(page) if len(line) > MAX_CODE_WIDTH]
    assert not wide, f"{page.name} has code wider than {MAX_CODE_WIDTH} characters in lines {wide}"
