"""A group of commands, one file each, that is listed and completed without importing them."""

import ast
import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem


class CommandGroup(click.Group):
    """`minitransformer fill-mask` is `command` in minitransformer/cli/fill_mask.py, imported when it is called.

    `sections` lists the names of the package's commands under the headings of the help. Importing them all takes a
    second, so the help and the shell's completion read their docstrings from the files.
    """

    def __init__(self, package: str, sections: Mapping[str, Sequence[str]], **options: Any) -> None:
        super().__init__(**options)
        self.package, self.sections = package, sections

    def list_commands(self, context: click.Context) -> list[str]:
        return [name for names in self.sections.values() for name in names]

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        return importlib.import_module(self._module(name)).command if name in self.list_commands(context) else None

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(map(len, self.list_commands(context)))
        for heading, names in self.sections.items():
            with formatter.section(heading):
                formatter.write_dl([(name.ljust(width), self.summary(name)) for name in names])

    def shell_complete(self, context: click.Context, incomplete: str) -> list[CompletionItem]:
        names = [name for name in self.list_commands(context) if name.startswith(incomplete)]
        options = click.Command.shell_complete(self, context, incomplete)
        return [CompletionItem(name, help=self.summary(name)) for name in names] + options

    def summary(self, name: str) -> str:
        """The first paragraph of a command's docstring."""
        spec = importlib.util.find_spec(self._module(name))
        assert spec is not None, f"the command {name} has no file"
        tree = ast.parse(Path(str(spec.origin)).read_text(encoding="utf-8"))
        [command] = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "command"]
        docstring = ast.get_docstring(command) or ""
        return " ".join(docstring.partition("\n\n")[0].split())

    def _module(self, name: str) -> str:
        return f"{self.package}.{name.replace('-', '_')}"
