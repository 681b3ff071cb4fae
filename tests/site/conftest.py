"""The site as it is built, and a browser: Debian's chromium, driven by playwright."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of the built site. A warning ends the build."""
    if missing := [name for name in ("sphinx", "myst_parser", "furo") if find_spec(name) is None]:
        pytest.skip(f"needs {', '.join(missing)}, of the extra `docs`")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "-d", folder / "doctrees", ROOT / "docs", folder / "html"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "html"


@pytest.fixture(scope="session")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright, of the extra `browser`")
    chromium = shutil.which("chromium")
    if not chromium:
        pytest.skip("needs chromium (apt-get install chromium)")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe():
    """The script of axe-core, which finds what a page withholds from people who can't see it or use no mouse."""
    package = pytest.importorskip("axe_core_python", reason="needs axe-core-python, of the extra `browser`")
    return next(Path(package.__file__).parent.rglob("axe*.js")).read_text(encoding="utf-8")


@pytest.fixture
def look_at(browser, axe):
    """look_at(file, dark, width) opens a page without a network, and checks what must hold of every page."""
    contexts = []

    def look_at(file, dark=False, width=1280):
        scheme = "dark" if dark else "light"
        contexts.append(
            browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900}, offline=True)
        )
        page = contexts[-1].new_page()
        page.set_default_timeout(60_000)
        complaints = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: request.url.startswith(("file:", "data:")) or complaints.append(request.url))
        page.goto(file.as_uri())
        page.wait_for_load_state("networkidle")
        assert complaints == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width, "the page scrolls sideways"
        page.evaluate(axe)
        violations = page.evaluate("axe.run()")["violations"]
        assert [(found["id"], found["nodes"][0]["html"]) for found in violations] == []
        return page

    yield look_at
    for context in contexts:
        context.close()
