"""minitransformer inspect MODEL TEXT [SECOND]: a text as the model sees it, and the shapes it takes inside."""

from __future__ import annotations

from typing import Any

import click
import numpy as np

from minitransformer.cli._table import aligned
from minitransformer.errors import UserError
from minitransformer.models.bert import Bert
from minitransformer.models.sentence_encoder import SentenceEncoder
from minitransformer.text.bert_tokenizer import BertTokenizer
from minitransformer.text.packed_tokens import PackedTokens


@click.command()
@click.argument("model")
@click.argument("text")
@click.argument("second", required=False)
def command(model: str, text: str, second: str | None) -> None:
    """Print the tokens of TEXT, or of the pair TEXT and SECOND, and the shapes from the embeddings to the output.

    A TEXT that begins with [CLS] is taken as the tokens themselves, with spaces between them:
    "[CLS] my dog is cute [SEP] he likes play ##ing [SEP]".

    MODEL is a folder, or the name of a model on the Hugging Face hub.
    """
    encoder = SentenceEncoder.from_pretrained(model)
    if text.startswith("[CLS]") and second is None:
        tokens = tokens_as_written(text, encoder.tokenizer)
    else:
        tokens = encoder.tokenizer(text, second)
    positions = encoder.config.max_position_embeddings
    if len(tokens.token_ids) > positions:
        raise UserError(f"the text has {len(tokens.token_ids)} tokens, but the model takes {positions}; shorten it")
    click.echo(aligned(token_table(tokens, encoder.tokenizer)))
    click.echo()
    click.echo(aligned(shape_table(tokens, encoder.bert)))


def tokens_as_written(text: str, tokenizer: BertTokenizer) -> PackedTokens:
    """The tokens that stand in the text; those after the first [SEP] are of segment 1."""
    ids = np.array(tokenizer.convert_tokens_to_ids(text.split()))
    is_end = ids == tokenizer.sep_token_id
    num_ends_before = np.cumsum(is_end) - is_end
    return PackedTokens.pack([ids], [np.minimum(num_ends_before, 1)])


def token_table(tokens: PackedTokens, tokenizer: BertTokenizer) -> list[list[Any]]:
    """A line for each token: the three ids whose embeddings are added (Devlin et al. 2018, figure 2)."""
    names = tokenizer.convert_ids_to_tokens(tokens.token_ids)
    columns = names, tokens.token_ids, tokens.segment_ids, tokens.position_ids
    return [["token", "id", "segment", "position"], *([*row] for row in zip(*columns, strict=True))]


def shape_table(tokens: PackedTokens, bert: Bert) -> list[list[Any]]:
    """A line for each step from the ids to the output: what it is computed with, and the shape that comes out."""
    config, embeddings = bert.config, bert.embeddings
    x = embeddings(tokens.token_ids, tokens.segment_ids, tokens.position_ids)
    rows: list[list[Any]] = [["step", "with", "shape"]]
    for sign, name, table, ids in (
        (" ", "token", embeddings.token.table, tokens.token_ids),
        ("+", "segment", embeddings.segment.table, tokens.segment_ids),
        ("+", "position", embeddings.position.table, tokens.position_ids),
    ):
        rows.append([f"{sign} {name} embedding", f"table {table.shape}", table.value[ids].shape])
    rows.append(["= sum, normalised", f"gamma, beta {embeddings.norm.gamma.shape}", x.shape])
    heads = f"{config.num_attention_heads} heads of {config.hidden_size // config.num_attention_heads}"
    for i, layer in enumerate(bert.layers):
        x = layer(x, tokens.lengths)
        rows.append(
            [f"  encoder layer {i}", f"{heads}, feed-forward {layer.feed_forward.inner.weight.shape[1]}", x.shape]
        )
    pooled = bert.pooler(x[tokens.starts])
    return [*rows, ["  pooled [CLS]", f"matrix {bert.pooler.weight.shape}", pooled.shape]]
