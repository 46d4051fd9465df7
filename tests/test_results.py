"""The stored runs: complete, in step with each other, and rightly told in the README."""

import re

import numpy as np
import pandas as pd
import pytest
from notebooks_as_data import ROOT, read_notebook

from lenet_utils.checkpoints import find_checkpoint, load_checkpoint
from lenet_utils.data import find_data_root, load_mnist, prepare_images
from lenet_utils.evaluation import compute_accuracy, predict_logits
from lenet_utils.models import count_parameters
from lenet_utils.recipes import LADDER, RECIPES, RECIPES_1998, find_recipe
from lenet_utils.runs import (
    KEPT_WEIGHTS,
    RESULT_COLUMNS,
    load_histories,
    load_predictions,
    load_results,
    summarise_results,
)

RESULTS = load_results()
SEEDS = {"lenet5-1998": 3}  # of all other recipes: five
RUN = [*RECIPES, "lenet5-1998", *LADDER]
FOLDERS = sorted(path.name for path in (find_data_root() / "runs").iterdir())


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
    "notebook, name",
    [
        ("02_mlp_baseline", "mlp"),
        ("03_simple_cnn", "convnet-sigmoid"),
        ("04_lenet5", "lenet5-adam"),
    ],
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


@pytest.mark.parametrize("name", KEPT_WEIGHTS)
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
    row = summarise_results(RESULTS, RECIPES_1998).loc["lenet5-1998"]
    train = RESULTS[RESULTS.recipe == "lenet5-1998"].train_accuracy
    readme = (ROOT / "README.md").read_text("utf-8")
    for line in (
        f"| test error (%) | 0.95 | {100 - row['mean']:.2f} ± {row.sd:.2f} |",
        f"| training error (%) | 0.35 | {100 - train.mean():.2f} |",
    ):
        assert line in readme, f"the README lacks: {line}"


def test_a_recipe_without_runs_is_told(tmp_path):
    with pytest.raises(ValueError, match="no run of mlp yet: python -m lenet_utils study mlp"):
        load_histories("mlp", tmp_path)
    with pytest.raises(ValueError, match="unknown recipe 'mpl'"):
        load_histories("mpl")
