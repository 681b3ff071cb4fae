"""The pages of docs/: links, command lines and width. (Their numbers are doctests of their own.)"""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from minitransformer.cli.main import minitransformer

DOCS = Path(__file__).parents[1] / "docs"
PAGES = sorted(DOCS.glob("*.md"))
README = DOCS.parent / "README.md"
SHELL_LINE = re.compile(r"^    (?:.*&& )?((?:minitransformer |--).*)$", re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
MAX_CODE_WIDTH = 88  # characters that fit the column of a page, so that code doesn't scroll sideways
PAGES_STILL_TOO_WIDE = ("attention.md",)


def links(page: Path) -> list[str]:
    return [link for link in LINK.findall(FENCED.sub("", page.read_text())) if not link.startswith("http")]


def anchors(page: Path) -> set[str]:
    """The names that GitHub gives to a page's headings."""
    headings = re.findall(r"^#+ (.*)$", FENCED.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
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


def shell_lines(page: Path) -> Iterator[list[str]]:
    """What follows `minitransformer` in each line of the page; options alone belong to the command above them."""
    command = ""
    for line in SHELL_LINE.findall(FENCED.sub("", page.read_text()).replace("\\\n", " ")):
        words = shlex.split(line, comments=True)
        if words[0] == "minitransformer":
            command = words[1]
            yield words[1:]
        else:
            yield [command, *words]


@pytest.mark.parametrize("page", [README, *PAGES], ids=lambda page: page.name)
def test_every_command_line_has_options_that_exist(page):
    for words in shell_lines(page):
        command: click.Command = minitransformer
        while isinstance(command, click.Group):
            found = command.get_command(click.Context(command), words[0])
            assert found, f"{page.name}: there is no command {words[0]}"
            command, words = found, words[1:]
        context = click.Context(command)
        values, _, _ = command.make_parser(context).parse_args(words)  # a wrong option raises
        for parameter in command.params:
            if isinstance(parameter.type, click.Choice) and values.get(parameter.name):
                parameter.type_cast_value(context, values[parameter.name])


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
    if page.name not in PAGES_STILL_TOO_WIDE:
        wide = [number for number, line in code_lines(page) if len(line) > MAX_CODE_WIDTH]
        assert not wide, f"{page.name} has code wider than {MAX_CODE_WIDTH} characters in lines {wide}"
