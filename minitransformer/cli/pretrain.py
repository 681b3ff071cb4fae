"""minitransformer pretrain: from text to a BERT, and what it has learnt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from minitransformer.cli._options import (
    ABOVE_0,
    POSITIVE,
    SHARE,
    refuse_options_beside_resume,
    resume_option,
    settings_options,
    stopped_message,
    workers_option,
)
from minitransformer.evaluation.masked_examples import describe_fillings, masked_examples
from minitransformer.evaluation.pretraining import (
    evaluate_pretraining,
    pretraining_baselines,
    pretraining_report,
    token_counts,
)
from minitransformer.models.bert_config import PRESETS
from minitransformer.models.bert_for_pretraining import BertForPreTraining, PretrainingLoss
from minitransformer.randomness import generator
from minitransformer.training.loop import TrainingInterrupted
from minitransformer.training.runs.pretraining import PretrainingRun, PretrainingSettings

setting = settings_options(PretrainingSettings)


@click.command()
@click.option("--corpus", multiple=True, metavar="PATH", help="Text to learn from; may be given several times.")
@click.option("--out", type=click.Path(path_type=Path), help="The new model's folder.  [default: bert-SIZE]")
@resume_option
@setting("size", click.Choice(list(PRESETS)), "Layers and width of the model.")
@setting("steps", POSITIVE, "Updates of the weights.")
@setting("seed", click.IntRange(min=0), "Of first weights, order, masks and dropout.")
@setting("vocab_size", POSITIVE, "Tokens of the vocabulary that is learnt from the text.")
@setting("batch_size", POSITIVE, "Sentence pairs of a step.")
@setting("max_length", POSITIVE, "Tokens of a pair; the model takes no longer texts.")
@setting("learning_rate", ABOVE_0, "At its peak.")
@setting("dropout", SHARE, "Share of hidden values and attention weights set to 0.")
@setting("num_shards", POSITIVE, "Parts of a batch, each for one core. Large batches are cut further.")
@setting("held_out_every", click.IntRange(min=2), "Hold out one document in so many for evaluation.")
@setting("held_out_pairs", POSITIVE, "Sentence pairs of an evaluation.")
@setting("save_every", POSITIVE, "Steps from one checkpoint and evaluation to the next.")
@click.option("--whole-words", is_flag=True, help="Mask all pieces of a word together.")
@workers_option
@click.pass_context
def command(
    context: click.Context,
    corpus: tuple[str, ...],
    out: Path | None,
    resume: Path | None,
    workers: int | None,
    **options: Any,
) -> None:
    """Pretrain a BERT on text and say what it has learnt.

    A corpus holds a paragraph or a sentence a line, with an empty line between documents, as .txt or .gz. Without
    --corpus, the text is the documentation of the installed Python, NumPy and SciPy.
    """
    if resume:
        refuse_options_beside_resume(context)
        run = PretrainingRun.resume(resume)
    else:
        settings = PretrainingSettings(corpus=[str(Path(path).resolve()) for path in corpus], **options)
        run = PretrainingRun.start(out or Path(f"bert-{settings.size}"), settings)
    model = run.model()
    click.echo(describe_run(run, model, workers))
    held_out = run.held_out_batches()
    try:
        scores = run.loop(model, lambda: evaluate_pretraining(model, held_out, workers)).run(workers)
    except TrainingInterrupted as stopped:
        click.echo(stopped_message(stopped, "pretrain", run.folder))
        raise
    run.finish(model)
    click.echo(describe_result(run, model, scores))


def describe_run(run: PretrainingRun, model: BertForPreTraining, workers: int | None) -> str:
    corpus, settings = run.corpus, run.settings
    audit, cores = run.audit(), settings.cores(workers)
    text = ", ".join(settings.corpus) or "the documentation of the installed Python, NumPy and SciPy"
    return (
        f"Text: {text}; {corpus.num_documents:,} documents, {corpus.num_tokens:,} tokens\n"
        f"Pairs: {audit.num_pairs:,} in an epoch, {audit.random_share:.0%} with a random second text, "
        f"{audit.mean_length:.0f} tokens on average; the first ones are in {run.audit_file}\n"
        f"Model: BERT-{settings.size}, {settings.vocab_size:,} tokens in its vocabulary, "
        f"{model.num_parameters:,} parameters\n"
        f"Training: {settings.steps:,} steps of {settings.batch_size} sentence pairs, "
        f"{settings.steps / run.training.steps_per_epoch:.1f} times through the text, on {cores} cores\n"
        "Below, mlm is the masked tokens' loss in nats and nsp the next sentences'"
    )


def describe_result(run: PretrainingRun, model: BertForPreTraining, scores: PretrainingLoss) -> str:
    counts = token_counts(run.corpus, run.documents, run.tokenizer)
    baselines = pretraining_baselines(counts, run.held_out_batches())
    rng = generator(run.settings.seed, "masked examples")
    examples = masked_examples(run.corpus, run.held_out.documents, run.tokenizer, rng)
    question = "a text with a [MASK]" if run.settings.corpus else "returns the [MASK] of the array."
    parts = [
        f"On held-out documents\n{pretraining_report(scores, baselines)}",
        *(describe_fillings(model, run.tokenizer, example) for example in examples),
        f'The model lies in {run.folder}. Ask it: minitransformer fill-mask {run.folder} "{question}"',
    ]
    return "\n" + "\n\n".join(parts)
