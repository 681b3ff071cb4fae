"""The record of a run: one JSON object per line, each with the number of steps done."""

import json
from pathlib import Path
from typing import Any, Self

from minitransformer.errors import UserError
from minitransformer.files import replacing


class MetricsLog:
    """Appends to a JSON-lines file. A context manager.

    A run that resumes after `start` steps cuts off what was recorded later: those steps come again. Without a file
    nothing is recorded: in a job of several processes the first one keeps the record.
    """

    def __init__(self, file: Path | None, start: int = 0) -> None:
        self.file = file
        self.start = start

    def __enter__(self) -> Self:
        if self.file is None:
            return self
        kept = [line for line in read_metrics(self.file) if line["step"] <= self.start]
        with replacing(self.file) as file:
            file.write_text("".join(map(_line, kept)), encoding="utf-8")
        self._opened = self.file.open("a", encoding="utf-8")
        return self

    def __exit__(self, *_: object) -> None:
        if self.file is not None:
            self._opened.close()

    def write(self, step: int, **metrics: Any) -> None:
        """Add a line, on the disk at once. Raises UserError if there is no room for it."""
        try:
            self._opened.write(_line({"step": step, **metrics}))
            self._opened.flush()
        except OSError as error:
            raise UserError(
                f"{self.file} can't be written: {error.strerror}; training stopped after step {step}, "
                "and the last checkpoint is as it was"
            ) from None


def read_metrics(file: Path) -> list[dict[str, Any]]:
    """The lines of a JSON-lines file that are whole; none if there is no file."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return [json.loads(line) for line in lines if line.endswith("}")]


def _line(metrics: dict[str, Any]) -> str:
    return json.dumps(metrics) + "\n"
