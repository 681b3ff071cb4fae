"""minitransformer show translation MODEL TEXT: what a translator looks at in its source."""

import warnings

import click

from minitransformer.cli._arguments import model_argument
from minitransformer.cli._texts import TEXT
from minitransformer.cli._translators import load_translator
from minitransformer.cli.show._looks import first_look
from minitransformer.cli.show._output import Output, picture_options
from minitransformer.cli.show._texts import MOST_TOKENS, token_name
from minitransformer.errors import UserError, errors_in
from minitransformer.inference.source_attention import source_attention, source_looks
from minitransformer.inference.translation import translate
from minitransformer.pictures.source_attention import source_attention_picture
from minitransformer.text.packed_tokens import PackedTokens


@click.command()
@model_argument
@click.argument("text", type=TEXT)
@click.option("--layer", type=click.IntRange(min=0), help="Show a head of this layer, counted from 0.")
@click.option("--head", type=click.IntRange(min=0), help="Show this head, counted from 0.")
@picture_options
def command(output: Output, model: str, text: str, layer: int | None, head: int | None) -> None:
    """Translate a text, and show what the decoder looks at meanwhile.

    For each token that it writes, that is the cross-attention to the tokens of the source, for each layer the mean of
    its heads. The heads are ranked, too; --layer and --head show the first of them that they name. MODEL is a folder
    from `train-seq2seq`, of a Transformer or of an LSTM with attention.

    \b
    Example:
      minitransformer show translation sql "How many songs are there?" \\
        --out question.html
    """
    translator, tokenizer = load_translator(model)
    ids, limit = tokenizer.encode_sequence(text), min(MOST_TOKENS, translator.config.max_position_embeddings)
    if len(ids) == 1:  # the token that ends a text
        raise UserError("the text is empty; give one with a token at least")
    if len(ids) > limit:
        warnings.warn(f"the text has {len(ids)} tokens; it is cut to {limit}, and translated like that", stacklevel=2)
        ids = [*ids[: limit - 1], tokenizer.eos_token_id]
    source = PackedTokens.pack([ids])
    [written] = translate(translator, source)
    target = [*written, tokenizer.eos_token_id][:limit]
    with errors_in(model):
        weights = source_attention(translator, source, PackedTokens.pack([target]))
    source_names, target_names = ([token_name(tokenizer, i) for i in read] for read in (ids, target))
    looks = source_looks(weights)
    asked_for = layer is not None or head is not None
    chosen = first_look(looks, weights.shape[:2], layer, head) if asked_for else None
    output.show(source_attention_picture(source_names, target_names, weights, looks, chosen))
