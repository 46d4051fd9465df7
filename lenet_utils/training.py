"""The device, the training loop, and the history it leaves."""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
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
        name: cpu, cuda or mps overrules the choice; so does the environment variable ``LENET_DEVICE``, which the
            tests set to cpu.

    Raises:
        ValueError: the device asked for is not there.
    """
    found = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    name = name or os.environ.get("LENET_DEVICE") or next(n for n, there in found.items() if there)
    if not found.get(name):
        there = ", ".join(name for name in found if found[name])
        raise ValueError(f"there is no device {name!r} here: the devices found are {there}.")
    detail = torch.cuda.get_device_name() if name == "cuda" else f"{torch.get_num_threads()} threads"
    print(f"Device: {name}" + (f" ({detail})" if name != "mps" else ""))
    return torch.device(name)


def choose_epochs(full: int) -> int:
    """Return ``full``, or 1 where the environment variable ``LENET_FAST`` is 1, and print which it is.

    The notebooks ask for their epochs through this function, so that the tests can run all of them quickly.
    """
    if full < 1:
        raise ValueError(f"the number of epochs must be 1 or more, not {full}.")
    if is_fast():
        print(f"LENET_FAST=1: 1 epoch instead of {full}. The numbers below are those of a shortened run.")
        return 1
    print(f"{full} epochs.")
    return full


def is_fast() -> bool:
    """Return whether ``LENET_FAST`` asks for shortened runs: 1 for yes; 0, empty or unset for no."""
    value = os.environ.get("LENET_FAST", "")
    if value not in ("", "0", "1"):
        raise ValueError(f"LENET_FAST must be 0 or 1, not {value!r}.")
    return value == "1"


@dataclass
class History:
    """What happened during training.

    Attributes:
        epochs: one row an epoch, with the columns ``epoch`` (from 1), ``train_loss``, ``train_accuracy``,
            then loss and accuracy of the other set under its name (``test_loss``, ``test_accuracy``), and
            ``seconds`` (of training alone). Losses are mean cross-entropies, accuracies percent, all of them
            measured after the epoch, in evaluation mode; those of the training set over its first 10,000
            images, which is as exact as the test set's and takes a sixth of the time.
        batch_losses: (epochs, batches) float64, the loss of every batch while it was trained on; (epochs, 0) for
            runs by digit, as in 1998.
    """

    epochs: pd.DataFrame
    batch_losses: np.ndarray

    @classmethod
    def from_rows(cls, rows: list[tuple], batch_losses: list[list[float]], other: str = "test") -> "History":
        """Make a history of one tuple an epoch, in the order of the columns, and the batch losses of each epoch."""
        columns = ["epoch", "train_loss", "train_accuracy", f"{other}_loss", f"{other}_accuracy", "seconds"]
        return cls(pd.DataFrame(rows, columns=columns), np.array(batch_losses))


def train_one_epoch(
    model: nn.Module,
    loader: DataLoader,
    optimizer: torch.optim.Optimizer,
    compute_loss: Loss = nn.functional.cross_entropy,
) -> list[float]:
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
    for images, labels in tqdm(loader, file=sys.stdout, leave=False, disable=not someone_is_watching()):
        images, labels = images.to(device), labels.to(device)
        optimizer.zero_grad()
        loss = compute_loss(model(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    return torch.stack(losses).tolist()  # one transfer from the device instead of one a batch


def fit(
    model: nn.Module,
    train_loader: DataLoader,
    other_loader: DataLoader,
    optimizer: torch.optim.Optimizer,
    epochs: int,
    other: str = "test",
    history: History | None = None,
    after_epoch: Callable[[History], None] | None = None,
    compute_loss: Loss = nn.functional.cross_entropy,
) -> History:
    """Train ``model`` for ``epochs`` epochs, print one line after each, and return the history.

    The other set is scored after each epoch and changes nothing: no epoch is chosen by it.
    First built in notebooks/02_mlp_baseline.ipynb, «Train many epochs».

    Args:
        model: returns logits (B, 10); trained in place, on the device its parameters are on.
        train_loader: the images to learn from, shuffled, as ``make_loader`` returns it.
        other_loader: the images to score, in any order.
        optimizer: holds the parameters of ``model``.
        epochs: how often to go through ``train_loader`` in all, 1 or more.
        other: what the other set is, "test" or "validation"; the history's columns are named after it.
        history: go on from here, with the same loaders and optimiser; its epochs count towards ``epochs``.
        after_epoch: called with the history so far after each epoch, to keep it somewhere.
        compute_loss: what to descend; the history's losses are cross-entropies, whatever it is.
    """
    if epochs < 1:
        raise ValueError(f"epochs must be 1 or more, not {epochs}.")
    if other not in ("test", "validation"):
        raise ValueError(f"other must be 'test' or 'validation', not {other!r}.")
    if history is not None and f"{other}_loss" not in history.epochs:
        raise ValueError(f"the history is not one of a {other} set: {', '.join(history.epochs)}.")
    images, labels = train_loader.dataset[:SCORED_TRAINING_IMAGES]
    score_loader = make_loader(images, labels, batch_size=200, shuffle=False)
    rows = [] if history is None else list(history.epochs.itertuples(index=False, name=None))
    batch_losses = [] if history is None else list(history.batch_losses)
    for epoch in range(len(rows) + 1, epochs + 1):
        start = time.perf_counter()
        batch_losses.append(train_one_epoch(model, train_loader, optimizer, compute_loss))
        seconds = time.perf_counter() - start
        train_loss, train_accuracy = evaluate(model, score_loader)
        other_loss, other_accuracy = evaluate(model, other_loader)
        rows.append((epoch, train_loss, train_accuracy, other_loss, other_accuracy, seconds))
        print(
            f"{time.strftime('%H:%M:%S')}  epoch {epoch:2}/{epochs}   loss: train {train_loss:.4f}, "
            f"{other} {other_loss:.4f}   accuracy: train {train_accuracy:.2f} %, {other} {other_accuracy:.2f} %"
            f"   {seconds:.1f} s"
        )
        if after_epoch:
            after_epoch(History.from_rows(rows, batch_losses, other))
    return History.from_rows(rows, batch_losses, other)


def someone_is_watching() -> bool:
    """Return whether a progress bar has a reader: a terminal, or a notebook with a person at it (who could type)."""
    if "ipykernel" in sys.modules:
        from IPython import get_ipython

        return getattr(getattr(get_ipython(), "kernel", None), "_allow_stdin", False)
    return sys.stdout.isatty()
