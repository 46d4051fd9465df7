"""Training recipes, alone and many: interrupted, killed, resumed, and several processes at once."""

import json
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
from notebooks_as_data import ROOT
from PIL import Image

from lenet_utils import training
from lenet_utils.checkpoints import load_checkpoint
from lenet_utils.data import load_mnist
from lenet_utils.lenet1998.trainer import Trainer1998
from lenet_utils.recipes import RECIPES, find_recipe
from lenet_utils.results import RESULT_COLUMNS, load_results
from lenet_utils.studies import command_line, runs, study

# Another process: 3 epochs on the same few images as below, and a pause after each state that is saved.
CHILD = """
import sys, time
from pathlib import Path
from test_studies import load_a_little, shorten_recipe
from lenet_utils.studies import command_line, runs, study
folder, pause, *arguments = sys.argv[1:]
save = runs.save_atomically
def save_slowly(path, content):
    save(path, content)
    time.sleep(float(pause))
runs.save_atomically, runs.load_mnist = save_slowly, load_a_little
runs.find_recipe = study.find_recipe = command_line.find_recipe = shorten_recipe
study.find_data_root = lambda: Path(folder)
print("ready", flush=True)
sys.stdin.readline()
sys.exit(command_line.main(arguments))
"""


def load_a_little(train, **options):
    """200 training images and 100 test images."""
    dataset = load_mnist(train, **options)
    count = 200 if train else 100
    dataset.data, dataset.targets = dataset.data[:count], dataset.targets[:count]
    return dataset


def shorten_recipe(name):
    return replace(find_recipe(name), epochs=3)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Few images, few epochs."""
    monkeypatch.setattr(runs, "load_mnist", load_a_little)
    for module in (runs, study, command_line):
        monkeypatch.setattr(module, "find_recipe", shorten_recipe)


@pytest.fixture
def start():
    """Start processes that wait for each other, then let them all begin."""
    started = []

    def start(folder, pause, *calls):
        environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}", "PYTHONUNBUFFERED": "1"}
        for arguments in calls:
            command = [sys.executable, "-c", CHILD, folder, str(pause), *map(str, arguments)]
            pipes = {name: subprocess.PIPE for name in ("stdin", "stdout")}
            started.append(subprocess.Popen(command, **pipes, stderr=subprocess.STDOUT, text=True, env=environment))
        for process in started:
            assert process.stdout.readline() == "ready\n", process.communicate()[0]
        for process in started:
            process.stdin.write("\n")
            process.stdin.flush()
        return started

    yield start
    for process in started:
        process.kill()
        process.communicate()


def call(*arguments):
    return command_line.main([str(argument) for argument in arguments])


def wait_for(path, process):
    while not path.exists():
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.02)


def list_files(folder):
    return sorted(path.name for path in folder.glob("[!.]*"))


def assert_same_weights(first, second):
    first, second = (load_checkpoint(folder / "model.pt").model.state_dict() for folder in (first, second))
    for name, weight in first.items():
        assert torch.equal(weight, second[name]), name


# ---- train ----


def test_train_writes_checkpoint_history_curves_predictions_and_record(tmp_path, capsys):
    out = tmp_path / "run"
    assert call("train", "mlp", "--epochs", 2, "--seed", 3, "--out", out) == 0
    output = capsys.readouterr()
    assert output.out.count("epoch ") == 2 and output.err == ""
    assert list_files(out) == ["curves.png", "history.csv", "model.pt", "predictions.npy", "run.json"]
    assert pd.read_csv(out / "history.csv").epoch.tolist() == [1, 2]
    assert load_checkpoint(out / "model.pt").inputs == RECIPES["mlp"].inputs
    assert Image.open(out / "curves.png").width > 500
    record = json.loads((out / "run.json").read_text())
    assert list(record) == list(RESULT_COLUMNS)
    assert (record["recipe"], record["seed"], record["epochs"]) == ("mlp", 3, 2)


# One with dropout, one with Adam's memory, one that distorts its digits anew in each pass, and one on a ladder's rung;
# stopped within an epoch.
@pytest.mark.parametrize("recipe", ["cnn3x3", "lenet5-adam", "lenet5-1998-distorted", "rung-batches"])
def test_resumed_run_ends_with_the_same_weights_bit_for_bit(recipe, tmp_path, monkeypatch, capsys):
    assert call("train", recipe, "--out", tmp_path / "whole") == 0

    calls = []
    with monkeypatch.context() as patch:
        owner, name = (Trainer1998, "train") if "1998" in recipe else (training, "train_one_epoch")
        train = getattr(owner, name)

        def stop_in_the_third(*arguments):
            calls.append(arguments)
            losses = train(*arguments)
            if len(calls) == 3:
                raise KeyboardInterrupt
            return losses

        patch.setattr(owner, name, stop_in_the_third)
        assert call("train", recipe, "--out", tmp_path / "parts") == 130
    assert f"train --resume {tmp_path / 'parts'}" in capsys.readouterr().out
    assert list_files(tmp_path / "parts") == ["state.pt"]
    torch.manual_seed(99)  # another process would have another random state
    assert call("train", "--resume", tmp_path / "parts") == 0
    assert re.findall(r"(?:epoch|pass) +(\d)/3 ", capsys.readouterr().out) == ["3"]

    assert list_files(tmp_path / "parts") == list_files(tmp_path / "whole")
    assert_same_weights(tmp_path / "whole", tmp_path / "parts")
    histories = [pd.read_csv(tmp_path / name / "history.csv") for name in ("whole", "parts")]
    assert histories[0].drop(columns="seconds").equals(histories[1].drop(columns="seconds"))


@pytest.mark.parametrize("done", [0, 1])  # epochs before it was interrupted
def test_rates_follow_the_schedule(done, monkeypatch):
    recipe = replace(find_recipe("rung-adam"), epochs=4, schedule=(1.0, 0.5, 0.1))
    monkeypatch.setattr(runs, "find_recipe", lambda name: recipe)
    rates = []

    def note(model, loader, optimizer, compute_loss):
        rates.append([group["lr"] for group in optimizer.param_groups])
        return [0.0]

    monkeypatch.setattr(training, "train_one_epoch", note)
    run = runs.Run("rung-adam", 0)
    if done:
        run.train(done)
    run = runs.Run.from_state(run.build_state())
    run.train(4)
    assert rates == [pytest.approx([0.001 * factor]) for factor in (1, 0.5, 0.1, 0.1)]


def test_run_stopped_in_its_first_epoch_leaves_nothing(tmp_path, monkeypatch, capsys):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "train_one_epoch", stop)
    assert call("train", "mlp", "--out", tmp_path / "run") == 130
    assert list_files(tmp_path / "run") == [] and "No epoch is saved." in capsys.readouterr().out


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_folder_is_its_process_own_until_ctrl_c(tmp_path, start, capsys):
    out = tmp_path / "run"
    (process,) = start(tmp_path, 60, ["train", "mlp", "--out", out])
    wait_for(out / "state.pt", process)
    for another in (["mlp"], ["mlp", "--force"], ["mlp", "--seed", 1, "--force"], ["--resume", out]):
        where = [] if another[0] == "--resume" else ["--out", out]
        assert call("train", *another, *where) == 2
        assert capsys.readouterr().err == f"error: another process is training in {out}.\n"
    process.send_signal(signal.SIGINT)
    said = process.communicate()[0]
    assert process.returncode == 130 and f"train --resume {out}" in said and "Traceback" not in said
    assert call("train", "--resume", out) == 0
    assert re.findall(r"epoch +(\d)/3 ", capsys.readouterr().out) == ["2", "3"]
    assert "run.json" in list_files(out) and "state.pt" not in list_files(out)


def test_force_replaces_another_run_and_nothing_else_does(tmp_path, capsys):
    out = tmp_path / "run"
    assert call("train", "mlp", "--epochs", 1, "--out", out) == 0
    assert call("train", "mlp", "--seed", 1, "--epochs", 2, "--out", out) == 2
    assert "is not empty" in capsys.readouterr().err
    assert json.loads((out / "run.json").read_text())["seed"] == 0
    assert call("train", "mlp", "--seed", 1, "--epochs", 2, "--out", out, "--force") == 0
    assert json.loads((out / "run.json").read_text())["seed"] == 1
    assert len(pd.read_csv(out / "history.csv")) == 2


# ---- study ----


def test_study_keeps_results_and_never_runs_twice(tmp_path):
    study.study(["mlp", "convnet-sigmoid"], seeds=1, root=tmp_path)
    first = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    study.study(["mlp", "convnet-sigmoid"], seeds=2, root=tmp_path)
    assert {path: path.read_bytes() for path in first} == first
    results = load_results(tmp_path)
    rows = [["mlp", 0], ["mlp", 1], ["convnet-sigmoid", 0], ["convnet-sigmoid", 1]]
    assert results[["recipe", "seed"]].to_numpy().tolist() == rows
    assert (results.epochs == 3).all()
    folder = tmp_path / "runs" / "mlp-0"
    predictions = np.load(folder / "predictions.npy")
    assert predictions.dtype == np.uint8 and predictions.shape == (100,)
    labels = load_mnist(train=False).targets[:100].numpy()
    assert results.test_accuracy[0] == pytest.approx(100 * (predictions == labels).mean(), abs=1e-4)
    assert pd.read_csv(folder / "history.csv").test_accuracy.iloc[-1] == pytest.approx(results.test_accuracy[0])
    assert list_files(folder) == ["history.csv", "model.pt", "predictions.npy", "run.json"]
    assert list_files(tmp_path / "runs" / "convnet-sigmoid-0") == ["history.csv", "predictions.npy", "run.json"]


def test_two_studies_of_the_same_seeds_share_the_work(tmp_path, start):
    said = [process.communicate()[0] for process in start(tmp_path, 0.3, *[["study", "mlp", "--seeds", 4]] * 2)]
    trained = [re.findall(r"mlp: training seed (\d)", text) for text in said]
    assert sorted(trained[0] + trained[1]) == ["0", "1", "2", "3"] and trained[0] and trained[1], said
    for text, other in zip(said, reversed(trained)):
        taken = re.findall(r"^mlp, seed (\d): another process is training it$", text, re.M)
        assert taken and set(taken) <= set(other) and len(taken) == len(set(taken))
        assert re.search(rf"^mlp: left to other processes: seeds? {', '.join(sorted(taken))}$", text, re.M)
    assert load_results(tmp_path).seed.tolist() == [0, 1, 2, 3]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_killed_study_goes_on_where_it_was(tmp_path, start, capsys):
    study.study(["mlp"], seeds=1, root=tmp_path / "whole")
    capsys.readouterr()
    (process,) = start(tmp_path / "parts", 60, ["study", "mlp", "--seeds", 1])
    wait_for(tmp_path / "parts" / "runs" / "mlp-0" / "state.pt", process)
    process.kill()
    process.wait()
    assert load_results(tmp_path / "parts").empty
    study.study(["mlp"], seeds=1, root=tmp_path / "parts")
    assert re.findall(r"epoch +(\d)/3 ", capsys.readouterr().out) == ["2", "3"]
    assert_same_weights(*(tmp_path / name / "runs" / "mlp-0" for name in ("whole", "parts")))
    assert list_files(tmp_path / "parts" / "runs" / "mlp-0") == list_files(tmp_path / "whole" / "runs" / "mlp-0")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_killed_parallel_study_goes_on_with_the_same_networks(tmp_path, start, capsys):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    study.study(["lenet5-1998"], seeds=2, root=whole)
    (process,) = start(parts, 60, ["study", "lenet5-1998", "--seeds", 2])
    wait_for(parts / "runs" / "lenet5-1998-0" / "state.pt", process)
    capsys.readouterr()
    study.study(["lenet5-1998"], seeds=3, root=parts)  # beside it
    said = capsys.readouterr().out
    assert "seed 0: another process is training it\nlenet5-1998, seed 1: another process is training it\n" in said
    assert re.findall(r"training seeds? (.*)", said) == ["2"]
    assert said.endswith("lenet5-1998: left to other processes: seeds 0, 1\n")
    process.kill()
    process.wait()
    assert load_results(parts).seed.tolist() == [2]
    study.study(["lenet5-1998"], seeds=1, root=parts)  # both are finished all the same
    passes = re.findall(r"seed (\d), pass +(\d)/3 ", capsys.readouterr().out)
    assert passes == [("0", "2"), ("1", "2"), ("0", "3"), ("1", "3")]
    assert load_results(parts).seed.tolist() == [0, 1, 2]
    assert not list(parts.rglob("state.pt"))
    for seed in (0, 1):
        assert_same_weights(*(folder / "runs" / f"lenet5-1998-{seed}" for folder in (whole, parts)))


def test_stopped_study_says_how_to_go_on(tmp_path, monkeypatch, capsys):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "evaluate", stop)
    monkeypatch.setattr(study, "find_data_root", lambda: tmp_path)
    assert call("study", "mlp") == 130
    assert "the same command goes on" in capsys.readouterr().out


@pytest.mark.parametrize("removed", ["run.json", "state.pt"])
def test_study_refuses_the_folder_of_another_run(removed, tmp_path):
    folder = tmp_path / "runs" / "mlp-1"
    run = runs.Run("mlp", 0)
    runs.train_to_the_end([run], 1, folder / "state.pt")
    study.save_run(run, folder, save_weights=False)
    (folder / removed).unlink()
    with pytest.raises(ValueError, match=r"mlp-1 holds another run: mlp, seed 0, not mlp, seed 1\."):
        study.study(["mlp"], seeds=2, root=tmp_path)


def test_damaged_state_is_named(tmp_path, capsys):
    content = {"format": runs.STATE_FORMAT, "epochs": 3, "runs": [{"recipe": "mlp", "seed": 0, "model": {}}]}
    runs.save_atomically(tmp_path / "run" / "state.pt", content)
    assert call("train", "--resume", tmp_path / "run") == 2
    assert "state.pt is damaged: delete it, and train again." in capsys.readouterr().err
