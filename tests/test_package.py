"""The package as a text: short enough to read in an evening, and built in one direction."""

import ast
import re
from pathlib import Path

import pytest
from notebooks_as_data import ROOT

PACKAGE = ROOT / "lenet_utils"
FLAT = sorted(PACKAGE.glob("*.py"))
ALL = sorted(PACKAGE.rglob("*.py"))


def count_lines(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


def name_module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def find_imports(path: Path) -> set[str]:
    """The modules of the package that a module imports, anywhere in it."""
    tree = ast.parse(path.read_text("utf-8"))
    names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    names |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return {name for name in names if name.startswith("lenet_utils")}


def test_what_lessons_import_can_be_read_in_an_evening():
    lengths = {path.name: count_lines(path) for path in FLAT}
    assert sum(lengths.values()) <= 2_500, lengths
    assert max(lengths.values()) <= 325, lengths


def test_no_module_imports_in_a_circle():
    imports = {name_module(path): find_imports(path) for path in ALL}
    done: set[str] = set()
    while left := {name for name in imports if name not in done}:
        free = {name for name in left if imports[name] <= done}
        assert free, f"a circle among {sorted(left)}"
        done |= free


def test_what_lessons_import_does_not_know_the_studies():
    for path in FLAT:
        if path.name != "__main__.py":
            assert not any(re.match(r"lenet_utils\.(studies|exercises)", name) for name in find_imports(path)), path


@pytest.mark.parametrize("name", ["plotting", "pictures"])
def test_pictures_take_arrays_and_numbers(name):
    assert find_imports(PACKAGE / f"{name}.py") <= {"lenet_utils.plotting"}


def test_rules_are_said_once():
    count = sum(len(re.findall(r"^\s*raise\b", path.read_text("utf-8"), re.M)) for path in ALL)
    assert count <= 40


def test_every_module_is_named_in_the_map():
    overview = ast.get_docstring(ast.parse((PACKAGE / "__init__.py").read_text("utf-8")))
    names = {path.stem for path in FLAT if not path.stem.startswith("__")}
    names |= {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert all(f"``{name}``" in overview for name in names), names
