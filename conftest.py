"""How pytest runs the course: short, strict, on the CPU and on one thread, with this environment's kernel."""

import os
import re
import signal
from pathlib import Path

import pytest

# Shortened runs, unless somebody asks for full ones (LENET_FAST=0) or for another device.
for name, value in {"LENET_FAST": "1", "LENET_STRICT": "1", "LENET_DEVICE": "cpu", "OMP_NUM_THREADS": "1"}.items():
    os.environ.setdefault(name, value)

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that runs pytest in the background ignores it

CHECKS = Path(__file__).parent / "tests" / "checks"


def pytest_configure(config):
    if hasattr(config.option, "nbval_lax"):  # the options of pytest --nbval-lax
        config.option.nbval_current_env = True
        config.option.nbval_cell_timeout = 900  # seconds


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Around a notebook's cells, run its checks in the same kernel: start.py before, tests/checks/NAME.py after."""
    notebooks = {item.parent: [] for item in items if type(item).__name__ == "IPyNbCell"}
    for item in items:
        if item.parent in notebooks:
            notebooks[item.parent].append(item)
    for notebook, cells in notebooks.items():
        checks = CHECKS / f"{notebook.path.stem}.py"
        sources = [cell.source for cell in notebook.nb.cells if cell.cell_type == "code"]
        if checks.exists() and len(cells) == len(sources):  # the whole notebook is to be run
            source = checks.read_text("utf-8")
            calls = [(name, f"{name}()") for name in re.findall(r"^def (test_\w+)\(\)", source, re.M)]
            start = [("start", f"{(CHECKS / 'start.py').read_text('utf-8')}\n\nCELL_SOURCES += {sources!r}")]
            after = items.index(cells[-1]) + 1
            items[after:after] = make_items(cells[-1], [("checks", source), *calls])
            before = items.index(cells[0])
            items[before:before] = make_items(cells[0], start)


def make_items(cell, sources):
    """Return one item for each (name, source), to be run as if it were a cell beside ``cell``."""
    import nbformat

    for name, source in sources:
        code = nbformat.v4.new_code_cell(source)
        yield type(cell).from_parent(
            cell.parent, name=name, cell_num=cell.cell_num, cell=code, options=cell.options | {"check": False}
        )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """With -n: one notebook, one worker, its cells in order."""
    from xdist.scheduler import LoadFileScheduling

    return LoadFileScheduling(config, log)
