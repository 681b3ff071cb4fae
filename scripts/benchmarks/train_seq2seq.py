"""Our training step of a translator against PyTorch's nn.Transformer.

    python -m scripts.benchmarks.train_seq2seq train.tsv
    python -m scripts.benchmarks.train_seq2seq train.tsv --rounds 3

Needs the `parity` extra. The table has the columns source and target: lengths are as they come from it, and so are
those of each step, which learns a batch of its own. A step is forward, backward, clipping and AdamW, on one thread and
in processor time, which other work on the machine changes least. PyTorch's is that of torch_translator.py.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import click

from minitransformer import BytePairTokenizer, Seq2Seq, Seq2SeqConfig, Workers
from minitransformer.batches.epochs import Epochs
from minitransformer.batches.translation import TranslationBatch, pairs_of
from minitransformer.corpora.tables import TRANSLATIONS, read_table
from minitransformer.training.tasks.task import Task
from scripts.benchmarks.measure import STEPS_IN_A_ROW, in_turn, machine
from scripts.benchmarks.our_steps import OurStep
from scripts.benchmarks.pretrain import refuse_different_steps
from scripts.pages import table

VOCAB_SIZE = 4096
POSITIONS = 256
THREADS = 1


class Size(NamedTuple):
    """A translator and how many pairs it gets in a step."""

    num_layers: int
    hidden_size: int
    pairs: int
    dropout: float

    @property
    def title(self) -> str:
        layers = f"{self.num_layers} + {self.num_layers} x {self.hidden_size}"
        return f"{layers}, {self.pairs} pairs, dropout {self.dropout}"

    @property
    def config(self) -> Seq2SeqConfig:
        return Seq2SeqConfig.preset(
            "mini",
            vocab_size=VOCAB_SIZE,
            hidden_size=self.hidden_size,
            intermediate_size=4 * self.hidden_size,
            num_encoder_layers=self.num_layers,
            num_decoder_layers=self.num_layers,
            hidden_dropout_prob=self.dropout,
            max_position_embeddings=POSITIONS,
        )


SIZES = [Size(2, 128, 64, 0.1), Size(3, 128, 64, 0.0), Size(3, 256, 64, 0.1), Size(3, 256, 128, 0.1)]


@click.command()
@click.argument("tsv", type=click.Path(path_type=Path))
@click.option("--rounds", default=5, show_default=True)
def main(tsv: Path, rounds: int) -> None:
    """Measure training steps on the pairs of TSV, ours and PyTorch's in turn."""
    texts = read_table(tsv, TRANSLATIONS)
    tokenizer = BytePairTokenizer.train([text for column in texts.texts for text in column], VOCAB_SIZE, adds_eos=True)
    pairs = pairs_of(texts, tokenizer, POSITIONS)
    header = ["", "tokens", "padded", "ours", "tokens/s", "nn.Transformer", "nn.Transformer / ours"]
    print(machine("torch", threads=THREADS))
    print(f"\n### Translators, processor time\n\n{table(header, [row(size, pairs, rounds) for size in SIZES])}")


def row(size: Size, pairs: TranslationBatch, rounds: int) -> list[str]:
    from scripts.benchmarks.torch_translator import translator_step  # PyTorch is imported where it is needed

    epochs = Epochs(len(pairs), size.pairs, seed=0)
    batches = [pairs.select(epochs.examples(step)) for step in range(STEPS_IN_A_ROW)]
    with ExitStack() as stack:
        pool = stack.enter_context(Workers(Seq2Seq(size.config), THREADS))
        steps = {
            "ours": OurStep(Task(batches.__getitem__, num_shards=THREADS), len(batches), pool),
            "PyTorch": translator_step(Seq2Seq(size.config), batches, THREADS),
        }
        refuse_different_steps(steps)
        times = in_turn(steps, rounds, size.title, STEPS_IN_A_ROW, time.process_time)
    seconds = times.median("ours")
    tokens = [sum(map(count, batches)) / len(batches) for count in (num_tokens, num_padded)]
    return [
        size.title,
        *(f"{count:,.0f}" for count in tokens),
        f"{1e3 * seconds:.0f} ms",
        f"{tokens[0] / seconds:,.0f}",
        f"{1e3 * times.median('PyTorch'):.0f} ms",
        f"**{times.ratio('PyTorch', 'ours'):.2f}**",
    ]


def num_tokens(batch: TranslationBatch) -> int:
    return int(batch.lengths.sum())


def num_padded(batch: TranslationBatch) -> int:
    """How many tokens the batch has after padding."""
    return sum(len(tokens) * int(tokens.lengths.max()) for tokens in batch.inputs)


if __name__ == "__main__":
    main()
