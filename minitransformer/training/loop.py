"""The training loop: batch, gradients, clipping, update, again and again.

Everything random in a step is a function of the seed and the step's number, so a loop that resumes from a checkpoint
does what it would have done without stopping.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

from tqdm import tqdm

from minitransformer.errors import UserError
from minitransformer.formatting import in_words
from minitransformer.randomness import generator
from minitransformer.training.checkpoint import Checkpoints
from minitransformer.training.machines import Machines
from minitransformer.training.memory import keep_freed_memory
from minitransformer.training.metrics import MetricsLog
from minitransformer.training.optimizer.adamw import AdamW, RateFactor
from minitransformer.training.optimizer.clipping import clip_scale, global_norm
from minitransformer.training.optimizer.schedule import Schedule, linear_warm_up_and_decay
from minitransformer.training.settings import TrainingSettings
from minitransformer.training.stop_signals import StopSignals
from minitransformer.training.tasks.task import Model, Task
from minitransformer.training.workers import Workers

Made = TypeVar("Made")


class TrainingInterrupted(KeyboardInterrupt):
    """Ctrl-C or SIGTERM stopped the run after a whole step, and `checkpoint` has all of it."""

    def __init__(self, step: int, checkpoint: Path, signal_number: int) -> None:
        super().__init__(f"stopped after step {step}")
        self.step = step
        self.checkpoint = checkpoint
        self.signal_number = signal_number


@dataclass(kw_only=True, eq=False)
class TrainingLoop(Generic[Model]):
    """Trains a model on a task, from the last checkpoint if there is one.

    There are `steps` updates. After each `save_every` of them, and after the last, `evaluate` returns a NamedTuple of
    metrics of the model on held-out data, `keep` may save that model as the best so far, and a checkpoint is saved.
    """

    model: Model
    task: Task[Model]
    settings: TrainingSettings
    steps: int
    save_every: int
    checkpoints: Checkpoints
    metrics_file: Path
    evaluate: Callable[[], Any]
    keep: Callable[[Any], None]
    rate_factors: Sequence[RateFactor] | None = None
    schedule: Schedule = linear_warm_up_and_decay
    machines: Machines = field(default_factory=Machines)

    def __post_init__(self) -> None:
        betas, weight_decay = (0.9, self.settings.beta2), self.settings.weight_decay
        self.optimizer = AdamW(self.model.storage, betas, weight_decay=weight_decay, rate_factors=self.rate_factors)

    def run(self, workers: int | None = None) -> Any:
        """Train to the last step on `workers` cores (default: all; never more than num_shards).

        Returns the last evaluation. Raises TrainingInterrupted after Ctrl-C or SIGTERM, and UserError if the loss is no
        longer finite or the disk is full. In each case the last checkpoint is good. From here on, the process keeps the
        memory of freed arrays.
        """
        keep_freed_memory()
        machines, evaluation = self.machines, None
        start = min(machines.all(self.checkpoints.restore, self.model, self.optimizer))
        with (
            MetricsLog(self.metrics_file if machines.rank == 0 else None, start) as log,
            Workers(self.model, self.settings.cores(workers, machines.size), machines) as pool,
            ThreadPoolExecutor(1) as thread,
            tqdm(desc="training", total=self.steps, initial=start, unit="step", disable=None) as bar,
            StopSignals() as stop,
        ):
            progress = Progress(bar)
            for step, batch in one_ahead(thread, self.task.batch, range(start, self.steps)):
                metrics = self._step(step, batch, pool)
                progress.update(metrics["loss"], metrics["tokens"])
                machines.first(partial(log.write, step + 1, **metrics))
                stopping = max(machines.gather(stop.requested))
                due = (step + 1) % self.save_every == 0 or step + 1 == self.steps
                if due or stopping:  # never save weights that are inf or nan
                    self._check_finite(step + 1, "weights' norm", global_norm(self.model.storage.values))
                    if due:  # even when stopping: the resumed run begins with the next step and would leave this out
                        evaluation = machines.first(self._evaluate, step + 1, log)
                    checkpoint = machines.first(self.checkpoints.save, step + 1, self.model, self.optimizer)
                if stopping:
                    raise TrainingInterrupted(step + 1, checkpoint, stopping)
            return machines.first(self.evaluate) if evaluation is None else evaluation

    def _step(self, step: int, batch: Any, workers: Workers[Model]) -> dict[str, float]:
        """One update. Returns what to record of it."""
        began, settings = time.perf_counter(), self.settings
        metrics, norm = self.task.gradients(workers, batch, generator(settings.seed, "dropout", step))
        self._check_finite(step + 1, "loss", metrics["loss"])
        self._check_finite(step + 1, "gradient's norm", norm)
        factor = self.schedule(step, round(settings.warm_up * self.steps), self.steps)
        rate = settings.learning_rate * factor
        self.optimizer.step(rate, clip_scale(norm, settings.max_gradient_norm), workers.spread)
        return {
            **metrics,
            "learning_rate": rate,
            "gradient_norm": norm,
            "tokens": int(batch.lengths.sum()),
            "seconds": round(time.perf_counter() - began, 4),
        }

    def _evaluate(self, step: int, log: MetricsLog) -> Any:
        evaluation = self.evaluate()
        metrics = evaluation._asdict()
        log.write(step, **{f"held_out_{name}": value for name, value in metrics.items()})
        tqdm.write(f"step {step}, held-out: {in_words(metrics)}")
        self.keep(evaluation)
        return evaluation

    def _check_finite(self, step: int, name: str, number: float) -> None:
        if not math.isfinite(number):
            raise UserError(
                f"training stopped: in step {step} the {name} is {number}. "
                f"The last good checkpoint is {self.checkpoints.latest() or 'none yet'}. "
                f"Start again in another folder with a learning rate smaller than {self.settings.learning_rate:g}"
            )


def one_ahead(thread: ThreadPoolExecutor, make: Callable[[int], Made], steps: range) -> Iterator[tuple[int, Made]]:
    """(step, make(step)) for each step: while the caller works with one, the thread makes the next."""
    coming = None
    for step in steps:
        made = (coming or thread.submit(make, step)).result()
        coming = thread.submit(make, step + 1) if step + 1 in steps else None
        yield step, made


class Progress:
    """Tells a progress bar the recent loss and the tokens per second."""

    def __init__(self, bar: tqdm) -> None:
        self.bar = bar
        self.began = time.perf_counter()
        self.tokens = 0.0
        self.loss: float | None = None

    def update(self, loss: float, tokens: float) -> None:
        self.loss = loss if self.loss is None else 0.9 * self.loss + 0.1 * loss
        self.tokens += tokens
        rate = self.tokens / (time.perf_counter() - self.began)
        self.bar.set_postfix_str(f"loss {self.loss:.2f}, {rate:,.0f} tokens/s", refresh=False)
        self.bar.update()
