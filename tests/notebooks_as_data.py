"""The notebooks, read as data, for the tests."""

import json
import re
from pathlib import Path

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10, where pytest brings the same under this name
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
PATHS = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
NAMES = [path.stem for path in PATHS]


def read_notebook(path: Path) -> list[tuple[str, str, dict]]:
    """Return (kind, source, cell) of each cell."""
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return [(cell["cell_type"], "".join(cell["source"]), cell) for cell in cells]


def find_exercises(path: Path) -> list[tuple[str, str]]:
    """Return (exercise cell, code of its solution) of each exercise."""
    cells = read_notebook(path)
    found = []
    for i, (kind, source, _) in enumerate(cells):
        if kind == "code" and re.search(r"^print\(check_\w+\(", source, re.M):
            solution = re.search(r"<details>.*?```python\n(.*?)```.*?</details>", cells[i + 1][1], re.S)
            found.append((source, solution[1] if solution else ""))
    return found


def find_imports(path: Path) -> str:
    """Return the cell of imports: the first after the setup cell."""
    code = [source for kind, source, _ in read_notebook(path) if kind == "code"]
    return code[1]
