"""Runs of the recipes: train one, interrupted or not; train many, and keep their results."""

import datetime
import platform
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from lenet_utils.checkpoints import load_saved, save_checkpoint, save_whole
from lenet_utils.data import find_data_root, load_mnist, make_loader, prepare_images, write_whole
from lenet_utils.evaluation import evaluate, predict_logits
from lenet_utils.models import count_parameters
from lenet_utils.recipes import RECIPES, find_recipe
from lenet_utils.training import History, fit

STATE_FORMAT = "lenet_utils interrupted run 1"
KEPT_WEIGHTS = (
    "mlp",
    "cnn3x3",
    "lenet5-adam",
)  # recipes of which a study keeps the trained networks
RESULT_COLUMNS = [
    "recipe", "seed", "epochs", "test_accuracy", "test_loss", "train_accuracy", "parameters", "train_seconds",
    "threads", "torch", "processor", "date",
]  # fmt: skip


class Run:
    """One training run of a recipe: its network, its batches, its history.

    The same name and seed give the same run, bit for bit, on the same processor with as many threads.

    Args:
        name: a key of ``recipes.RECIPES``.
        seed: of the initial weights, the order of the images, and dropout.
        device: where to compute.
    """

    def __init__(self, name: str, seed: int, device: torch.device | str = "cpu"):
        self.name, self.seed, self.recipe = name, seed, find_recipe(name)
        sets = [load_mnist(train=True), load_mnist(train=False)]
        (self.train_images, self.train_labels), (self.test_images, self.test_labels) = (
            (prepare_images(s.data, **self.recipe.inputs), s.targets) for s in sets
        )
        torch.manual_seed(seed)
        self.model = self.recipe.build_model().to(device)
        self.optimizer = self.recipe.build_optimizer(self.model)
        self.loader = make_loader(
            self.train_images, self.train_labels, self.recipe.batch_size, shuffle=True, seed=seed
        )
        self.test_loader = make_loader(self.test_images, self.test_labels, 200, shuffle=False)
        self.history: History | None = None

    def train(self, epochs: int, state_file: Path | None = None) -> History:
        """Train up to ``epochs`` epochs in all; write the state after each to ``state_file``, if one is given."""

        def keep(history: History) -> None:
            self.history = history
            if state_file:
                self.save_state(state_file, epochs)

        self.history = fit(
            self.model,
            self.loader,
            self.test_loader,
            self.optimizer,
            epochs,
            history=self.history,
            after_epoch=keep,
        )
        return self.history

    def save_state(self, path: Path, epochs: int) -> None:
        """Write all that the rest of the run depends on: weights, optimiser, random states, history."""
        state = {
            "format": STATE_FORMAT,
            "recipe": self.name,
            "seed": self.seed,
            "epochs": epochs,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "order": self.loader.sampler.sampler.generator.get_state(),
            "random": torch.get_rng_state(),
            "random_cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
            "rows": self.history.epochs.to_numpy().tolist(),
            "batch_losses": torch.from_numpy(self.history.batch_losses),
        }
        save_whole(path, state)

    @classmethod
    def load_state(cls, path: Path, device: torch.device | str = "cpu") -> tuple["Run", int]:
        """Read what :meth:`save_state` wrote; return the run and the epochs it is to have in all."""
        state = load_saved(path, STATE_FORMAT, "interrupted run")
        run = cls(state["recipe"], state["seed"], device)
        run.model.load_state_dict(state["model"])
        run.optimizer.load_state_dict(state["optimizer"])
        run.history = History.from_rows(
            [(int(row[0]), *row[1:]) for row in state["rows"]], state["batch_losses"].numpy()
        )
        run.loader.sampler.sampler.generator.set_state(state["order"])
        torch.set_rng_state(state["random"])
        if state["random_cuda"] and torch.cuda.is_available():
            torch.cuda.set_rng_state_all(state["random_cuda"])
        return run, state["epochs"]

    def save_model(self, path: Path) -> None:
        """Write the network as a checkpoint, with how its images were prepared."""
        save_checkpoint(path, self.model, self.recipe.inputs, self.recipe.settings)


def study(names: list[str], seeds: int, root: Path | None = None) -> None:
    """Train each recipe in full with the seeds 0, 1, ... and keep each result as it comes.

    Runs that are in the results already are not run again. A run writes a row of ``results.csv``, and into
    ``runs/RECIPE-SEED`` its history by epoch, its predictions on the test digits ((10000,) uint8) and, for the
    recipes of ``KEPT_WEIGHTS``, its network.

    Args:
        names: keys of ``recipes.RECIPES``.
        seeds: how many seeds, from 0.
        root: the folder to write to; the course's ``data`` if not given.
    """
    root = root or find_data_root()
    for name in names:
        find_recipe(name)  # a wrong name is told before the first run, not after hours
    for name in names:
        for seed in range(seeds):
            done = load_results(root)
            if ((done.recipe == name) & (done.seed == seed)).any():
                print(f"{name}, seed {seed}: in the results already")
                continue
            print(f"{name}, seed {seed}", flush=True)
            run = Run(name, seed)
            run.train(run.recipe.epochs)
            _keep_result(run, root)


def load_results(root: Path | None = None) -> pd.DataFrame:
    """Return the table of all runs, one row each, with the columns ``RESULT_COLUMNS``.

    ``test_accuracy`` and ``train_accuracy`` are in percent, after the last epoch, in evaluation mode, over all
    images of the set; ``train_seconds`` is the time of training alone.
    """
    path = (root or find_data_root()) / "results.csv"
    return pd.read_csv(path) if path.exists() else pd.DataFrame(columns=RESULT_COLUMNS)


def summarise_results(results: pd.DataFrame) -> pd.DataFrame:
    """Return one row a recipe: what was claimed, and what all its seeds gave.

    Columns: ``claimed``, ``seeds``, ``mean``, ``sd`` (of a single run, with n - 1), ``least``, ``most`` (all in
    percent), ``seconds`` (mean per run), ``parameters``, ``verdict``.
    """
    rows = {}
    for name, recipe in RECIPES.items():
        runs = results[results.recipe == name]
        accuracy = runs.test_accuracy.astype(float)
        verdict = "no claim"
        if runs.empty:
            verdict = "not run"
        elif recipe.claimed is not None:
            verdict = "reached" if accuracy.mean() >= recipe.claimed else "not reached"
        rows[name] = {
            "claimed": recipe.claimed,
            "seeds": len(runs),
            "mean": accuracy.mean(),
            "sd": accuracy.std(),
            "least": accuracy.min(),
            "most": accuracy.max(),
            "seconds": runs.train_seconds.astype(float).mean(),
            "parameters": count_parameters(recipe.build_model()),
            "verdict": verdict,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("recipe")


def _keep_result(run: Run, root: Path) -> None:
    folder = root / "runs" / f"{run.name}-{run.seed}"
    folder.mkdir(parents=True, exist_ok=True)
    run.history.epochs.round(6).to_csv(folder / "history.csv", index=False)
    predictions = predict_logits(run.model, run.test_images).argmax(dim=1)
    np.save(folder / "predictions.npy", predictions.numpy().astype(np.uint8))
    if run.name in KEPT_WEIGHTS:
        run.save_model(folder / "model.pt")
    test_loss, test_accuracy = evaluate(run.model, run.test_loader)
    _, train_accuracy = evaluate(
        run.model, make_loader(run.train_images, run.train_labels, 200, shuffle=False)
    )
    row = {
        "recipe": run.name,
        "seed": run.seed,
        "epochs": len(run.history.epochs),
        "test_accuracy": round(test_accuracy, 4),
        "test_loss": round(test_loss, 6),
        "train_accuracy": round(train_accuracy, 4),
        "parameters": count_parameters(run.model),
        "train_seconds": round(run.history.epochs.seconds.sum(), 1),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__.split("+")[0],
        "processor": _name_processor(),
        "date": datetime.date.today().isoformat(),
    }
    table = root / "results.csv"
    text = pd.DataFrame([row])[RESULT_COLUMNS].to_csv(
        index=False, header=not table.exists(), lineterminator="\n"
    )
    write_whole(table, (table.read_bytes() if table.exists() else b"") + text.encode())


def _name_processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")  # Linux; elsewhere Python knows
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
