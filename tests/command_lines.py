"""The command lines in a text, held against the commands that there are."""

import re
import shlex
from collections.abc import Iterator

import click

from minitransformer.cli.main import minitransformer

SHELL_LINE = re.compile(r"^ {4,}(?:.*&& )?((?:minitransformer |--).*)$", re.MULTILINE)


def command_lines(text: str) -> Iterator[list[str]]:
    """What follows `minitransformer` in each line indented as code; options alone belong to the command above them."""
    command = ""
    for line in SHELL_LINE.findall(text.replace("\\\n", " ")):
        words = shlex.split(line, comments=True)
        if words[0] == "minitransformer":
            command = words[1]
            yield words[1:]
        else:
            yield [command, *words]


def check_command_line(words: list[str]) -> None:
    """Fail if there is no such command, or it has no such option or choice."""
    command: click.Command = minitransformer
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(command), words[0])
        assert found, f"there is no command {words[0]}"
        command, words = found, words[1:]
    context = click.Context(command)
    values, _, _ = command.make_parser(context).parse_args(words)  # a wrong option raises
    for parameter in command.params:
        if isinstance(parameter.type, click.Choice) and values.get(parameter.name):
            parameter.type_cast_value(context, values[parameter.name])
