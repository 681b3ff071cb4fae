"""Our training step of a GPT against PyTorch's.

    python -m scripts.benchmarks.pretrain_gpt
    python -m scripts.benchmarks.pretrain_gpt --rounds 3

Needs the `parity` extra. A step is forward, backward, clipping and AdamW, on sequences of equal length. PyTorch's are

    plain     transformers' GPT2LMHeadModel as it comes, with torch.optim.AdamW
    best      the same modules, but a GELU in one operation, no logits of rows that predict nothing, fused AdamW

and both have PyTorch's own attention, which hides later tokens without a mask.
"""

from __future__ import annotations

import dataclasses
from contextlib import ExitStack
from typing import Any, NamedTuple

import click
import numpy as np

from minitransformer import Gpt, GptConfig, PackedTokens, Workers
from minitransformer.batches.language_modelling import LanguageModellingBatch
from scripts.benchmarks.measure import STEPS_IN_A_ROW, THREADS, in_turn, machine
from scripts.benchmarks.our_steps import OurStep, pretraining_step
from scripts.benchmarks.pretrain import refuse_different_steps
from scripts.pages import table

LENGTH = 128


class Size(NamedTuple):
    """A GPT and how many sequences it gets in a step."""

    title: str
    config: GptConfig
    sequences: int


def _size(title: str, preset: str, vocab_size: int, dropout: float, **changes: int) -> Size:
    rates = dict.fromkeys(("embedding_dropout_prob", "hidden_dropout_prob", "attention_probs_dropout_prob"), dropout)
    sizes: dict[str, Any] = {"vocab_size": vocab_size, "max_position_embeddings": LENGTH, **changes}
    return Size(f"{title}, V {vocab_size:,}, dropout {dropout}", GptConfig.preset(preset, **sizes, **rates), 32)


SIZES = [
    _size("2 x 128", "tiny", 65, 0.0),
    _size("2 x 128", "tiny", 65, 0.1),
    _size("2 x 128", "tiny", 4096, 0.0),
    _size("4 x 128", "tiny", 65, 0.0, num_hidden_layers=4),
    _size("4 x 256", "mini", 4096, 0.0),
    _size("4 x 256", "mini", 4096, 0.1),
]


@click.command()
@click.option("--rounds", default=7, show_default=True)
def main(rounds: int) -> None:
    """Measure training steps, ours and PyTorch's in turn."""
    print(machine("torch", "transformers"))
    header = ["", "tokens", "ours", "tokens/s", "plain PyTorch", "best PyTorch", "plain / ours", "best / ours"]
    print(f"\n### GPT, sequences of {LENGTH} tokens\n\n{table(header, [row(size, rounds) for size in SIZES])}")


def row(size: Size, rounds: int) -> list[str]:
    batch = random_batch(size)
    with ExitStack() as stack:
        steps = {name: make(size.config, batch, stack) for name, make in STEPS.items()}
        refuse_different_steps(steps)
        times = in_turn(steps, rounds, size.title, STEPS_IN_A_ROW)
    seconds, tokens = times.median("ours"), len(batch.tokens.token_ids)
    return [
        size.title,
        f"{tokens:,}",
        f"{1e3 * seconds:.0f} ms",
        f"{tokens / seconds:,.0f}",
        *(f"{1e3 * times.median(name):.0f} ms" for name in ("plain", "best")),
        *(f"**{times.ratio(name, 'ours'):.2f}**" for name in ("plain", "best")),
    ]


def random_batch(size: Size) -> LanguageModellingBatch:
    ids = np.random.default_rng(0).integers(0, size.config.vocab_size, (size.sequences, LENGTH))
    return LanguageModellingBatch(PackedTokens.pack(ids))


def ours(config: GptConfig, batch: LanguageModellingBatch, stack: ExitStack) -> OurStep:
    return pretraining_step(stack.enter_context(Workers(Gpt(config), THREADS)), batch)


def plain(config: GptConfig, batch: LanguageModellingBatch, stack: ExitStack) -> Any:
    from scripts.benchmarks.torch_steps import plain_gpt_step

    return plain_gpt_step(Gpt(config), batch)


def best(config: GptConfig, batch: LanguageModellingBatch, stack: ExitStack) -> Any:
    from scripts.benchmarks.torch_steps import best_gpt_step

    return best_gpt_step(Gpt(dataclasses.replace(config, hidden_act="gelu_pytorch_tanh")), batch)


STEPS = {"ours": ours, "plain": plain, "best": best}  # PyTorch is imported where it is needed: it weighs 200 MB


if __name__ == "__main__":
    main()
