"""minitransformer evaluate gpt MODEL [FILE]: how well a decoder predicts a text."""

import math
import tempfile
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np

from minitransformer.cli._arguments import model_argument
from minitransformer.cli._json import json_option, print_json
from minitransformer.cli._models import load_gpt
from minitransformer.corpora.text_files import TextFiles
from minitransformer.corpora.token_stream import TokenStream
from minitransformer.errors import UserError
from minitransformer.evaluation.language_modelling import (
    LanguageModelling,
    LanguageModellingBaselines,
    evaluate_language_model,
    language_modelling_baselines,
    language_modelling_report,
)
from minitransformer.interop.model_files import ModelFiles
from minitransformer.text.lossless_tokenizer import LosslessTokenizer
from minitransformer.training.runs.gpt_pretraining import GptPretrainingRun
from minitransformer.training.runs.run import RUN_SETTINGS_FILE

TRAINING_TEXT, FIRST_PART = "the training text", "the first nine tenths of FILE"
COUNTED_SHARE = 0.9


class Measured(NamedTuple):
    metrics: LanguageModelling
    baselines: LanguageModellingBaselines
    counted_on: str


@click.command()
@model_argument
@click.argument("file", type=click.Path(), required=False)
@json_option
def command(model: str, file: str | None, as_json: bool) -> None:
    """Measure how well MODEL predicts the text in FILE.

    The mean of -ln p, in nats: for each token, and for each character, so that models with different tokens compare.
    Next to it is what it must beat: counting what followed the last few characters in the text that the model was
    trained on. If that isn't in MODEL, the first nine tenths of FILE are counted, and the last tenth is predicted.

    Without FILE, a model from `minitransformer pretrain-gpt` is measured on the text that was held out from its
    training.

    \b
    Example:
      minitransformer evaluate gpt my-gpt more-plays.txt
    """
    measured = measure_file(model, file) if file else measure_held_out(Path(model))
    metrics, baselines, counted_on = measured
    if as_json:
        perplexity = {"perplexity": math.exp(metrics.nats_per_token)}
        everything = {**metrics._asdict(), **perplexity, **baselines._asdict(), "counted_on": counted_on}
        print_json(everything)
    else:
        click.echo(language_modelling_report(metrics, baselines, counted_on))


def measure_held_out(folder: Path) -> Measured:
    """The model on the text that was held out from its training."""
    try:
        run = GptPretrainingRun.open(folder)
    except UserError as error:
        raise UserError(f"{error}; name a text to measure the model on") from None
    return Measured(run.evaluate(), run.baselines, TRAINING_TEXT)


def measure_file(model: str, file: str) -> Measured:
    """The model on a text, or on the last tenth of it if nothing else is there to count on."""
    gpt, tokenizer = load_gpt(model)
    ids, training_ids = ids_of(TextFiles([file]), tokenizer), training_ids_of(ModelFiles.of(model))
    counted_on = TRAINING_TEXT
    if training_ids is None:
        cut = int(COUNTED_SHARE * len(ids))
        training_ids, ids, counted_on = ids[:cut], ids[cut - 1 :], FIRST_PART
    if min(len(training_ids), len(ids)) < 2:
        raise UserError(f"{file} has {len(ids)} tokens, too few to measure a model on")
    metrics = evaluate_language_model(gpt, tokenizer, ids)
    return Measured(metrics, language_modelling_baselines(tokenizer, training_ids, ids), counted_on)


def ids_of(text: TextFiles, tokenizer: LosslessTokenizer) -> np.ndarray:
    """The ids of a text after <|endoftext|>, from which its first one is predicted."""
    with tempfile.TemporaryDirectory() as folder:
        blocks = text.with_progress("tokenising", text.running_text)
        stream = TokenStream.build(blocks, tokenizer, Path(folder) / "text")
        return np.concatenate([[tokenizer.eos_token_id], stream.token_ids[:-1]])


def training_ids_of(files: ModelFiles) -> np.ndarray | None:
    """What a model from `minitransformer pretrain-gpt` was last trained on; None for any other model."""
    try:
        return GptPretrainingRun.open(files.folder_with(str(RUN_SETTINGS_FILE))).training_ids
    except UserError:
        return None
