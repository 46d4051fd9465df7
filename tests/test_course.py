"""The project as a whole: its requirements, its documents, its commands, and notebooks on their own, as in Colab."""

import base64
import importlib.util
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from notebooks_as_data import NAMES, PATHS, PROJECT, ROOT, read_code, read_notebook

import course as commands


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def names(requirements: list[str]) -> set[str]:
    return {re.match(r"[\w-]+", line)[0] for line in requirements}


# ---- requirements and documents ----


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


def test_readme_is_short_and_names_every_notebook_and_command():
    text = read("README.md")
    assert len(text.splitlines()) <= 120
    online = PROJECT["urls"]["Repository"].replace("github.com", "colab.research.google.com/github")
    for name in NAMES:
        assert f"](notebooks/{name}.ipynb)" in text
        assert f"]({online}/blob/main/notebooks/{name}.ipynb)" in text, f"{name} has no badge"
    assert "python course.py lab" in text and "python course.py test" in text


@pytest.mark.parametrize("name", ["README.md", "data/README.md", "notebooks/README.md", "CONTRIBUTING.md"])
def test_links_of_the_documents_lead_somewhere(name):
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", read(name))
    assert targets
    for target in targets:
        assert ((ROOT / name).parent / target).exists(), target


def test_version_and_licence_are_the_same_everywhere():
    newest = re.search(r"^## (\S+)", read("CHANGELOG.md"), re.M)[1]
    citation = dict(re.findall(r'^([\w-]+): "?(.*?)"?$', read("CITATION.cff"), re.M))
    assert PROJECT["version"] == newest == citation["version"]
    assert PROJECT["license"] == citation["license"] == "MIT" and read("LICENSE").startswith("MIT License")
    assert citation["repository-code"] == PROJECT["urls"]["Repository"]
    assert citation["cff-version"] == "1.2.0" and {"message", "title", "type"} <= citation.keys()


def test_readme_shows_the_picture_of_notebook_05():
    cells = read_notebook(ROOT / "notebooks" / "05_feature_maps.ipynb")
    (drawn,) = (cell for kind, source, cell in cells if kind == "code" and "plot_journey(" in source)
    picture = base64.b64decode("".join(drawn["outputs"][-1]["data"]["image/png"]))
    assert (ROOT / "data" / "journey.png").read_bytes() == picture


def test_unknown_command_shows_the_help():
    result = subprocess.run([sys.executable, ROOT / "course.py", "tset"], capture_output=True, text=True)
    assert result.returncode == 2 and "python course.py lab" in result.stdout


# ---- the set-up ----


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A course whose .venv is made, and installed into, in name only. ``calls`` tells what was done."""
    root = tmp_path / "course"
    root.mkdir()
    for name in ("requirements.txt", "pyproject.toml"):
        (root / name).write_text(name)
    state = SimpleNamespace(root=root, calls=[], environment={}, fails=None)

    def move_to(folder):
        monkeypatch.setattr(commands, "ROOT", folder)
        monkeypatch.setattr(commands, "ENVIRONMENT", folder / ".venv")
        monkeypatch.setattr(commands, "PYTHON", folder / ".venv" / "bin" / "python")
        monkeypatch.setattr(commands, "LAB_SETTINGS", folder / ".venv" / "share" / "overrides.json")

    def create(folder, clear=False, with_pip=False, symlinks=False):
        assert clear and with_pip and symlinks == (os.name != "nt")
        state.calls.append("create")
        if isinstance(state.fails, OSError):
            raise state.fails
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "bin").mkdir(parents=True)
        (folder / "bin" / "python").write_text("")
        (folder / "pip").write_text("")

    def run_in_name_only(command, check=False, env=None, **_):
        if not Path(command[0]).exists():
            raise FileNotFoundError(command[0])
        if command[3] == "--version":
            return SimpleNamespace(returncode=0 if (commands.ENVIRONMENT / "pip").exists() else 1)
        state.calls.append(" ".join(command[2:]))
        state.environment = env
        if state.fails:
            raise state.fails

    move_to(root)
    state.move_to = move_to
    monkeypatch.setattr(commands.venv, "create", create)
    monkeypatch.setattr(commands.subprocess, "run", run_in_name_only)
    return state


INSTALL = "pip install --quiet -r requirements.txt"


def test_set_up_is_done_once(machine):
    commands.set_up()
    assert machine.calls == ["create", INSTALL]
    commands.set_up()
    assert machine.calls == ["create", INSTALL]
    settings = json.loads(commands.LAB_SETTINGS.read_text())  # JupyterLab asks nobody about its news
    assert settings["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"


def test_changed_requirements_are_installed_into_the_same_environment(machine):
    commands.set_up()
    (machine.root / "requirements.txt").write_text("more")
    commands.set_up()
    assert machine.calls == ["create", INSTALL, INSTALL]


def test_environment_of_a_moved_course_is_made_again(machine):
    commands.set_up()
    machine.move_to(machine.root.rename(machine.root.parent / "elsewhere"))
    commands.set_up()
    assert machine.calls == ["create", INSTALL] * 2


@pytest.mark.parametrize("damage", ["no pip", "no python", "broken link", "folder alone", "damaged stamp"])
def test_half_made_environment_is_made_again(machine, damage):
    commands.set_up()
    if damage == "no pip":
        (commands.ENVIRONMENT / "pip").unlink()
        (commands.ENVIRONMENT / "installed").unlink()
    elif damage in ("no python", "broken link"):
        commands.PYTHON.unlink()
        if damage == "broken link":
            commands.PYTHON.symlink_to("/gone/python3")
    elif damage == "folder alone":
        shutil.rmtree(commands.ENVIRONMENT)
        commands.ENVIRONMENT.mkdir()
    else:
        (commands.ENVIRONMENT / "installed").write_bytes(b"\xff\xfe")
    commands.set_up()
    assert machine.calls == ["create", INSTALL] * 2


def test_environment_made_by_hand_is_installed_into(machine):
    commands.venv.create(commands.ENVIRONMENT, clear=True, with_pip=True, symlinks=os.name != "nt")
    commands.set_up()
    assert machine.calls == ["create", INSTALL]


@pytest.mark.parametrize(
    "error", [subprocess.CalledProcessError(1, "pip"), FileNotFoundError("python"), PermissionError("closed")]
)
def test_failed_set_up_is_said_in_words(machine, error):
    machine.fails = error
    with pytest.raises(SystemExit, match="The set-up has failed"):
        commands.set_up()
    machine.fails = None
    commands.set_up()  # nothing that is left over is in the way
    assert machine.calls[-1] == INSTALL


def test_stopped_set_up_goes_on_the_next_time(machine):
    machine.fails = KeyboardInterrupt()
    with pytest.raises(SystemExit, match="was stopped"):
        commands.set_up()
    machine.fails = None
    commands.set_up()
    assert machine.calls == ["create", INSTALL, INSTALL]


def test_pip_installs_into_the_environment_whatever_is_set(machine, monkeypatch):
    monkeypatch.setenv("PIP_USER", "1")
    monkeypatch.setenv("PIP_TARGET", "/somewhere")
    commands.set_up()
    assert machine.environment["PIP_USER"] == "0" and "PIP_TARGET" not in machine.environment
    assert machine.environment["PATH"] == os.environ["PATH"]


def test_python_for_intel_macs_is_told_the_way_out(machine, monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    with pytest.raises(SystemExit, match="no builds for them since 2.3: open the notebooks in Colab"):
        commands.set_up()
    assert machine.calls == []
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    commands.set_up()


# ---- JupyterLab ----


def test_lab_serves_the_whole_course(monkeypatch):
    calls = []
    monkeypatch.setattr(commands, "set_up", lambda: None)
    monkeypatch.setattr(commands, "run", lambda command: calls.append(command))
    commands.open_lab(["--no-browser"])
    assert f"--ServerApp.root_dir={ROOT}" in calls[0] and "course.keep_stored_metadata" in calls[0][5]
    assert PATHS[0] in calls[0] and calls[0][-1] == "--no-browser"


@pytest.fixture
def jupyter(copy_of_course):
    """Jupyter's own reader and writer of notebooks, with the course's hook."""
    from jupyter_server.services.contents.filemanager import FileContentsManager
    from traitlets.config import Config

    hook = {"pre_save_hook": "course.keep_stored_metadata"}  # as on the command line
    manager = FileContentsManager(root_dir=str(copy_of_course), config=Config(ContentsManager=hook))
    path = copy_of_course / "notebooks" / PATHS[0].name
    notebook = commands.read_notebook(path)
    language = {"name": "python", "version": "3.10.2", "file_extension": ".py"}
    notebook["metadata"] |= {"kernelspec": commands.KERNEL, "language_info": language}
    next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")["metadata"] = {"tags": ["a"], "jupyter": {}}
    commands.write_notebook(path, notebook)

    def save(change) -> bool:
        """Open the notebook, change it, save it; return whether the file has changed."""
        before = path.read_bytes()
        model = manager.get(f"notebooks/{path.name}")
        model["content"]["metadata"]["language_info"] = {"name": "python", "version": "3.99"}
        change(model["content"], next(cell for cell in model["content"]["cells"] if cell["cell_type"] == "code"))
        manager.save({"type": "notebook", "format": "json", "content": model["content"]}, f"notebooks/{path.name}")
        return path.read_bytes() != before

    save.path = path
    return save


def test_looking_at_a_notebook_does_not_change_its_file(jupyter):
    assert not jupyter(lambda notebook, cell: None)
    view = {"jupyter": {"source_hidden": True}, "collapsed": True, "scrolled": True, "execution": {"a": 1}}
    assert not jupyter(lambda notebook, cell: cell["metadata"].update(view))
    # As JupyterLab sends it: each text in one piece.
    assert not jupyter(lambda notebook, cell: cell.update(source="".join(cell["source"])))


def test_what_somebody_changes_is_saved(jupyter):
    assert jupyter(lambda notebook, cell: cell["metadata"].update(tags=["b"]))
    assert jupyter(lambda notebook, cell: cell.update(source="1 + 1"))
    assert jupyter(lambda notebook, cell: cell["outputs"].append(nbformat.v4.new_output("stream", text="2")))
    assert jupyter(lambda notebook, cell: cell.update(execution_count=99))
    assert jupyter(lambda notebook, cell: notebook["cells"].pop())
    stored = commands.read_notebook(jupyter.path)["metadata"]
    assert stored["language_info"]["version"] == "3.10.2"
    other = {"name": "r", "display_name": "R", "language": "R"}
    assert jupyter(lambda notebook, cell: notebook["metadata"].update(kernelspec=other))
    stored = commands.read_notebook(jupyter.path)["metadata"]
    assert stored["kernelspec"] == other and stored["language_info"]["version"] == "3.99"


def test_a_saved_notebook_keeps_the_still_of_what_lives_in_the_kernel(jupyter):
    data = {commands.LIVE: {"model_id": "1"}, "image/png": "iVBORw0KGgo="}
    assert jupyter(lambda notebook, cell: cell["outputs"].append(nbformat.v4.new_output("display_data", data)))
    text = jupyter.path.read_text("utf-8")
    assert "iVBORw0KGgo=" in text and commands.LIVE not in text


# ---- execute ----


@pytest.fixture
def small_course(tmp_path, monkeypatch):
    """A course of one notebook, which imports module a, which imports b; nothing imports c."""
    package = tmp_path / "lenet_utils"
    (package / "part").mkdir(parents=True)
    (package / "exercises").mkdir()
    for name, code in {
        "__init__": '"""Package."""\n',
        "a": "def answer():\n    from lenet_utils.part import b\n    return b.NUMBER\n",
        "part/__init__": "",
        "part/b": '"""B."""\nNUMBER = 42\n',
        "c": "NUMBER = 43\n",
        "exercises/__init__": "def check():\n    pass\n",
    }.items():
        (package / f"{name}.py").write_text(code)
    sources = [
        'REPOSITORY = "https://github.com/a/b"\nif False:\n    %pip install x\n',
        "import os, sys\nsys.path.insert(0, os.path.dirname(os.getcwd()))\n"
        "from lenet_utils.a import answer\nfrom lenet_utils.exercises import check\nprint(answer())",
        "print([os.environ.get(name) for name in ('LENET_FAST', 'LENET_DEVICE', 'LENET_STRICT', 'OMP_NUM_THREADS')])",
    ]
    cells = [nbformat.v4.new_code_cell(source, id=f"cell{i}") for i, source in enumerate(sources)]
    cells[0]["metadata"] = {"cellView": "form", "jupyter": {"source_hidden": True}, "collapsed": True, "mine": 1}
    notebook = nbformat.v4.new_notebook(cells=cells)
    path = tmp_path / "notebooks" / "01_small.ipynb"
    path.parent.mkdir()
    nbformat.write(notebook, path)
    (tmp_path / "pyproject.toml").write_text('Repository = "https://github.com/a/b"\n')
    for name in ("LENET_FAST", "LENET_DEVICE", "LENET_STRICT", "OMP_NUM_THREADS"):  # whatever is set outside
        monkeypatch.setenv(name, "7")
    monkeypatch.setattr(commands, "ROOT", tmp_path)
    monkeypatch.setattr(commands, "PYTHON", sys.executable)
    monkeypatch.setattr(commands, "set_up", lambda: None)
    return path


def test_execute_stores_what_jupyter_would_and_only_once(small_course, capsys):
    path = small_course
    assert commands.execute_notebooks([]) == 0
    notebook, first = commands.read_notebook(path), path.read_bytes()
    outputs = ["".join(cell["outputs"][0]["text"]) for cell in notebook["cells"][1:]]
    assert outputs == ["42\n", "['0', 'cpu', '1', '1']\n"]
    assert [cell["execution_count"] for cell in notebook["cells"]] == [1, 2, 3]
    assert notebook["cells"][0]["metadata"] == {"cellView": "form", "jupyter": {"source_hidden": True}}
    assert notebook["metadata"]["executed"] == commands.compute_fingerprint(path)
    assert notebook["metadata"]["kernelspec"] == commands.KERNEL
    assert notebook["metadata"]["language_info"]["version"] == platform.python_version()
    assert notebook["metadata"]["language_info"]["pygments_lexer"] == "ipython3"
    nbformat.write(nbformat.read(path, 4), path)
    assert path.read_bytes() == first
    capsys.readouterr()
    assert commands.execute_notebooks([str(path)]) == 0
    assert capsys.readouterr().out == "01_small.ipynb: unchanged\n" and path.read_bytes() == first


@pytest.mark.parametrize(
    "file, old, new, counts",
    [
        ("lenet_utils/part/b.py", "42", "41", True),
        ("lenet_utils/part/b.py", "NUMBER", "NUMBER: int", True),
        ("lenet_utils/a.py", "return", "pass; return", True),
        ("lenet_utils/__init__.py", '"""\n', '"""\nimport os\n', True),
        ("lenet_utils/part/__init__.py", "", "import os\n", True),
        ("lenet_utils/part/b.py", "42", "42  # why", False),
        ("lenet_utils/part/b.py", "42", "(\n    42\n)", False),
        ("lenet_utils/part/b.py", "B.", "Another docstring.", False),
        ("lenet_utils/c.py", "43", "44", False),
        ("lenet_utils/exercises/__init__.py", "pass", "return 1", False),
        ("notebooks/01_small.ipynb", "answer())", "answer() + 1)", True),
        ("notebooks/01_small.ipynb", "github.com/a/b", "github.com/c/d", False),
    ],
)
def test_fingerprint_changes_with_what_the_outputs_depend_on(small_course, file, old, new, counts):
    before = commands.compute_fingerprint(small_course)
    text = (commands.ROOT / file).read_text()
    assert old in text
    (commands.ROOT / file).write_text(text.replace(old, new, 1) if old else new)
    assert (commands.compute_fingerprint(small_course) != before) == counts


def test_fingerprint_follows_every_import_of_the_package():
    """Relative imports would pass it by."""
    assert commands.find_module("lenet_utils.data") and not commands.find_module("lenet_utils.data.load_mnist")
    for path in (ROOT / "lenet_utils").rglob("*.py"):
        assert not re.search(r"^\s*from \.", path.read_text("utf-8"), re.M), path


SHOW = "from IPython.display import display\ndisplay(%r, raw=True)"


def test_execute_keeps_the_still_of_what_lives_in_the_kernel(small_course):
    notebook = commands.read_notebook(small_course)
    data = {commands.LIVE: {"model_id": "1"}, "image/png": "iVBORw0KGgo=", "text/plain": "pad"}
    notebook["cells"][1]["source"].append("\n" + SHOW % data)
    commands.write_notebook(small_course, notebook)
    assert commands.execute_notebooks([]) == 0
    _, output = commands.read_notebook(small_course)["cells"][1]["outputs"]
    assert set(output["data"]) == {"image/png", "text/plain"}


@pytest.mark.parametrize("stop", ["raise ValueError", "import os, signal; os.kill(os.getppid(), signal.SIGINT)"])
def test_failed_or_stopped_execution_leaves_the_stored_notebook(small_course, stop, capfd):
    notebook = commands.read_notebook(small_course)
    notebook["cells"][2]["source"] = [stop]
    commands.write_notebook(small_course, notebook)
    before = small_course.read_bytes()
    assert commands.execute_notebooks([]) != 0
    assert small_course.read_bytes() == before
    assert {path.name for path in small_course.parent.iterdir()} == {"01_small.ipynb"}


# ---- web pages and the address ----


def test_html_links_to_pages_and_to_the_repository(small_course):
    cell = nbformat.v4.new_markdown_cell("[next](01_small.ipynb#End), [map](../README.md), [out](https://a.b/c.ipynb)")
    notebook = commands.read_notebook(small_course)
    commands.write_notebook(small_course, notebook | {"cells": [cell, *notebook["cells"]]})
    assert commands.export_pages([]) == 0
    page = (commands.ROOT / "html" / "01_small.html").read_text("utf-8")
    assert 'href="01_small.html#End"' in page and 'href="https://a.b/c.ipynb"' in page
    assert 'href="https://github.com/a/b/blob/main/README.md"' in page
    assert (commands.ROOT / "html" / ".gitignore").read_text() == "*\n"


def test_html_describes_every_figure(small_course):
    def show(**metadata):
        data = {"image/png": "iVBORw0KGgo=", "text/plain": "<Figure>"}
        return nbformat.v4.new_output("display_data", data, metadata=metadata)

    cell = nbformat.v4.new_code_cell("", outputs=[show(**{"image/png": {"alt": 'Loss "falls" <1>'}}), show()])
    notebook = commands.read_notebook(small_course)
    commands.write_notebook(small_course, notebook | {"cells": [cell, *notebook["cells"]]})
    assert commands.export_pages([]) == 0
    page = (commands.ROOT / "html" / "01_small.html").read_text("utf-8")
    assert re.findall('<img [^>]*(alt="[^"]*")', page) == ['alt="Loss &quot;falls&quot; &lt;1&gt;"', 'alt="A picture"']


def test_page_writes_the_drawing_pad_and_opens_it(small_course, monkeypatch, capfd):
    module = commands.ROOT / "lenet_utils" / "pad" / "page.py"
    module.parent.mkdir()
    module.write_text("import sys\nfrom pathlib import Path\nPath(sys.argv[1]).write_text('a pad')\n")
    opened = []
    monkeypatch.setattr(commands.webbrowser, "open", opened.append)
    assert commands.open_page([]) == 0
    page = commands.ROOT / "html" / "draw_a_digit.html"
    assert page.read_text() == "a pad" and opened == [page.as_uri()]
    assert (commands.ROOT / "html" / ".gitignore").read_text() == "*\n"
    module.write_text("raise SystemExit(3)")
    assert commands.open_page([]) == 3 and len(opened) == 1


@pytest.fixture
def copy_of_course(tmp_path, monkeypatch):
    """The small text files of the course in a folder of their own, where commands may write."""
    for name in ("pyproject.toml", "README.md", "CITATION.cff"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("notebooks", "lenet_utils"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "runs"))
    monkeypatch.setattr(commands, "ROOT", tmp_path)
    monkeypatch.setattr(commands, "set_up", lambda: None)
    return tmp_path


@pytest.mark.parametrize(
    "address, name",
    [
        ("https://github.com/3b1b/some-course", "3b1b/some-course"),
        ("https://github.com/owner/some.course.git", "owner/some.course"),
        ("https://github.com/owner/name/", "owner/name"),
        ("https://user:t0ken@github.com/owner/name.git", "owner/name"),
        ("git@github.com:owner/name.git", "owner/name"),
        ("ssh://git@github.com/owner/name", "owner/name"),
        ("ssh://git@github.com:22/owner/name.git", "owner/name"),
        ("github.com/owner/name", "owner/name"),
        ("https://example.org/owner/name", None),
        ("https://github.com.example.org/owner/name", None),
        ("https://github.com/owner", None),
        ("https://github.com/owner/name/tree/main", None),
        ("/srv/github.com/owner/name", None),
        ("", None),
    ],
)
def test_addresses_on_github_are_known(address, name):
    assert commands.find_name_on_github(address) == name


def documents_of(folder: Path) -> dict[Path, str]:
    names = ("pyproject.toml", "CITATION.cff", "README.md", "notebooks/README.md")
    return {path: path.read_text("utf-8") for path in [*map(folder.joinpath, names), *folder.glob("notebooks/*.ipynb")]}


@pytest.mark.parametrize("by", ["argument", "origin"])
def test_address_is_written_everywhere(copy_of_course, by):
    before = documents_of(copy_of_course)
    old = re.search(r'Repository = "https://github.com/([^"]+)"', read("pyproject.toml"))[1]
    fingerprints = [commands.compute_fingerprint(path) for path in commands.find_notebooks()]
    if by == "argument":
        assert commands.write_address(["https://github.com/3b1b/some-course"]) == 0
    else:
        subprocess.run(["git", "init", "--quiet"], cwd=copy_of_course, check=True)
        address = "https://someone:secret@github.com/3b1b/some-course.git"
        subprocess.run(["git", "remote", "add", "origin", address], cwd=copy_of_course, check=True)
        assert commands.write_address([]) == 0
    for path, text in documents_of(copy_of_course).items():
        assert text == before[path].replace(old, "3b1b/some-course")
        assert "3b1b/some-course" in text and old not in text, path
    assert [commands.compute_fingerprint(path) for path in commands.find_notebooks()] == fingerprints  # none runs again
    assert not list(copy_of_course.rglob("*.part"))


@pytest.mark.parametrize("arguments", [[], ["https://example.org/owner/name"]])
def test_without_a_good_address_nothing_is_written(copy_of_course, arguments, capsys, monkeypatch):
    monkeypatch.setattr(commands, "ask_git_for_origin", lambda: "git@example.org:owner/name.git")
    before = documents_of(copy_of_course)
    assert commands.write_address(arguments) == 2
    assert "python course.py address https://github.com/OWNER/NAME" in capsys.readouterr().out
    assert documents_of(copy_of_course) == before


def test_without_git_there_is_no_origin(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert commands.ask_git_for_origin() == ""


# ---- the setup cell ----


@pytest.fixture
def run_setup_cell(monkeypatch):
    """Run the setup cell in a folder, without some packages, and return the commands it would have run."""
    from IPython.core.inputtransformer2 import TransformerManager

    cell = TransformerManager().transform_cell(read_code(PATHS[0])[0])
    find = importlib.util.find_spec

    def run(folder: Path, missing: tuple[str, ...] = ()) -> list[tuple]:
        calls = []
        shell = SimpleNamespace(
            system=lambda command: calls.append(("system", command)),
            run_line_magic=lambda *arguments: calls.append(arguments[:2]),
        )
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in missing else find(name))
        monkeypatch.setattr(sys, "path", list(sys.path))
        monkeypatch.chdir(folder)
        exec(cell, {"get_ipython": lambda: shell})
        run.added = Path(sys.path[0])
        return calls

    return run


def test_setup_finds_the_course_around_and_below(run_setup_cell, tmp_path):
    assert run_setup_cell(ROOT / "notebooks") == [] and run_setup_cell.added == ROOT
    assert run_setup_cell(ROOT) == [] and run_setup_cell.added == ROOT
    inside = tmp_path / "handwritten-digits-main"
    (inside / "lenet_utils").mkdir(parents=True)
    (inside / "lenet_utils" / "data.py").write_text("")
    assert run_setup_cell(tmp_path, ("lenet_utils",)) == [] and run_setup_cell.added == inside


def test_setup_installs_what_is_missing(run_setup_cell):
    (call,) = run_setup_cell(ROOT / "notebooks", ("torchsummary",))
    assert call == ("pip", 'install --quiet -e "{course}"')


def test_setup_says_when_the_course_cannot_be_brought(run_setup_cell, tmp_path):
    with pytest.raises(SystemExit, match="Get git and the internet"):
        run_setup_cell(tmp_path, ("lenet_utils",))


# ---- a notebook alone ----


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


# An environment like Colab's: everything is installed but the course.
WITHOUT_THE_COURSE = """
import sys
sys.meta_path = [finder for finder in sys.meta_path if "__editable__" not in repr(finder)]
sys.path = [place for place in sys.path if place != COURSE]
"""


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=[] if path.stem[:2] in ("01", "06") else pytest.mark.slow) for path in PATHS],
    ids=NAMES,
)
def test_notebook_alone_brings_the_course_and_leaves_it_clean(path, published_course, tmp_path):
    """As in Colab: one notebook in an empty folder. Its run leaves no trace in what git tracks."""
    notebook = path.read_text("utf-8")
    local = re.sub(r'(REPOSITORY = \\")[^"\\]+', rf"\g<1>{published_course.as_uri()}", notebook)
    assert local != notebook
    alone, custom = tmp_path / "alone", tmp_path / "custom"
    alone.mkdir()
    custom.mkdir()
    (alone / path.name).write_text(local, "utf-8")
    (custom / "sitecustomize.py").write_text(WITHOUT_THE_COURSE.replace("COURSE", repr(str(ROOT))), "utf-8")
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-current-env", "-q", "-p", "no:cacheprovider"]
    settings = {"LENET_FAST": "1", "LENET_DEVICE": "cpu", "LENET_STRICT": "1", "PYTHONPATH": str(custom)}
    result = subprocess.run([*command, path.name], cwd=alone, env=os.environ | settings, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout
    brought = alone / "handwritten-digits"
    assert (brought / "lenet_utils" / "data.py").is_file()
    status = subprocess.check_output(["git", "status", "--porcelain"], cwd=brought, text=True)
    assert status == ""
    assert {file.name for file in alone.iterdir()} == {path.name, "handwritten-digits"}
