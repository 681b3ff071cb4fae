"""Scripts import each other by their bare names, as they do when Python starts one of them."""

import sys
from pathlib import Path

SCRIPTS = Path(__file__).parents[2] / "scripts"
sys.path[:0] = [str(SCRIPTS), *(str(SCRIPTS / folder) for folder in ("recipes", "experiments"))]
