"""The course's commands. They need Python 3.10 or newer and nothing else.

    python course.py lab                   set everything up and open the course in JupyterLab
    python course.py test [OPTION...]      set everything up and run all tests; options go to pytest
    python course.py execute [FILE...]     run changed notebooks in full and store what they show
    python course.py address               write the address in pyproject.toml into every notebook and the README

The set-up is a virtual environment in the folder .venv, made at the first call and again when requirements.txt
or pyproject.toml has changed.
"""

from __future__ import annotations  # so that an old Python gets as far as its message

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
PYTHON = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
FULL_RUN = {"LENET_FAST": "0", "LENET_DEVICE": "cpu"}


def main(arguments: list[str]) -> int:
    commands = {"lab": open_lab, "test": run_tests, "execute": execute_notebooks, "address": write_address}
    if not arguments or arguments[0] not in commands:
        print(__doc__)
        return 2
    if sys.version_info < (3, 10):  # noqa: UP036
        print(f"The course needs Python 3.10 or newer; this is {sys.version.split()[0]}.")
        return 2
    return commands[arguments[0]](arguments[1:])


def open_lab(options: list[str]) -> int:
    set_up()
    return run([PYTHON, "-m", "jupyter", "lab", "notebooks/01_dataset_exploration.ipynb", *options])


def run_tests(options: list[str]) -> int:
    set_up()
    return run([PYTHON, "-m", "pytest", "--nbval-lax", "tests", "notebooks", *options])


def set_up() -> None:
    """Make .venv and install requirements.txt into it, unless that has been done."""
    wanted = hashlib.sha256(b"".join((ROOT / f).read_bytes() for f in ("requirements.txt", "pyproject.toml")))
    stamp = ENVIRONMENT / "installed"
    if PYTHON.exists() and stamp.exists() and stamp.read_text() == wanted.hexdigest():
        return
    print("Setting up .venv: this downloads PyTorch and the rest once and takes some minutes.", flush=True)
    install = [PYTHON, "-m", "pip", "install", "--quiet", "-r", "requirements.txt"]
    try:
        if not PYTHON.exists():
            venv.create(ENVIRONMENT, with_pip=True)
        subprocess.run(install, cwd=ROOT, check=True)
    except subprocess.CalledProcessError as error:
        sys.exit(
            f"The set-up has failed ({error}). It needs the internet, some 6 GB of disk, and Python's module venv "
            "(on Debian and Ubuntu: the package python3-venv). Delete .venv and try again."
        )
    stamp.write_text(wanted.hexdigest())


def execute_notebooks(names: list[str]) -> int:
    """Run each notebook whose code has changed since it was stored (all of them: changed, added, or never run)."""
    set_up()
    for path in [Path(name) for name in names] or sorted((ROOT / "notebooks").glob("*.ipynb")):
        if json.loads(path.read_text("utf-8"))["metadata"].get("executed") == compute_code_hash(path):
            print(f"{path.name}: unchanged")
            continue
        print(f"{path.name}: running in full", flush=True)
        options = ["--ExecutePreprocessor.record_timing=False", "--ExecutePreprocessor.timeout=900"]
        command = [PYTHON, "-m", "nbconvert", "--to", "notebook", "--execute", "--inplace", *options, path.resolve()]
        if status := run([*command, "--log-level", "WARN"], FULL_RUN):
            return status
        notebook = json.loads(path.read_text("utf-8"))
        notebook["metadata"] = {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            "executed": compute_code_hash(path),
        }
        for cell in notebook["cells"]:
            cell["metadata"] = {}
        write_notebook(path, notebook)
        copy_picture(notebook)
    return 0


def copy_picture(notebook: dict) -> None:
    """Keep the picture of the README the same as in the notebook that draws it."""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code" and "plot_journey(" in "".join(cell["source"]):
            picture = cell["outputs"][-1]["data"]["image/png"]
            (ROOT / "data" / "journey.png").write_bytes(base64.b64decode("".join(picture)))


def compute_code_hash(path: Path) -> str:
    """Return a fingerprint of a notebook's code cells: what its stored outputs depend on."""
    cells = json.loads(path.read_text("utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    code = [re.sub('REPOSITORY = ".*"', "", source) for source in code]  # an address changes no output
    return hashlib.sha256(json.dumps(code).encode()).hexdigest()[:16]


def write_address(_: list[str]) -> int:
    """Write pyproject's Repository into the badges and setup cells of the notebooks, and into the README."""
    address = re.search(r'^Repository = "(https://github\.com/[^"]+)"$', read("pyproject.toml"), re.M)
    if not address:
        print('pyproject.toml needs a line like: Repository = "https://github.com/OWNER/NAME"')
        return 2
    new = address[1].removesuffix(".git").rstrip("/")
    for path in [ROOT / "README.md", *sorted((ROOT / "notebooks").glob("*.ipynb"))]:
        text = path.read_text("utf-8")
        # Every address in these files that is the course's own stands in one of these three forms.
        changed = re.sub(r"(colab\.research\.google\.com/github/)[^/]+/[^/]+(/blob)", rf"\g<1>{new[19:]}\g<2>", text)
        changed = re.sub(r'(REPOSITORY = \\")[^"\\]+(\\")', rf"\g<1>{new}\2", changed)
        changed = re.sub(r"(git clone )\S+", rf"\g<1>{new}", changed) if path.suffix == ".md" else changed
        if changed != text:
            path.write_text(changed, "utf-8", newline="\n")
            print(f"{path.name}: {new}")
    return 0


def write_notebook(path: Path, notebook: dict) -> None:
    text = json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    temporary = path.with_suffix(".part")
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
