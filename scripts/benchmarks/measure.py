"""What the benchmarks share: rounds taken in turn, ratios, the roofline, and peak memory.

Other work on a machine makes every figure worse, one minute more than the next. So what is compared runs in turn, round
by round in one process: a ratio is the median of the ratios within the rounds, and holds where milliseconds don't.
"""

from __future__ import annotations

import math
import os
import platform
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits
from tqdm import tqdm

THREADS = 2
PAUSE = 0.2  # seconds between contenders: the threads of the one before wait for work, at full speed, for 0.1 s more
STEPS_IN_A_ROW = 4  # training steps of a turn

Contenders = dict[str, Callable[[], Any]]


class Times:
    """Seconds of each contender in each round."""

    def __init__(self, seconds: dict[str, list[float]]) -> None:
        self.seconds = {name: np.array(rounds) for name, rounds in seconds.items()}

    def median(self, name: str) -> float:
        """Seconds, the median over the rounds."""
        return float(np.median(self.seconds[name]))

    def ratio(self, slower: str, faster: str) -> float:
        """How many times as long as `faster` the contender `slower` takes: the median over the rounds."""
        return float(np.median(self.seconds[slower] / self.seconds[faster]))


def in_turn(
    contenders: Contenders,
    rounds: int,
    title: str,
    calls: int = 1,
    clock: Callable[[], float] = time.perf_counter,
) -> Times:
    """Run each contender once to warm up, then `rounds` times in turn; every round begins with another one.

    A turn is `calls` calls one after the other, as training steps are, and its time the mean of all but the first: that
    one, after the pause, takes up to a fifth more. A single call is timed as it is. The clock may be that of the
    processor, time.process_time.
    """
    names = list(contenders)
    for contender in contenders.values():
        contender()
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for number in tqdm(range(rounds), desc=title, unit="round", disable=None):
        for place in range(len(names)):
            name = names[(number + place) % len(names)]
            time.sleep(PAUSE)
            first, *others = [seconds_of(contenders[name], clock) for _ in range(calls)]
            seconds[name].append(sum(others) / len(others) if others else first)
    return Times(seconds)


def seconds_of(call: Callable[[], Any], clock: Callable[[], float] = time.perf_counter) -> float:
    began = clock()
    call()
    return clock() - began


class Sgemm:
    """The roofline as a contender: one large float32 product on all threads. Nothing made of products is faster."""

    shape = (4096, 768, 3072)  # (n, k)(k, m), of a feed-forward network of base: as fast as products in BERT get
    flops = 2 * math.prod(shape)

    def __init__(self) -> None:
        n, k, m = self.shape
        rng = np.random.default_rng(0)
        self.a, self.b = (rng.standard_normal(shape, dtype=np.float32) for shape in ((n, k), (k, m)))
        self.product = np.empty((n, m), np.float32)

    def __call__(self) -> None:
        with threadpool_limits(THREADS, user_api="blas"):
            np.matmul(self.a, self.b, out=self.product)


def alone(function: Callable[..., Any], *arguments: Any) -> tuple[Any, int]:
    """What the function returns in a process of its own, and the most bytes of memory that this process had."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_with_peak_memory, function, *arguments).result()


def _with_peak_memory(function: Callable[..., Any], *arguments: Any) -> tuple[Any, int]:
    return function(*arguments), peak_memory()


def peak_memory() -> int:
    """The most bytes of memory that this process has had at once, its libraries counted in."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux, whose getrusage would count in the process that started this one
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return 1024 * int(line.split()[1])
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def machine(*packages: str, threads: int = THREADS) -> str:
    """A sentence that says what was measured on: processor, threads, and the versions of these packages."""
    blas = next(library for library in threadpool_info() if "numpy" in library["filepath"])
    versions = [f"{package} {version(package)}" for package in packages]
    count = "1 thread" if threads == 1 else f"{threads} threads"
    return (
        f"{count} on {_processor()} ({os.cpu_count()} cores), {platform.system()}, "
        f"Python {platform.python_version()}, numpy {np.__version__} ({blas['internal_api']} {blas['version']}, "
        f"{blas.get('architecture', 'unknown architecture')}), {', '.join(versions)}."
    )


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    return next((line.split(": ")[1] for line in lines if line.startswith("model name")), platform.processor())


def megabytes(size: float) -> str:
    return f"{size / 1e6:,.0f} MB"
