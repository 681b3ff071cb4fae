"""A shop's search: how long an index takes, how fast it answers, and how much memory that needs.

    python -m scripts.benchmarks.shop products.tsv --model all-MiniLM-L6-v2 --queries queries.tsv
    python -m scripts.benchmarks.shop products.tsv --index shop --queries queries.tsv       of an index that is there

The queries (a table with the column query) are asked one after the other: first each for the first time, so that it is
embedded, then again, from the cache; then each of their beginnings is completed. The same over HTTP, where 16 clients
come at once as well; that needs the extra `serve`.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import click
import numpy as np

from minitransformer import ProductIndex
from minitransformer.search.product_table import read_queries
from scripts.benchmarks.measure import alone, machine, megabytes, seconds_of
from scripts.pages import table

QUERIES = 1000
CLIENTS = 16


@click.command()
@click.argument("products", type=click.Path(exists=True))
@click.option("--model", help="A sentence encoder, for a new index.")
@click.option("--index", type=click.Path(path_type=Path), help="An index that is there, instead of a new one.")
@click.option("--queries", required=True, type=click.Path(exists=True))
def main(products: str, model: str | None, index: Path | None, queries: str) -> None:
    """Measure an index, in this process and over HTTP."""
    asked = [*read_queries(queries)][:QUERIES]
    with tempfile.TemporaryDirectory() as folder:
        rows = []
        if index is None:
            index = Path(folder) / "shop"
            command = [sys.executable, "-m", "minitransformer", "index", products, "--model", str(model)]
            seconds = seconds_of(lambda: subprocess.run([*command, "--out", str(index)], check=True))
            rows.append(["index", f"{seconds:,.0f} s", ""])
        print(machine("tokenizers"))
        print(f"{len(ProductIndex.open(index)):,} products, {len(asked):,} queries\n")
        (index / "queries.sqlite").unlink(missing_ok=True)
        times, memory = alone(ask_in_process, index, asked)
        rows += [[what, *in_milliseconds(seconds)] for what, seconds in times.items()]
        rows.append(["memory of that process, at most", megabytes(memory), ""])
        rows += over_http(index, asked)
        print(table(["", "median", "p95"], rows))


def ask_in_process(index: Path, asked: list[str]) -> dict[str, list[float]]:
    """The seconds of each search and each suggestion."""
    shop = ProductIndex.open(index)
    shop.load()
    shop.model.load()
    beginnings = beginnings_of(asked)
    return {
        "search, a new query": times_of(shop.search, asked),
        "search, a query from the cache": times_of(shop.search, asked),
        "suggest": times_of(shop.suggest, beginnings),
        "suggest, a letter left out": times_of(shop.suggest, [text[:2] + text[3:] for text in beginnings]),
    }


def over_http(index: Path, asked: list[str]) -> list[list[str]]:
    began = time.perf_counter()
    with served(index) as address:
        rows = [["start of serve", f"{time.perf_counter() - began:.2f} s", ""]]

        def get(path: str, text: str) -> None:
            with urllib.request.urlopen(f"{address}{path}?{urllib.parse.urlencode({'q': text})}", timeout=60) as answer:
                json.load(answer)

        searches = times_of(lambda query: get("search", query), asked)
        rows.append(["search over HTTP, from the cache", *in_milliseconds(searches)])
        suggestions = times_of(lambda text: get("suggest", text), beginnings_of(asked))
        rows.append(["suggest over HTTP", *in_milliseconds(suggestions)])
        with ThreadPoolExecutor(CLIENTS) as clients:
            together = clients.map(lambda query: seconds_of(lambda: get("search", query)), asked)
            rows.append([f"search over HTTP, {CLIENTS} at once", *in_milliseconds([*together])])
        return rows


@contextmanager
def served(index: Path) -> Iterator[str]:
    """The address at which a process of its own serves the index."""
    command = [sys.executable, "-m", "minitransformer", "serve", str(index), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        found = re.search(r"http://\S+", server.stdout.readline())
        try:
            assert found, "serve didn't say where"
            yield found[0]
        finally:
            server.terminate()


def beginnings_of(queries: Iterable[str]) -> list[str]:
    """What is typed on the way to each query, in a random order, and each once."""
    different = sorted({query[:length] for query in queries for length in range(1, len(query) + 1)})
    return [different[place] for place in np.random.default_rng(0).permutation(len(different))[:QUERIES]]


def times_of(call: Callable[[str], object], texts: Iterable[str]) -> list[float]:
    return [seconds_of(lambda text=text: call(text)) for text in texts]


def in_milliseconds(seconds: list[float]) -> list[str]:
    return [f"{1e3 * np.percentile(seconds, q):.1f} ms" for q in (50, 95)]


if __name__ == "__main__":
    main()
