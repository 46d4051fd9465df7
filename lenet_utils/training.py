"""The device, the training loop, and the history it leaves."""

import copy
import os
import sys
import time
from collections.abc import Callable

import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader
from tqdm import tqdm

from lenet_utils.data import make_loader
from lenet_utils.evaluation import evaluate

SCORED_TRAINING_IMAGES = 10_000  # after each epoch
Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]  # of logits (N, 10) and labels (N,)


def find_device(name: str | None = None) -> torch.device:
    """Return the device to compute on and print which one it is: CUDA if there is one, then MPS, then the CPU.

    Args:
        name: "cpu", "cuda" or "mps". Default: the environment variable ``LENET_DEVICE`` if it is set, else the
            fastest device found.

    Raises:
        ValueError: the device asked for is not there.
    """
    found = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    name = name or os.environ.get("LENET_DEVICE") or next(n for n, there in found.items() if there)
    if not found.get(name):
        there = ", ".join(name for name in found if found[name])
        raise ValueError(f"there is no device {name!r} here: the devices found are {there}.")
    detail = torch.cuda.get_device_name() if name == "cuda" else f"threads: {torch.get_num_threads()}"
    print(f"Device: {name}" + (f" ({detail})" if name != "mps" else ""))
    return torch.device(name)


def choose_epochs(full: int) -> int:
    """Return ``full``, or 1 where the environment variable ``LENET_FAST`` is 1, and print which it is.

    The notebooks ask for their epochs through this function, so that the tests can run all of them quickly.
    """
    if is_fast():
        print(f"LENET_FAST=1: 1 epoch instead of {full}. The numbers below are those of a shortened run.")
        return 1
    print(f"{full} epoch{'s' * (full > 1)}.")
    return full


def is_fast() -> bool:
    """Return whether ``LENET_FAST`` asks for shortened runs: 1 for yes; 0, empty or unset for no."""
    value = os.environ.get("LENET_FAST", "")
    if value not in ("", "0", "1"):
        raise ValueError(f"LENET_FAST must be 0 or 1, not {value!r}.")
    return value == "1"


class History:
    """What happened during training, an epoch at a time; a new history is empty.

    Attributes:
        rows: one tuple an epoch, with the values of ``columns``.
        batch_losses: one list an epoch, the loss of every batch while it was trained on; empty lists for runs that
            learn digit by digit, as in 1998.

    Args:
        other: what the set is that is scored beside the training set, "test" or "validation".
    """

    def __init__(self, other: str = "test"):
        self.other = other
        self.rows: list[tuple] = []
        self.batch_losses: list[list[float]] = []

    def __len__(self) -> int:
        return len(self.rows)

    def append(self, row: tuple, batch_losses: list[float]) -> None:
        """Add an epoch."""
        self.rows.append(row)
        self.batch_losses.append(batch_losses)

    @property
    def epochs(self) -> pd.DataFrame:
        """The table, one row an epoch: its number from 1, losses and accuracies, and the seconds of training alone.

        Columns: ``epoch``, ``train_loss``, ``train_accuracy``, ``test_loss``, ``test_accuracy`` (or
        ``validation_...``), ``seconds``. Losses are mean cross-entropies, accuracies percent, all of them measured
        after the epoch, in evaluation mode; those of the training set over its first 10,000 images, which is as
        exact as the test set's and takes a sixth of the time.
        """
        other = [f"{self.other}_loss", f"{self.other}_accuracy"]
        return pd.DataFrame(self.rows, columns=["epoch", "train_loss", "train_accuracy", *other, "seconds"])


def train_one_epoch(
    model: nn.Module, loader: DataLoader, optimizer: torch.optim.Optimizer,
    compute_loss: Loss = nn.functional.cross_entropy,
) -> list[float]:  # fmt: skip
    """Show the model every image once, take one step after each batch, and return the loss of each batch.

    First built in notebooks/02_mlp_baseline.ipynb, «Train one epoch».

    Args:
        model: returns logits (B, 10); left in training mode.
        loader: batches of (images (B, C, H, W) float32, labels (B,) int64).
        optimizer: holds the parameters of ``model``.
        compute_loss: what to descend: a mean over the batch.
    """
    device = next(model.parameters()).device
    model.train()
    losses = []
    for images, labels in tqdm(loader, file=sys.stdout, leave=False, disable=not is_interactive()):
        images, labels = images.to(device), labels.to(device)
        optimizer.zero_grad()
        loss = compute_loss(model(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    return torch.stack(losses).tolist()  # one transfer from the device instead of one a batch


def fit(
    model: nn.Module, train_loader: DataLoader, other_loader: DataLoader, optimizer: torch.optim.Optimizer, epochs: int,
    history: History | None = None, after_epoch: Callable[[], None] | None = None,
    compute_loss: Loss = nn.functional.cross_entropy,
) -> History:  # fmt: skip
    """Train ``model``, print one line after each epoch, and return the history.

    The other set is scored after each epoch and changes nothing: no epoch is chosen by it. The stop button (or
    Ctrl-C) ends the training after the last whole epoch: model and optimiser are put back to where they were then.
    First built in notebooks/02_mlp_baseline.ipynb, «Train many epochs».

    Args:
        model: returns logits (B, 10); trained in place, on the device its parameters are on.
        train_loader: the images to learn from, shuffled, as ``make_loader`` returns it.
        other_loader: the images to score, in any order: the test set, unless ``history`` says otherwise.
        optimizer: holds the parameters of ``model``.
        epochs: how often to go through ``train_loader`` in all, 1 or more.
        history: go on from here, with the same loaders and optimiser; its epochs count towards ``epochs``.
        after_epoch: called after each epoch, when the history has grown.
        compute_loss: what to descend; the history's losses are cross-entropies, whatever it is.

    Raises:
        Stopped: the training was stopped before a single epoch was done.
    """
    if epochs < 1:
        raise ValueError(f"epochs must be 1 or more, not {epochs}.")
    history = History() if history is None else history
    images, labels = train_loader.dataset[:SCORED_TRAINING_IMAGES]
    score_loader = make_loader(images, labels, batch_size=200, shuffle=False)
    while len(history) < epochs:
        done, other = len(history), history.other
        before = copy.deepcopy((model.state_dict(), optimizer.state_dict()))
        try:
            start = time.perf_counter()
            batch_losses = train_one_epoch(model, train_loader, optimizer, compute_loss)
            seconds = time.perf_counter() - start
            train, scored = evaluate(model, score_loader), evaluate(model, other_loader)
            history.append((done + 1, *train, *scored, seconds), batch_losses)
            print(
                f"{time.strftime('%H:%M:%S')}  epoch {done + 1:2}/{epochs}   loss: train {train[0]:.4f}, "
                f"{other} {scored[0]:.4f}   accuracy: train {train[1]:.2f} %, {other} {scored[1]:.2f} %"
                f"   {seconds:.1f} s"
            )
            if after_epoch:
                after_epoch()
        except KeyboardInterrupt:
            if len(history) == done:
                model.load_state_dict(before[0])
                optimizer.load_state_dict(before[1])
            if not history:
                raise Stopped("Stopped before the first epoch was done, so there is nothing to keep.") from None
            print(f"Stopped. The model is as it was after epoch {len(history)} of {epochs}; so is the history.")
            break
    return history


class Stopped(KeyboardInterrupt):
    """The training was stopped before anything was learnt; a notebook shows its message without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


def is_interactive() -> bool:
    """Return whether output goes to a terminal or a live notebook, so that a progress bar has a reader."""
    if "ipykernel" in sys.modules:
        from IPython import get_ipython

        return getattr(getattr(get_ipython(), "kernel", None), "_allow_stdin", False)
    return sys.stdout.isatty()
