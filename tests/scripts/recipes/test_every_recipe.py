"""A recipe is to be copied alone, so it may need nothing but the package and what is installed with it."""

import ast
import sys
from pathlib import Path

import pytest

RECIPES = sorted((Path(__file__).parents[3] / "scripts" / "recipes").glob("*.py"))
INSTALLED = {"minitransformer", "numpy", "scipy", "click", "tqdm", "threadpoolctl"}


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.stem)
def test_a_recipe_imports_nothing_from_its_neighbours(recipe):
    imported = set()
    for node in ast.walk(ast.parse(recipe.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module)
    unknown = {name for name in imported if name.split(".")[0] not in INSTALLED | sys.stdlib_module_names}
    assert not unknown
