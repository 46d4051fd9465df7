"""python -m lenet_utils: what each command prints, and what it says to a wrong call. test_studies.py trains."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from notebooks_as_data import ROOT
from PIL import Image

from lenet_utils.checkpoints import find_checkpoint
from lenet_utils.data import load_mnist
from lenet_utils.recipes import RECIPES, RECIPES_1998
from lenet_utils.results import load_results
from lenet_utils.studies import command_line
from lenet_utils.studies.made_photographs import draw_scribble

CHECKPOINT = str(find_checkpoint("lenet5.pt"))


@pytest.fixture(scope="module")
def seven(tmp_path_factory):
    path = tmp_path_factory.mktemp("images") / "seven.png"
    Image.fromarray(load_mnist(train=False).data[0].numpy()).resize((80, 80)).save(path)
    return str(path)


def call(*arguments):
    return command_line.main([str(argument) for argument in arguments])


# ---- evaluate, predict, recipes ----


def test_evaluate_prints_what_the_report_prints(capsys, tmp_path):
    assert call("evaluate", CHECKPOINT, "--figure", tmp_path / "matrix.png") == 0
    out = capsys.readouterr().out
    stored = load_results().query("recipe == 'lenet5-adam' and seed == 0").test_accuracy.item()
    assert f"Accuracy on test images: {stored:.2f} %" in out
    assert out.count("Accuracy of ") == 10
    assert "precision    recall  f1-score   support" in out and "[[" in out
    assert Image.open(tmp_path / "matrix.png").width > 500


def test_predict_names_digit_and_confidence(seven, tmp_path, capsys):
    assert call("predict", CHECKPOINT, seven, seven, "--show", tmp_path / "seen.png") == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum(": 7 (" in line and "% sure)" in line for line in lines) == 2
    assert Image.open(tmp_path / "seen.png").width > 300


def test_one_bad_image_does_not_stop_the_others(seven, tmp_path, capsys):
    assert call("predict", CHECKPOINT, tmp_path / "missing.png", seven) == 2
    output = capsys.readouterr()
    assert ": 7 (" in output.out and "missing.png" in output.err


def test_predict_says_where_it_is_not_sure(seven, tmp_path, capsys):
    scribble = draw_scribble(80, np.random.default_rng(0))
    Image.fromarray((255 * scribble).astype(np.uint8)).save(tmp_path / "scribble.png")
    assert call("predict", CHECKPOINT, tmp_path / "scribble.png", seven) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "scribble.png: not sure, perhaps " in lines[-2] and " %)" in lines[-2] and ": 7 (" in lines[-1]


def test_predict_expands_patterns_and_names_folders(seven, tmp_path, capsys):
    for name in ("a.png", "b.png", "[1].png"):
        (tmp_path / name).write_bytes(Path(seven).read_bytes())
    assert call("predict", CHECKPOINT, tmp_path / "*.png") == 0
    assert capsys.readouterr().out.count(": 7 (") == 3
    (tmp_path / "1.png").write_text("what the pattern [1].png would fit")
    assert call("predict", CHECKPOINT, tmp_path / "[1].png", tmp_path / "[ab].png") == 0
    assert capsys.readouterr().out.count(": 7 (") == 3
    assert call("predict", CHECKPOINT, tmp_path / "*.jpg", tmp_path, seven) == 2
    output = capsys.readouterr()
    assert "*.jpg" in output.err and "is a folder" in output.err and ": 7 (" in output.out


def test_recipes_shows_all(capsys):
    assert call("recipes") == 0
    out = capsys.readouterr().out
    assert "nan" not in out
    assert all(name in out and recipe.document in out for name, recipe in (RECIPES | RECIPES_1998).items())


def test_results_writes_the_table_of_the_records(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command_line, "find_data_root", lambda: tmp_path)
    assert call("results") == 0
    assert capsys.readouterr().out == f"written: {(tmp_path / 'results.csv').as_posix()}\n"
    assert (tmp_path / "results.csv").read_bytes() == (ROOT / "data" / "results.csv").read_bytes()


# ---- wrong calls: one line, status 2, nothing written ----


def bad_calls(folder, seven):
    taken, text, run = folder / "taken", folder / "text.pt", folder / "run"
    return {
        "no command": [],
        "unknown command": ["tarin", "mlp"],
        "unknown recipe": ["train", "mpl"],
        "neither recipe nor --resume": ["train"],
        "both recipe and --resume": ["train", "mlp", "--resume", run],
        "epochs with --resume": ["train", "--resume", run, "--epochs", 9],
        "seed with --resume": ["train", "--resume", run, "--seed", 0],
        "out with --resume": ["train", "--resume", run, "--out", folder / "new"],
        "force with --resume": ["train", "--resume", run, "--force"],
        "no epochs": ["train", "mlp", "--epochs", 0, "--out", folder / "new"],
        "epochs in words": ["train", "mlp", "--epochs", "two", "--out", folder / "new"],
        "negative seed": ["train", "mlp", "--seed", -1, "--out", folder / "new"],
        "huge seed": ["train", "mlp", "--seed", 2**64, "--out", folder / "new"],
        "folder with files": ["train", "mlp", "--out", taken],
        "folder that is a file": ["train", "mlp", "--out", text],
        "missing device": ["train", "mlp", "--device", "tpu", "--out", folder / "new"],
        "nothing to resume": ["train", "--resume", taken],
        "no state to resume": ["train", "--resume", run],
        "missing checkpoint": ["evaluate", folder / "missing.pt"],
        "no checkpoint": ["evaluate", text],
        "figure that is there": ["evaluate", CHECKPOINT, "--figure", seven],
        "figure without a folder": ["evaluate", CHECKPOINT, "--figure", folder / "no" / "m.png"],
        "figure of an unknown kind": ["evaluate", CHECKPOINT, "--figure", folder / "m.xyz"],
        "missing image": ["predict", CHECKPOINT, folder / "missing.png"],
        "no image": ["predict", CHECKPOINT, text],
        "unknown recipe to study": ["study", "mpl"],
        "no seeds": ["study", "mlp", "--seeds", 0],
    }


@pytest.mark.parametrize("case", bad_calls(Path("x"), "x"))
def test_wrong_call_gets_one_line_and_status_2(case, seven, tmp_path, capsys):
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "thesis.txt").write_text("mine")
    (tmp_path / "text.pt").write_text("no checkpoint")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "state.pt").write_text("no state")
    before = {path: path.is_file() and path.read_bytes() for path in tmp_path.rglob("*")}
    arguments = bad_calls(tmp_path, seven)[case]
    assert call(*arguments) == 2
    error = capsys.readouterr().err
    assert "without them" in error or "--resume" not in arguments or len(arguments) == 3
    assert error.startswith("error: ") and error.count("\n") == 1 and len(error) < 400
    assert {path: path.is_file() and path.read_bytes() for path in tmp_path.rglob("*")} == before


def test_name_that_no_terminal_can_show_is_no_error(seven, tmp_path, capsys):
    path = tmp_path / "a $^$ of \udcff.png"
    try:
        path.write_bytes(Path(seven).read_bytes())
    except OSError:
        pytest.skip("this file system has no such names")
    assert call("predict", CHECKPOINT, path, "--show", tmp_path / "seen.png") == 0
    assert ": 7 (" in capsys.readouterr().out


@pytest.mark.skipif(os.name == "nt", reason="Windows says it in another way")
def test_closed_pipe_is_no_traceback():
    command = [sys.executable, "-m", "lenet_utils", "recipes"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)
    process.stdout.close()
    assert process.wait() == 141 and process.stderr.read() == b""
