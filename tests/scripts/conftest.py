"""Scripts import each other by their bare names, as they do when Python starts one of them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
