"""The stored runs: complete, in step with each other, and rightly told in the README."""

import importlib.util
import re

import numpy as np
import pandas as pd
import pytest
import torch
from notebooks_as_data import ROOT, read_notebook

from lenet_utils.checkpoints import find_checkpoint, load_checkpoint
from lenet_utils.data import find_data_root, load_mnist, prepare_images
from lenet_utils.evaluation import compute_accuracy, predict_logits
from lenet_utils.lenet1998 import Trainer1998
from lenet_utils.models import LeNet1998, count_parameters
from lenet_utils.recipes import LADDER, RECIPES, RECIPES_1998, RUBBISH, find_recipe
from lenet_utils.runs import (
    RESULT_COLUMNS,
    SAVED_WEIGHTS,
    load_histories,
    load_predictions,
    load_results,
    summarise_results,
)

RESULTS = load_results()
SEEDS = {"lenet5-1998-eq8": 3, "lenet5-1998-distorted": 1}  # of all other recipes: five
RUN = [*RECIPES, *RECIPES_1998, *LADDER]
FOLDERS = sorted(path.name for path in (find_data_root() / "runs").iterdir() if path.is_dir())


def test_every_recipe_has_its_whole_runs():
    assert list(RESULTS.columns) == RESULT_COLUMNS
    assert not RESULTS.isna().any().any()
    assert not RESULTS.duplicated(["recipe", "seed"]).any()
    for name in RUN:
        recipe, runs = find_recipe(name), RESULTS[RESULTS.recipe == name]
        assert set(range(SEEDS.get(name, 5))) == set(runs.seed), name
        assert (runs.epochs == recipe.epochs).all()
        assert (runs.parameters == count_parameters(recipe.build_model())).all()


def test_no_run_stands_without_its_row_and_no_row_without_its_run():
    assert sorted(f"{row.recipe}-{row.seed}" for row in RESULTS.itertuples()) == FOLDERS


@pytest.mark.parametrize("name", RUN)
def test_predictions_and_histories_give_the_accuracies(name):
    labels = load_mnist(train=False).targets
    runs = RESULTS[RESULTS.recipe == name].sort_values("seed")
    predictions, histories = load_predictions(name), load_histories(name)
    assert predictions.shape == (len(runs), 10_000) and predictions.dtype == np.uint8
    for row, read in zip(runs.itertuples(), predictions):
        assert compute_accuracy(labels, read) == pytest.approx(row.test_accuracy, abs=1e-9)
        history = histories[histories.seed == row.seed]
        assert history.epoch.tolist() == list(range(1, row.epochs + 1))
        assert history.test_accuracy.iloc[-1] == pytest.approx(row.test_accuracy)
        assert history.test_loss.iloc[-1] == pytest.approx(row.test_loss, abs=1e-5)


@pytest.mark.parametrize(
    "notebook, name", [("02_mlp_baseline", "mlp"), ("03_simple_cnn", "convnet-sigmoid"), ("04_lenet5", "lenet5-adam")]
)
def test_notebooks_train_their_recipe_as_the_runs_did(notebook, name):
    found = []
    for kind, _, cell in read_notebook(ROOT / "notebooks" / f"{notebook}.ipynb"):
        texts = cell["outputs"] if kind == "code" else []
        text = "".join("".join(output.get("text", "")) for output in texts)
        found += re.findall(r"here: ([\d.]+) % after (\d+)", text)
    epochs = find_recipe(name).epochs
    (accuracy,) = (float(accuracy) for accuracy, after in found if int(after) == epochs)
    stored = RESULTS.query("recipe == @name and seed == 0").test_accuracy.item()
    assert accuracy == pytest.approx(stored, abs=0.15)


@pytest.mark.parametrize("name", SAVED_WEIGHTS)
def test_kept_networks_read_what_is_stored(name):
    test_set = load_mnist(train=False)
    stored = load_predictions(name)
    for seed, read in enumerate(stored):
        path = find_data_root() / "runs" / f"{name}-{seed}" / "model.pt"
        model, inputs = load_checkpoint(path)
        assert inputs == find_recipe(name).inputs
        now = predict_logits(model, prepare_images(test_set.data[:2000], **inputs)).argmax(1)
        assert (now.numpy() == read[:2000]).mean() > 0.999  # the last digits differ by processor


def test_the_checkpoint_of_the_course_is_a_stored_run():
    run = find_data_root() / "runs" / "lenet5-adam-0" / "model.pt"
    assert find_checkpoint("lenet5.pt").read_bytes() == run.read_bytes()


def test_readme_tells_what_the_files_say():
    readme = (ROOT / "README.md").read_text("utf-8")
    for name, row in summarise_results(RESULTS).iterrows():
        claimed = "" if pd.isna(row.claimed) else f"{row.claimed:.2f}"
        line = (
            f"| `{name}` | {claimed} | {row['mean']:.2f} ± {row.sd:.2f} | {row.least:.2f} | {row.most:.2f} "
            f"| {row.seconds:.0f} | {row.parameters:,} | {row.verdict} |"
        )
        assert line in readme, f"the README lacks: {line}"


def test_every_claim_of_the_documents_is_reached():
    claims = summarise_results(RESULTS).dropna(subset="claimed")
    assert len(claims) == 5 and (claims["mean"] >= claims.claimed).all()


def test_readme_tells_how_near_the_network_of_1998_comes():
    table = summarise_results(RESULTS, RECIPES_1998)
    error = {
        name: f"{100 - row['mean']:.2f}" + (f" ± {row.sd:.2f}" if row.seeds > 1 else "")
        for name, row in table.iterrows()
    }
    training = 100 - RESULTS[RESULTS.recipe == "lenet5-1998"].train_accuracy.mean()
    readme = (ROOT / "README.md").read_text("utf-8")
    for line in (
        f"| test error (%) | 0.95 | {error['lenet5-1998']} |",
        f"| test error with equation 8 (%) |  | {error['lenet5-1998-eq8']} |",
        f"| test error with distortions (%) | 0.80 | {error['lenet5-1998-distorted']} |",
        f"| training error (%) | 0.35 | {training:.2f} |",
    ):
        assert line in readme, f"the README lacks: {line}"


def test_trials_are_those_of_their_script():
    spec = importlib.util.spec_from_file_location("trials", find_data_root() / "trials_1998.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    trials = pd.read_csv(find_data_root() / "trials_1998.csv")
    assert list(trials.group.unique()) == list(script.GROUPS)
    for group, settings in script.GROUPS.items():
        rows = trials[trials.group == group]
        passes = min(len(one["rates"]) for one in settings)
        for one in settings:
            mine = rows[(rows.trial == one["trial"]) & (rows.seed == one["seed"])]
            assert mine["pass"].tolist() == list(range(1, passes + 1)), one["trial"]
            assert mine.rate.tolist() == list(one["rates"][:passes])
            for key in script.DEFAULTS.keys() - {"rates"}:
                assert (mine[key] == one[key]).all(), (one["trial"], key)
        assert len(rows) == passes * len(settings)
    # With the settings of the recipe it is the package's own trainer.
    models = [LeNet1998(), LeNet1998()]
    mine = script.Trials(models, [script.describe("", curvature="constant")] * 2)
    own = Trainer1998(models, RUBBISH)
    features = 2 * torch.rand(2, 84) - 1
    labels = torch.tensor([3, 8])
    for power in (1, 2):
        assert torch.allclose(mine.derive_loss(features, labels, power), own.derive_loss(features, labels, power))
    digits = prepare_images(load_mnist(train=True).data[:2], "1998", 32)
    for trainer in (mine, own):
        trainer.estimate_curvature(digits, labels)
    rates = torch.tensor([0.0001, 0.0001])
    for name, steps in mine.compute_steps(rates).items():
        for step, expected in zip(steps, own.compute_steps(0.0001)[name]):
            assert torch.allclose(step, expected)


def test_a_recipe_without_runs_is_told(tmp_path):
    with pytest.raises(ValueError, match="no run of mlp yet: python -m lenet_utils study mlp"):
        load_histories("mlp", tmp_path)
    with pytest.raises(ValueError, match="unknown recipe 'mpl'"):
        load_histories("mpl")
