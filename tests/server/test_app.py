import json
import threading

import pytest

from minitransformer.search.product_index import ProductIndex
from tests.small_shop import ROWS, make_shop

pytest.importorskip("starlette", reason="needs starlette, of the extra `serve`")
pytest.importorskip("httpx", reason="needs httpx, of the extra `test`")

from starlette.testclient import TestClient

from minitransformer.server import app as module
from minitransformer.server.app import create_app

HOSTILE = "<script>alert(1)</script> \"' Milk"


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    rows = [*ROWS, ("<b>", HOSTILE, "dairy", "1")]
    return ProductIndex.open(make_shop(tmp_path_factory.mktemp("shops") / "shop", rows, queries={"milk": 3}))


@pytest.fixture(scope="module")
def client(index):
    with TestClient(create_app(index), base_url="http://localhost") as client:
        yield client


def test_search_answers_what_the_index_finds(client, index):
    answer = client.get("/search", params={"q": "chocolate milk", "top": 3}).json()
    expected = [hit.as_json(explain=False) for hit in index.search("chocolate milk", 3)]
    assert answer == {"query": "chocolate milk", "hits": expected}


def test_filters_and_explanations_can_be_asked_for(client):
    where = ["department=dairy", "department=sweets", "price=1.20"]
    [hit] = client.get("/search", params={"q": "milk", "where": where, "explain": 1}).json()["hits"]
    assert (hit["id"], hit["words"]) == ("4", ["milk"])
    assert {"cosine", "cosine_rank", "word_score", "word_rank"} < hit.keys()


def test_suggest_answers_what_the_index_suggests(client, index):
    answer = client.get("/suggest", params={"q": "mil"}).json()
    assert answer == {"prefix": "mil", "suggestions": [found.as_json() for found in index.suggest("mil")]}
    assert client.get("/suggest", params={"q": "mil", "all": 1, "top": 1}).json()["suggestions"][0]["text"] == "milk"


def test_when_one_is_shown_for_two_can_be_set(index):
    with TestClient(create_app(index, same_meaning=-1, same_results=0.01), base_url="http://localhost") as client:
        [first, *_] = client.get("/suggest", params={"q": "milk"}).json()["suggestions"]
        assert all(0.01 <= hidden["overlap"] <= 1 for hidden in first["hides"])
        assert first["hides"]


def test_health_says_how_many_products_there_are(client):
    assert client.get("/health").json() == {"status": "ok", "products": 8}


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/search?q=", "the query is empty"),
        ("/search", "the parameter q is missing"),
        ("/search?q=milk&top=ten", "the parameter top is 'ten'"),
        ("/search?q=milk&top=0", "0 results were asked for"),
        ("/search?q=milk&where=colour%3Dred", "no product has a column 'colour'"),
        ("/search?q=milk&where=colour", "expected COLUMN=VALUE"),
        ("/search?q=" + "m" * 50_000, "the query has 50,000 characters"),
        ("/suggest?q=" + "m" * 50_000, "the query has 50,000 characters"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(client, path, message):
    answer = client.get(path)
    assert answer.status_code == 400
    assert message in answer.json()["error"]


@pytest.mark.parametrize("query", ["'; DROP TABLE products; --", '" OR "', "NEAR(", HOSTILE, "\0", "🥛"])
def test_nothing_is_injected(client, query):
    assert client.get("/search", params={"q": query}).status_code == 200
    assert client.get("/suggest", params={"q": query}).status_code == 200
    assert client.get("/health").json()["products"] == 8


def test_html_in_a_name_is_sent_as_data_that_no_browser_takes_for_a_page(client):
    answer = client.get("/search", params={"q": HOSTILE})
    assert answer.json()["hits"][0]["name"] == HOSTILE
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_another_host_name_is_refused(client):
    assert client.get("/health", headers={"host": "evil.example"}).status_code == 400
    assert client.get("/health", headers={"host": "127.0.0.1:8000"}).status_code == 200


def test_other_paths_and_methods_are_refused_as_json(client):
    assert client.get("/../catalogue.sqlite").status_code == 404
    assert client.get("/nothing").json() == {"error": "Not Found"}
    assert client.post("/search").status_code == 405


def test_the_page_needs_nothing_from_elsewhere_and_sets_no_html(client):
    page = client.get("/").text
    script, style = client.get("/page.js").text, client.get("/page.css").text
    assert 'role="combobox"' in page
    assert "http" not in page + style + script.replace("HTTP", "")
    assert "innerHTML" not in script
    assert "prefers-color-scheme: dark" in style
    assert client.get("/").headers["content-type"].startswith("text/html")


def test_the_description_has_each_path_and_what_it_answers(client):
    described = client.get("/openapi.json").json()
    assert described["openapi"].startswith("3.")
    schemas = described["components"]["schemas"]
    for path, parameters in {"/search": {"q": "milk", "explain": 1}, "/suggest": {"q": "mil"}, "/health": {}}.items():
        answer = client.get(path, params=parameters).json()
        schema = described["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        check(answer, schemas[schema["$ref"].rpartition("/")[2]])


def check(value, schema):
    """That a value has the properties and types that a schema says: no more and no less."""
    types = {"string": str, "number": (int, float), "integer": int, "object": dict, "array": list, "null": type(None)}
    names = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    assert isinstance(value, tuple(types[name] for name in names)), (value, schema)
    for item in value if isinstance(value, list) else ():
        check(item, schema["items"])
    if isinstance(value, dict) and "properties" in schema:
        assert set(schema["required"]) <= value.keys() <= schema["properties"].keys()
        for name, of_name in value.items():
            check(of_name, schema["properties"][name])


def test_too_many_requests_at_once_are_told_to_come_again(index, monkeypatch):
    inside, go_on, answers = threading.Semaphore(0), threading.Event(), []
    monkeypatch.setattr(module, "MAX_WAITING", 2)
    monkeypatch.setattr(ProductIndex, "search", lambda *given, **options: inside.release() or (go_on.wait(60) and []))
    with TestClient(create_app(index), base_url="http://localhost") as client:
        threads = [threading.Thread(target=lambda: answers.append(client.get("/search?q=milk"))) for _ in range(2)]
        for thread in threads:
            thread.start()
        assert all(inside.acquire(timeout=60) for _ in threads)
        refused = client.get("/health")
        go_on.set()
        for thread in threads:
            thread.join()
        assert refused.status_code == 503
        assert refused.headers["retry-after"] == "1"
        assert "too many requests" in json.loads(refused.text)["error"]
        assert [answer.status_code for answer in answers] == [200, 200]
        assert client.get("/health").status_code == 200


def test_16_clients_at_once_get_what_one_gets(client):
    alone = {query: client.get("/search", params={"q": query}).json() for query in ("milk", "bread", "chocolate")}
    failed = []

    def ask():
        for query, expected in alone.items():
            answer = client.get("/search", params={"q": query})
            if answer.status_code != 200 or answer.json() != expected:
                failed.append(answer)

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
