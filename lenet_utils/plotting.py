"""Every picture of the course. The functions take arrays and numbers, draw on Axes, and return them.

None of them calls ``plt.show``: a notebook shows a figure when its cell ends. Blue stands for the training set,
orange for the other one, and a line's style says the same as its colour.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

BLUE, ORANGE, GREEN, GREY = ("#0072B2", "#D55E00", "#009E73", "#767676")  # safe for colour-blind readers


def plot_history(epochs: pd.DataFrame, other: str = "test") -> Figure:
    """Draw loss and accuracy of both sets against the epoch, side by side.

    Args:
        epochs: the table ``History.epochs``.
        other: the name of the second set, "test" or "validation".
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    for axis, quantity, label in ((left, "loss", "mean cross-entropy"), (right, "accuracy", "accuracy (%)")):
        for name, colour, style in (("train", BLUE, "-o"), (other, ORANGE, "--s")):
            axis.plot(epochs["epoch"], epochs[f"{name}_{quantity}"], style, color=colour, label=name, markersize=4)
        axis.set(title=quantity.capitalize(), xlabel="epoch", ylabel=label)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.grid(alpha=0.3)
        axis.legend()
    return figure


def plot_band(
    runs: pd.DataFrame, epochs: pd.DataFrame, label: str = "this run", ax: Axes | None = None
) -> Axes:  # fmt: skip
    """Draw one run's test accuracy over the band that several runs of the same recipe span.

    Args:
        runs: an epoch of a run per row, with the columns ``epoch`` and ``test_accuracy`` (percent).
        epochs: the table ``History.epochs`` of the one run, or points of it, at fractions of an epoch, too.
        label: what the legend calls this run.
    """
    ax = ax or plt.subplots(figsize=(7, 3.2), layout="constrained")[1]
    count = runs.groupby("epoch").size().max()
    by_epoch = runs.groupby("epoch").test_accuracy
    ax.fill_between(by_epoch.min().index, by_epoch.min(), by_epoch.max(), color=GREY, alpha=0.3,
                    linewidth=0, label=f"{count} stored runs, least to most")  # fmt: skip
    ax.plot(by_epoch.mean(), color=GREY, linewidth=1, label="their mean")
    ax.plot(epochs["epoch"], epochs["test_accuracy"], "o", color=ORANGE, markersize=4, label=label)
    ax.set(title="This run among others of its recipe", xlabel="epoch", ylabel="test accuracy (%)")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.grid(alpha=0.3)
    ax.legend()
    return ax


def plot_batch_losses(batch_losses, window: int = 50, ax: Axes | None = None) -> Axes:
    """Draw the loss of every batch, its running mean, and what an epoch's last batch alone would show.

    Args:
        batch_losses: (epochs, batches), as in ``History.batch_losses``.
        window: batches in the running mean.
    """
    batch_losses = np.asarray(batch_losses)
    epochs, batches = batch_losses.shape
    ax = ax or plt.subplots(figsize=(9, 3.2), layout="constrained")[1]
    position = (np.arange(epochs * batches) + 1) / batches
    losses = pd.Series(batch_losses.ravel())
    ax.plot(position, losses, color=GREY, alpha=0.35, linewidth=0.6, label="every batch", rasterized=True)
    ax.plot(position, losses.rolling(window).mean(), color=BLUE, label=f"mean of {window} batches")
    ax.plot(np.arange(epochs) + 1, batch_losses[:, -1], "s", color=ORANGE, label="last batch of the epoch")
    ax.set(title="Loss of every batch", xlabel="epoch", ylabel="cross-entropy", yscale="log")
    ax.grid(alpha=0.3)
    ax.legend()
    return ax


def plot_confusion_matrix(
    matrix,
    title: str = "Confusion matrix",
    errors_only: bool = False,
    vmax: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a confusion matrix with its numbers: rows are the true digits, columns the digits read.

    Args:
        matrix: (10, 10), counts (integers) or shares of a row in percent (floating-point).
        errors_only: leave out the diagonal, so that the colours show the errors.
        vmax: the value of the darkest colour; the greatest in the matrix if not given.
    """
    table = pd.DataFrame(np.asarray(matrix)).rename_axis(index="true digit", columns="predicted digit")
    ax = ax or plt.subplots(figsize=(6.2, 5.2), layout="constrained")[1]
    mask = np.eye(len(table), dtype=bool) if errors_only else None
    sns.heatmap(
        table, annot=True, fmt=".1f" if table.dtypes.iloc[0].kind == "f" else "d", mask=mask,
        vmin=0, vmax=vmax, cmap="Blues", square=True, linewidths=0.5, annot_kws={"size": 8}, cbar=False, ax=ax,
    )  # fmt: skip
    ax.set_title(title)
    ax.tick_params(rotation=0)
    return ax


def plot_probabilities(image, probabilities, label: int | None = None) -> Figure:
    """Draw an image and, beside it, the ten probabilities that a network gives to the digits.

    Args:
        image: (H, W).
        probabilities: (10,), from 0 to 1; the greatest is drawn in blue.
        label: the true digit, marked on the axis, if it is known.
    """
    probabilities = np.asarray(probabilities)
    figure, (left, right) = plt.subplots(1, 2, figsize=(6, 2.6), width_ratios=(1, 1.8), layout="constrained")
    left.imshow(image, cmap="gray")
    left.axis("off")
    winner = int(probabilities.argmax())
    right.barh(range(10), 100 * probabilities, color=[BLUE if digit == winner else GREY for digit in range(10)])
    right.set(yticks=range(10), xlim=(0, 100), xlabel="probability (%)", ylabel="digit")
    right.invert_yaxis()
    right.set_title(f"read as {winner}, {say_percent(probabilities[winner])} sure", fontsize=10)
    if label is not None:
        left.set_title(f"true digit: {label}", fontsize=10)
    return figure


def plot_classes(points, labels, title: str = "", ax: Axes | None = None) -> Axes:
    """Draw points of ten classes in the plane; the digit stands, framed, at the median of its class.

    Even digits have large points, odd ones small points.

    Args:
        points: (N, 2).
        labels: (N,) integers 0 to 9.
    """
    points, labels = np.asarray(points), np.asarray(labels)
    ax = ax or plt.subplots(figsize=(5.5, 5), layout="constrained")[1]
    for digit in range(10):
        mine = points[labels == digit]
        colour = plt.get_cmap("tab10")(digit)
        size = (9, 3)[digit % 2]  # even digits are drawn larger
        ax.scatter(*mine.T, s=size, color=colour, marker="s", linewidths=0, antialiased=False)
        if len(mine):
            frame = {"boxstyle": "circle,pad=0.2", "facecolor": "white", "edgecolor": colour, "linewidth": 1.5}
            ax.text(*np.median(mine, axis=0), digit, ha="center", va="center", weight="bold", bbox=frame, zorder=3)
    ax.set(title=title, xticks=[], yticks=[])
    return ax


def say_percent(probability: float) -> str:
    """A probability in percent, but never 100 %: softmax reaches that by rounding alone."""
    return f"{100 * probability:.1f} %" if probability < 0.9995 else "over 99.9 %"
