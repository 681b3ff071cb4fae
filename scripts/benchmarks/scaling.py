"""How time and memory of training grow: with the length of a sequence, the batch, the layers and the workers.

    python -m scripts.benchmarks.scaling

A token of a sequence of N tokens costs a layer 24 H^2 operations in its projections and feed-forward network, and 4 N H
in attention. The lines meet at N = 6 H; from there on attention is the larger part, and the cost of a sequence turns
from N to N^2. Attention's operations take longer each, so in time the lines meet earlier.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

import click
import numpy as np
from threadpoolctl import threadpool_limits

from minitransformer import Bert, BertConfig, BertForPreTraining, Workers
from minitransformer.ops.attention import attention_backward, attention_forward
from minitransformer.ops.multi_head_attention import multi_head_attention_backward, multi_head_attention_forward
from minitransformer.ops.recomputed_attention import recomputed_attention_backward, recomputed_attention_forward
from minitransformer.randomness import generator
from minitransformer.training.memory import keep_freed_memory
from scripts.benchmarks.measure import STEPS_IN_A_ROW, THREADS, in_turn, machine
from scripts.benchmarks.our_steps import OurStep, pretraining_step, random_batch
from scripts.pages import table

SIZES = {"vocab_size": 1000, "max_position_embeddings": 4096}  # a small vocabulary, whose head doesn't hide the layers
TINY = BertConfig.preset("tiny", **SIZES)
CROSSING = 6 * TINY.hidden_size
LENGTHS = [64, 128, 256, 512, CROSSING, 1024, 2048]
TOKENS = 4096  # of a batch, by length
BATCHES = [4, 8, 16, 32, 64]  # sequences, two layers
LAYERS = [1, 2, 4, 8]  # 16 sequences
LENGTH = 128  # tokens of a sequence, by batch and by layers

Table = dict[int, dict[str, float]]


@click.command()
@click.option("--rounds", default=7, show_default=True)
def main(rounds: int) -> None:
    """Measure how a training step grows."""
    keep_freed_memory()
    by_length = {length: layer_costs(length, rounds) for length in LENGTHS}
    by_batch = {sequences: step_costs(2, sequences, rounds) for sequences in BATCHES}
    by_layers = {layers: step_costs(layers, 16, rounds) for layers in LAYERS}
    print(machine("scipy"))
    print(length_section(by_length))
    print(step_section(f"By the batch: two layers, sequences of {LENGTH} tokens", "sequences", by_batch))
    print(step_section(f"By the layers: 16 sequences of {LENGTH} tokens", "layers", by_layers))


def length_section(by_length: Table) -> str:
    header = ["tokens of a sequence", "a layer, µs a token", "of it attention", "share", "share of operations"]
    header += ["one head: weights kept", "made again", "memory: weights kept", "made again"]
    rows = []
    for length, costs in by_length.items():
        layer, attention = (1e6 * costs[name] / TOKENS for name in ("layer", "attention"))
        shares = [f"{attention / layer:.0%}", f"{length / (CROSSING + length):.0%}"]
        heads = [f"{1e3 * costs[name]:.1f} ms" for name in ("kept", "made again")]
        memory = [f"{costs[f'{name}, bytes'] / 1e6:.1f} MB" for name in ("kept", "made again")]
        rows.append([f"{length:,}", f"{layer:.1f}", f"{attention:.1f}", *shares, *heads, *memory])
    title = f"By the length of a sequence: H = {TINY.hidden_size}, forward and backward on one thread"
    return f"\n### {title}\n\n{table(header, rows)}"


def step_section(title: str, variable: str, by_variable: Table) -> str:
    rows = [
        [
            str(value),
            *(f"{1e3 * costs[name]:.0f} ms" for name in ("one worker", "two workers")),
            f"**{costs['ratio']:.2f}**",
            f"{costs['bytes'] / 1e6:.0f} MB",
        ]
        for value, costs in by_variable.items()
    ]
    return f"\n### {title}\n\n{table([variable, 'one worker', 'two workers', 'one / two', 'memory'], rows)}"


# -- what is measured --------------------------------------------------------------------------------------------------


def layer_costs(length: int, rounds: int) -> dict[str, float]:
    """Seconds for a layer, for its attention alone, and for one head of one sequence in both ways with their bytes."""
    rng = np.random.default_rng(0)
    q, k, v, x = (rng.standard_normal((TOKENS, TINY.hidden_size), dtype=np.float32) for _ in range(4))
    lengths = np.full(TOKENS // length, length)
    rows = slice(int(lengths.sum()))  # the crossing doesn't divide TOKENS
    head = [array[:length, :64] for array in (q, k, v)]
    kept = partial(one_head, attention_forward, attention_backward, head)
    made_again = partial(one_head, recomputed_attention_forward, recomputed_attention_backward, head)
    with threadpool_limits(1, user_api="blas"):
        times = in_turn(
            {
                "layer": partial(one_layer, Bert(TINY).layers[0], x[rows], lengths),
                "attention": partial(all_heads, [array[rows] for array in (q, k, v)], lengths),
                "kept": kept,
                "made again": made_again,
            },
            rounds,
            f"{length} tokens",
        )
    to_all_tokens = TOKENS / int(lengths.sum())
    return {
        "layer": to_all_tokens * times.median("layer"),
        "attention": to_all_tokens * times.median("attention"),
        "kept": times.median("kept"),
        "made again": times.median("made again"),
        "kept, bytes": peak_bytes(kept),
        "made again, bytes": peak_bytes(made_again),
    }


def one_layer(layer, x: np.ndarray, lengths: np.ndarray) -> None:
    y, cache = layer.forward(x, lengths, generator(0, "dropout"))
    layer.backward(y, cache)


def all_heads(qkv: list[np.ndarray], lengths: np.ndarray) -> None:
    rng = generator(0, "dropout")
    options = {"dropout_rate": TINY.attention_probs_dropout_prob, "rng": rng}
    y, cache = multi_head_attention_forward(*qkv, lengths, lengths, TINY.num_attention_heads, **options)
    multi_head_attention_backward(y, cache)


def one_head(forward: Callable, backward: Callable, qkv: list[np.ndarray]) -> None:
    rng = generator(0, "dropout")
    y, cache = forward(*qkv, dropout_rate=TINY.attention_probs_dropout_prob, rng=rng)
    backward(y, cache)


def step_costs(layers: int, sequences: int, rounds: int) -> dict[str, float]:
    """Seconds of a training step with one worker and with two, their ratio, and the bytes of the step with two."""
    config = BertConfig.preset("tiny", num_hidden_layers=layers, **SIZES)
    with ExitStack() as stack:
        one, two = (pretraining(config, sequences, workers, stack) for workers in (1, THREADS))
        title = f"{layers} layers, {sequences} sequences"
        times = in_turn({"one worker": one, "two workers": two}, rounds, title, STEPS_IN_A_ROW)
        return {
            "one worker": times.median("one worker"),
            "two workers": times.median("two workers"),
            "ratio": times.ratio("one worker", "two workers"),
            "bytes": peak_bytes(two),
        }


def pretraining(config: BertConfig, sequences: int, workers: int, stack: ExitStack) -> OurStep:
    pool = stack.enter_context(Workers(BertForPreTraining(config), workers))
    return pretraining_step(pool, random_batch(config, sequences, LENGTH))


def peak_bytes(run: Callable[[], object]) -> int:
    """The most memory that the arrays made by run() take at once."""
    tracemalloc.start()
    run()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


if __name__ == "__main__":
    main()
