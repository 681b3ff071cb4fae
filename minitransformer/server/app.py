"""Search and suggestions over HTTP, as JSON, and the page that uses them.

    GET /search?q=chocolate+milk&top=10&where=department%3Ddairy&explain=1
    GET /suggest?q=choc&top=10&all=1
    GET /health
    GET /openapi.json
    GET /                              the page

What is wrong with a request is answered with 400 and {"error": ...}. At most MAX_WAITING requests are taken at once;
the next one is answered with 503, and can be sent again. Nothing here needs the network, and nothing is remembered but
the embeddings of queries (search/query_cache.py).
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from minitransformer.errors import UserError
from minitransformer.search.catalogue import conditions
from minitransformer.search.product_index import ProductIndex
from minitransformer.search.suggestions import SAME_MEANING, SHOW_ALL
from minitransformer.server.openapi import description

PAGE = Path(__file__).parent / "page"
MAX_WAITING = 100  # requests that are being answered or wait for that
THREADS = 8
LOOPBACK = ("localhost", "127.0.0.1")
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def create_app(
    index: ProductIndex,
    hosts: Sequence[str] = LOOPBACK,
    same_meaning: float = SAME_MEANING,
    same_results: float = 0,
) -> Starlette:
    """The ASGI application. It answers only requests for one of the host names, so that no other site can reach it.

    same_meaning, same_results    when one suggestion is shown for two (ProductIndex.suggest)
    """
    shop = Shop(index, same_meaning, same_results)
    routes = [
        Route("/search", shop.search),
        Route("/suggest", shop.suggest),
        Route("/health", shop.health),
        Route("/openapi.json", lambda request: JSONResponse(description(), headers=HEADERS)),
        *(Route(f"/{'' if name == 'index.html' else name}", _file(name)) for name in _page_files()),
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=[*hosts], www_redirect=False)],
        exception_handlers={UserError: _user_error, HTTPException: _http_error, Exception: _other_error},
    )


class Shop:
    """What the routes do. The work is done in threads, of which there are few; other requests wait for one."""

    def __init__(self, index: ProductIndex, same_meaning: float, same_results: float) -> None:
        self.index, self.same_meaning, self.same_results = index, same_meaning, same_results
        self._limiter: CapacityLimiter | None = None
        self._waiting = 0

    async def search(self, request: Request) -> JSONResponse:
        query, top, explain = _text(request, "q"), _number(request, "top", 10), _flag(request, "explain")
        where = conditions(request.query_params.getlist("where"))
        hits = await self._in_thread(self.index.search, query, top, where)
        return _json({"query": query, "hits": [hit.as_json(explain) for hit in hits]})

    async def suggest(self, request: Request) -> JSONResponse:
        prefix, top = _text(request, "q"), _number(request, "top", 10)
        cosine = SHOW_ALL if _flag(request, "all") else self.same_meaning
        suggest = partial(self.index.suggest, same_meaning=cosine, same_results=self.same_results)
        found = await self._in_thread(suggest, prefix, top)
        return _json({"prefix": prefix, "suggestions": [suggestion.as_json() for suggestion in found]})

    async def health(self, request: Request) -> JSONResponse:
        return _json({"status": "ok", "products": await self._in_thread(lambda: len(self.index))})

    async def _in_thread(self, work: Callable[..., Any], *arguments: Any) -> Any:
        if self._waiting >= MAX_WAITING:
            raise HTTPException(503, "too many requests at once; try again", {"Retry-After": "1"})
        self._limiter = self._limiter or CapacityLimiter(THREADS)  # it belongs to the running event loop
        self._waiting += 1
        try:
            return await to_thread.run_sync(work, *arguments, limiter=self._limiter)
        finally:
            self._waiting -= 1


def _text(request: Request, name: str) -> str:
    text = request.query_params.get(name)
    if text is None:
        raise UserError(f"the parameter {name} is missing; expected {request.url.path}?{name}=...")
    return text


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, str(default))
    if not text.isdecimal() or len(text) > 9:
        raise UserError(f"the parameter {name} is {text[:20]!r}; expected a whole number")
    return int(text)


def _flag(request: Request, name: str) -> bool:
    return request.query_params.get(name, "0") not in ("", "0", "false")


def _json(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse(content, status, {**HEADERS, **(headers or {})})


def _page_files() -> list[str]:
    return sorted(file.name for file in PAGE.iterdir() if file.suffix in (".html", ".css", ".js"))


def _file(name: str) -> Callable[[Request], Response]:
    return lambda request: FileResponse(PAGE / name, headers=HEADERS)


def _user_error(request: Request, error: Exception) -> JSONResponse:
    return _json({"error": str(error)}, 400)


def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return _json({"error": error.detail}, error.status_code, dict(error.headers or {}))


def _other_error(request: Request, error: Exception) -> JSONResponse:
    return _json({"error": "something went wrong here; the server's messages say what"}, 500)
