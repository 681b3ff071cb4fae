"""Real data that isn't part of the repository: looked for in MINITRANSFORMER_DATA, else in ../shared/data beside it."""

import os
from pathlib import Path

import pytest

DATA = Path(os.environ.get("MINITRANSFORMER_DATA", Path(__file__).parents[3] / "shared" / "data"))


def data_file(name: str) -> Path:
    """The file or folder, or a skipped test with the reason."""
    if not (DATA / name).exists():
        pytest.skip(f"{name} is not in {DATA}; set MINITRANSFORMER_DATA to where it is")
    return DATA / name


def sts_pairs(part: str) -> list[tuple[str, str, float]]:
    """Sentence, sentence and score (0 to 5) of the STS benchmark's "dev" or "train"."""
    lines = data_file(f"sts_stsb/{part}.tsv").read_text(encoding="utf-8").splitlines()[1:]
    return [(a, b, float(score)) for a, b, score in (line.split("\t") for line in lines)]
