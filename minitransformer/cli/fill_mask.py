"""minitransformer fill-mask MODEL "I love to [MASK]": what the model puts in place of [MASK]."""

import click

from minitransformer.cli._arguments import model_argument
from minitransformer.cli._json import json_option, print_json
from minitransformer.cli._models import check_length, load_pretraining_model
from minitransformer.cli._texts import TEXT
from minitransformer.errors import UserError
from minitransformer.inference.fill_mask import fill_mask


@click.command()
@model_argument
@click.argument("text", type=TEXT)
@click.option("--top", default=5, show_default=True, type=click.IntRange(min=1), help="Fillings for each [MASK].")
@json_option
def command(model: str, text: str, top: int, as_json: bool) -> None:
    """Print the most probable tokens for each [MASK] in TEXT.

    MODEL is a folder, or the name of a model on the Hugging Face hub.

    \b
    Example:
      minitransformer fill-mask my-bert "I love to [MASK]" --top 3
    """
    bert, tokenizer = load_pretraining_model(model, "mlm_head")
    tokens = tokenizer(text)
    check_length(tokens, bert)
    fillings = fill_mask(bert, tokens, tokenizer.mask_token_id, top, tokenizer.known_ids)
    if not fillings:
        raise UserError(f"there is no [MASK] in {text!r}; write [MASK] for each token to fill in")
    if as_json:
        masks = [
            [
                {"token": tokenizer.convert_ids_to_tokens([token_id])[0], "probability": p}
                for token_id, p in of_this_mask
            ]
            for of_this_mask in fillings
        ]
        print_json({"text": text, "masks": masks})
        return
    for number, of_this_mask in enumerate(fillings, start=1):
        if len(fillings) > 1:
            click.echo(f"{'' if number == 1 else chr(10)}[MASK] {number} of {len(fillings)}")
        words = tokenizer.convert_ids_to_tokens(filling.token_id for filling in of_this_mask)
        for word, filling in zip(words, of_this_mask, strict=True):
            click.echo(f"{filling.probability:7.1%}  {word}")
