"""The project as a whole: its requirements, its commands, and each notebook on its own, as in Colab."""

import base64
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys

import pytest
from notebooks_as_data import NAMES, PATHS, PROJECT, ROOT, read_notebook

import course as commands


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def names(requirements: list[str]) -> set[str]:
    return {re.match(r"[\w-]+", line)[0] for line in requirements}


def test_requirements_are_the_same_everywhere():
    lines = [line for line in read("requirements.txt").splitlines() if line and not line.startswith("#")]
    assert lines.pop() == "-e ."
    declared = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["course"]
    assert names(lines) == names(declared) and len(lines) == len(declared)
    assert all(re.fullmatch(r"[\w-]+>=[\d.]+", line) for line in lines)  # lower bounds, no pins
    assert all(re.fullmatch(r"[\w-]+", line) for line in declared)  # nothing that Colab brings is moved
    environment = read("environment.yml")
    assert re.search(r"^      - -r requirements.txt$", environment, re.M)
    assert PROJECT["requires-python"] == re.search(r"python(>=[\d.]+)", environment)[1]


def test_everything_installed_is_new_enough():
    from importlib.metadata import version

    for name, bound in re.findall(r"^([\w-]+)>=([\d.]+)$", read("requirements.txt"), re.M):
        have, need = ([int(part) for part in re.findall(r"\d+", text)[:2]] for text in (version(name), bound))
        assert have >= need[:2], name


def test_readme_names_every_notebook_and_both_commands():
    text = read("README.md")
    for name in NAMES:
        assert f"](notebooks/{name}.ipynb)" in text
    assert "python course.py lab" in text and "python course.py test" in text
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (ROOT / target).exists(), target


def test_readme_shows_the_picture_of_notebook_05():
    cells = read_notebook(ROOT / "notebooks" / "05_feature_maps.ipynb")
    (drawn,) = (cell for kind, source, cell in cells if kind == "code" and "plot_journey(" in source)
    picture = base64.b64decode("".join(drawn["outputs"][-1]["data"]["image/png"]))
    assert (ROOT / "data" / "journey.png").read_bytes() == picture


def test_unknown_command_shows_the_help():
    result = subprocess.run([sys.executable, ROOT / "course.py", "tset"], capture_output=True, text=True)
    assert result.returncode == 2 and "python course.py lab" in result.stdout


@pytest.fixture
def copy_of_course(tmp_path, monkeypatch):
    """The small text files of the course in a folder of their own, where commands may write."""
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    monkeypatch.setattr(commands, "ROOT", tmp_path)
    monkeypatch.setattr(commands, "set_up", lambda: None)
    return tmp_path


def test_address_is_written_everywhere(copy_of_course):
    project = copy_of_course / "pyproject.toml"
    old = re.search(r'Repository = "https://github.com/([^"]+)"', project.read_text("utf-8"))[1]
    before = [path.read_text("utf-8") for path in sorted(copy_of_course.glob("notebooks/*.ipynb"))]
    project.write_text(project.read_text("utf-8").replace(old, "3b1b/some-course"), "utf-8")
    assert commands.write_address([]) == 0
    for path, text in zip(sorted(copy_of_course.glob("notebooks/*.ipynb")), before):
        assert path.read_text("utf-8") == text.replace(old, "3b1b/some-course")
        assert "github/3b1b/some-course/blob/main" in path.read_text("utf-8")
        stored = json.loads(text)["metadata"]["executed"]
        assert commands.compute_code_hash(path) == stored  # nothing has to be run again
    assert old not in (copy_of_course / "README.md").read_text("utf-8")
    assert "git clone https://github.com/3b1b/some-course" in (copy_of_course / "README.md").read_text("utf-8")


def test_bad_address_is_refused(copy_of_course, capsys):
    project = copy_of_course / "pyproject.toml"
    project.write_text(project.read_text("utf-8").replace("https://github.com/", "somewhere/"), "utf-8")
    assert commands.write_address([]) == 2
    assert "needs a line like" in capsys.readouterr().out


def test_execute_leaves_an_unchanged_notebook_unchanged(copy_of_course, capsys):
    before = {path: path.read_bytes() for path in copy_of_course.glob("notebooks/*.ipynb")}
    assert commands.execute_notebooks([]) == 0
    assert capsys.readouterr().out.count("unchanged") == len(NAMES)
    assert {path: path.read_bytes() for path in copy_of_course.glob("notebooks/*.ipynb")} == before


def test_execute_runs_a_changed_notebook(copy_of_course, monkeypatch):
    path = copy_of_course / "notebooks" / "09_new.ipynb"
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": ["print(6 * 7)"], "outputs": []}
    notebook = {"cells": [cell | {"execution_count": None}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(notebook), "utf-8")
    monkeypatch.setattr(commands, "PYTHON", sys.executable)
    assert commands.execute_notebooks([str(path)]) == 0
    (_, _, stored), first = *read_notebook(path), path.read_bytes()
    assert stored["execution_count"] == 1 and stored["outputs"][0]["text"] == ["42\n"]
    assert commands.execute_notebooks([str(path)]) == 0
    assert path.read_bytes() == first


# ---- the setup cell ----


def find_setup_cell() -> str:
    return next(source for kind, source, _ in read_notebook(PATHS[0]) if kind == "code")


def test_setup_installs_what_is_missing_and_never_torch(monkeypatch, tmp_path):
    calls = []
    absent = ("torchsummary", "sklearn", "torch", "torchvision")
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in absent else find(name))
    monkeypatch.setattr(subprocess, "run", lambda command, **_: calls.append(command))
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(ROOT / "notebooks")
    exec(find_setup_cell(), {})
    assert [command[1:] for command in calls] == [["-m", "pip", "install", "--quiet", "scikit-learn", "torchsummary"]]


def test_setup_says_when_the_course_cannot_be_brought(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    cell = re.sub(r'REPOSITORY = ".*"', 'REPOSITORY = "file:///no/such/course"', find_setup_cell())
    with pytest.raises(RuntimeError, match="could not be brought from file:///no/such/course: .*no/such/course"):
        exec(cell, {})


@pytest.fixture(scope="module")
def published_course(tmp_path_factory):
    """What somebody would clone: the files that git tracks, or would track, as they are now."""
    if not (ROOT / ".git").exists():
        pytest.skip("this copy of the course is no git checkout")
    folder = tmp_path_factory.mktemp("published") / "handwritten-digits"
    listed = subprocess.check_output(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, text=True
    )
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    identity = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
    for command in (["init", "--quiet"], ["add", "--all"], [*identity, "commit", "--quiet", "-m", "All"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


@pytest.mark.parametrize("path", PATHS, ids=NAMES)
def test_notebook_alone_brings_the_course_and_leaves_it_clean(path, published_course, tmp_path):
    """As in Colab: one notebook in an empty folder. Its run leaves no trace in what git tracks."""
    notebook = path.read_text("utf-8")
    local = re.sub(r'(REPOSITORY = \\")[^"\\]+', rf"\g<1>{published_course.as_uri()}", notebook)
    assert local != notebook
    (tmp_path / path.name).write_text(local, "utf-8")
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-current-env", "-q", "-p", "no:cacheprovider"]
    environment = os.environ | {"LENET_FAST": "1", "LENET_DEVICE": "cpu"}
    result = subprocess.run([*command, path.name], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout
    brought = tmp_path / "handwritten-digits"
    assert (brought / "lenet_utils" / "data.py").is_file()
    status = subprocess.check_output(["git", "status", "--porcelain"], cwd=brought, text=True)
    assert status == ""
    assert {file.name for file in tmp_path.iterdir()} == {path.name, "handwritten-digits"}
