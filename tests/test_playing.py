"""A reader plays: another seed, image, rate or width, and Run All still reaches the bottom.

``playing/NAME.json`` lists for a notebook what is changed: a name, and pairs of (what stands in the code, what the
reader writes instead). The notebook runs as a reader runs it, where a claim that no longer holds says so and goes on,
but shortened.
"""

import json
import os

import nbformat
import pytest
from nbclient import NotebookClient
from notebooks_as_data import NAMES, PATHS, ROOT

pytestmark = pytest.mark.slow


def read_plays():
    for path in PATHS:
        changes = json.loads((ROOT / "tests" / "playing" / f"{path.stem}.json").read_text("utf-8"))
        for name, pairs in changes.items():
            yield pytest.param(path, pairs, id=f"{path.stem}: {name}")


@pytest.mark.parametrize("path, pairs", list(read_plays()))
def test_a_changed_notebook_reaches_the_bottom(path, pairs, monkeypatch):
    notebook = nbformat.read(path, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for old, new in pairs:
        holders = [cell for cell in cells if old in cell.source]
        assert len(holders) == 1 and holders[0].source.count(old) == 1, f"{len(holders)} cells hold {old!r}"
        holders[0].source = holders[0].source.replace(old, new)
    monkeypatch.delenv("LENET_STRICT", raising=False)
    client = NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": path.parent}})
    client.execute(env=os.environ | {"LENET_FAST": "1", "LENET_DEVICE": "cpu", "OMP_NUM_THREADS": "1"})
    assert all(cell.execution_count for cell in cells)


def test_every_notebook_is_played_with():
    assert {path.stem for path in (ROOT / "tests" / "playing").glob("*.json")} == set(NAMES)
