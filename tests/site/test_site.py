"""The course as a site: what the build must make of the pages, and how they look in a browser."""

import re
from html import unescape
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(page.stem for page in DOCS.glob("*.md"))
MOST_BYTES = 8_000_000


def html_of(site, name):
    return (site / f"{name}.html").read_text(encoding="utf-8")


def test_every_page_is_there_and_every_formula_is_mathml(site):
    for name in PAGES:
        formulas = (DOCS / f"{name}.md").read_text(encoding="utf-8").count("```math")
        assert html_of(site, name).count("<math") == formulas, name


def test_every_link_within_the_site_leads_to_a_file(site):
    for file in site.rglob("*.html"):
        for link in re.findall(r'href="([^"#?]+)', file.read_text(encoding="utf-8")):
            if not link.startswith(("http", "mailto:", "data:")):
                assert (file.parent / link).exists(), f"{file.relative_to(site)} links to {link}"


def test_a_link_to_code_leads_to_the_code(site):
    [link] = {*re.findall(r'href="(files/minitransformer/ops/attention.py.html)"', html_of(site, "attention"))}
    assert "check_causal" in (site / link).read_text(encoding="utf-8")
    assert "repository:" not in html_of(site, "attention")


def test_a_figure_is_part_of_its_page_and_says_what_the_page_says(site):
    text = (DOCS / "many-heads.md").read_text(encoding="utf-8")
    [alt] = re.findall(r"!\[([^!]*)\]\(figures/multi_head.svg\)", text)
    in_a_line = " ".join(alt.split())
    assert f'<svg aria-label="{in_a_line}"' in unescape(html_of(site, "many-heads"))
    assert "<metadata>" not in html_of(site, "many-heads")


def test_nothing_is_loaded_from_elsewhere(site):
    for file in site.rglob("*.html"):
        text = file.read_text(encoding="utf-8")
        assert not re.findall(r'<(?:script|img|iframe)[^>]*src="https?:', text), file
        assert not re.findall(r'<link[^>]*rel="(?:stylesheet|preload)"[^>]*href="https?:', text), file


def test_the_site_is_small(site):
    assert sum(file.stat().st_size for file in site.rglob("*") if file.is_file()) < MOST_BYTES


@pytest.mark.parametrize(("dark", "width"), [(False, 1280), (True, 390)], ids=["light, wide", "dark, narrow"])
@pytest.mark.parametrize("name", [*PAGES, "files/minitransformer/ops/attention.py"])
def test_a_page_in_a_browser(site, look_at, name, dark, width):
    page = look_at(site / f"{name}.html", dark, width)
    assert page.query_selector("h1").is_visible()


def test_the_search_finds(site, browser):
    page = browser.new_page()
    page.goto((site / "search.html").as_uri() + "?q=softmax")
    page.wait_for_selector("#search-results li")
    assert any("attention.html" in link.get_attribute("href") for link in page.query_selector_all("#search-results a"))
    page.close()
