"""What the package says about itself to pip and PyPI."""

import ast
import re
import shutil
import subprocess
import sys
from configparser import ConfigParser
from email import message_from_string
from pathlib import Path

import pytest

import minitransformer

PACKAGE = Path(minitransformer.__file__).parent
ROOT = Path(__file__).parents[1]
OF_EXTRAS = {  # what is imported for a few, and the name that pip knows it by
    "sklearn": "scikit-learn",
    "mpi4py": "mpi4py",
    "starlette": "starlette",
    "voyager": "voyager",
    "uvicorn": "uvicorn",
    "anyio": "starlette",  # which it comes with
}


@pytest.fixture(scope="module")
def metadata(tmp_path_factory):
    pytest.importorskip("setuptools")
    folder = tmp_path_factory.mktemp("package")
    for name in ("setup.py", "setup.cfg", "pyproject.toml", "README.md", "LICENSE", "minitransformer/__init__.py"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    subprocess.run([sys.executable, "setup.py", "-q", "egg_info"], cwd=folder, check=True)
    return message_from_string((folder / "minitransformer.egg-info" / "PKG-INFO").read_text(encoding="utf-8"))


def test_the_version_is_that_of_the_package(metadata):
    assert metadata["Version"] == minitransformer.__version__


def test_the_description_has_no_links_that_lead_nowhere_from_pypi(metadata):
    description = metadata["Description"] or metadata.get_payload()
    assert "## Where to read" in description
    assert not re.findall(r"\]\((?!https?:).*?\)", description)


def test_every_library_that_the_package_imports_is_declared():
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    declared = set(re.findall(r"^\w+", setup["options"]["install_requires"], re.MULTILINE))
    imported = {name.partition(".")[0] for file in PACKAGE.rglob("*.py") for name in imports(file)}
    assert imported - declared - sys.stdlib_module_names == {"minitransformer", *OF_EXTRAS}
    extras = " ".join(setup["options.extras_require"].values())
    assert all(re.search(rf"\b{name}\b", extras) for name in OF_EXTRAS.values())


def imports(file):
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
