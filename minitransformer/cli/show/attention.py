"""minitransformer show attention MODEL TEXT: which heads look at something of their own, and one of them whole."""

from collections.abc import Sequence

import click
import numpy as np

from minitransformer.cli._arguments import model_argument
from minitransformer.cli._texts import TEXT
from minitransformer.cli.show._looks import first_look
from minitransformer.cli.show._output import Output, picture_options
from minitransformer.cli.show._texts import load_reader
from minitransformer.errors import UserError
from minitransformer.inference.attention_maps import attention_maps
from minitransformer.pictures.attention import AttendedText, Question, attention_picture


@click.command()
@model_argument
@click.argument("text", type=TEXT)
@click.option("--against", type=TEXT, metavar="TEXT", help="A text of as many tokens, to be shown beside it.")
@click.option("--from", "query", metavar="TOKEN", help="Rank the heads by what this token looks at.")
@click.option("--to", "key", metavar="TOKEN", help="Rank the heads by who looks at this token.")
@click.option("--layer", type=click.IntRange(min=0), help="Show a head of this layer, counted from 0.")
@click.option("--head", type=click.IntRange(min=0), help="Show this head, counted from 0.")
@picture_options
def command(
    output: Output,
    model: str,
    text: str,
    against: str | None,
    query: str | None,
    key: str | None,
    layer: int | None,
    head: int | None,
) -> None:
    """Show which tokens look at which, in every head of MODEL.

    The heads are ranked by what a token gives to another above the mean of what the other tokens give to that one: in
    some heads all tokens look at the same. The first of them, or the one that --layer and --head name, is shown whole
    (in the terminal if the text has at most 24 tokens). Two texts that differ in a word show whether a head reacts to
    it. MODEL is a BERT, a sentence encoder or a GPT: a folder, or the name of a model on the Hugging Face hub.

    \b
    Example:
      minitransformer show attention sentence-transformers/all-MiniLM-L6-v2 \\
        "The animal didn't cross the street because it was too tired" \\
        --against "The animal didn't cross the street because it was too wide" \\
        --from it --to animal --out it.html
    """
    reader = load_reader(model)
    tokens = [reader.read(given) for given in (text, against) if given is not None]
    first, *others = [len(read.token_ids) for read in tokens]
    if others not in ([], [first]):
        counts = f"the text has {first} tokens, the one against it {others[0]}"
        raise UserError(f"{counts}; to be compared place by place they need as many")
    texts = [AttendedText(reader.names(read), attention_maps(reader.model, read)) for read in tokens]
    is_special = reader.is_special(tokens[0])
    question = Question(*(places(texts[0].tokens, is_special, token) for token in (query, key)))
    maps = texts[0].maps
    looks = maps.best_looks(*question)
    if not looks:
        raise UserError("no token of the text can look at another; give a longer text, or other tokens to look at")
    output.show(attention_picture(texts, question, first_look(looks, maps.weights.shape[:2], layer, head)))


def places(tokens: Sequence[str], is_special: np.ndarray, token: str | None) -> np.ndarray:
    """Where this token is in the text; without one, where any is that isn't special."""
    if token is None:
        return np.flatnonzero(~is_special)
    found = [place for place, name in enumerate(tokens) if name.strip("␣").lower() == token.lower()]
    if not found:
        raise UserError(f"there is no token {token!r} in the text; its tokens are {' '.join(tokens)}")
    return np.array(found)
