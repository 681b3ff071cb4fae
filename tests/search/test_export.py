"""What larger engines load, read back as they would."""

import json

import numpy as np
import pytest

from minitransformer.errors import UserError
from minitransformer.search import export as module
from minitransformer.search.export import WRITERS, export_index
from minitransformer.search.product_index import ProductIndex
from tests.small_shop import ROWS, make_shop

HOSTILE = "Milk\\N \\. \"'; DROP TABLE products; -- <b>"
EVERY_ROW = [*ROWS, ("99", HOSTILE, "dairy", "1")]


def read_qdrant(folder):
    assert json.loads((folder / "collection.json").read_text())["vectors"] == {"size": 12, "distance": "Cosine"}
    for file in folder.glob("points-*.json"):
        for point in json.loads(file.read_text())["points"]:
            yield point["payload"]["product_id"], point["payload"]["name"], point["vector"]


def read_opensearch(folder):
    properties = json.loads((folder / "index.json").read_text())["mappings"]["properties"]
    assert properties["embedding"]["dimension"] == 12
    for file in folder.glob("products-*.ndjson"):
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        for action, document in zip(lines[::2], lines[1::2], strict=True):
            assert action == {"index": {"_index": "shop", "_id": document["id"]}}
            yield document["id"], document["name"], document["embedding"]


def read_pgvector(folder):
    """As COPY reads it: a backslash and the character after it are one."""
    text = (folder / "shop.sql").read_text()
    assert "embedding vector(12)" in text
    for line in text.partition("FROM stdin;\n")[2].partition("\n\\.\n")[0].split("\n"):
        product_id, name, fields, embedding = (column.replace("\\\\", "\\") for column in line.split("\t"))
        assert json.loads(fields)["name"] == name
        yield product_id, name, json.loads(embedding)


READERS = {"qdrant": read_qdrant, "opensearch": read_opensearch, "pgvector": read_pgvector}


@pytest.mark.parametrize("engine", WRITERS)
def test_what_is_read_back_finds_the_same_products(tmp_path, monkeypatch, engine):
    monkeypatch.setattr(module, "PER_FILE", 3)
    index = ProductIndex.open(make_shop(tmp_path / "shop", EVERY_ROW))
    commands = export_index(index, engine, tmp_path / "out")
    files = {file.name for file in (tmp_path / "out").iterdir()}
    assert all(any(command.endswith(name) for command in commands) for name in files)
    ids, names, embeddings = zip(*READERS[engine](tmp_path / "out"), strict=True)
    assert set(names) == {row[1] for row in EVERY_ROW}
    cosines = np.array(embeddings, np.float32) @ index.query_embedding("milk")
    expected = index.search("milk", meaning=1)
    assert [ids[place] for place in np.argsort(-cosines)][: len(expected)] == [hit.id for hit in expected]


def test_an_index_that_isnt_finished_is_refused(tmp_path):
    index = ProductIndex.open(make_shop(tmp_path / "shop"))
    with index.catalogue.transaction() as connection:
        connection.execute("UPDATE products SET row = NULL WHERE id = '17'")
    with pytest.raises(UserError, match="1 products have no embedding yet"):
        export_index(index, "qdrant", tmp_path / "out")


def test_a_folder_that_cant_be_written_is_one_error(tmp_path, shop):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(UserError, match="can't be written"):
        export_index(ProductIndex.open(shop), "pgvector", tmp_path / "out")
