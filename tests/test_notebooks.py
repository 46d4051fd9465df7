"""How the notebooks are built and stored."""

import base64
import importlib
import inspect
import io
import json
import re

import pytest
from notebooks_as_data import (
    NAMES,
    PATHS,
    PROJECT,
    ROOT,
    find_claims,
    find_exercises,
    find_imports,
    is_folded,
    read_code,
    read_notebook,
    read_outputs,
    read_printed,
    read_prose,
    write_strip,
)  # fmt: skip
from PIL import Image

import course as commands

ADDRESS = PROJECT["urls"]["Repository"]

each_notebook = pytest.mark.parametrize("path", PATHS, ids=NAMES)


def test_the_course_has_its_notebooks():
    assert NAMES == [
        "01_dataset_exploration", "02_mlp_baseline", "03_simple_cnn", "04_lenet5", "05_feature_maps",
        "06_confusion_matrix", "07_backpropagation", "08_lenet5_1998", "09_is_the_difference_real",
    ]  # fmt: skip


@each_notebook
def test_stored_from_one_full_run(path):
    counts = [cell["execution_count"] for kind, _, cell in read_notebook(path) if kind == "code"]
    assert counts == list(range(1, len(counts) + 1))
    executed = json.loads(path.read_text("utf-8"))["metadata"]["executed"]
    assert executed == commands.compute_fingerprint(path), "the code has changed since: python course.py execute"
    assert "LENET_FAST=1" not in json.dumps(read_outputs(path))


@each_notebook
def test_no_errors_stderr_widgets_or_folders_are_stored(path):
    for output in read_outputs(path):
        assert output["output_type"] != "error"
        assert output.get("name") != "stderr", output["text"]
        assert "application/vnd.jupyter.widget-view+json" not in output.get("data", {})
        text = json.dumps({key: value for key, value in output.items() if key != "data"})
        text += json.dumps({key: value for key, value in output.get("data", {}).items() if "image" not in key})
        assert not re.search(r"/(work|root|home|tmp|Users|usr|content)/|[A-Z]:\\\\|site-packages", text), text


@each_notebook
def test_small_enough(path):
    assert path.stat().st_size < 1_000_000  # bytes; the aim is half of it


@each_notebook
def test_opens_as_the_others_do(path):
    cells = read_notebook(path)
    opening = "\n".join(source for kind, source, _ in cells[:4] if kind == "markdown")
    assert cells[0][0] == "markdown" and cells[0][1].startswith("# ")
    assert "**You will learn**" in opening and "**You need**" in opening and "two CPU cores" in opening
    assert len(re.findall(r"^# ", "\n".join(read_prose(path)), re.M)) == 1


@each_notebook
def test_says_below_its_title_where_it_stands(path):
    assert read_prose(path)[0].split("\n\n")[1] == write_strip(path)


@each_notebook
def test_closes_as_the_others_do(path):
    headings = re.findall(r"^## (.*)$", "\n".join(read_prose(path)), re.M)
    assert headings[-2:] == ["Summary", "Exercises"]
    last = read_prose(path)[-1]
    assert "**Next:**" in last
    position = PATHS.index(path)
    if position + 1 < len(PATHS):
        assert f"]({PATHS[position + 1].name})" in last


@each_notebook
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", "\n".join(read_prose(path))):
        assert (path.parent / target).exists(), target


@each_notebook
def test_badge_and_setup_cell_carry_the_address(path):
    badge = f"{ADDRESS.replace('github.com', 'colab.research.google.com/github')}/blob/main/notebooks/{path.name}"
    assert f"]({badge})" in "\n".join(read_prose(path)[:1])
    assert f'REPOSITORY = "{ADDRESS}"' in read_code(path)[0]


def test_setup_cells_are_equal_short_and_folded():
    first = [next(cell for kind, _, cell in read_notebook(path) if kind == "code") for path in PATHS]
    assert len({"".join(cell["source"]) for cell in first}) == 1
    assert len(first[0]["source"]) <= 16 and "".join(first[0]["source"]).startswith("# @title Setup")
    assert all(is_folded(cell) for cell in first)


@each_notebook
def test_imports_are_folded(path):
    second = [cell for kind, _, cell in read_notebook(path) if kind == "code"][1]
    assert "".join(second["source"]).startswith("# @title Imports") and is_folded(second)


@each_notebook
def test_claims_are_few_and_in_sight(path):
    """A claim is a sentence a reader sees; what is only a test stands in tests/checks."""
    claims = find_claims(path)
    assert 5 <= len(claims) <= 10
    assert len(set(claims)) == len(claims)
    assert not re.search(r"^\s*assert\b", "\n".join(read_code(path)), re.M)
    assert (ROOT / "tests" / "checks" / path.with_suffix(".py").name).exists()


@each_notebook
def test_every_claim_held_when_it_was_stored(path):
    printed = read_printed(path)
    assert "does not hold" not in printed and "passed over in a shortened run" not in printed
    assert len(re.findall(r"^holds: ", printed, re.M)) >= len(find_claims(path))


@each_notebook
def test_a_guess_comes_before_its_answer(path):
    """The output of a cell right below a question that asks for a guess is folded until the cell is run."""
    cells = read_notebook(path)
    for (kind, source, _), (next_kind, _, below) in zip(cells, cells[1:]):
        last = source.strip().splitlines()[-1] if source.strip() else ""
        if kind == "markdown" and next_kind == "code" and re.search(r"(?i)\b(guess|predict|expect)\b.*\?", last):
            assert below["metadata"].get("jupyter", {}).get("outputs_hidden"), last


@each_notebook
def test_a_notebook_is_a_lesson(path):
    cells = read_notebook(path)
    in_sight = [source for kind, source, cell in cells if kind == "code" and not is_folded(cell)]
    assert len(cells) <= 80
    assert sum(len(source.splitlines()) for source in in_sight) <= 350


@each_notebook
def test_cells_are_short(path):
    lengths = [len(source.splitlines()) for source in read_code(path)[2:]]
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


def test_lesson_plan_names_headings_that_exist():
    named = 0
    for row in re.findall(r"^\| .*", (ROOT / "notebooks" / "README.md").read_text("utf-8"), re.M):
        for file, words in re.findall(r"\]\((\w+\.ipynb)\)([^|\[]*)", row):
            text = "\n".join(read_prose(ROOT / "notebooks" / file))
            for heading in re.findall(r"\*([^*]+)\*", words):
                assert re.search(rf"^##+ (?:{re.escape(heading)}|{re.escape(heading)}:.*)$", text, re.M), heading
                named += 1
    assert named > 12


def first_time_pointers():
    for name in (
        "data", "models", "evaluation", "training", "checkpoints", "plotting", "pictures", "lenet1998.network",
        "lenet1998.trainer",
    ):  # fmt: skip
        module = importlib.import_module(f"lenet_utils.{name}")
        for match in re.finditer(r"notebooks/(\w+)\.ipynb,\s+«([^»]+)»", inspect.getsource(module)):
            yield pytest.param(match[1], " ".join(match[2].split()), id=f"{name}-{match[2]}")


@pytest.mark.parametrize("notebook, heading", list(first_time_pointers()))
def test_docstrings_point_to_places_that_exist(notebook, heading):
    text = "\n".join(read_prose(ROOT / "notebooks" / f"{notebook}.ipynb"))
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


@each_notebook
def test_every_figure_is_sharp_and_has_a_description(path):
    """What ``lenet_utils.figures`` stores: a palette PNG of twice the size, and what is to be seen on it."""
    pictures = [output for output in read_outputs(path) if "image/png" in output.get("data", {})]
    assert pictures
    for output in pictures:
        picture = Image.open(io.BytesIO(base64.b64decode(output["data"]["image/png"])))
        stored = output["metadata"]["image/png"]
        assert picture.mode == "P" and abs(picture.width - 2 * stored["width"]) <= 1
        assert len(stored["alt"]) >= 15 and "without words" not in stored["alt"]
        assert stored["width"] <= 1000  # pixels: what fits beside JupyterLab's side bar
    descriptions = [output["metadata"]["image/png"]["alt"] for output in pictures]
    assert len(set(descriptions)) == len(descriptions)


@each_notebook
def test_moving_pictures_are_small_and_have_a_still(path):
    for output in read_outputs(path):
        page = "".join(output.get("data", {}).get("text/html", []))
        if "moving-" in page:
            assert len(page) <= 200_000
            assert page.count('src="data:image/png;base64,') == 1 and 'alt="A moving picture of' in page


def test_the_course_moves():
    moving = [path.stem[:2] for path in PATHS for output in read_outputs(path) if "moving-" in str(output.get("data"))]
    assert {"02", "03", "06", "08"} <= set(moving) and len(moving) >= 5
