"""How the notebooks are built and stored."""

import importlib
import inspect
import json
import re
from pathlib import Path

import pytest
from notebooks_as_data import NAMES, PATHS, PROJECT, ROOT, find_exercises, find_imports, read_notebook

import course as commands

ADDRESS = PROJECT["urls"]["Repository"]

each_notebook = pytest.mark.parametrize("path", PATHS, ids=NAMES)


def sources(path: Path, kind: str) -> list[str]:
    return [source for cell_kind, source, _ in read_notebook(path) if cell_kind == kind]


def outputs(path: Path) -> list[dict]:
    return [output for kind, _, cell in read_notebook(path) if kind == "code" for output in cell["outputs"]]


def test_the_course_has_its_notebooks():
    assert NAMES == [
        "01_dataset_exploration", "02_mlp_baseline", "03_simple_cnn", "04_lenet5", "05_feature_maps",
        "06_confusion_matrix", "07_lenet5_1998",
    ]  # fmt: skip


@each_notebook
def test_stored_from_one_full_run(path):
    counts = [cell["execution_count"] for kind, _, cell in read_notebook(path) if kind == "code"]
    assert counts == list(range(1, len(counts) + 1))
    executed = json.loads(path.read_text("utf-8"))["metadata"]["executed"]
    assert executed == commands.compute_code_hash(path), "the code has changed since: python course.py execute"
    assert "LENET_FAST=1" not in json.dumps(outputs(path))


@each_notebook
def test_no_errors_stderr_widgets_or_folders_are_stored(path):
    for output in outputs(path):
        assert output["output_type"] != "error"
        assert output.get("name") != "stderr", output["text"]
        assert "application/vnd.jupyter.widget-view+json" not in output.get("data", {})
        text = json.dumps({key: value for key, value in output.items() if key != "data"})
        text += json.dumps({key: value for key, value in output.get("data", {}).items() if "image" not in key})
        assert not re.search(r"/(work|root|home|tmp|Users|usr|content)/|[A-Z]:\\\\|site-packages", text), text


@each_notebook
def test_small_enough(path):
    assert path.stat().st_size < 500_000


@each_notebook
def test_opens_as_the_others_do(path):
    cells = read_notebook(path)
    opening = "\n".join(source for kind, source, _ in cells[:4] if kind == "markdown")
    assert cells[0][0] == "markdown" and cells[0][1].startswith("# ")
    assert "**You will learn**" in opening and "**You need**" in opening and "two CPU cores" in opening
    code = sources(path, "code")
    assert code[0].startswith("# Setup") and "import" in code[1]
    assert len(re.findall(r"^# ", "\n".join(sources(path, "markdown")), re.M)) == 1


@each_notebook
def test_closes_as_the_others_do(path):
    headings = re.findall(r"^## (.*)$", "\n".join(sources(path, "markdown")), re.M)
    assert headings[-2:] == ["Summary", "Exercises"]
    last = sources(path, "markdown")[-1]
    assert "**Next:**" in last
    position = PATHS.index(path)
    if position + 1 < len(PATHS):
        assert f"]({PATHS[position + 1].name})" in last


@each_notebook
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", "\n".join(sources(path, "markdown"))):
        assert (path.parent / target).exists(), target


@each_notebook
def test_badge_and_setup_cell_carry_the_address(path):
    badge = f"{ADDRESS.replace('github.com', 'colab.research.google.com/github')}/blob/main/notebooks/{path.name}"
    assert f"]({badge})" in "\n".join(sources(path, "markdown")[:1])
    assert f'REPOSITORY = "{ADDRESS}"' in sources(path, "code")[0]


def test_setup_cells_are_equal():
    assert len({sources(path, "code")[0] for path in PATHS}) == 1


@each_notebook
def test_cells_are_short(path):
    lengths = [len(source.splitlines()) for source in sources(path, "code")[1:]]
    assert max(lengths) <= 45
    assert sorted(lengths)[len(lengths) // 2] <= 15  # the median


@each_notebook
def test_compared_outputs_hold_whole_numbers_only(path):
    """Floats differ between processors; dates and seconds between runs. (torchsummary's sizes in MB are exact.)"""
    marked = [cell for kind, source, cell in read_notebook(path) if kind == "code" and "# NBVAL_CHECK_OUTPUT" in source]
    assert marked
    for cell in marked:
        assert cell["outputs"] and all(output["output_type"] == "stream" for output in cell["outputs"])
        text = "".join(line for output in cell["outputs"] for line in output["text"])
        assert not re.search(r"\d\.\d|\d\de-\d", re.sub(r"\(MB\): \d\.\d\d", "", text)), text


@each_notebook
def test_has_exercises_with_solutions(path):
    exercises = find_exercises(path)
    assert len(exercises) >= 3
    stored = [cell for kind, source, cell in read_notebook(path) if source in dict(exercises)]
    assert len(stored) == len(exercises)
    for cell in stored:
        assert "".join(cell["outputs"][0]["text"]).startswith("Not answered yet")


@pytest.mark.parametrize(
    "path, exercise, solution",
    [
        pytest.param(path, *pair, id=f"{path.stem}-{number}")
        for path in PATHS
        for number, pair in enumerate(find_exercises(path), start=1)
    ],
)
def test_every_solution_satisfies_its_checker(path, exercise, solution, capsys):
    assert solution, "there is no solution below this exercise"
    namespace = {}
    exec(find_imports(path), namespace)
    exec(exercise, namespace)
    assert capsys.readouterr().out.startswith("Not answered yet")
    exec(solution, namespace)
    exec(exercise.splitlines()[-1], namespace)
    assert capsys.readouterr().out.startswith("Yes: ")


def first_time_pointers():
    for name in (
        "data", "models", "evaluation", "training", "checkpoints", "plotting", "lenet1998",
    ):  # fmt: skip
        module = importlib.import_module(f"lenet_utils.{name}")
        for match in re.finditer(r"notebooks/(\w+)\.ipynb,\s+«([^»]+)»", inspect.getsource(module)):
            yield pytest.param(match[1], " ".join(match[2].split()), id=f"{name}-{match[2]}")


@pytest.mark.parametrize("notebook, heading", list(first_time_pointers()))
def test_docstrings_point_to_places_that_exist(notebook, heading):
    text = "\n".join(sources(ROOT / "notebooks" / f"{notebook}.ipynb", "markdown"))
    assert re.search(rf"^##+ {re.escape(heading)}$", text, re.M)


def test_there_are_pointers():
    assert len(list(first_time_pointers())) > 10


@each_notebook
def test_every_figure_is_described_in_words(path):
    """Text stands somewhere after each figure, before the next but one: no two pictures without a word."""
    silent = 0
    for kind, _, cell in read_notebook(path):
        if kind == "markdown":
            silent = 0
            continue
        silent += sum("image/png" in output.get("data", {}) for output in cell["outputs"])
        assert silent <= 2
