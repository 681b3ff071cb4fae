"""minitransformer evaluate pretraining MODEL [DATA ...]: masked tokens and next sentences."""

import tempfile
import warnings
from pathlib import Path

import click
import numpy as np

from minitransformer.batches.pretraining_sampler import PretrainingSampler
from minitransformer.cli._json import json_option, print_json
from minitransformer.cli._models import load_pretraining_model
from minitransformer.corpora.text_files import TextFiles
from minitransformer.corpora.tokenized_corpus import Documents, TokenizedCorpus
from minitransformer.errors import MissingHead, UserError
from minitransformer.evaluation.pretraining import (
    Batches,
    evaluate_pretraining,
    pretraining_baselines,
    pretraining_report,
    token_counts,
)
from minitransformer.models.bert_for_masked_lm import BertForMaskedLM
from minitransformer.models.bert_for_pretraining import BertForPreTraining
from minitransformer.text.bert_tokenizer import BertTokenizer
from minitransformer.training.runs.pretraining import PretrainingRun

BATCH_SIZE, NUM_BATCHES = 32, 32
MAX_LENGTH = 128  # tokens of a pair, for models that take as many


@click.command()
@click.argument("model")
@click.argument("data", nargs=-1)
@json_option
def command(model: str, data: tuple[str, ...], as_json: bool) -> None:
    """Measure how well MODEL fills masked tokens and knows next sentences.

    DATA is text with one paragraph or sentence per line and a blank line
    between documents. Without DATA, a model from `minitransformer pretrain` is
    measured on its held-out documents. Next to each figure is what it must
    beat: the same of guesses by how frequent the tokens of the text are.

    \b
    Example:
      minitransformer evaluate pretraining my-bert notes.txt
    """
    bert, tokenizer = load_model(model)
    if data:
        max_length = min(MAX_LENGTH, bert.config.max_position_embeddings)
        next_sentence = isinstance(bert, BertForPreTraining)
        counts, batches = counts_and_batches(TextFiles(data), tokenizer, max_length, next_sentence)
    else:
        counts, batches = counts_and_held_out_batches(Path(model))
    metrics, baselines = evaluate_pretraining(bert, batches), pretraining_baselines(counts, batches)
    if as_json:
        print_json({**metrics._asdict(), "to_beat": baselines})
    else:
        click.echo(pretraining_report(metrics, baselines))


def load_model(name: str) -> tuple[BertForPreTraining | BertForMaskedLM, BertTokenizer]:
    """The model and its tokenizer; without a next-sentence head, for masked tokens alone."""
    try:
        return load_pretraining_model(name, "mlm_head", "nsp_head", "bert.pooler")
    except MissingHead:
        _, tokenizer = load_pretraining_model(name, "mlm_head")
        warnings.warn(f"{name} has no next-sentence head: only masked tokens are measured", stacklevel=2)
        return BertForMaskedLM.from_pretrained(name), tokenizer


def counts_and_batches(
    text: TextFiles, tokenizer: BertTokenizer, max_length: int, next_sentence: bool
) -> tuple[np.ndarray, Batches]:
    """How often a text has each token, and pairs of it, or single stretches without next sentences."""
    with tempfile.TemporaryDirectory() as folder:
        sentences = text.with_progress("tokenising", text.sentences)
        corpus = TokenizedCorpus.build(sentences, tokenizer, Path(folder) / "corpus")
        documents = Documents(corpus.document_starts[:-1], corpus.document_starts[1:])
        sampler = PretrainingSampler(corpus, documents, tokenizer, BATCH_SIZE, max_length, next_sentence=next_sentence)
        batches = [sampler.batch(number) for number in range(NUM_BATCHES)]
        return token_counts(corpus, documents, tokenizer), batches


def counts_and_held_out_batches(folder: Path) -> tuple[np.ndarray, Batches]:
    """The same for the text that the model was trained on, and the pairs that were held out from its training."""
    try:
        run = PretrainingRun.open(folder)
        return token_counts(run.corpus, run.training.documents, run.tokenizer), run.held_out_batches
    except UserError as error:
        raise UserError(f"{error}; name a text to measure the model on") from None
