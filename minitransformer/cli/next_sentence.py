"""minitransformer next-sentence MODEL A B: does B follow A?"""

import click

from minitransformer.cli._arguments import model_argument
from minitransformer.cli._json import json_option, print_json
from minitransformer.cli._models import check_length, load_pretraining_model
from minitransformer.cli._texts import TEXT
from minitransformer.models.finite_answers import finite
from minitransformer.ops.softmax import softmax_forward


@click.command()
@model_argument
@click.argument("a", type=TEXT)
@click.argument("b", type=TEXT)
@json_option
def command(model: str, a: str, b: str, as_json: bool) -> None:
    """Print the probability that the text B follows the text A.

    MODEL is a folder, or the name of a model on the Hugging Face hub.

    \b
    Example:
      minitransformer next-sentence my-bert "My dog is cute." "He likes playing."
    """
    bert, tokenizer = load_pretraining_model(model, "nsp_head", "bert.pooler")
    tokens = tokenizer(a, pairs=b)
    check_length(tokens, bert)
    _, pooled = bert.bert(tokens)
    probabilities, _ = softmax_forward(finite(bert.nsp_head(pooled), bert))
    is_next, is_random = probabilities[0]
    if as_json:
        print_json({"a": a, "b": b, "is_next": is_next, "is_random": is_random})
    else:
        click.echo(f"{is_next:7.1%}  B follows A\n{is_random:7.1%}  B is from somewhere else")
