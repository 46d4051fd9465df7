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

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#767676"  # safe for colour-blind readers


def plot_images(images, titles=None, columns: int = 6, colours=None, scale: float = 1.1) -> Figure:
    """Draw a grid of grey images.

    Args:
        images: (N, H, W), any numbers; all images share one scale from the least to the greatest.
        titles: N texts to write above the images.
        columns: images in a row.
        colours: N colours of the titles.
        scale: inches per image.
    """
    images = np.asarray(images)
    if images.ndim != 3 or len(images) == 0:
        raise ValueError(f"images must have the shape (N, H, W) with N of 1 or more, not {images.shape}.")
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    height = scale * (1.25 if titles is not None else 1)
    figure, axes = plt.subplots(
        rows, columns, figsize=(columns * scale, rows * height), squeeze=False, layout="constrained"
    )
    for axis in axes.flat:
        axis.axis("off")
    for i, (axis, image) in enumerate(zip(axes.flat, images)):
        axis.imshow(image, cmap="gray", vmin=images.min(), vmax=images.max())
        if titles is not None:
            axis.set_title(titles[i], fontsize=9, color="black" if colours is None else colours[i], pad=3)
    return figure


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
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.grid(alpha=0.3)
        axis.legend()
    return figure


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
    matrix, title: str = "Confusion matrix", errors_only: bool = False, ax: Axes | None = None
) -> Axes:
    """Draw a confusion matrix with its numbers: rows are the true digits, columns the digits read.

    Args:
        matrix: (10, 10), counts (integers) or shares of a row in percent (floating-point).
        errors_only: leave out the diagonal, so that the colours show the errors.
    """
    table = pd.DataFrame(np.asarray(matrix)).rename_axis(index="true digit", columns="predicted digit")
    ax = ax or plt.subplots(figsize=(6.2, 5.2), layout="constrained")[1]
    mask = np.eye(len(table), dtype=bool) if errors_only else None
    sns.heatmap(
        table, annot=True, fmt=".1f" if table.dtypes.iloc[0].kind == "f" else "d", mask=mask, cmap="Blues",
        square=True, linewidths=0.5, annot_kws={"size": 8}, cbar=False, ax=ax,
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
    right.set_title(f"read as {winner}, {100 * probabilities[winner]:.1f} % sure", fontsize=10)
    if label is not None:
        left.set_title(f"true digit: {label}", fontsize=10)
    return figure


def plot_maps(maps, titles=None, columns: int = 6, limit: float | None = None, scale: float = 1.3) -> Figure:
    """Draw feature maps or kernels with one colour scale, symmetric about zero (white).

    Args:
        maps: (M, H, W): blue is negative, red positive.
        titles: M texts to write above the maps.
        columns: maps in a row.
        limit: the value of the strongest colour; the largest absolute value if not given.
        scale: inches per map.
    """
    maps = np.asarray(maps)
    if maps.ndim != 3 or len(maps) == 0:
        raise ValueError(f"maps must have the shape (M, H, W) with M of 1 or more, not {maps.shape}.")
    limit = float(np.abs(maps).max()) if limit is None else limit
    columns = min(columns, len(maps))
    rows = -(-len(maps) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(columns * scale + 0.8, rows * scale * (1.2 if titles is not None else 1)),
        squeeze=False, layout="constrained",
    )  # fmt: skip
    for axis in axes.flat:
        axis.axis("off")
    for i, (axis, image) in enumerate(zip(axes.flat, maps)):
        picture = axis.imshow(image, cmap="RdBu_r", vmin=-limit, vmax=limit)
        if titles is not None:
            axis.set_title(titles[i], fontsize=8, pad=2)
    figure.colorbar(picture, ax=axes, shrink=0.8, aspect=30)
    return figure
