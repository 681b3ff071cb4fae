"""An index as files that larger engines load, for a shop that outgrows one machine. No client library is needed.

    qdrant        collection.json, points-0.json, ...     bodies for PUT /collections/shop and /collections/shop/points
    opensearch    index.json, products-0.ndjson, ...      bodies for PUT /shop and POST /_bulk
    pgvector      shop.sql                                for psql; the data are COPY lines

The embeddings have the length 1, so cosine and dot product are the same there. Each writer returns the shell commands
that load its files. (The formats: Qdrant's and OpenSearch's REST APIs, PostgreSQL's COPY text format, pgvector's type.)
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from minitransformer.errors import UserError
from minitransformer.files import replace_all
from minitransformer.search.product_index import ProductIndex
from minitransformer.search.product_table import Product

PER_FILE = 1000  # products: a request of a few MB
JSON_HEADER = "-H 'Content-Type: application/json'"

Entries = Iterator[list[tuple[int, Product, list[float]]]]  # PER_FILE at a time: key, product, embedding


def export_index(index: ProductIndex, engine: str, folder: Path) -> list[str]:
    """Write the files for "qdrant", "opensearch" or "pgvector" into a folder, and return the commands that load them.

    Raises UserError if a product has no embedding yet, or if the files can't be written.
    """
    return WRITERS[engine](index, folder)


def _qdrant(index: ProductIndex, folder: Path) -> list[str]:
    collection = {"vectors": {"size": index.settings.embedding_size, "distance": "Cosine"}}
    replace_all(folder, {"collection.json": json.dumps(collection)})
    names = ["collection.json"]
    for number, entries in enumerate(_entries(index)):
        points = [
            {"id": key, "vector": vector, "payload": {"product_id": product.id, "name": product.name, **product.fields}}
            for key, product, vector in entries
        ]
        names.append(f"points-{number}.json")
        replace_all(folder, {names[-1]: json.dumps({"points": points}, ensure_ascii=False)})
    url = "http://localhost:6333/collections/shop"
    return [
        f"curl -X PUT {url}{'/points' * bool(place)} {JSON_HEADER} --data-binary @{folder / name}"
        for place, name in enumerate(names)
    ]


def _opensearch(index: ProductIndex, folder: Path) -> list[str]:
    vector = {"type": "knn_vector", "dimension": index.settings.embedding_size, "space_type": "innerproduct"}
    properties = {"id": {"type": "keyword"}, "name": {"type": "text"}, "embedding": vector}
    properties["fields"] = {"type": "object", "dynamic": True}
    settings = {"settings": {"index": {"knn": True}}, "mappings": {"properties": properties}}
    replace_all(folder, {"index.json": json.dumps(settings)})
    commands = [f"curl -X PUT http://localhost:9200/shop {JSON_HEADER} --data-binary @{folder / 'index.json'}"]
    for number, entries in enumerate(_entries(index)):
        lines = []
        for _, product, embedding in entries:
            document = {"id": product.id, "name": product.name, "fields": product.fields, "embedding": embedding}
            lines += [{"index": {"_index": "shop", "_id": product.id}}, document]
        name = f"products-{number}.ndjson"
        replace_all(folder, {name: "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)})
        header = "-H 'Content-Type: application/x-ndjson'"
        commands.append(f"curl -X POST http://localhost:9200/_bulk {header} --data-binary @{folder / name}")
    return commands


def _pgvector(index: ProductIndex, folder: Path) -> list[str]:
    size = index.settings.embedding_size

    def write(file: Path) -> None:
        with file.open("w", encoding="utf-8", newline="\n") as sql:
            sql.write(
                "CREATE EXTENSION IF NOT EXISTS vector;\nBEGIN;\nCREATE TABLE products (\n    id text PRIMARY KEY,"
            )
            sql.write(f" name text NOT NULL, fields jsonb NOT NULL, embedding vector({size})\n);\n")
            sql.write("COPY products (id, name, fields, embedding) FROM stdin;\n")
            for entries in _entries(index):
                for _, product, embedding in entries:
                    fields = json.dumps(product.fields, ensure_ascii=False)
                    columns = [product.id, product.name, fields, json.dumps(embedding)]
                    sql.write("\t".join(map(_copied, columns)) + "\n")
            sql.write("\\.\nCREATE INDEX ON products USING gin (fields);\nCOMMIT;\n")

    replace_all(folder, {"shop.sql": write})
    return [f"psql --file {folder / 'shop.sql'}"]


def _copied(text: str) -> str:
    r"""A field of COPY's text format.

    >>> print(_copied('a\tb\\c'))
    a\tb\\c
    """
    escapes = {"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"}
    return "".join(escapes.get(character, character) for character in text)


def _entries(index: ProductIndex) -> Entries:
    with index.catalogue.transaction("DEFERRED"):
        embeddings = index.embeddings()
        if (missing := int((embeddings.rows < 0).sum())) > 0:
            raise UserError(f"{missing:,} products have no embedding yet; let `minitransformer index` finish first")
        for start in range(0, len(embeddings.keys), PER_FILE):
            keys = embeddings.keys[start : start + PER_FILE].tolist()
            rows = embeddings.matrix[embeddings.rows[start : start + PER_FILE]]
            yield list(zip(keys, index.catalogue.products(keys), map(_numbers, rows), strict=True))


def _numbers(row: np.ndarray) -> list[float]:
    """As short as they can be without another float32 being meant."""
    return [float(f"{number:.9g}") for number in row.tolist()]


WRITERS: dict[str, Callable[[ProductIndex, Path], list[str]]] = {
    "qdrant": _qdrant,
    "opensearch": _opensearch,
    "pgvector": _pgvector,
}
