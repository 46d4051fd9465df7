"""The stored runs: complete, consistent with each other, and correctly reported in README.md and data/README.md."""

import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
import torch
from notebooks_as_data import ROOT, read_notebook

from lenet_utils.checkpoints import find_checkpoint, load_checkpoint
from lenet_utils.data import load_mnist, prepare_images
from lenet_utils.evaluation import compute_accuracy, predict_logits
from lenet_utils.files import find_data_root
from lenet_utils.lenet1998 import trials
from lenet_utils.lenet1998.network import LeNet1998
from lenet_utils.lenet1998.trainer import MU, Trainer1998
from lenet_utils.models import count_parameters
from lenet_utils.recipes import AS_WRITTEN, LADDER, RECIPES, RECIPES_1998, RUBBISH_DISTANCE, find_recipe
from lenet_utils.results import (
    RECORD,
    RESULT_COLUMNS,
    load_histories,
    load_predictions,
    load_results,
    summarise_results,
)
from lenet_utils.studies.runs import Run

RESULTS = load_results()
SEEDS = {"lenet5-1998-eq8": 3, "rung-mean": 4, "rung-unsquashed": 4}  # of all other recipes: five
RUN = [*RECIPES, *AS_WRITTEN, *RECIPES_1998, *LADDER]
RUNS = find_data_root() / "runs"


@pytest.fixture(scope="module")
def mnist_test():
    return load_mnist(train=False)


def test_every_recipe_has_its_complete_runs():
    assert list(RESULTS.columns) == list(RESULT_COLUMNS)
    assert not RESULTS.isna().any().any()
    assert RESULTS[["recipe", "seed"]].to_numpy().tolist() == [
        [n, seed] for n in RUN for seed in range(SEEDS.get(n, 5))
    ]
    for name in RUN:
        recipe, runs = find_recipe(name), RESULTS[RESULTS.recipe == name]
        assert (runs.epochs == recipe.epochs).all()
        assert (runs.parameters == count_parameters(recipe.build_model())).all()


def test_every_folder_holds_one_complete_run():
    folders = {
        path.name: {file.name for file in path.iterdir()} - {".lock"} for path in RUNS.iterdir() if path.is_dir()
    }
    assert sorted(f"{row.recipe}-{row.seed}" for row in RESULTS.itertuples()) == sorted(folders)
    for name, files in folders.items():
        weights = {"model.pt"} if find_recipe(name.rpartition("-")[0]).save_weights else set()
        assert files == {"history.csv", "predictions.npy", RECORD} | weights, name


def test_the_table_is_that_of_the_records():
    table = RESULTS.to_csv(index=False, lineterminator="\n").encode()
    assert (find_data_root() / "results.csv").read_bytes() == table, "run: python -m lenet_utils results"


@pytest.mark.parametrize("name", RUN)
def test_predictions_and_histories_give_the_accuracies(name, mnist_test):
    runs = RESULTS[RESULTS.recipe == name]
    predictions, histories = load_predictions(name), load_histories(name)
    assert predictions.shape == (len(runs), 10_000) and predictions.dtype == np.uint8
    for row, read in zip(runs.itertuples(), predictions):
        assert compute_accuracy(mnist_test.targets, torch.from_numpy(read).long()) == pytest.approx(row.test_accuracy)
        history = histories[histories.seed == row.seed]
        assert history.epoch.tolist() == list(range(1, row.epochs + 1))
        assert history.test_accuracy.iloc[-1] == pytest.approx(row.test_accuracy)
        assert history.test_loss.iloc[-1] == pytest.approx(row.test_loss, abs=1e-5)


# The recipe is still the one that gave the stored runs. Adding up in another order, on other processors or threads,
# changes the last digits, and training lets them grow.
@pytest.mark.parametrize("name", ["mlp", *(pytest.param(n, marks=pytest.mark.slow) for n in RUN if n != "mlp")])
def test_first_epoch_is_that_of_the_stored_run(name):
    history = Run(name, seed=0).train(1).epochs
    stored = load_histories(name).query("seed == 0 and epoch == 1")
    assert history.test_accuracy.item() == pytest.approx(stored.test_accuracy.item(), abs=0.5)
    assert history.train_loss.item() == pytest.approx(stored.train_loss.item(), rel=0.1)


@pytest.mark.parametrize(
    "notebook, name", [("02_mlp_baseline", "mlp"), ("03_simple_cnn", "convnet-sigmoid"), ("04_lenet5", "lenet5-adam")]
)
def test_notebooks_train_their_recipe_as_the_runs_did(notebook, name):
    found = []
    for kind, _, cell in read_notebook(ROOT / "notebooks" / f"{notebook}.ipynb"):
        texts = cell["outputs"] if kind == "code" else []
        text = "".join("".join(output.get("text", "")) for output in texts)
        found += re.findall(r"here: ([\d.]+) % after (\d+)", text)
        found += [pair[::-1] for pair in re.findall(r"after (\d+) epochs: train [\d.]+ %, test ([\d.]+) %", text)]
    epochs = find_recipe(name).epochs
    (accuracy,) = (float(accuracy) for accuracy, after in found if int(after) == epochs)
    stored = RESULTS.query("recipe == @name and seed == 0").test_accuracy.item()
    assert accuracy == pytest.approx(stored, abs=0.15)


@pytest.mark.parametrize("name", [name for name in RUN if find_recipe(name).save_weights])
def test_saved_networks_read_what_is_stored(name, mnist_test):
    for seed, read in enumerate(load_predictions(name)):
        model, inputs = load_checkpoint(RUNS / f"{name}-{seed}" / "model.pt")
        assert inputs == find_recipe(name).inputs
        now = predict_logits(model, prepare_images(mnist_test.data[:1000], **inputs)).argmax(1)
        assert (now.numpy() == read[:1000]).mean() > 0.998  # the last digits differ by processor


def test_the_checkpoint_of_the_course_is_a_stored_run():
    assert find_checkpoint("lenet5.pt").read_bytes() == (RUNS / "lenet5-adam-0" / "model.pt").read_bytes()


def test_readmes_report_the_results():
    readme, details = ((ROOT / path).read_text("utf-8") for path in ("README.md", "data/README.md"))
    table = summarise_results(RESULTS, RECIPES | AS_WRITTEN)
    for name, row in table.iterrows():
        line = f"| `{name}` | {row['min']:.2f} | {row['max']:.2f} | {row.seconds:.0f} | {row.seeds} |"
        assert line in details, f"data/README.md lacks: {line}"
    for name in RECIPES:
        line = f"| `{name}` | {describe_accuracies(table, name)} | {table.loc[name].parameters:,} |"
        assert line in readme, f"README.md lacks: {line}"


def describe_accuracies(table: pd.DataFrame, name: str) -> str:
    """Published, as written, and with what the document leaves out chosen, as the tables of the documents have it."""
    rows = (table.loc[n] if n in table.index else None for n in (name, f"{name}-as-written"))
    own, written = ("" if row is None else f"{row['mean']:.2f} ± {row.sd:.2f}" for row in rows)
    published = "" if pd.isna(table.loc[name].published) else f"{table.loc[name].published:.2f}"
    return f"{published} | {written} | {own}" if find_recipe(name).chosen else f"{published} | {own} | {written}"


def test_every_published_accuracy_is_reached():
    table = summarise_results(RESULTS).dropna(subset="published")
    assert len(table) == 5 and (table["mean"] >= table.published).all()
    written = summarise_results(RESULTS, AS_WRITTEN)
    assert (written["mean"] < written.published).all()  # README: reached only with choices


def test_data_readme_reports_how_near_the_network_of_1998_comes():
    error = {
        name: f"{100 - row['mean']:.2f} ± {row.sd:.2f}"
        for name, row in summarise_results(RESULTS, RECIPES_1998).iterrows()
    }
    training = 100 - RESULTS[RESULTS.recipe == "lenet5-1998"].train_accuracy.mean()
    details = (ROOT / "data" / "README.md").read_text("utf-8")
    for line in (
        f"| test error (%) | 0.95 | {error['lenet5-1998']} |",
        f"| test error with equation 8 (%) |  | {error['lenet5-1998-eq8']} |",
        f"| test error with distortions (%) | 0.80 | {error['lenet5-1998-distorted']} |",
        f"| training error (%) | 0.35 | {training:.2f} |",
    ):
        assert line in details, f"data/README.md lacks: {line}"


def test_trials_are_those_of_their_script():
    table = pd.read_csv(trials.FILE)
    assert list(table.group.unique()) == list(trials.GROUPS)
    for group, settings in trials.GROUPS.items():
        rows = table[table.group == group]
        passes = min(len(one["rates"]) for one in settings)
        for one in settings:
            of_trial = rows[(rows.trial == one["trial"]) & (rows.seed == one["seed"])]
            assert of_trial["pass"].tolist() == list(range(1, passes + 1)), one["trial"]
            assert of_trial.rate.tolist() == list(one["rates"][:passes])
            for key in trials.DEFAULTS.keys() - {"rates"}:
                assert (of_trial[key] == one[key]).all(), (one["trial"], key)
        assert len(rows) == passes * len(settings)


@pytest.mark.parametrize("group, rung", [("G", "rung-one-rate"), ("H", "rung-batches")])
def test_first_rungs_have_the_best_rate_tried(group, rung):
    """At the same error, the smaller rate: a larger one may fail with another seed."""
    tried = pd.read_csv(trials.FILE).query("group == @group")
    ends = tried[tried["pass"] == tried["pass"].max()]
    best = ends.sort_values(["validation_error", "rate"]).rate.iloc[0] * 5  # the last passes run at a fifth
    recipe = LADDER[rung]
    assert best == pytest.approx(recipe.rates[0] if group == "G" else recipe.optimizer_settings["lr"])


def test_trials_with_the_settings_of_the_recipe_are_its_trainer(mnist_test):
    models = [LeNet1998(), LeNet1998()]
    tried = trials.Trials(models, [trials.describe("", curvature="constant")] * 2)
    own = Trainer1998(models, RUBBISH_DISTANCE)
    features = 2 * torch.rand(2, 84) - 1
    labels = torch.tensor([3, 8])
    for power in (1, 2):
        assert torch.allclose(tried.derive_loss(features, labels, power), own.derive_loss(features, labels, power))
    digits = prepare_images(mnist_test.data[:2], "1998", 32)
    for trainer in (tried, own):
        trainer.estimate_curvature(digits, labels)
    for name, steps in tried.compute_steps(torch.tensor([0.0001, 0.0001])).items():
        for step, expected in zip(steps, own.compute_steps(0.0001)[name]):
            assert torch.allclose(step, expected)


# ---- damaged records, and none ----


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[: len(text) // 2],
        lambda text: "[1, 2]",
        lambda text: text.replace("97.81", '"9x.81"'),
        lambda text: text.replace(' "threads": 2,\n', ""),
        lambda text: text.replace("mlp", "mpl"),
        lambda text: "\udcff",
    ],
    ids=["empty", "cut", "a list", "words for a number", "a value missing", "unknown recipe", "no text"],
)
def test_damaged_record_is_named(damage, tmp_path):
    shutil.copytree(RUNS / "mlp-0", tmp_path / "runs" / "mlp-0")
    record = tmp_path / "runs" / "mlp-0" / RECORD
    record.write_text(damage(record.read_text()), "utf-8", "surrogateescape")
    with pytest.raises(ValueError, match=r"mlp-0/run.json is no whole record"):
        load_results(tmp_path)


def test_record_in_the_folder_of_another_run_is_named(tmp_path):
    shutil.copytree(RUNS / "mlp-0", tmp_path / "runs" / "mlp-7")
    with pytest.raises(ValueError, match="mlp-7/run.json is of another run: mlp, seed 0"):
        load_results(tmp_path)


def test_results_are_in_the_order_of_the_recipes(tmp_path):
    for name, seed in [("cnn5x5", 0), ("mlp", 10), ("mlp", 9)]:
        folder = tmp_path / "runs" / f"{name}-{seed}"
        folder.mkdir(parents=True)
        record = json.loads((RUNS / "mlp-0" / RECORD).read_text()) | {"recipe": name, "seed": seed}
        (folder / RECORD).write_text(json.dumps(record))
    assert load_results(tmp_path)[["recipe", "seed"]].to_numpy().tolist() == [["mlp", 9], ["mlp", 10], ["cnn5x5", 0]]


def test_recipe_without_runs_is_reported(tmp_path):
    with pytest.raises(ValueError, match="no run of mlp yet: python -m lenet_utils study mlp"):
        load_histories("mlp", tmp_path)
    with pytest.raises(ValueError, match="unknown recipe 'mpl'"):
        load_histories("mpl")
    assert summarise_results(load_results(tmp_path)).verdict.tolist() == ["not run"] * len(RECIPES)


def test_summary_computes_mean_and_spread():
    rows = [{"recipe": "mlp", "test_accuracy": value, "train_seconds": 10} for value in (97.0, 98.0)]
    table = summarise_results(pd.DataFrame(rows))
    assert list(table.columns) == [
        "published", "seeds", "mean", "sd", "min", "max", "seconds", "parameters", "verdict",
    ]  # fmt: skip
    assert table.index.name == "recipe"
    mlp = table.loc["mlp"]
    assert (mlp["mean"], mlp["min"], mlp["max"], mlp.seeds, mlp.seconds) == (97.5, 97, 98, 2, 10)
    assert mlp.sd == pytest.approx(0.5**0.5) and mlp.verdict == "reached"
    assert table.loc["cnn3x3"].verdict == "not run" and len(table) == len(RECIPES)


def test_data_readme_tells_what_the_trials_gave():
    trials_made = pd.read_csv(find_data_root() / "trials_1998.csv")
    error = trials_made[trials_made["pass"] == 20].set_index(["trial", "seed"]).validation_error
    mean_8, mean_9 = "as published, equation 8, mean distance", "as published, mean distance"
    ours = error[["constant curvature", "equation 8"]]
    text = " ".join((ROOT / "data" / "README.md").read_text("utf-8").split())
    for words in (
        f"to a validation error of {error[mean_8, 0]:.2f} and {error[mean_8, 1]:.2f} % with equation 8 (two seeds)",
        f"and {error[mean_9 + ', j = 1', 0]:.2f} and {error[mean_9, 0]:.2f} % with equation 9 (j of 1 and 20)",
        f"where our settings reach {ours.min():.2f} to {ours.max():.2f} %",
    ):
        assert words in text
    # How far the first steps span, as published and with the mean of the squared differences.
    settings = [trials.GROUPS["F"][0]]
    trainer = trials.Trials([trials.build_network(settings[0])], settings)
    digits = load_mnist(train=True)
    trainer.estimate_curvature(prepare_images(digits.data[:500], "1998", 32), digits.targets[:500])
    steps = torch.cat([s.flatten() for each in trainer.compute_steps(torch.tensor([0.0005])).values() for s in each])
    steps = steps[steps < 0.999 * 0.0005 / MU]  # the others are weights that do not exist
    assert 2 < steps.max() / steps.min() < 3 and "hardly span a factor of three here" in text


def test_sources_tell_what_the_runs_gave():
    text = (ROOT / "data" / "SOURCES.md").read_text("utf-8")
    table = summarise_results(RESULTS, RECIPES | AS_WRITTEN)
    for name in RECIPES:
        assert f"| {describe_accuracies(table, name)} |" in text, name
