"""minitransformer show input MODEL TEXT [SECOND]: the rows that are added to make a model's input."""

import click

from minitransformer.cli._arguments import model_argument
from minitransformer.cli._texts import TEXT
from minitransformer.cli.show._output import Output, picture_options
from minitransformer.cli.show._texts import load_reader
from minitransformer.inference.input_sum import input_sum
from minitransformer.pictures.input_sum import input_picture


@click.command()
@model_argument
@click.argument("text", type=TEXT)
@click.argument("second", type=TEXT, required=False)
@picture_options
def command(output: Output, model: str, text: str, second: str | None) -> None:
    """Show the embeddings that are added up for each token.

    That is what the token is, which text it is in, and where: the three summands of a BERT's input. A GPT's has two.
    MODEL is a BERT, a sentence encoder or a GPT: a folder, or the name of a model on the Hugging Face hub.

    \b
    Example:
      minitransformer show input my-bert "my dog is cute" "he likes playing" \\
        --out input.svg
    """
    reader = load_reader(model)
    tokens = reader.read(text, second)
    output.show(input_picture(reader.names(tokens), input_sum(reader.model, tokens)))
