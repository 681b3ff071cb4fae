"""The help: every command is listed, shows an example that works, and fits a terminal; to list them imports none."""

import os
import pkgutil
import subprocess
import sys
from textwrap import indent

import click
import pytest

from minitransformer import cli
from minitransformer.cli import evaluate, show
from minitransformer.cli.main import minitransformer
from tests.command_lines import check_command_line, command_lines

WIDTH = 80


def contexts(context):
    """The context of a command, and of every command in it."""
    yield context
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            yield from contexts(click.Context(context.command.get_command(context, name), context, name))


ROOT = click.Context(
    minitransformer, info_name="minitransformer", terminal_width=WIDTH, **minitransformer.context_settings
)
CONTEXTS = {context.command_path: context for context in contexts(ROOT)}
MAIN = "import sys; sys.argv[0] = 'minitransformer'; from minitransformer.cli.main import main; main()"
every_command = pytest.mark.parametrize("path", CONTEXTS)


@every_command
def test_the_help_of_a_command_has_an_example_that_works_and_lines_that_fit_a_terminal(path):
    context = CONTEXTS[path]
    assert max(map(len, context.get_help().splitlines())) <= WIDTH
    lines = command_lines(indent(context.command.help, "    "))
    examples = [words for words in lines if " ".join(["minitransformer", *words]).startswith(path)]
    assert examples
    for words in examples:
        check_command_line(words)


@pytest.mark.parametrize(
    ("group", "package"), [(minitransformer, cli), (evaluate.command, evaluate), (show.command, show)]
)
def test_every_file_of_a_command_is_listed_in_one_section(group, package):
    files = {module.name.replace("_", "-") for module in pkgutil.iter_modules(package.__path__)}
    listed = group.list_commands(None)
    assert sorted(listed) == sorted(name for name in files - {"main"} if not name.startswith("-"))


def test_the_help_lists_the_commands_by_section_with_their_summaries(run):
    lines = run("-h").output.splitlines()
    sections = [line for line in lines if line.endswith(":") and not line.startswith(" ")]
    assert sections == ["Options:", "Train:", "Ask:", "Shop:", "Look:", "Measure:"]
    assert "  fill-mask      Print the most probable tokens for each [MASK] in TEXT." in lines


@pytest.mark.parametrize(
    ("arguments", "environment", "expected"),
    [
        (["-h"], {}, "train-sbert"),
        (["evaluate", "-h"], {}, "senteval"),
        (
            [],
            {"_MINITRANSFORMER_COMPLETE": "bash_complete", "COMP_WORDS": "minitransformer ne", "COMP_CWORD": "1"},
            "next-",
        ),
    ],
    ids=["help", "help of a group", "completion"],
)
def test_listing_the_commands_imports_none_of_what_they_need(arguments, environment, expected):
    words = [sys.executable, "-X", "importtime", "-c", MAIN, *arguments]  # which reports each import
    done = subprocess.run(words, env={**os.environ, **environment}, capture_output=True, text=True, check=True)
    assert expected in done.stdout
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "minitransformer.cli.main" in imported
    assert not imported & {"numpy", "scipy", "tokenizers", "tqdm", "minitransformer.cli.embed"}
