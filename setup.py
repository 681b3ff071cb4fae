"""All metadata is in setup.cfg but one: the README without its links to files, which lead nowhere from PyPI."""

import re
from pathlib import Path

from setuptools import setup

readme = Path(__file__).with_name("README.md").read_text(encoding="utf-8")
setup(long_description=re.sub(r"!?\[([^]]+)\]\((?!https?:)[^)]+\)", r"\1", readme))
