"""python -m lenet_utils: what each command does, and what it says to a wrong call."""

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from lenet_utils import __main__ as command_line
from lenet_utils import runs
from lenet_utils.checkpoints import find_checkpoint, load_checkpoint
from lenet_utils.data import load_mnist
from lenet_utils.recipes import RECIPES, find_recipe

CHECKPOINT = str(find_checkpoint("lenet5.pt"))


@pytest.fixture(autouse=True)
def small_data(monkeypatch, request):
    """1,000 training images and 500 test images, unless a test asks for all."""
    if "all_data" in request.keywords:
        return
    whole = load_mnist

    def load_a_little(train, **options):
        dataset = whole(train, **options)
        count = 1_000 if train else 500
        dataset.data, dataset.targets = dataset.data[:count], dataset.targets[:count]
        return dataset

    monkeypatch.setattr(runs, "load_mnist", load_a_little)


@pytest.fixture
def seven(tmp_path):
    path = tmp_path / "seven.png"
    Image.fromarray(load_mnist(train=False).data[0].numpy()).resize((80, 80)).save(path)
    return str(path)


def call(*arguments):
    return command_line.main([str(argument) for argument in arguments])


# ---- train ----


def test_train_writes_checkpoint_history_and_curves(tmp_path, capsys):
    out = tmp_path / "run"
    assert call("train", "mlp", "--epochs", 2, "--seed", 3, "--out", out) == 0
    assert sorted(file.name for file in out.iterdir()) == ["curves.png", "history.csv", "model.pt"]
    assert pd.read_csv(out / "history.csv").epoch.tolist() == [1, 2]
    assert load_checkpoint(out / "model.pt").inputs == RECIPES["mlp"].inputs
    assert Image.open(out / "curves.png").width > 500
    output = capsys.readouterr()
    assert output.out.count("epoch ") == 2 and output.err == ""


# One with dropout, one with Adam's memory, one that distorts its digits anew in each pass.
@pytest.mark.parametrize("recipe", ["cnn3x3", "lenet5-adam", "lenet5-1998-distorted"])
def test_resumed_run_ends_with_the_same_weights_bit_for_bit(recipe, tmp_path, monkeypatch, capsys):
    assert call("train", recipe, "--epochs", 3, "--out", tmp_path / "whole") == 0

    keep = runs.save_runs

    def stop_after_two(path, unfinished, epochs):
        keep(path, unfinished, epochs)
        if len(unfinished[0].history.epochs) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(runs, "save_runs", stop_after_two)
    assert call("train", recipe, "--epochs", 3, "--out", tmp_path / "parts") == 130
    assert [file.name for file in (tmp_path / "parts").iterdir()] == ["state.pt"]
    monkeypatch.setattr(runs, "save_runs", keep)
    torch.manual_seed(99)  # another process would have another random state
    capsys.readouterr()
    assert call("train", "--resume", tmp_path / "parts") == 0
    assert re.findall(r"(?:epoch|pass) +(\d)/3 ", capsys.readouterr().out) == ["3"]

    whole, parts = (load_checkpoint(tmp_path / name / "model.pt").model for name in ("whole", "parts"))
    for name, weight in whole.state_dict().items():
        assert torch.equal(weight, parts.state_dict()[name]), name
    histories = [pd.read_csv(tmp_path / name / "history.csv") for name in ("whole", "parts")]
    assert histories[0].drop(columns="seconds").equals(histories[1].drop(columns="seconds"))
    assert not (tmp_path / "parts" / "state.pt").exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_interrupted_process_keeps_its_last_epoch(sent, tmp_path):
    out = tmp_path / "run"
    command = [sys.executable, "-m", "lenet_utils", "train", "mlp", "--out", out]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    while not (out / "state.pt").exists():
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.05)
    process.send_signal(sent)
    said = process.communicate()[0]
    if sent == signal.SIGINT:
        assert process.returncode == 130 and f"train --resume {out}" in said
    (run,), epochs = runs.load_runs(out / "state.pt")
    assert epochs == 15 and 1 <= len(run.history.epochs) < 15


# ---- evaluate, predict, recipes ----


@pytest.mark.all_data
def test_evaluate_prints_what_the_report_prints(capsys, tmp_path):
    assert call("evaluate", CHECKPOINT, "--figure", tmp_path / "matrix.png") == 0
    out = capsys.readouterr().out
    assert "Accuracy on test images: 98.93 %" in out
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


def test_recipes_shows_all(capsys):
    assert call("recipes") == 0
    out = capsys.readouterr().out
    assert "nan" not in out
    assert all(name in out and recipe.document in out for name, recipe in RECIPES.items())


# ---- study ----


def test_study_keeps_results_and_never_runs_twice(tmp_path, monkeypatch, capsys):
    runs.study(["mlp", "convnet-sigmoid"], seeds=1, root=tmp_path)
    first = (tmp_path / "results.csv").read_text()
    runs.study(["mlp", "convnet-sigmoid"], seeds=2, root=tmp_path)
    assert (tmp_path / "results.csv").read_text().startswith(first)  # rows are added, not changed
    results = runs.load_results(tmp_path)
    assert list(results.columns) == runs.RESULT_COLUMNS
    assert results[["recipe", "seed"]].to_numpy().tolist() == [
        ["mlp", 0], ["convnet-sigmoid", 0], ["mlp", 1], ["convnet-sigmoid", 1],
    ]  # fmt: skip
    assert (results.epochs == results.recipe.map(lambda name: RECIPES[name].epochs)).all()
    predictions = np.load(tmp_path / "runs" / "mlp-0" / "predictions.npy")
    assert predictions.dtype == np.uint8 and predictions.shape == (500,)
    labels = load_mnist(train=False).targets[:500].numpy()
    assert results.test_accuracy[0] == pytest.approx(100 * (predictions == labels).mean())
    history = pd.read_csv(tmp_path / "runs" / "mlp-0" / "history.csv")
    assert history.test_accuracy.iloc[-1] == pytest.approx(results.test_accuracy[0])
    assert (tmp_path / "runs" / "mlp-0" / "model.pt").exists()
    assert not (tmp_path / "runs" / "convnet-sigmoid-0" / "model.pt").exists()


def test_study_side_by_side_goes_on_where_it_was_interrupted(tmp_path, monkeypatch, capsys):
    short = replace(find_recipe("lenet5-1998"), epochs=2)
    monkeypatch.setattr(runs, "find_recipe", lambda name: short)
    runs.study(["lenet5-1998"], seeds=2, root=tmp_path / "whole")

    keep = runs.save_runs

    def stop_after_one(path, unfinished, epochs):
        keep(path, unfinished, epochs)
        raise KeyboardInterrupt

    monkeypatch.setattr(runs, "save_runs", stop_after_one)
    monkeypatch.setattr(runs, "find_data_root", lambda: tmp_path / "parts")
    assert call("study", "lenet5-1998", "--seeds", 2) == 130
    assert not (tmp_path / "parts" / "results.csv").exists()
    monkeypatch.setattr(runs, "save_runs", keep)
    capsys.readouterr()
    runs.study(["lenet5-1998"], seeds=1, root=tmp_path / "parts")  # both are finished all the same
    assert re.findall(r"seed (\d), pass +(\d)/2 ", capsys.readouterr().out) == [("0", "2"), ("1", "2")]
    runs.study(["lenet5-1998"], seeds=3, root=tmp_path / "parts")  # and one more

    whole, parts = (runs.load_results(tmp_path / name) for name in ("whole", "parts"))
    assert parts.seed.tolist() == [0, 1, 2] and whole.seed.tolist() == [0, 1]
    assert not list((tmp_path / "parts" / "runs").glob("*.pt"))
    for seed in (0, 1):
        models = [
            load_checkpoint(tmp_path / name / "runs" / f"lenet5-1998-{seed}" / "model.pt").model
            for name in ("whole", "parts")
        ]
        for name, weight in models[0].state_dict().items():
            assert torch.equal(weight, models[1].state_dict()[name]), name


def test_summary_computes_mean_and_spread():
    rows = [{"recipe": "mlp", "test_accuracy": value, "train_seconds": 10} for value in (97.0, 98.0)]
    table = runs.summarise_results(pd.DataFrame(rows))
    mlp = table.loc["mlp"]
    assert (mlp["mean"], mlp.least, mlp.most, mlp.seeds) == (97.5, 97, 98, 2)
    assert mlp.sd == pytest.approx(0.5**0.5) and mlp.verdict == "reached"
    assert table.loc["cnn3x3"].verdict == "not run" and len(table) == len(RECIPES)


# ---- wrong calls: one line, status 2, nothing written ----


def bad_calls(folder, seven):
    taken, text = folder / "taken", folder / "text.pt"
    return {
        "no command": [],
        "unknown command": ["tarin", "mlp"],
        "unknown recipe": ["train", "mpl"],
        "neither recipe nor --resume": ["train"],
        "no epochs": ["train", "mlp", "--epochs", 0],
        "epochs in words": ["train", "mlp", "--epochs", "two"],
        "folder with files": ["train", "mlp", "--out", taken],
        "folder that is a file": ["train", "mlp", "--out", text],
        "missing device": ["train", "mlp", "--device", "tpu", "--out", folder / "new"],
        "nothing to resume": ["train", "--resume", taken],
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


@pytest.mark.parametrize("case", bad_calls(__import__("pathlib").Path("x"), "x"))
def test_wrong_call_gets_one_line_and_status_2(case, seven, tmp_path, capsys):
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "thesis.txt").write_text("mine")
    (tmp_path / "text.pt").write_text("no checkpoint")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    arguments = bad_calls(tmp_path, seven)[case]
    assert call(*arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1 and len(error) < 400
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_closed_folder_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write anywhere
    assert call("train", "mlp", "--out", tmp_path / "closed") == 2
    assert "cannot be written to" in capsys.readouterr().err
