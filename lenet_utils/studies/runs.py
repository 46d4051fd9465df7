"""Train a recipe: one run, or the runs of 1998 in parallel; stop, and go on bit for bit."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

import torch

from lenet_utils.checkpoints import load_verified, save_atomically
from lenet_utils.data import load_mnist, make_loader, prepare_images
from lenet_utils.evaluation import evaluate
from lenet_utils.files import shorten
from lenet_utils.lenet1998.network import LeNet1998
from lenet_utils.lenet1998.trainer import CURVATURE_IMAGES, Trainer1998, distort_images
from lenet_utils.recipes import Recipe1998, find_recipe
from lenet_utils.training import SCORED_TRAINING_IMAGES, History, fit

STATE = "state.pt"  # in the folder of an unfinished run; of parallel runs, in that of the first
STATE_FORMAT = "lenet_utils interrupted run 3"


class Run:
    """One training run of a recipe: its network, its batches, its history.

    Bit-for-bit reproducible for a given processor, number of threads and, for 1998, number of parallel runs.

    Args:
        name: of a recipe, as ``recipes.find_recipe`` knows it.
        seed: of the initial weights, the order of the images, and dropout.
        device: where to compute; the recipes of 1998 compute on the CPU, whatever it is.
    """

    def __init__(self, name: str, seed: int, device: torch.device | str = "cpu"):
        self.name, self.seed, self.recipe = name, seed, find_recipe(name)
        train_set, test_set = load_mnist(train=True), load_mnist(train=False)
        self.train_images, self.train_labels = prepare_images(train_set.data, **self.recipe.inputs), train_set.targets
        self.test_images, self.test_labels = prepare_images(test_set.data, **self.recipe.inputs), test_set.targets
        torch.manual_seed(seed)
        self.model = self.recipe.build_model()
        self.test_loader = make_loader(self.test_images, self.test_labels, 200, shuffle=False)
        self.history = History()
        if not isinstance(self.recipe, Recipe1998):  # one digit a step is no work for a GPU
            self.model.to(device)
            self.optimizer = self.recipe.build_optimizer(self.model)
            self.loader = make_loader(
                self.train_images, self.train_labels, self.recipe.batch_size, shuffle=True, seed=seed
            )

    def train(self, epochs: int, after_epoch: Callable[[], None] | None = None) -> History:
        """Train up to ``epochs`` epochs in all, as ``training.fit`` does, and return the history."""
        if isinstance(self.recipe, Recipe1998):
            train_in_parallel([self], epochs, after_epoch)
        else:

            def after() -> None:
                self._set_rate()
                if after_epoch:
                    after_epoch()

            self._set_rate()
            fit(
                self.model, self.loader, self.test_loader, self.optimizer, epochs, self.history, after,
                self.recipe.compute_loss,
            )  # fmt: skip
        return self.history

    def _set_rate(self) -> None:
        """Give the optimiser the learning rate of the next epoch; past the schedule, that of its end."""
        if schedule := self.recipe.schedule:
            factor = schedule[min(len(self.history), len(schedule) - 1)]
            for group in self.optimizer.param_groups:
                group["lr"] = factor * self.recipe.optimizer_settings["lr"]

    def build_state(self) -> dict:
        """Return all that the rest of the run depends on: weights, history, optimiser, random states."""
        state = {
            "recipe": self.name,
            "seed": self.seed,
            "model": self.model.state_dict(),
            "rows": self.history.rows,
            "batch_losses": self.history.batch_losses,
        }
        if not isinstance(self.recipe, Recipe1998):  # those have no random state: all follows from seed and epoch
            state |= {
                "optimizer": self.optimizer.state_dict(),
                "order": _find_generator(self.loader).get_state(),
                "random": torch.get_rng_state(),
                "random_cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
            }
        return state

    @classmethod
    def from_state(cls, state: dict, device: torch.device | str = "cpu") -> "Run":
        """Return the run as it was when :meth:`build_state` was called."""
        run = cls(state["recipe"], state["seed"], device)
        run.model.load_state_dict(state["model"])
        for row, batch_losses in zip(state["rows"], state["batch_losses"], strict=True):
            run.history.append(row, batch_losses)
        if not isinstance(run.recipe, Recipe1998):
            run.optimizer.load_state_dict(state["optimizer"])
            _find_generator(run.loader).set_state(state["order"])
            torch.set_rng_state(state["random"])
            if state["random_cuda"] and torch.cuda.is_available():
                torch.cuda.set_rng_state_all(state["random_cuda"])
        return run


def _find_generator(loader: torch.utils.data.DataLoader) -> torch.Generator:
    batches: torch.utils.data.BatchSampler = loader.sampler  # type: ignore[assignment]  # see make_loader
    return batches.sampler.generator  # type: ignore[union-attr]


def train_to_the_end(runs: Sequence[Run], epochs: int, state_file: Path) -> None:
    """Train one run, or several of one recipe of 1998, and save their state after each epoch.

    Raises:
        KeyboardInterrupt: stopped before the last epoch.
    """

    def save_state() -> None:
        states = [run.build_state() for run in runs]
        save_atomically(state_file, {"format": STATE_FORMAT, "epochs": epochs, "runs": states})

    if len(runs) > 1:
        train_in_parallel(runs, epochs, save_state)
    else:
        runs[0].train(epochs, save_state)
    if len(runs[0].history) < epochs:
        raise KeyboardInterrupt


def load_owners(state_file: Path) -> list[tuple[str, int]]:
    """Return recipe and seed of each interrupted run in a file."""
    content = load_verified(state_file, STATE_FORMAT, "interrupted run")
    return [(state["recipe"], state["seed"]) for state in content["runs"]]


def load_runs(state_file: Path, device: torch.device | str = "cpu") -> tuple[list[Run], int]:
    """Return interrupted runs, and the epochs that they are to have in all."""
    content = load_verified(state_file, STATE_FORMAT, "interrupted run")
    try:
        return [Run.from_state(state, device) for state in content["runs"]], content["epochs"]
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{shorten(state_file)} is damaged: delete it, and train again.") from error


def train_in_parallel(runs: Sequence[Run], epochs: int, after_pass: Callable[[], None] | None = None) -> None:
    """Train runs of one recipe of 1998 together, up to ``epochs`` passes in all, by :class:`Trainer1998`.

    Each has its own weights and its own order of the digits, the same in every pass. The seconds of its history
    are its share of the time.

    Args:
        runs: all with the same number of finished passes.
        epochs: passes in all; the recipe's rates say how fast each of them learns.
        after_pass: called when the histories have grown by one pass.
    """
    first, recipe = runs[0], runs[0].recipe
    assert isinstance(recipe, Recipe1998)
    models = cast(list[LeNet1998], [run.model for run in runs])
    trainer = Trainer1998(models, recipe.rubbish_distance, recipe.curved)
    images, labels = first.train_images, first.train_labels
    orders = torch.stack(
        [torch.randperm(len(labels), generator=torch.Generator().manual_seed(run.seed)) for run in runs]
    )
    score_loader = make_loader(images[:SCORED_TRAINING_IMAGES], labels[:SCORED_TRAINING_IMAGES], 200, shuffle=False)
    digits = load_mnist(train=True).data if recipe.distorted else None
    for epoch in range(len(first.history) + 1, epochs + 1):
        start = time.perf_counter()
        by_epoch = torch.Generator().manual_seed(epoch)
        if digits is not None:
            images = prepare_images(distort_images(digits, by_epoch), **recipe.inputs)
        chosen = torch.randperm(len(labels), generator=by_epoch)[:CURVATURE_IMAGES]
        trainer.estimate_curvature(images[chosen], labels[chosen])
        trainer.train(images, labels, orders, recipe.rates[min(epoch, len(recipe.rates)) - 1])
        trainer.copy_to(models)
        seconds = (time.perf_counter() - start) / len(runs)
        for run in runs:
            scores = (*evaluate(run.model, score_loader), *evaluate(run.model, run.test_loader))
            run.history.append((epoch, *scores, seconds), [])
        if after_pass:
            after_pass()
        for run in runs:
            _, _, train_accuracy, _, test_accuracy, _ = run.history.rows[-1]
            print(
                f"{time.strftime('%H:%M:%S')}  seed {run.seed}, pass {epoch:2}/{epochs}   "
                f"error: train {100 - train_accuracy:.2f} %, test {100 - test_accuracy:.2f} %   {seconds:.0f} s",
                flush=True,
            )
