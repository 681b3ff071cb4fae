"""The page in a real browser: Debian's chromium, driven by playwright."""

import shutil
import threading
import time

import pytest

from minitransformer.search.product_index import ProductIndex
from tests.small_shop import ROWS, make_shop

uvicorn = pytest.importorskip("uvicorn", reason="needs uvicorn, of the extra `serve`")
playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright, of the extra `browser`")

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="needs chromium (apt-get install chromium)")
HOSTILE = "<img src=x onerror=document.title='injected'> Milk"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    from minitransformer.server.app import create_app

    rows = [*ROWS, ("99", HOSTILE, "dairy", "1")]
    queries = {"milk": 900, "milk chocolate": 500, "whole milk": 200}
    index = ProductIndex.open(make_shop(tmp_path_factory.mktemp("shops") / "shop", rows, queries=queries))
    server = uvicorn.Server(uvicorn.Config(create_app(index), port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser, address):
    """The page, which must neither complain nor ask anybody else."""
    page = browser.new_page()
    page.set_default_timeout(15_000)
    complaints = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: request.url.startswith(address) or complaints.append(request.url))
    page.goto(address)
    yield page
    page.close()
    allowed = ("data:", "Failed to load resource: net::ERR_FAILED")  # the icon; what a test cuts off
    assert [complaint for complaint in complaints if not complaint.startswith(allowed)] == []


def suggestions(page, show_all=True):
    """What is suggested once all answers have come; with a random model, too many texts mean the same."""
    page.set_checked("#all", show_all)
    page.wait_for_load_state("networkidle")
    page.wait_for_selector("#suggestions:not([hidden])")
    return [item.get_attribute("data-text") for item in page.query_selector_all("[role=option]")]


def products(page):
    page.wait_for_selector("#hits li")
    return [name.inner_text() for name in page.query_selector_all("#hits strong")]


def test_typing_suggests_and_the_keyboard_picks_and_searches(page):
    page.keyboard.type("mil")  # the box has the focus already, and gets it back from the check box
    first, second, *_ = suggestions(page)
    assert (first, second) == ("milk", "milk chocolate")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    query = page.locator("#query")
    assert query.input_value() == "milk chocolate"
    chosen = page.locator(f"#{query.get_attribute('aria-activedescendant')}")
    assert chosen.get_attribute("aria-selected") == "true"
    page.keyboard.press("Enter")
    assert {"Milk Chocolate Bar", "Chocolate Milk"} < {*products(page)}
    assert query.get_attribute("aria-expanded") == "false"
    assert "products" in page.locator("#status").inner_text()


def test_what_means_the_same_is_shown_if_asked_for(page):
    page.keyboard.type("mil")
    everything = suggestions(page)
    fewer = suggestions(page, show_all=False)
    assert set(fewer) < set(everything)
    assert "also: " in page.locator("#suggestions").inner_text()


def test_escape_closes_the_list_and_up_from_the_first_is_what_was_typed(page):
    page.keyboard.type("mil")
    suggestions(page)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    assert page.locator("#query").input_value() == "mil"
    page.keyboard.press("Escape")
    assert page.locator("#suggestions").is_hidden()


def test_a_click_picks_a_suggestion(page):
    page.fill("#query", "whol")
    suggestions(page)
    page.click("[role=option]")
    assert products(page)[0] == "Whole Milk"


def test_a_product_says_why_it_is_there_if_asked(page):
    page.fill("#query", "whole milk")
    page.keyboard.press("Enter")
    products(page)
    why = page.locator("#hits details").first
    assert "cosine" not in why.inner_text()
    why.locator("summary").click()
    assert "the words milk, whole" in why.inner_text()
    assert "cosine" in why.inner_text()


def test_html_in_a_name_is_only_text(page):
    page.fill("#query", "milk img src")
    page.keyboard.press("Enter")
    assert HOSTILE in products(page)
    assert page.locator("#hits img").count() == 0
    assert page.title() == "Search the shop"


def test_an_address_with_a_query_shows_its_products(page, address):
    page.goto(address + "?q=banana+bread")
    assert products(page)[0] == "Banana Bread"


def test_what_is_wrong_is_said(page):
    page.route("**/suggest?*", lambda route: route.abort())
    page.keyboard.type("m")
    page.wait_for_function("document.getElementById('error').textContent")
    assert "can't be reached" in page.locator("#error").text_content()
    page.unroute("**/suggest?*")


@pytest.mark.parametrize(("scheme", "dark"), [("light", False), ("dark", True)])
def test_light_and_dark_have_enough_contrast(browser, address, scheme, dark):
    page = browser.new_page(color_scheme=scheme)
    page.goto(address)
    colours = page.evaluate("(({color, backgroundColor}) => [color, backgroundColor])(getComputedStyle(document.body))")
    text, ground = (luminance(colour) for colour in colours)
    assert (text > ground) == dark
    assert (max(text, ground) + 0.05) / (min(text, ground) + 0.05) > 7  # WCAG AAA
    page.close()


def luminance(colour):
    """Of "rgb(r, g, b)", as WCAG 2 defines it."""
    channels = [int(number) / 255 for number in colour[4:-1].split(",")]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
