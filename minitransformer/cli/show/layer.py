"""minitransformer show layer MODEL TEXT: one layer from its input to its output, and its gradients."""

import click

from minitransformer.cli._arguments import model_argument
from minitransformer.cli._texts import TEXT
from minitransformer.cli.show._output import Output, picture_options
from minitransformer.cli.show._texts import load_reader
from minitransformer.errors import UserError
from minitransformer.inference.layer_steps import layer_steps, loss_gradient
from minitransformer.models.gpt import Gpt
from minitransformer.nn.relative_attention import RelativeSelfAttention
from minitransformer.pictures.layer import layer_picture


@click.command()
@model_argument
@click.argument("text", type=TEXT)
@click.option("--layer", default=0, show_default=True, type=click.IntRange(min=0), help="Which one, counted from 0.")
@click.option("--backward", is_flag=True, help="Show the gradient of each matrix, too: of a GPT's loss on the text.")
@picture_options
def command(output: Output, model: str, text: str, layer: int, backward: bool) -> None:
    """Show the matrices of one layer, from x to y.

    MODEL is a BERT, a sentence encoder or a GPT: a folder, or the name of a model on the Hugging Face hub. A GPT has a
    loss on any text, that of its next tokens; so it also has gradients.

    \b
    Example:
      minitransformer show layer my-gpt "To be, or not to be" --backward \\
        --out layer.html
    """
    reader = load_reader(model)
    tokens, network = reader.read(text), reader.model
    if layer >= len(network.layers):
        raise UserError(f"--layer is {layer}, but the model has {len(network.layers)}, counted from 0")
    if isinstance(network.layers[layer].attention, RelativeSelfAttention):
        raise UserError("an MPNet's attention has relative positions, whose steps aren't shown; show another model")
    x = network.embedded(tokens)
    for earlier in [*network.layers][:layer]:
        x = earlier(x, tokens.lengths)
    dy = None
    if backward:
        if not isinstance(network, Gpt):
            raise UserError("an encoder has no loss on a text alone; --backward needs a GPT")
        dy = loss_gradient(network, tokens, layer)
    output.show(layer_picture(reader.names(tokens), layer, layer_steps(network.layers[layer], x, dy)))
