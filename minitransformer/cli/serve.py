"""minitransformer serve INDEX: search in the browser, and for other programs over HTTP."""

import socket
import threading
from contextlib import suppress
from importlib.util import find_spec

import click

from minitransformer.cli._same_options import same_options
from minitransformer.errors import UserError
from minitransformer.search.product_index import ProductIndex


@click.command()
@click.argument("index", type=click.Path())
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 takes any free port.")
@same_options
def command(index: str, host: str, port: int, same_meaning: float, same_results: float) -> None:
    """Serve an index: a page to search with, and JSON over HTTP.

    Open the address that is printed in a browser. Programs find /search, /suggest, /health and, with a description of
    all these, /openapi.json. Ctrl-C stops it. There is no password and no encryption: to serve others, put a web server
    in front that has them.

    \b
    Example:
      minitransformer serve shop --port 8080
    """
    if missing := [name for name in ("starlette", "uvicorn") if find_spec(name) is None]:
        raise UserError(f"serve needs {' and '.join(missing)}: python -m pip install 'minitransformer[serve]'")
    product_index = ProductIndex.open(index)
    product_index.load()
    with _listen(host, port) as listening:
        address, chosen_port = listening.getsockname()
        click.echo(f"{index}, {len(product_index):,} products: http://{address}:{chosen_port}/ (Ctrl-C stops it)")
        _serve(product_index, host, listening, same_meaning, same_results)


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port))
    except OSError as error:
        raise UserError(f"{host}, port {port}: {error.strerror or error}; choose another --port") from None


def _serve(index: ProductIndex, host: str, listening: socket.socket, same_meaning: float, same_results: float) -> None:
    import uvicorn

    from minitransformer.server.app import LOOPBACK, create_app

    threading.Thread(target=_load_model, args=(index,), daemon=True).start()
    hosts = ["*"] if host == "0.0.0.0" else [*LOOPBACK, host]
    app = create_app(index, hosts, same_meaning, same_results)
    config = uvicorn.Config(app, log_level="warning", server_header=False)
    uvicorn.Server(config).run(sockets=[listening])


def _load_model(index: ProductIndex) -> None:
    """While the server already answers from what needs no model."""
    with suppress(UserError):  # which the first search that needs it will meet, too
        index.model.load()
