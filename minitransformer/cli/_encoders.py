"""Finding the sentence encoder, or the baseline, that a command was given."""

import sys
from functools import partial

import click

from minitransformer.errors import UserError
from minitransformer.evaluation.encode import Encode, averaged_token_embeddings
from minitransformer.models.sentence_encoder import SentenceEncoder
from minitransformer.models.transformer_encoder import TransformerEncoder

TOKENS = "tokens"

embeddings_option = click.option(
    "--embeddings",
    type=click.Choice([TOKENS, "mean", "cls", "max"]),
    help="A baseline instead of the model's own embeddings: token embeddings averaged without BERT (tokens), or BERT's "
    "output rows pooled (the others).",
)


def transformer_of(encoder: SentenceEncoder, name: str) -> TransformerEncoder:
    """The Transformer in the sentence encoder of a folder or hub name. Raises UserError if it is an LSTM."""
    if not isinstance(encoder.encoder, TransformerEncoder):
        raise UserError(f"{name} is an LSTM, which has no attention to look into; give a BERT or one of its relatives")
    return encoder.encoder


def load_encode(name: str, embeddings: str | None, prompt_name: str | None = None) -> Encode:
    """From texts to the embeddings of a folder's or hub name's model, or of one of the baselines on it."""
    encoder = SentenceEncoder.from_pretrained(name, pooling=None if embeddings == TOKENS else embeddings)
    if embeddings == TOKENS and prompt_name:
        raise UserError("--embeddings tokens has no prompts; leave out --prompt-name")
    if embeddings == TOKENS:
        return averaged_token_embeddings(encoder.encoder, encoder.tokenizer)
    return partial(encoder.encode, prompt_name=prompt_name, show_progress=sys.stderr.isatty())
