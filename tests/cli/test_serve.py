import json
import re
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from tests.cli.other_process import in_another_process
from tests.cli.test_fill_mask import assert_one_line_error
from tests.small_shop import make_shop

pytest.importorskip("uvicorn", reason="needs uvicorn, of the extra `serve`")


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    return make_shop(tmp_path_factory.mktemp("shops") / "shop")


def test_an_index_is_served_until_it_is_told_to_stop(shop):
    server = in_another_process("serve", shop, "--port", 0)
    try:
        address = re.search(r"http://127\.0\.0\.1:\d+/", server.stdout.readline())[0]
        with urllib.request.urlopen(address + "search?q=milk", timeout=60) as answer:
            assert json.load(answer)["hits"]
        with urllib.request.urlopen(address, timeout=60) as page:
            assert b"Search the shop" in page.read()
    finally:
        server.send_signal(signal.SIGTERM)
        output, error = server.communicate(timeout=60)
    assert server.returncode == 128 + signal.SIGTERM
    assert (output, error) == ("", "")


def test_the_server_starts_without_what_only_its_model_needs():
    """SciPy and the layers take half a second to import: the page is there before them."""
    heavy = {"scipy", "safetensors", "uvicorn", "minitransformer.models"}
    program = f"import sys, minitransformer.cli.serve; print(*{heavy!r}.intersection(sys.modules))"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "\n"


def test_a_port_that_is_taken_and_a_folder_that_is_no_index_are_one_line(run, shop, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert_one_line_error(run("serve", shop, "--port", port), f"port {port}", "choose another --port")
    assert_one_line_error(run("serve", tmp_path), "is not an index")


def test_what_isnt_installed_is_named(run, shop, monkeypatch):
    monkeypatch.setattr("minitransformer.cli.serve.find_spec", lambda name: None)
    assert_one_line_error(run("serve", shop), "serve needs starlette and uvicorn", "minitransformer[serve]")
