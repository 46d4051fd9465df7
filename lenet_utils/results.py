"""What the stored runs gave: read them, and summarise them."""

from pathlib import Path

import numpy as np
import pandas as pd

from lenet_utils.files import find_data_root
from lenet_utils.models import count_parameters
from lenet_utils.recipes import RECIPES, Recipe, find_recipe

RESULT_COLUMNS = [
    "recipe", "seed", "epochs", "test_accuracy", "test_loss", "train_accuracy", "parameters", "train_seconds",
    "threads", "torch", "processor", "date",
]  # fmt: skip


def load_results(root: Path | None = None) -> pd.DataFrame:
    """Return the table of all runs, one row each, with the columns ``RESULT_COLUMNS``.

    ``test_accuracy`` and ``train_accuracy`` are in percent, after the last epoch, in evaluation mode, over all
    images of the set; ``train_seconds`` is the time of training alone, and of runs side by side the share of each.
    """
    path = (root or find_data_root()) / "results.csv"
    return pd.read_csv(path) if path.exists() else pd.DataFrame(columns=RESULT_COLUMNS)


def load_histories(name: str, root: Path | None = None) -> pd.DataFrame:
    """Return the histories of all runs of one recipe, one row an epoch of a seed.

    Columns: ``seed``, and those of ``training.History.epochs``.
    """
    folders = _find_folders(name, root)
    tables = {seed: pd.read_csv(folder / "history.csv") for seed, folder in folders.items()}
    return pd.concat(tables, names=["seed", "row"]).reset_index("seed").reset_index(drop=True)


def load_predictions(name: str, root: Path | None = None) -> np.ndarray:
    """Return what all runs of one recipe read in the test digits: (runs, 10000) uint8, a row a seed."""
    folders = _find_folders(name, root)
    return np.stack([np.load(folder / "predictions.npy") for folder in folders.values()])


def summarise_results(results: pd.DataFrame, recipes: dict[str, Recipe] = RECIPES) -> pd.DataFrame:
    """Return one row a recipe: what was published, and what all its seeds gave.

    Columns: ``published``, ``seeds``, ``mean``, ``sd`` (of a single run, with n - 1), ``min``, ``max`` (all in
    percent), ``seconds`` (mean per run), ``parameters``, ``verdict``.
    """
    rows = {}
    for name, recipe in recipes.items():
        runs = results[results.recipe == name]
        accuracy = runs.test_accuracy.astype(float)
        verdict = "no claim"
        if runs.empty:
            verdict = "not run"
        elif recipe.published is not None:
            verdict = "reached" if round(accuracy.mean(), 6) >= recipe.published else "not reached"
        rows[name] = {
            "published": recipe.published,
            "seeds": len(runs),
            "mean": accuracy.mean(),
            "sd": accuracy.std(),
            "min": accuracy.min(),
            "max": accuracy.max(),
            "seconds": runs.train_seconds.astype(float).mean(),
            "parameters": count_parameters(recipe.build_model()),
            "verdict": verdict,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("recipe")


def _find_folders(name: str, root: Path | None) -> dict[int, Path]:
    """The folder of each run of a recipe, by seed."""
    find_recipe(name)
    root = root or find_data_root()
    seeds = sorted(load_results(root).query("recipe == @name").seed)
    if not seeds:
        raise ValueError(f"there is no run of {name} yet: python -m lenet_utils study {name}")
    return {seed: root / "runs" / f"{name}-{seed}" for seed in seeds}
