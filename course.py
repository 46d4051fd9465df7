"""The course's commands. They need Python 3.10 or newer and nothing else.

    python course.py lab [OPTION...]       set everything up and open the course in JupyterLab
    python course.py test [OPTION...]      set everything up and run all tests; options go to pytest
    python course.py execute [FILE...]     run changed notebooks in full and store what they show
    python course.py html                  write all notebooks as web pages into the folder html
    python course.py page                  write the drawing pad as one web page into the folder html, and open it
    python course.py address [ADDRESS]     write the address of the course on GitHub (if none is given: that of
                                           git's origin) into every file that names it

The set-up is a virtual environment in the folder .venv, made at the first call, and again when the course has been
moved, or requirements.txt or pyproject.toml has changed.
"""

from __future__ import annotations  # so that an old Python gets as far as its message

import ast
import base64
import hashlib
import html
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import venv
import webbrowser
from pathlib import Path

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
PYTHON = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
LAB_SETTINGS = ENVIRONMENT / "share/jupyter/lab/settings/overrides.json"
NO_NEWS = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}

# Outputs are stored from full runs on one quiet thread, and every claim has to hold in them.
FULL_RUN = {"LENET_FAST": "0", "LENET_DEVICE": "cpu", "LENET_STRICT": "1", "OMP_NUM_THREADS": "1"}
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}  # as JupyterLab writes it
KEPT = ("cellView", "editable", "jupyter", "slideshow", "tags")  # metadata of a cell that somebody has chosen
NO_ALT = 'alt="No description has been provided for this image"'  # what nbconvert says of every figure
LIVE = "application/vnd.jupyter.widget-view+json"  # of an output that lives while its kernel does, beside its still
VIEW = ("collapsed", "execution", "jupyter", "scrolled", "trusted")  # and those that change by mere looking


def main(arguments: list[str]) -> int:
    commands = {
        "lab": open_lab,
        "test": run_tests,
        "execute": execute_notebooks,
        "html": export_pages,
        "page": open_page,
        "address": write_address,
    }
    if not arguments or arguments[0] not in commands:
        print(__doc__)
        return 2
    if sys.version_info < (3, 10):  # noqa: UP036
        print(f"The course needs Python 3.10 or newer; this is {sys.version.split()[0]}.")
        return 2
    return commands[arguments[0]](arguments[1:])


def find_notebooks() -> list[Path]:
    return sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))


# ---- the set-up ----


def set_up() -> None:
    """Make .venv and install requirements.txt into it, unless that has been done."""
    wanted = hashlib.sha256(b"".join((ROOT / f).read_bytes() for f in ("requirements.txt", "pyproject.toml")))
    stamp = ENVIRONMENT / "installed"  # the folder, which .venv cannot leave, and what was installed
    found = stamp.read_text("utf-8", "replace").splitlines() if stamp.is_file() else []
    if PYTHON.exists() and found == [str(ENVIRONMENT), wanted.hexdigest()]:
        return
    if sys.platform == "darwin" and platform.machine() == "x86_64":
        sys.exit(
            "This is Python for Macs with an Intel processor, and PyTorch has had no builds for them since 2.3: open "
            "the notebooks in Colab, or, if yours has Apple silicon, install Python for that."
        )
    print("Setting up .venv: this downloads PyTorch and the rest once and takes some minutes.", flush=True)
    try:
        if found[:1] not in ([], [str(ENVIRONMENT)]) or not has_pip():
            venv.create(ENVIRONMENT, clear=True, with_pip=True, symlinks=os.name != "nt")
        # Whatever is set for pip elsewhere, the packages go into .venv.
        environment = {name: os.environ[name] for name in os.environ if name not in ("PIP_TARGET", "PIP_PREFIX")}
        environment |= {"PIP_USER": "0"}
        install = [PYTHON, "-m", "pip", "install", "--quiet", "-r", "requirements.txt"]
        subprocess.run(install, cwd=ROOT, env=environment, check=True)
        LAB_SETTINGS.parent.mkdir(parents=True, exist_ok=True)
        LAB_SETTINGS.write_text(json.dumps(NO_NEWS), "utf-8")
        stamp.write_text(f"{ENVIRONMENT}\n{wanted.hexdigest()}\n", "utf-8")
    except (subprocess.CalledProcessError, OSError) as error:
        sys.exit(
            f"The set-up has failed ({error}). It needs the internet, some 6 GB of disk, a Python for which there is a "
            "PyTorch, and Python's module venv (on Debian and Ubuntu: the package python3-venv). "
            "Delete .venv and try again."
        )
    except KeyboardInterrupt:
        sys.exit("The set-up was stopped. The same command goes on with it.")


def has_pip() -> bool:
    """Return whether .venv is there, whole enough to be installed into."""
    try:
        return subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True).returncode == 0
    except OSError:
        return False


# ---- JupyterLab and the tests ----


def open_lab(options: list[str]) -> int:
    set_up()
    settings = [f"--ServerApp.root_dir={ROOT}", "--ContentsManager.pre_save_hook=course.keep_stored_metadata"]
    # Started as a module in this folder, it can import the hook from this file.
    return run([PYTHON, "-m", "jupyterlab", find_notebooks()[0], *settings, *options])


def keep_stored_metadata(model: dict, path: str, **_) -> None:
    """Let a notebook that was only looked at be saved as it was. JupyterLab calls this before each save.

    Left alone, it would write down the version of Python at hand, and what is folded. A notebook that has been run
    keeps the stored kernel and version as well.
    """
    file = ROOT / path.strip("/")
    if model.get("type") != "notebook" or not file.is_file():
        return
    stored, new = json.loads(file.read_text("utf-8")), model["content"]
    keep_stills(new)
    if stored["metadata"].get("kernelspec", {}).get("name") == new["metadata"].get("kernelspec", {}).get("name"):
        for key in {"kernelspec", "language_info"} & stored["metadata"].keys():
            new["metadata"][key] = stored["metadata"][key]
    if [strip_metadata(cell) for cell in stored["cells"]] == [strip_metadata(cell) for cell in new["cells"]]:
        for old, cell in zip(stored["cells"], new["cells"]):
            chosen = {key: value for key, value in cell["metadata"].items() if key not in VIEW}
            cell["metadata"] = chosen | {key: value for key, value in old["metadata"].items() if key in VIEW}


def strip_metadata(value):
    """Return a cell without its metadata, and each text in one piece (files and JupyterLab cut them differently)."""
    if isinstance(value, dict):
        return {key: strip_metadata(part) for key, part in value.items() if key != "metadata"}
    if isinstance(value, list):
        parts = [strip_metadata(part) for part in value]
        return "".join(parts) if all(isinstance(part, str) for part in parts) else parts
    return value


def run_tests(options: list[str]) -> int:
    set_up()
    return run([PYTHON, "-m", "pytest", "--nbval-lax", "tests", "notebooks", *options])


# ---- storing what the notebooks show ----


def execute_notebooks(names: list[str]) -> int:
    """Run each notebook whose code, or whose package, has changed since its outputs were stored."""
    set_up()
    for path in [Path(name).resolve() for name in names] or find_notebooks():
        fingerprint = compute_fingerprint(path)
        if read_notebook(path)["metadata"].get("executed") == fingerprint:
            print(f"{path.name}: unchanged")
            continue
        print(f"{path.name}: running in full", flush=True)
        with tempfile.TemporaryDirectory() as folder:  # the stored notebook stays until the run is complete
            options = ["--ExecutePreprocessor.record_timing=False", "--ExecutePreprocessor.timeout=900"]
            options += ["--output-dir", folder, "--output", path.name, "--log-level", "WARN"]
            command = [PYTHON, "-m", "nbconvert", "--to", "notebook", "--execute", *options, path]
            if status := run(command, FULL_RUN):
                return status
            notebook = read_notebook(Path(folder) / path.name)
        language = notebook["metadata"]["language_info"]
        notebook["metadata"] = {"kernelspec": KERNEL, "language_info": language, "executed": fingerprint}
        for cell in notebook["cells"]:
            cell["metadata"] = {key: cell["metadata"][key] for key in KEPT if key in cell["metadata"]}
        keep_stills(notebook)
        write_notebook(path, notebook)
        copy_picture(notebook)
    return 0


def keep_stills(notebook: dict) -> None:
    """Store of a drawing pad its picture alone: what lives in a kernel cannot be shown without it."""
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                output["data"].pop(LIVE, None)


def copy_picture(notebook: dict) -> None:
    """Keep the picture of the README the same as in the notebook that draws it."""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code" and "plot_journey(" in "".join(cell["source"]):
            picture = cell["outputs"][-1]["data"]["image/png"]
            (ROOT / "data" / "journey.png").write_bytes(base64.b64decode("".join(picture)))


def compute_fingerprint(path: Path) -> str:
    """Return a fingerprint of what a notebook's outputs depend on: its code cells, and the modules they import.

    An address counts for nothing, nor do the comments, docstrings and line breaks of the modules. Neither do the
    checkers of the exercises: what is stored below an exercise is that nobody has answered it.
    """
    cells = read_notebook(path)["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    code = [re.sub('REPOSITORY = ".*"', "", source) for source in code]
    python = re.sub(r"^([ \t]*)[%!]+\w.*", r"\1pass", "\n".join(code), flags=re.M)  # without commands of Jupyter's own
    modules: dict[str, list] = {}
    waiting = find_imported_modules(ast.parse(python))
    while waiting:
        name = waiting.pop()
        if name not in modules:
            tree = ast.parse(find_module(name).read_text("utf-8"))
            modules[name] = describe_code(tree)
            waiting |= find_imported_modules(tree)
    return hashlib.sha256(json.dumps([code, sorted(modules.items())]).encode()).hexdigest()[:16]


def find_imported_modules(tree: ast.AST) -> set[str]:
    """Return the modules and packages of the course that some code imports, by their full names."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    found = set()
    for name in names:  # with lenet_utils.data.load_mnist come lenet_utils.data and lenet_utils
        parts = name.split(".") if re.match(r"lenet_utils\b(?!\.exercises\b)", name) else []
        found |= {".".join(parts[:length]) for length in range(1, len(parts) + 1)}
    return {name for name in found if find_module(name)}


def find_module(name: str) -> Path | None:
    place = ROOT.joinpath(*name.split("."))
    return next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()), None)


def describe_code(node):
    """Return a syntax tree as nested lists, alike under all versions of Python, without docstrings."""
    if isinstance(node, list):
        return [describe_code(part) for part in node]
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = {name: value for name, value in ast.iter_fields(node) if value is not None and value != []}
    if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node) is not None:
        fields["body"] = node.body[1:]
    return [type(node).__name__, *([name, describe_code(value)] for name, value in fields.items())]


# ---- web pages, and the address ----


def export_pages(_: list[str]) -> int:
    """Write every notebook as a page into html, which git ignores. They link to each other, and to the repository."""
    set_up()
    folder = make_folder_for_pages()
    options = ["--to", "html", "--HTMLExporter.embed_images=True", "--output-dir", folder, "--log-level", "WARN"]
    if status := run([PYTHON, "-m", "nbconvert", *options, *find_notebooks()]):
        return status
    online = re.search('^Repository = "(.*)"$', read("pyproject.toml"), re.M)[1] + "/blob/main/"
    for path in find_notebooks():
        page = folder / f"{path.stem}.html"
        text = re.sub(r'(href="\w+)\.ipynb([#"])', r"\1.html\2", page.read_text("utf-8"))
        text = re.sub(r'href="\.\./', f'href="{online}', text)
        text = re.sub(r'(href=")(?=README\.md)', rf"\g<1>{online}notebooks/", text)
        for words in read_descriptions(path):
            text = text.replace(NO_ALT, f'alt="{html.escape(words)}"', 1)
        write_whole(page, text)
    print(f"Written: {folder}. Open {find_notebooks()[0].stem}.html in a browser.")
    return 0


def make_folder_for_pages() -> Path:
    """Return the folder html, which git ignores."""
    folder = ROOT / "html"
    folder.mkdir(exist_ok=True)
    (folder / ".gitignore").write_text("*\n", "utf-8")
    return folder


def open_page(_: list[str]) -> int:
    """Write the drawing pad, with three networks of the course inside, as one page, and open it in the browser."""
    set_up()
    page = make_folder_for_pages() / "draw_a_digit.html"
    if status := run([PYTHON, "-m", "lenet_utils.pad.page", page]):
        return status
    print(f"Written: {page}. It works without Python and the internet, here and wherever you copy it.", flush=True)
    webbrowser.open(page.as_uri())
    return 0


def read_descriptions(path: Path) -> list[str]:
    """Return what each stored figure of a notebook shows, in words: nbconvert leaves it out of its pages."""
    outputs = [output for cell in read_notebook(path)["cells"] for output in cell.get("outputs", [])]
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    return [output["metadata"].get("image/png", {}).get("alt", "A picture") for output in pictures]


def write_address(arguments: list[str]) -> int:
    """Write the address of the course on GitHub into the project's data, the documents, and every notebook."""
    name = find_name_on_github(arguments[0] if arguments else ask_git_for_origin())
    if name is None:
        print("Give the address of the course on GitHub: python course.py address https://github.com/OWNER/NAME")
        return 2
    # Every address that is the course's own stands in one of these forms.
    forms = [
        (r"(colab\.research\.google\.com/github/)[^/\s]+/[^/\s]+(?=/blob/)", name),
        (r'(\bREPOSITORY = \\?")[^"\\]+', f"https://github.com/{name}"),
        (r'(^Repository = ")[^"]+', f"https://github.com/{name}"),
        (r'(^repository-code: ")[^"]+', f"https://github.com/{name}"),
        (r"(\bgit clone )https://\S+", f"https://github.com/{name}"),
    ]
    documents = [ROOT / file for file in ("pyproject.toml", "CITATION.cff", "README.md", "notebooks/README.md")]
    for path in [*documents, *find_notebooks()]:
        changed = text = path.read_text("utf-8")
        for pattern, new in forms:
            changed = re.sub(pattern, rf"\g<1>{new}", changed, flags=re.M)
        if changed != text:
            write_whole(path, changed)
            print(f"{path.relative_to(ROOT)}: https://github.com/{name}")
    return 0


def ask_git_for_origin() -> str:
    try:
        command = ["git", "remote", "get-url", "origin"]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.strip()
    except OSError:  # there is no git
        return ""


def find_name_on_github(address: str) -> str | None:
    """Return OWNER/NAME of an address as browsers or git write it, without a user, a token or .git."""
    host = r"(?:(?:(?:https?|ssh|git)://)?(?:[^@/\s]+@)?(?:www\.)?github\.com(?::\d+)?/|(?:[^@/\s]+@)?github\.com:)"
    found = re.fullmatch(rf"{host}([\w-]+)/([\w.-]+?)(?:\.git)?/?", address, re.I)
    return f"{found[1]}/{found[2]}" if found else None


# ---- files and processes ----


def read_notebook(path: Path) -> dict:
    return json.loads(path.read_text("utf-8"))


def write_notebook(path: Path, notebook: dict) -> None:
    """Write a notebook byte for byte as Jupyter does."""
    write_whole(path, json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n")


def write_whole(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    temporary = path.with_name(path.name + ".part")
    temporary.write_text(text, "utf-8", newline="\n")
    os.replace(temporary, path)


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def run(command: list, environment: dict | None = None) -> int:
    try:
        return subprocess.run(command, cwd=ROOT, env=os.environ | (environment or {})).returncode
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
