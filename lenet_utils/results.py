"""What the stored runs gave: read them, and summarise them."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from lenet_utils.files import find_data_root, shorten
from lenet_utils.models import count_parameters
from lenet_utils.recipes import AS_WRITTEN, LADDER, RECIPES, RECIPES_1998, Recipe, find_recipe

RECORD = "run.json"  # in each run's folder, written when the run is complete
RESULT_COLUMNS = {
    "recipe": str, "seed": int, "epochs": int, "test_accuracy": float, "test_loss": float, "train_accuracy": float,
    "parameters": int, "train_seconds": float, "threads": int, "torch": str, "processor": str, "date": str,
}  # fmt: skip


def load_results(root: Path | None = None) -> pd.DataFrame:
    """Return the table of all runs, one row each, with the columns ``RESULT_COLUMNS``, read from their records.

    ``test_accuracy`` and ``train_accuracy`` are in percent, after the last epoch, in evaluation mode, over all
    images of the set; ``train_seconds`` is the time of training alone, and of parallel runs the share of each.
    """
    records = []
    for path in (root or find_data_root()).glob(f"runs/*/{RECORD}"):
        records.append(record := load_record(path))
        if path.parent.name != f"{record['recipe']}-{record['seed']}":
            raise ValueError(f"{shorten(path)} is of another run: {record['recipe']}, seed {record['seed']}.")
    recipes = [*RECIPES, *AS_WRITTEN, *RECIPES_1998, *LADDER]
    records.sort(key=lambda record: (recipes.index(record["recipe"]), record["seed"]))
    return pd.DataFrame(records, columns=list(RESULT_COLUMNS))


def load_record(path: Path) -> dict:
    """Return the record of one run; a damaged one is a ValueError that names the file."""
    try:
        record = json.loads(path.read_text("utf-8"))
        find_recipe(record["recipe"])
        if {column: type(value) for column, value in record.items()} == RESULT_COLUMNS:
            return record
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    raise ValueError(f"{shorten(path)} is no whole record of a run: get it back, or delete it and train again.")


def load_histories(name: str, root: Path | None = None) -> pd.DataFrame:
    """Return the histories of all runs of one recipe, one row an epoch of a seed.

    Columns: ``seed``, and those of ``training.History.epochs``.
    """
    tables = {seed: pd.read_csv(folder / "history.csv") for seed, folder in _find_folders(name, root).items()}
    return pd.concat(tables, names=["seed", "row"]).reset_index("seed").reset_index(drop=True)


def load_predictions(name: str, root: Path | None = None) -> np.ndarray:
    """Return what all runs of one recipe read in the test digits: (runs, 10000) uint8, a row a seed."""
    return np.stack([np.load(folder / "predictions.npy") for folder in _find_folders(name, root).values()])


def summarise_results(results: pd.DataFrame, recipes: dict[str, Recipe] = RECIPES) -> pd.DataFrame:
    """Return one row a recipe: what was published, and what all its seeds gave.

    Columns: ``published``, ``seeds``, ``mean``, ``sd`` (of a single run, with n - 1), ``min``, ``max`` (all in
    percent), ``seconds`` (mean per run), ``parameters``, ``verdict``.
    """
    runs = results.astype({"test_accuracy": float, "train_seconds": float}).groupby("recipe")
    table = runs.test_accuracy.agg(seeds="size", mean="mean", sd="std", min="min", max="max").reindex(list(recipes))
    table.insert(0, "published", [recipe.published for recipe in recipes.values()])
    table = table.fillna({"seeds": 0}).astype({"published": float, "seeds": int})
    table["seconds"] = runs.train_seconds.mean()
    table["parameters"] = [count_parameters(recipe.build_model()) for recipe in recipes.values()]
    cases = [table.seeds == 0, table.published.isna(), table["mean"].round(6) >= table.published]
    table["verdict"] = np.select(cases, ["not run", "none published", "reached"], "not reached")
    return table


def _find_folders(name: str, root: Path | None) -> dict[int, Path]:
    """The folder of each run of a recipe, by seed."""
    find_recipe(name)
    seeds = load_results(root).query("recipe == @name").seed
    if seeds.empty:
        raise ValueError(f"there is no run of {name} yet: python -m lenet_utils study {name}")
    return {seed: (root or find_data_root()) / "runs" / f"{name}-{seed}" for seed in seeds}
