"""minitransformer generate MODEL "Once upon a time": how the model continues a text."""

import secrets
from collections.abc import Iterable, Iterator
from typing import Any

import click

from minitransformer.cli._arguments import model_argument
from minitransformer.cli._json import json_option, print_json
from minitransformer.cli._models import load_gpt
from minitransformer.cli._ranges import POSITIVE
from minitransformer.cli._texts import TEXT
from minitransformer.errors import UserError
from minitransformer.inference.generation.generate import NewToken, stream
from minitransformer.inference.generation.options import GenerationOptions
from minitransformer.inference.generation.stop_text import until
from minitransformer.randomness import generator


@click.command()
@model_argument
@click.argument("text", type=TEXT)
@click.option("--max-new-tokens", default=200, show_default=True, type=POSITIVE, help="When to stop at the latest.")
@click.option("--temperature", type=float, help="Draw tokens at random: below 1 favours likely ones.")
@click.option("--top-k", type=POSITIVE, help="Draw among the K most probable tokens.")
@click.option("--top-p", type=float, help="Draw among the fewest tokens that have P together.")
@click.option(
    "--beams", default=1, show_default=True, type=POSITIVE, help="Beams to look for the most probable text with."
)
@click.option("--length-penalty", default=1.0, show_default=True, help="Above 1 prefers longer texts, below 1 shorter.")
@click.option("--seed", type=click.IntRange(min=0), help="Random seed: the same one draws the same text.")
@click.option("--stop", help="End the text before this text.")
@json_option
def command(
    model: str,
    text: str,
    max_new_tokens: int,
    temperature: float | None,
    top_k: int | None,
    top_p: float | None,
    beams: int,
    length_penalty: float,
    seed: int | None,
    stop: str | None,
    as_json: bool,
) -> None:
    """Print how a model continues TEXT, token by token.

    Without a temperature, the most probable token is taken at each step, or the most probable text is looked for with
    --beams. The text ends with the token that ends a document, before the --stop text, after --max-new-tokens, or when
    the model's positions are used up.

    MODEL is the folder of a GPT-2 with its tokenizer, or its name on the Hugging Face hub.

    \b
    Example:
      minitransformer generate my-gpt "ROMEO:" --temperature 0.8 --seed 1
    """
    if stop == "":
        raise UserError("--stop is empty; give the text that the output is to end before")
    gpt, tokenizer = load_gpt(model)
    eos = tokenizer.eos_token_id
    options = GenerationOptions(max_new_tokens, beams, length_penalty, temperature, top_k, top_p, eos)
    if seed is None and temperature is not None:
        seed = secrets.randbelow(2**32)
        click.echo(f"Note: --seed {seed} gives this text again", err=True)
    tokens: list[NewToken] = []
    new_tokens = stream(gpt, tokenizer.encode(text), options, generator(seed or 0, "generation"))
    pieces = until(stop, tokenizer.decode_stream(ids_of(new_tokens, tokens)))
    if as_json:
        print_json(as_object("".join(pieces), tokens))
        return
    for piece in pieces:
        click.echo(piece, nl=False)
    click.echo()


def ids_of(new_tokens: Iterable[NewToken], seen: list[NewToken]) -> Iterator[int]:
    """The ids of tokens as they come, which are put into `seen` as well."""
    for token in new_tokens:
        seen.append(token)
        yield token.token_id


def as_object(text: str, tokens: list[NewToken]) -> dict[str, Any]:
    """What --json prints: the tokens' log-probabilities are the model's own, before temperature, top-k and top-p."""
    log_probabilities = [token.log_probability for token in tokens]
    return {
        "text": text,
        "token_ids": [token.token_id for token in tokens],
        "log_probability": sum(log_probabilities),
        "log_probabilities": log_probabilities,
    }
