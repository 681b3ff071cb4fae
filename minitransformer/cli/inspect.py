"""minitransformer inspect MODEL TEXT [SECOND]: a text as the model sees it, and the shapes it takes inside."""

from typing import Any

import click
import numpy as np

from minitransformer.cli._arguments import model_argument
from minitransformer.cli._encoders import transformer_of
from minitransformer.cli._json import json_option, print_json
from minitransformer.cli._texts import TEXT
from minitransformer.errors import UserError
from minitransformer.formatting import format_table
from minitransformer.inference.bert_steps import bert_steps
from minitransformer.models.sentence_encoder import SentenceEncoder
from minitransformer.text.bert_tokenizer import BertTokenizer
from minitransformer.text.packed_tokens import PackedTokens


@click.command()
@model_argument
@click.argument("text", type=TEXT)
@click.argument("second", type=TEXT, required=False)
@json_option
def command(model: str, text: str, second: str | None, as_json: bool) -> None:
    """Print a text's tokens, and their shapes inside the model.

    The text is TEXT, or the pair TEXT and SECOND; the shapes go from the embeddings to the output. A TEXT that begins
    with [CLS] is taken as the tokens themselves, separated by spaces: "[CLS] my dog is cute [SEP] he likes play ##ing
    [SEP]". MODEL is a folder, or the name of a model on the Hugging Face hub.

    \b
    Example:
      minitransformer inspect my-bert "my dog is cute" "he likes playing"
    """
    encoder = SentenceEncoder.from_pretrained(model)
    if text.startswith("[CLS]") and second is None:
        tokens = read_tokens(text, encoder.tokenizer)
    else:
        tokens = encoder.tokenizer(text, second)
    positions = encoder.config.num_positions
    if len(tokens.token_ids) > positions:
        raise UserError(f"the text has {len(tokens.token_ids)} tokens, but the model takes {positions}; shorten it")
    header, *rows = token_table(tokens, encoder.tokenizer)
    steps = bert_steps(transformer_of(encoder, model), tokens)
    if as_json:
        print_json({"tokens": [dict(zip(header, row, strict=True)) for row in rows], "steps": steps})
    else:
        table = format_table([["step", "with", "shape"], *steps])
        click.echo(f"{format_table([header, *rows])}\n\n{table}")


def read_tokens(text: str, tokenizer: BertTokenizer) -> PackedTokens:
    """The tokens that the text names; those after the first [SEP] have segment 1."""
    ids = np.array(tokenizer.convert_tokens_to_ids(text.split()))
    is_end = ids == tokenizer.sep_token_id
    num_ends_before = np.cumsum(is_end) - is_end
    return PackedTokens.pack([ids], [np.minimum(num_ends_before, 1)])


def token_table(tokens: PackedTokens, tokenizer: BertTokenizer) -> list[list[Any]]:
    """A line for each token: the three ids whose embeddings are added (Devlin et al. 2018, figure 2)."""
    names = tokenizer.convert_ids_to_tokens(tokens.token_ids)
    columns = names, tokens.token_ids, tokens.segment_ids, tokens.position_ids
    return [["token", "id", "segment", "position"], *([*row] for row in zip(*columns, strict=True))]
