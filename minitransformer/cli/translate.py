"""minitransformer translate MODEL [FILE]: a target for each line."""

import click

from minitransformer.cli._arguments import file_argument, input_lines, input_name, input_texts, model_argument
from minitransformer.cli._translators import beams_option, length_penalty_option, load_translator
from minitransformer.errors import UserError
from minitransformer.inference.translation import translate
from minitransformer.text.packed_tokens import PackedTokens

LINES_AT_ONCE = 256


@click.command()
@model_argument
@file_argument
@beams_option
@length_penalty_option
def command(model: str, file: str, beams: int, length_penalty: float) -> None:
    """Print a translation for each line of FILE, or of standard input.

    The most probable token is taken at each step, or the most probable translation is looked for with --beams. An empty
    line stays empty, and a line end within a translation becomes a space.

    MODEL is a folder from `train-seq2seq`.

    \b
    Example:
      minitransformer translate sql questions.txt --beams 4
    """
    translator, tokenizer = load_translator(model)
    chunk: list[list[int] | None] = []

    def write() -> None:
        sources = PackedTokens.pack([ids for ids in chunk if ids])
        targets = iter(translate(translator, sources, num_beams=beams, length_penalty=length_penalty))
        for ids in chunk:
            click.echo(" ".join(tokenizer.decode(next(targets)).splitlines()) if ids else "")
        chunk.clear()

    for number, text in input_texts(input_lines(file), input_name(file)):
        try:
            chunk.append(tokenizer.encode_sequence(text) if text else None)
        except UserError as error:
            raise UserError(f"{input_name(file)}, line {number}: {error}") from None
        limit = translator.config.max_position_embeddings
        if len(chunk[-1] or ()) > limit:
            long = f"the line has {len(chunk[-1] or ())} tokens, but the model takes {limit}; shorten it"
            raise UserError(f"{input_name(file)}, line {number}: {long}")
        if len(chunk) == LINES_AT_ONCE:
            write()
    write()
