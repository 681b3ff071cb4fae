"""The files that say something about the package agree with it."""

import re
from pathlib import Path

import minitransformer

ROOT = Path(__file__).parents[1]


def text_of(name):
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_citation_has_the_packages_version():
    assert f"\nversion: {minitransformer.__version__}\n" in text_of("CITATION.cff")


def test_the_changes_begin_with_what_is_not_released_and_know_the_version():
    versions = re.findall(r"^## (.*)$", text_of("CHANGELOG.md"), re.MULTILINE)
    assert versions[0] == "Not released yet"
    assert minitransformer.__version__ in versions
