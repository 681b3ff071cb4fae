"""Texts as arguments of a command."""

import click


class TextType(click.ParamType):
    """A text given on the command line. If it begins with a dash, it looks like an option; main.py says what to do."""

    name = "text"


TEXT = TextType()
DASH_ADVICE = "A text that begins with a dash goes after all options and a --, as in: MODEL -- '-5 degrees'"
