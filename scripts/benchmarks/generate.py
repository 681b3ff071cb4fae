"""Generating: tokens a second, ours against transformers' generate with the same weights.

    python -m scripts.benchmarks.generate
    python -m scripts.benchmarks.generate --rounds 3

Needs the `parity` extra. All remember keys and values, compute in float32, and must give the same tokens. PyTorch gets
one thread and two: for products of a single row, the second costs more than it helps, above all on a busy machine. The
weights are those that a model starts with, since what a token is has no part in the time.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import click
import numpy as np

from minitransformer import Gpt, GptConfig, generate
from scripts.benchmarks.measure import THREADS, Times, in_turn, machine
from scripts.pages import table

PROMPT_LENGTH, POSITIONS = 16, 1100
NEW_TOKENS = 200  # of each text
LENGTHS = 64, 256, 1024

Generate = Callable[..., list[int]]  # (prompt, number of new tokens, options of generating)


class Case(NamedTuple):
    title: str
    config: GptConfig
    options: dict[str, Any]


def _config(preset: str, vocab_size: int, **changes: int) -> GptConfig:
    return GptConfig.preset(preset, vocab_size=vocab_size, max_position_embeddings=POSITIONS, **changes)


SMALL = _config("tiny", 65, num_hidden_layers=4)  # nanoGPT's for characters on a CPU
CASES = [
    Case("4 x 128, V 65, greedy", SMALL, {}),
    Case("4 x 128, V 65, drawn", SMALL, {"temperature": 0.8, "top_k": 40, "top_p": 0.95}),
    Case("4 x 128, V 65, 4 beams", SMALL, {"num_beams": 4}),
    Case("4 x 256, V 8,192, greedy", _config("mini", 8192), {}),
    Case("12 x 768, V 50,257, greedy", _config("gpt2", 50257), {}),
]


@click.command()
@click.option("--rounds", default=7, show_default=True)
def main(rounds: int) -> None:
    """Measure generating, ours and transformers' in turn."""
    print(machine("torch", "transformers"))
    print(ways_and_sizes(rounds))
    print(growth(rounds))


def ways_and_sizes(rounds: int) -> str:
    """A table with a row for each case."""
    rows = []
    for case in CASES:
        generators = contenders(case.config)
        if "temperature" not in case.options:
            refuse_different_texts(generators, case.options)
        times = measured(generators, case.config, NEW_TOKENS, case.options, rounds, case.title)
        speeds = [f"{NEW_TOKENS / times.median(name):,.0f}" for name in generators]
        rows.append([case.title, *speeds, *ratios(times)])
    header = ["", *(f"{name}, tokens/s" for name in CONTENDERS), *RATIOS]
    return f"\n### {NEW_TOKENS} tokens after a prompt of {PROMPT_LENGTH}\n\n{table(header, rows)}"


def growth(rounds: int) -> str:
    """A table with a row for each length: what a token costs should hardly grow."""
    generators, rows = contenders(SMALL), []
    for length in LENGTHS:
        times = measured(generators, SMALL, length, {}, rounds, f"{length} tokens")
        costs = [f"{1e3 * times.median(name) / length:.2f} ms" for name in generators]
        rows.append([f"{length:,}", *costs, *ratios(times)])
    header = ["new tokens", *(f"{name}, a token" for name in CONTENDERS), *RATIOS]
    return f"\n### 4 x 128, V 65, greedy: longer and longer texts\n\n{table(header, rows)}"


def measured(
    generators: dict[str, Generate],
    config: GptConfig,
    num_tokens: int,
    options: dict[str, Any],
    rounds: int,
    title: str,
) -> Times:
    calls = {name: partial(call, prompt(config), num_tokens, **options) for name, call in generators.items()}
    return in_turn(calls, rounds, title)


def ratios(times: Times) -> list[str]:
    return [f"**{times.ratio(name, 'ours'):.2f}**" for name in CONTENDERS if name != "ours"]


def prompt(config: GptConfig) -> list[int]:
    return np.random.default_rng(0).integers(0, config.vocab_size, PROMPT_LENGTH).tolist()


def ours(config: GptConfig) -> Generate:
    model = Gpt(config)

    def call(prompt_ids: list[int], num_tokens: int, **options: Any) -> list[int]:
        return generate(model, prompt_ids, max_new_tokens=num_tokens, **options)

    return call


def theirs(config: GptConfig, threads: int) -> Generate:
    import torch

    from tests.parity.gpt_twin import transformers_gpt

    twin = transformers_gpt(Gpt(config), "sdpa")

    def call(prompt_ids: list[int], num_tokens: int, **options: Any) -> list[int]:
        torch.set_num_threads(threads)
        way = {"do_sample": "temperature" in options, "pad_token_id": 0, **options}
        with torch.no_grad():
            ids = twin.generate(torch.tensor([prompt_ids]), max_new_tokens=num_tokens, **way)
        return ids[0, len(prompt_ids) :].tolist()

    return call


CONTENDERS: dict[str, Callable[[GptConfig], Generate]] = {
    "ours": ours,
    "transformers on 1 thread": partial(theirs, threads=1),
    f"on {THREADS}": partial(theirs, threads=THREADS),
}
RATIOS = [f"{name} / ours" for name in CONTENDERS if name != "ours"]  # of times


def contenders(config: GptConfig) -> dict[str, Generate]:
    return {name: make(config) for name, make in CONTENDERS.items()}


def refuse_different_texts(generators: dict[str, Generate], options: dict[str, Any]) -> None:
    """Stop unless all give the same tokens."""
    prompt_ids = prompt(SMALL)  # whose ids every vocabulary has
    texts = {name: call(prompt_ids, 20, **options) for name, call in generators.items()}
    if any(text != texts["ours"] for text in texts.values()):
        raise click.ClickException(f"the contenders give different texts with {options}: {texts}")


if __name__ == "__main__":
    main()
