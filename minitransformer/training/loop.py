"""The training loop: batch, gradients, clipping, update, again and again.

Everything random in a step is a function of the seed and the step's number, so a loop that goes on from a checkpoint
does what it would have done without stopping.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Generic

from tqdm import tqdm

from minitransformer.errors import UserError
from minitransformer.randomness import generator
from minitransformer.training.checkpoint import Checkpoints
from minitransformer.training.memory import keep_freed_memory
from minitransformer.training.metrics import MetricsLog
from minitransformer.training.optimizer.adamw import AdamW, RateFactor
from minitransformer.training.optimizer.clipping import clip_scale, global_norm
from minitransformer.training.optimizer.schedule import linear_warm_up_and_decay
from minitransformer.training.settings import TrainingSettings
from minitransformer.training.stop_signals import StopSignals
from minitransformer.training.tasks.task import Batch, Model, Task
from minitransformer.training.workers import Workers


class TrainingInterrupted(KeyboardInterrupt):
    """Ctrl-C or SIGTERM stopped the run after a whole step, and `checkpoint` has all of it."""

    def __init__(self, step: int, checkpoint: Path) -> None:
        super().__init__(f"stopped after step {step}")
        self.step = step
        self.checkpoint = checkpoint


class TrainingLoop(Generic[Model, Batch]):
    """Trains a model on a task, from the last checkpoint on if there is one.

    There are `steps` updates. After each `save_every` of them, and after the last, `evaluate` gives a NamedTuple of
    metrics of the model on held-out data, and a checkpoint is saved.
    """

    def __init__(
        self,
        model: Model,
        task: Task[Model, Batch],
        settings: TrainingSettings,
        checkpoints: Checkpoints,
        metrics_file: Path,
        evaluate: Callable[[], Any],
        steps: int,
        save_every: int,
        rate_factors: Sequence[RateFactor] | None = None,
    ) -> None:
        self.model = model
        self.task = task
        self.settings = settings
        self.checkpoints = checkpoints
        self.metrics_file = metrics_file
        self.evaluate = evaluate
        self.steps = steps
        self.save_every = save_every
        betas = (0.9, settings.beta2)
        self.optimizer = AdamW(model.storage, betas, weight_decay=settings.weight_decay, rate_factors=rate_factors)

    def run(self, workers: int | None = None) -> Any:
        """Train to the last step, on so many cores (all unless given, num_shards at most). Returns the last evaluation.

        Raises TrainingInterrupted after Ctrl-C or SIGTERM, and UserError if the loss isn't finite any more or the disk
        is full. Each time the last checkpoint is good. From here on, the process keeps the memory of freed arrays.
        """
        keep_freed_memory()
        start, steps = self.checkpoints.restore(self.model, self.optimizer), self.steps
        with (
            MetricsLog(self.metrics_file, start) as log,
            Workers(self.model, self.settings.cores(workers)) as pool,
            ThreadPoolExecutor(1) as ahead,
            tqdm(desc="training", total=steps, initial=start, unit="step", disable=None) as bar,
            StopSignals() as stop,
        ):
            progress, scores = Progress(bar), None
            coming = ahead.submit(self.task.batch, start)
            for step in range(start, steps):
                batch, coming = coming.result(), ahead.submit(self.task.batch, step + 1)
                metrics = self._step(step, batch, pool)
                log.write(step + 1, **metrics)
                progress.update(metrics["loss"], metrics["tokens"])
                stopping = stop.requested
                due = (step + 1) % self.save_every == 0 or step + 1 == steps
                if due:  # even when stopping: the resumed run begins with the next step and would leave this out
                    scores = self._evaluate(step + 1, log)
                if due or stopping:
                    checkpoint = self._save(step + 1)
                if stopping:
                    raise TrainingInterrupted(step + 1, checkpoint)
            return self.evaluate() if scores is None else scores

    def _step(self, step: int, batch: Batch, pool: Workers[Model]) -> dict[str, float]:
        """One update. Returns what to record of it."""
        began = time.perf_counter()
        metrics = self.task.gradients(pool, batch, partial(generator, self.settings.seed, "dropout", step))
        norm = pool.gradient_norm
        self._check_finite(step + 1, "loss", metrics["loss"])
        self._check_finite(step + 1, "gradient's norm", norm)
        factor = linear_warm_up_and_decay(step, round(self.settings.warm_up * self.steps), self.steps)
        rate = self.settings.learning_rate * factor
        self.optimizer.step(rate, clip_scale(norm, self.settings.max_gradient_norm), pool.spread)
        return {
            **metrics,
            "learning_rate": rate,
            "gradient_norm": norm,
            "tokens": self.task.num_tokens(batch),
            "seconds": round(time.perf_counter() - began, 4),
        }

    def _evaluate(self, step: int, log: MetricsLog) -> Any:
        self._check_weights(step)
        scores = self.evaluate()
        metrics = scores._asdict()
        log.write(step, **{f"held_out_{name}": value for name, value in metrics.items()})
        words = (f"{name.replace('_', ' ')} {value:.3f}" for name, value in metrics.items())
        tqdm.write(f"step {step}, held-out: {', '.join(words)}")
        return scores

    def _save(self, step: int) -> Path:
        self._check_weights(step)
        return self.checkpoints.save(step, self.model, self.optimizer)

    def _check_weights(self, step: int) -> None:
        """Keep weights that are inf or nan out of the checkpoints."""
        self._check_finite(step, "weights' norm", global_norm(self.model.storage.values))

    def _check_finite(self, step: int, name: str, number: float) -> None:
        if not math.isfinite(number):
            raise UserError(
                f"training stopped: in step {step} the {name} is {number}. "
                f"The last good checkpoint is {self.checkpoints.latest() or 'none yet'}. "
                f"Start again in another folder with a learning rate smaller than {self.settings.learning_rate:g}"
            )


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
