"""Runs of the recipes: train one, interrupted or not; train many, and keep their results."""

import datetime
import platform
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from lenet_utils.checkpoints import load_verified, save_atomically, save_checkpoint
from lenet_utils.data import load_mnist, make_loader, prepare_images
from lenet_utils.evaluation import evaluate, predict_logits
from lenet_utils.files import find_data_root, write_atomically
from lenet_utils.lenet1998.trainer import CURVATURE_IMAGES, Trainer1998, distort_images
from lenet_utils.models import count_parameters
from lenet_utils.recipes import find_recipe
from lenet_utils.results import RESULT_COLUMNS, load_results
from lenet_utils.training import SCORED_TRAINING_IMAGES, History, fit

STATE_FORMAT = "lenet_utils interrupted run 2"
# Recipes of which a study keeps the trained networks.
SAVED_WEIGHTS = ("mlp", "cnn3x3", "lenet5-adam", "lenet5-1998")


class Run:
    """One training run of a recipe: its network, its batches, its history.

    The same name and seed give the same run, bit for bit, on the same processor with as many threads (and, for a
    recipe of 1998, with as many runs side by side).

    Args:
        name: of a recipe, as ``recipes.find_recipe`` knows it.
        seed: of the initial weights, the order of the images, and dropout.
        device: where to compute; the recipes of 1998 compute on the CPU, whatever it is.
    """

    def __init__(self, name: str, seed: int, device: torch.device | str = "cpu"):
        self.name, self.seed, self.recipe = name, seed, find_recipe(name)
        (self.train_images, self.train_labels), (self.test_images, self.test_labels) = (
            (prepare_images(s.data, **self.recipe.inputs), s.targets)
            for s in (load_mnist(train=True), load_mnist(train=False))
        )
        torch.manual_seed(seed)
        self.model = self.recipe.build_model()
        self.test_loader = make_loader(self.test_images, self.test_labels, 200, shuffle=False)
        self.history: History | None = None
        self.by_digit = isinstance(self.recipe, Recipe1998)  # one digit a step: no work for a GPU
        if not self.by_digit:
            self.model.to(device)
            self.optimizer = self.recipe.build_optimizer(self.model)
            self.loader = make_loader(
                self.train_images, self.train_labels, self.recipe.batch_size, shuffle=True, seed=seed
            )

    def train(self, epochs: int, state_file: Path | None = None) -> History:
        """Train up to ``epochs`` epochs in all; write the state after each to ``state_file``, if one is given."""

        def keep_state() -> None:
            if state_file:
                save_runs(state_file, [self], epochs)

        def keep(history: History) -> None:
            self.history = history
            keep_state()

        if self.by_digit:
            train_side_by_side([self], epochs, keep_state)
        else:
            self.history = fit(
                self.model,
                self.loader,
                self.test_loader,
                self.optimizer,
                epochs,
                history=self.history,
                after_epoch=keep,
                compute_loss=self.recipe.compute_loss,
            )
        return self.history

    def build_state(self) -> dict:
        """Return all that the rest of the run depends on: weights, history, optimiser, random states."""
        state = {
            "recipe": self.name,
            "seed": self.seed,
            "model": self.model.state_dict(),
            "rows": list(self.history.epochs.itertuples(index=False, name=None)),
            "batch_losses": torch.from_numpy(self.history.batch_losses),
        }
        if not self.by_digit:  # those draw nothing that does not follow from seed and epoch
            state |= {
                "optimizer": self.optimizer.state_dict(),
                "order": self.loader.sampler.sampler.generator.get_state(),
                "random": torch.get_rng_state(),
                "random_cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
            }
        return state

    @classmethod
    def from_state(cls, state: dict, device: torch.device | str = "cpu") -> "Run":
        """Return the run as it was when :meth:`build_state` was called."""
        run = cls(state["recipe"], state["seed"], device)
        run.model.load_state_dict(state["model"])
        run.history = History.from_rows(state["rows"], state["batch_losses"].numpy())
        if not run.by_digit:
            run.optimizer.load_state_dict(state["optimizer"])
            run.loader.sampler.sampler.generator.set_state(state["order"])
            torch.set_rng_state(state["random"])
            if state["random_cuda"] and torch.cuda.is_available():
                torch.cuda.set_rng_state_all(state["random_cuda"])
        return run

    def save_model(self, path: Path) -> None:
        """Write the network as a checkpoint, with how its images were prepared."""
        save_checkpoint(path, self.model, self.recipe.inputs, self.recipe.settings)


def save_runs(path: Path, runs: Sequence[Run], epochs: int) -> None:
    """Write unfinished runs, which are to have ``epochs`` epochs in all."""
    states = [run.build_state() for run in runs]
    save_atomically(path, {"format": STATE_FORMAT, "epochs": epochs, "runs": states})


def load_runs(path: Path, device: torch.device | str = "cpu") -> tuple[list[Run], int]:
    """Read what :func:`save_runs` wrote; return the runs, and the epochs that they are to have in all."""
    content = load_verified(path, STATE_FORMAT, "interrupted run")
    return [Run.from_state(state, device) for state in content["runs"]], content["epochs"]


def train_side_by_side(runs: Sequence[Run], epochs: int, after_pass: Callable[[], None]) -> None:
    """Train runs of one recipe of 1998 together, up to ``epochs`` passes in all, by :class:`Trainer1998`.

    Each has its own weights and its own order of the digits, the same in every pass. The seconds of its history
    are its share of the time.

    Args:
        runs: of one recipe, all as far as each other.
        epochs: passes in all; the recipe's rates say how fast each of them learns.
        after_pass: called when the histories have grown by one pass.
    """
    lengths = {len(run.history.epochs) if run.history else 0 for run in runs}
    if epochs < 1 or len(lengths) > 1 or len({run.name for run in runs}) > 1:
        raise ValueError("runs side by side are of one recipe, as far as each other, for 1 epoch or more.")
    first = runs[0]
    settings = first.recipe.optimizer_settings
    trainer = Trainer1998([run.model for run in runs], settings["rubbish"])
    images, labels = first.train_images, first.train_labels
    orders = torch.stack(
        [torch.randperm(len(labels), generator=torch.Generator().manual_seed(run.seed)) for run in runs]
    )
    score_loader = make_loader(images[:SCORED_TRAINING_IMAGES], labels[:SCORED_TRAINING_IMAGES], 200, shuffle=False)
    digits = load_mnist(train=True).data if settings["distorted"] else None
    for epoch in range(lengths.pop() + 1, epochs + 1):
        start = time.perf_counter()
        by_epoch = torch.Generator().manual_seed(epoch)
        if settings["distorted"]:
            images = prepare_images(distort_images(digits, by_epoch), **first.recipe.inputs)
        chosen = torch.randperm(len(labels), generator=by_epoch)[:CURVATURE_IMAGES]
        trainer.estimate_curvature(images[chosen], labels[chosen])
        rate = settings["rates"][min(epoch, len(settings["rates"])) - 1]
        trainer.train(images, labels, orders, rate)
        trainer.copy_to([run.model for run in runs])
        seconds = (time.perf_counter() - start) / len(runs)
        for run in runs:
            scores = (*evaluate(run.model, score_loader), *evaluate(run.model, run.test_loader))
            rows = run.history.epochs.itertuples(index=False, name=None) if run.history else []
            run.history = History.from_rows([*rows, (epoch, *scores, seconds)], np.empty((epoch, 0)))
            print(
                f"{time.strftime('%H:%M:%S')}  seed {run.seed}, pass {epoch:2}/{epochs}   "
                f"error: train {100 - scores[1]:.2f} %, test {100 - scores[3]:.2f} %   {seconds:.0f} s",
                flush=True,
            )
        after_pass()


def study(names: list[str], seeds: int, root: Path | None = None) -> None:
    """Train each recipe in full with the seeds 0, 1, ... and keep each result as it comes.

    Runs that are in the results already are not run again. A run writes a row of ``results.csv``, and into
    ``runs/RECIPE-SEED`` its history by epoch, its predictions on the test digits ((10000,) uint8) and, for the
    recipes of ``SAVED_WEIGHTS``, its network. The seeds of a recipe of 1998 are trained side by side; interrupted,
    they leave their state in ``runs/RECIPE.pt``, and the next study finishes them first.

    Args:
        names: of recipes, as ``recipes.find_recipe`` knows them.
        seeds: how many seeds, from 0.
        root: the folder to write to; the course's ``data`` if not given.
    """
    root = root or find_data_root()
    for name in names:
        find_recipe(name)  # a wrong name is told before the first run, not after hours
    for name in names:
        done = set(load_results(root).query("recipe == @name").seed)
        missing = [seed for seed in range(seeds) if seed not in done]
        print(f"{name}: seeds {missing} to do, {len(done)} in the results", flush=True)
        if isinstance(find_recipe(name), Recipe1998):
            _study_side_by_side(name, missing, done, root)
            continue
        for seed in missing:
            print(f"{name}, seed {seed}", flush=True)
            run = Run(name, seed)
            run.train(run.recipe.epochs)
            _keep_result(run, root)


def _study_side_by_side(name: str, missing: list[int], done: set[int], root: Path) -> None:
    state_file = root / "runs" / f"{name}.pt"
    started = load_runs(state_file)[0] if state_file.exists() else []  # interrupted earlier
    started = [run for run in started if run.seed not in done]
    rest = [seed for seed in missing if seed not in {run.seed for run in started}]
    _finish(started, state_file, root)
    _finish([Run(name, seed) for seed in rest], state_file, root)


def _finish(runs: list[Run], state_file: Path, root: Path) -> None:
    if runs:
        epochs = runs[0].recipe.epochs
        train_side_by_side(runs, epochs, lambda: save_runs(state_file, runs, epochs))
    for run in runs:
        _keep_result(run, root)
    state_file.unlink(missing_ok=True)


def _keep_result(run: Run, root: Path) -> None:
    folder = root / "runs" / f"{run.name}-{run.seed}"
    folder.mkdir(parents=True, exist_ok=True)
    run.history.epochs.round(6).to_csv(folder / "history.csv", index=False)
    predictions = predict_logits(run.model, run.test_images).argmax(dim=1)
    np.save(folder / "predictions.npy", predictions.numpy().astype(np.uint8))
    if run.name in SAVED_WEIGHTS:
        run.save_model(folder / "model.pt")
    test_loss, test_accuracy = evaluate(run.model, run.test_loader)
    _, train_accuracy = evaluate(run.model, make_loader(run.train_images, run.train_labels, 200, shuffle=False))
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
    text = pd.DataFrame([row])[RESULT_COLUMNS].to_csv(index=False, header=not table.exists(), lineterminator="\n")
    write_atomically(table, (table.read_bytes() if table.exists() else b"") + text.encode())


def _name_processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")  # Linux; elsewhere Python knows
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
