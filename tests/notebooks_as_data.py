"""The notebooks, read as data, for the tests."""

import ast
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


def read_prose(path: Path) -> list[str]:
    """Return the sources of the Markdown cells."""
    return [source for kind, source, _ in read_notebook(path) if kind == "markdown"]


def read_code(path: Path) -> list[str]:
    """Return the sources of the code cells."""
    return [source for kind, source, _ in read_notebook(path) if kind == "code"]


def read_outputs(path: Path) -> list[dict]:
    """Return the stored outputs of all code cells."""
    return [output for kind, _, cell in read_notebook(path) if kind == "code" for output in cell["outputs"]]


def read_printed(path: Path) -> str:
    """Return all text that the stored outputs show: what was printed, and tables as text."""
    texts = (output.get("text") or output.get("data", {}).get("text/plain", "") for output in read_outputs(path))
    return "\n".join("".join(text) for text in texts)


def is_folded(cell: dict) -> bool:
    """Return whether JupyterLab and Colab show the cell without its code."""
    metadata = cell["metadata"]
    return metadata.get("cellView") == "form" and metadata.get("jupyter", {}).get("source_hidden", False)


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
    return read_code(path)[1]


def find_claims(path: Path) -> list[str]:
    """Return the claims of a notebook, as they stand in its calls of ``holds``."""
    trees = [ast.parse(source) for source in read_code(path)[1:]]  # the setup cell is no plain Python
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [ast.unparse(call.args[0]) for call in calls if ast.unparse(call.func) == "holds"]


def write_strip(path: Path) -> str:
    """Return the line that says, below a notebook's title, where it stands; titles and minutes are the README's."""
    readme = (ROOT / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| \[(.+?)\]\(notebooks/(\w+)\.ipynb\) \|.*?\| ([\d.]+) \|", readme, re.M)
    places = [f"**{title}**" if name == path.stem else f"[{name[:2]}]({name}.ipynb)" for title, name, _ in rows]
    core = sum(name < "07" for _, name, _ in rows)
    (needs,) = re.findall(r"^\*\*You need\*\*.*", read_prose(path)[0], re.M)
    before = ", ".join(f"[{name[:2]}]({name}.ipynb)" for name in re.findall(r"\((\w+)\.ipynb\)", needs)) or "nothing"
    (minutes,) = (minutes for _, name, minutes in rows if name == path.stem)
    line = f"{' · '.join(places[:core])}, optional: {' · '.join(places[core:])}"
    return f"**Where you are:** {line}; **before it:** {before}; **minutes:** {minutes}"
