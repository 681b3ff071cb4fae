"""What the service can be asked and what it answers, for programs that read it (OpenAPI 3.1)."""

from typing import Any

from minitransformer.search.product_index import MAX_QUERY, MAX_TOP

VERSION = "1"  # of what is answered
NUMBER, TEXT, WHOLE, FLAG = ({"type": name} for name in ("number", "string", "integer", "boolean"))


def description() -> dict[str, Any]:
    """The OpenAPI document."""
    query = _parameter("q", {**TEXT, "maxLength": MAX_QUERY}, "the query", required=True)
    prefix = _parameter("q", {**TEXT, "maxLength": MAX_QUERY}, "what has been typed so far", required=True)
    top = _parameter("top", {**WHOLE, "minimum": 1, "maximum": MAX_TOP, "default": 10}, "how many at most")
    where = _parameter("where", _list(TEXT), "COLUMN=VALUE: only such products; may be repeated")
    explain = _parameter("explain", {**FLAG, "default": False}, "with what speaks for each product")
    show_all = _parameter("all", {**FLAG, "default": False}, "also suggestions that mean the same as another")
    paths = {
        "/search": _get("The best products for a query.", [query, top, where, explain], "SearchResults"),
        "/suggest": _get("What might be searched for.", [prefix, top, show_all], "Suggestions"),
        "/health": _get("Whether the service works.", [], "Health"),
    }
    info = {"title": "minitransformer: a shop's search", "version": VERSION}
    return {"openapi": "3.1.0", "info": info, "paths": paths, "components": {"schemas": _schemas()}}


def _schemas() -> dict[str, Any]:
    hit = {"id": TEXT, "name": TEXT, "score": NUMBER, "fields": {"type": "object", "additionalProperties": TEXT}}
    why = {"cosine": NUMBER, "cosine_rank": WHOLE, "word_score": NUMBER, "word_rank": {"type": ["integer", "null"]}}
    suggestion = {"text": TEXT, "popularity": NUMBER, "correction": {"type": ["string", "null"]}}
    hidden = {"text": TEXT, "cosine": NUMBER, "overlap": {"type": ["number", "null"]}}
    return {
        "SearchResults": _object({"query": TEXT, "hits": _list(_object({**hit, **why, "words": _list(TEXT)}, [*hit]))}),
        "Suggestions": _object(
            {
                "prefix": TEXT,
                "suggestions": _list(_object({**suggestion, "hides": _list(_object(hidden))})),
            }
        ),
        "Health": _object({"status": TEXT, "products": WHOLE}),
        "Error": _object({"error": TEXT}),
    }


def _get(summary: str, parameters: list[dict[str, Any]], schema: str) -> dict[str, Any]:
    responses = {"200": _response("the answer", schema)}
    responses["400"] = _response("the request can't be answered, and why", "Error")
    responses["503"] = _response("too many requests at once; try again", "Error")
    return {"get": {"summary": summary, "parameters": parameters, "responses": responses}}


def _response(text: str, schema: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": text, "content": content}


def _parameter(name: str, schema: dict[str, Any], text: str, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": required, "description": text, "schema": schema}


def _object(properties: dict[str, Any], required: list[str] | None = None) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required or [*properties]}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}
