"""The house of CONTRIBUTING.md: a file imports only from its own floor and those under it, and never in a circle."""

import ast
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = "minitransformer"
ROW = re.compile(r"^\| (`.*?) \|", re.MULTILINE)  # of the table of floors


def read_floors(page):
    """{room: number of its floor}, from the ground up; a room is a folder or a file of the package."""
    rows = [re.findall("`(.*?)`", rooms) for rooms in ROW.findall(page)]
    return {room.removesuffix("/"): floor for floor, rooms in enumerate(rows) for room in rooms}


def read_imports(root):
    """{file: the files of the package that it imports}, as paths in the package.

    Imports in functions and those for type checkers count as well.
    """
    files = {str(file.relative_to(root)): file for file in root.rglob("*.py")}
    return {name: set(_imported(ast.parse(file.read_text(encoding="utf-8")), files)) for name, file in files.items()}


def _imported(tree, files):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            package, *path = name.split(".")
            if package == PACKAGE:
                yield _file(path, files)


def _file(path, files):
    """The file of a module; for a name in a module, that of the module."""
    candidates = ["/".join([*path, "__init__.py"]), "/".join(path) + ".py"]
    return next((file for file in candidates if file in files), None) or _file(path[:-1], files)


def upward_imports(imports, floors):
    def floor(file):
        return floors[Path(file).parts[0]]

    return [f"{file} imports {other}" for file in imports for other in imports[file] if floor(other) > floor(file)]


FLOORS = read_floors((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
IMPORTS = read_imports(ROOT / PACKAGE)


def test_every_folder_and_file_has_its_floor():
    assert FLOORS.keys() == {Path(file).parts[0] for file in IMPORTS}


def test_no_import_runs_upwards():
    assert upward_imports(IMPORTS, FLOORS) == []


def test_no_imports_run_in_a_circle():
    in_order = TopologicalSorter(IMPORTS).static_order()  # raises an error that names the circle
    assert set(in_order) == IMPORTS.keys()


def test_an_import_upwards_and_a_circle_are_found_wherever_they_are(tmp_path):
    floors = read_floors(
        "| floor | holds |\n|---|---|\n| `ground.py` | a |\n| `ops/`, `nn/` | b |\n| `__init__.py` | c |"
    )
    assert floors == {"ground.py": 0, "ops": 1, "nn": 1, "__init__.py": 2}
    (tmp_path / "ops").mkdir()
    for name, text in {
        "__init__.py": "from minitransformer.ops.sums import total\n__version__ = '1'",
        "ground.py": "if TYPE_CHECKING:\n    import minitransformer.ops.sums",
        "ops/sums.py": "def total():\n    from minitransformer import __version__, ground",
    }.items():
        (tmp_path / name).write_text(text)
    imports = read_imports(tmp_path)
    assert sorted(upward_imports(imports, floors)) == [
        "ground.py imports ops/sums.py",
        "ops/sums.py imports __init__.py",
    ]
    with pytest.raises(CycleError):
        TopologicalSorter(imports).prepare()
