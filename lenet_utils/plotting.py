"""Curves, bars and tables. The functions take arrays and numbers, draw, and return what they drew on.

That is Axes (which can be given: ``ax``), or a Figure where there are several Axes. None of them calls ``plt.show``:
a notebook shows a figure when its cell ends. Blue stands for the training set, orange for the other one, and a line's
style says the same as its colour.
"""

from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#C25000", "#007D5B", "#6A6A6A"  # for colour-blind readers, and for small text


def plot_history(epochs: pd.DataFrame) -> Figure:
    """Draw loss and accuracy of both sets against the epoch, side by side: the table ``History.epochs``."""
    other = "test" if "test_loss" in epochs else "validation"
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    for ax, quantity, label in ((left, "loss", "mean cross-entropy"), (right, "accuracy", "accuracy (%)")):
        for name, colour, style in (("train", BLUE, "-o"), (other, ORANGE, "--s")):
            ax.plot(epochs["epoch"], epochs[f"{name}_{quantity}"], style, color=colour, label=name, markersize=4)
        ax.set(title=quantity.capitalize(), ylabel=label)
        _finish_curves(ax)
    return figure


def plot_band(runs: pd.DataFrame, epochs: pd.DataFrame, label: str = "this run", ax: Axes | None = None) -> Axes:
    """Draw one run's test accuracy over the band that several runs of the same recipe span.

    Args:
        runs: an epoch of a run per row, with the columns ``epoch`` and ``test_accuracy`` (percent).
        epochs: the same columns for the one run, such as ``History.epochs``; the epochs may be fractions.
        label: what to call the one run.
    """
    ax = make_axes(ax, 7, 3.2)
    by_epoch = runs.groupby("epoch").test_accuracy
    low, high, count = by_epoch.min(), by_epoch.max(), by_epoch.size().max()
    ax.fill_between(low.index, low, high, color=GREY, alpha=0.3, linewidth=0, label=f"{count} stored runs, min to max")
    ax.plot(by_epoch.mean(), color=GREY, linewidth=1, label="their mean")
    ax.plot(epochs["epoch"], epochs["test_accuracy"], "-o", color=ORANGE, linewidth=1, markersize=4, label=label)
    ax.set(title=f"{label.capitalize()} among others of its recipe", ylabel="test accuracy (%)")
    _finish_curves(ax)
    return ax


def plot_confusion_matrix(
    matrix, title: str = "Confusion matrix", errors_only: bool = False, vmax: float | None = None,
    ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Draw a confusion matrix, (K, K) counts or percent: rows are the true digits, columns the digits read.

    Colours show the errors: the diagonal has none, and a zero is left blank. ``errors_only`` leaves out the numbers on
    the diagonal, too; ``vmax`` is the value of the darkest colour, by default that of the largest error.
    """
    matrix, ax = as_array(matrix), make_axes(ax, 6.2, 5.4)
    errors = np.where(np.eye(len(matrix), dtype=bool), 0, matrix)
    shown = errors if errors_only else matrix
    numbers = pd.DataFrame(shown).map(lambda n: "" if n == 0 else f"{n:.1f}" if matrix.dtype.kind == "f" else f"{n:d}")
    sns.heatmap(
        pd.DataFrame(errors).rename_axis(index="true digit", columns="predicted digit"), annot=numbers, fmt="",
        vmin=0, vmax=vmax or errors.max() or 1, cmap="Blues", square=True, linewidths=0.5, linecolor="#dddddd",
        annot_kws={"size": 9}, cbar=False, ax=ax,
    )  # fmt: skip
    ax.set_title(title)
    ax.tick_params(rotation=0)
    return ax


def plot_probabilities(image, probabilities, label: int | None = None) -> Figure:
    """Draw an image, (H, W), and beside it the ten probabilities, 0 to 1, that a network gives to the digits.

    The largest is drawn in blue; ``label`` is the true digit, where it is known.
    """
    probabilities = as_array(probabilities)
    figure, (left, right) = plt.subplots(1, 2, figsize=(6, 2.6), width_ratios=(1, 1.8), layout="constrained")
    left.imshow(as_array(image), cmap="gray")
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
    """Draw points (N, 2) of the classes 0 to 9, each as its digit; framed, it stands at the median of its points."""
    points, labels = as_array(points), as_array(labels)
    ax = make_axes(ax, 5.5, 5)
    for digit in np.unique(labels):
        x, y = points[labels == digit].T
        colour = plt.get_cmap("tab10")(digit)
        ax.scatter(x, y, s=14, color=colour, marker=f"${digit}$", linewidths=0, antialiased=False)
        frame = {"boxstyle": "circle,pad=0.2", "facecolor": "white", "edgecolor": colour, "linewidth": 1.5}
        middle = float(np.median(x)), float(np.median(y))
        ax.text(*middle, str(digit), ha="center", va="center", weight="bold", bbox=frame, zorder=3)
    ax.set(title=title, xticks=[], yticks=[])
    return ax


def plot_landscape(paths: dict, compute_height: Callable, side: int = 30) -> Axes:
    """Draw several paths of weights over the loss: lines of equal height in the plane that lies closest to all paths.

    Args:
        paths: name -> the weights after each step, (steps + 1, weights); all begin at one place.
        compute_height: takes weights, (weights,), and returns their loss, a number.
        side: the height is computed at side x side places.
    """
    start = np.asarray(next(iter(paths.values())))[0]
    steps = np.concatenate([np.asarray(path) - start for path in paths.values()])
    _, lengths, directions = np.linalg.svd(steps, full_matrices=False)
    share, plane = (lengths[:2] ** 2).sum() / (lengths**2).sum(), directions[:2]
    low, high = (steps @ plane.T).min(axis=0), (steps @ plane.T).max(axis=0)
    margin = 0.06 * (high - low).max()
    across, up = (np.linspace(*ends, side, dtype=start.dtype) for ends in zip(low - margin, high + margin))
    heights = [[compute_height(start + x * plane[0] + y * plane[1]) for x in across] for y in up]
    ax = make_axes(None, 8, 4)
    lines = ax.contour(across, up, heights, [0.1, 0.2, 0.4, 0.7, 1, 1.5, 2, 2.5, 3], colors=GREY, linewidths=0.7)
    for text in ax.clabel(lines, fontsize=9):
        inside = np.abs(text.get_position() - (low + high) / 2) < (high - low) / 2 + 0.7 * margin
        text.set_visible(bool(inside.all()))  # none half outside the frame
    for (name, path), colour, marker in zip(paths.items(), (BLUE, ORANGE, GREEN), "os^"):
        label = f"{name}, to a loss of {compute_height(path[-1]):.2f}"
        ax.plot(*((np.asarray(path) - start) @ plane.T).T, f"-{marker}", color=colour, markersize=3, label=label)
    ax.plot(0, 0, "k*", markersize=13)
    xlabel = f"along the first direction (the plane holds {100 * share:.0f} % of the spread)"
    ax.set(xlabel=xlabel, ylabel="along the second", aspect="equal")
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return ax


def as_array(values, shape: str | None = None) -> np.ndarray:
    """Return the values as an array, where a tensor may still have gradients, and hold it to a shape, "(N, H, W)"."""
    array = np.asarray(values.detach().cpu() if hasattr(values, "detach") else values)
    if shape and (array.ndim != len(shape.split(",")) or 0 in array.shape):
        raise ValueError(f"the shape must be {shape}, each of them 1 or more, not {array.shape}.")
    return array


def make_axes(ax: Axes | None, width: float, height: float) -> Axes:
    """Return ``ax``, or the Axes of a new figure of that size in inches where there is none."""
    return plt.subplots(figsize=(width, height), layout="constrained")[1] if ax is None else ax


def say_percent(probability: float) -> str:
    """A probability in percent, but never 100 %: softmax reaches that by rounding alone."""
    return f"{100 * probability:.1f} %" if probability < 0.9995 else "over 99.9 %"


def _finish_curves(ax: Axes) -> None:
    """What all curves over the epochs have."""
    ax.set_xlabel("epoch")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.grid(alpha=0.3)
    ax.legend()
