"""minitransformer show layer MODEL TEXT: one layer from its input to its output, and its gradients."""

import click
import numpy as np

from minitransformer.cli._arguments import model_argument
from minitransformer.cli._texts import TEXT
from minitransformer.cli.show._output import Output, picture_options
from minitransformer.cli.show._texts import Reader, load_reader
from minitransformer.errors import UserError
from minitransformer.inference.layer_steps import cosine_gradient, layer_steps, loss_gradient
from minitransformer.models.gpt import Gpt
from minitransformer.nn.relative_attention import RelativeSelfAttention
from minitransformer.pictures.layer import layer_picture
from minitransformer.text.packed_tokens import PackedTokens


@click.command()
@model_argument
@click.argument("text", type=TEXT)
@click.option("--layer", default=0, show_default=True, type=click.IntRange(min=0), help="Which one, counted from 0.")
@click.option("--backward", is_flag=True, help="Show the gradient of each matrix, too.")
@click.option("--against", type=TEXT, metavar="TEXT", help="With --backward: the gradient is of the cosine with it.")
@picture_options
def command(output: Output, model: str, text: str, layer: int, backward: bool, against: str | None) -> None:
    """Show the matrices of one layer, from x to y.

    With --backward the gradient of each stands under it. A GPT has a loss on any text, that of its next tokens. An
    encoder has none on a text alone; its gradient is that of the cosine with another text, --against. MODEL is a BERT,
    a sentence encoder or a GPT: a folder, or the name of a model on the Hugging Face hub.

    \b
    Example:
      minitransformer show layer my-sbert "I like chocolate milk" --backward \\
        --against "I like milk chocolate" --out layer.html
    """
    if against is not None and not backward:
        raise UserError("--against is for gradients, with --backward")
    reader = load_reader(model)
    tokens, network = reader.read(text), reader.model
    if layer >= len(network.layers):
        raise UserError(f"--layer is {layer}, but the model has {len(network.layers)}, counted from 0")
    if isinstance(network.layers[layer].attention, RelativeSelfAttention):
        raise UserError("an MPNet's attention has relative positions, whose steps aren't shown; show another model")
    x = network.embedded(tokens)
    for earlier in [*network.layers][:layer]:
        x = earlier(x, tokens.lengths)
    dy, what = gradient(reader, tokens, layer, against) if backward else (None, None)
    output.show(layer_picture(reader.names(tokens), layer, layer_steps(network.layers[layer], x, dy), what))


def gradient(reader: Reader, tokens: PackedTokens, layer: int, against: str | None) -> tuple[np.ndarray, str]:
    """The gradient of the layer's y, and what it is the gradient of."""
    if isinstance(reader.model, Gpt):
        if against is not None:
            raise UserError("a GPT's gradient is that of its loss on the text; leave --against out")
        if len(tokens.token_ids) == 1:
            raise UserError("a text of one token has no next one, and so no loss; give a longer text")
        return loss_gradient(reader.model, tokens, layer), "the loss of the text's next tokens"
    assert reader.sentence_encoder is not None
    if against is None:
        raise UserError(
            "an encoder has no loss on a text alone; give another --against it, to see the cosine's gradient"
        )
    dy = cosine_gradient(reader.sentence_encoder, tokens, reader.read(against), layer)
    return dy, f"the cosine with “{against}”"
