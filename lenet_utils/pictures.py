"""Pictures made of pixels: images, kernels, feature maps, and a digit on its way through a network."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lenet_utils.plotting import BLUE, GREY, ORANGE, say_percent

SHADES = 15  # of a table of maps: as many as the eye tells apart, and a much smaller file than with 256


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


def plot_maps(maps, titles=None, columns: int = 6, vmax: float | None = None, scale: float = 1.3) -> Figure:
    """Draw feature maps or kernels with one colour scale, symmetric about zero (white).

    Args:
        maps: (M, H, W): blue is negative, red positive.
        titles: M texts to write above the maps.
        columns: maps in a row.
        vmax: the value of the strongest colour; the largest absolute value if not given.
        scale: inches per map.
    """
    maps = np.asarray(maps)
    if maps.ndim != 3 or len(maps) == 0:
        raise ValueError(f"maps must have the shape (M, H, W) with M of 1 or more, not {maps.shape}.")
    vmax = float(np.abs(maps).max()) if vmax is None else vmax
    columns = min(columns, len(maps))
    rows = -(-len(maps) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(columns * scale + 0.8, rows * scale * (1.2 if titles is not None else 1)),
        squeeze=False, layout="constrained",
    )  # fmt: skip
    for axis in axes.flat:
        axis.axis("off")
    for i, (axis, image) in enumerate(zip(axes.flat, maps)):
        picture = axis.imshow(image, cmap="RdBu_r", vmin=-vmax, vmax=vmax)
        if titles is not None:
            axis.set_title(titles[i], fontsize=8, pad=2)
    figure.colorbar(picture, ax=axes, shrink=0.8, aspect=30)
    return figure


def plot_image_and_maps(image, maps, titles, vmax: float | None = None, scale: float = 1.7) -> Figure:
    """Draw an image in grey and, beside it in one row, maps with one colour scale, symmetric about zero (white).

    Args:
        image: (H, W), any numbers.
        maps: a sequence of (H', W') arrays, which may differ in size: blue is negative, red positive.
        titles: a text for the image and one for each map.
        vmax: the value of the strongest colour; the largest absolute value if not given.
        scale: inches per picture.
    """
    maps = [np.asarray(values) for values in maps]
    if not maps or len(titles) != len(maps) + 1:
        raise ValueError(f"there must be one title for the image and one for each map, not {len(titles)}.")
    vmax = max(float(np.abs(values).max()) for values in maps) if vmax is None else vmax
    size = ((len(maps) + 1) * scale + 0.8, scale * 1.2)
    figure, axes = plt.subplots(1, len(maps) + 1, figsize=size, layout="constrained")
    axes[0].imshow(np.asarray(image), cmap="gray")
    for axis, values in zip(axes[1:], maps):
        picture = axis.imshow(values, cmap="RdBu_r", vmin=-vmax, vmax=vmax)
    for axis, title in zip(axes, titles):
        axis.set_title(title, fontsize=9, pad=3)
        axis.axis("off")
    figure.colorbar(picture, ax=axes, shrink=0.8, aspect=20)
    return figure


def plot_mosaic(
    maps, row_names=None, column_names=None, title: str = "", vmax: float | None = None, grey: bool = False,
    ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Draw a table of feature maps or kernels as one picture, with one colour scale, symmetric about zero (white).

    Args:
        maps: (R, C, H, W), R rows of C maps: blue is negative, red positive.
        row_names: R texts to write beside the rows.
        column_names: C texts to write above the columns.
        title: of the whole table.
        vmax: the value of the strongest colour; the largest absolute value if not given.
        grey: draw images instead of maps: 0 is black, ``vmax`` white.
    """
    maps = np.asarray(maps, dtype=float)  # the gaps are nan
    if maps.ndim != 4 or 0 in maps.shape:
        raise ValueError(f"maps must have the shape (R, C, H, W) without a zero, not {maps.shape}.")
    vmax = float(np.abs(maps).max()) if vmax is None else vmax
    enlarge = -(-20 // maps.shape[2])  # so that the gaps are thin beside the smallest maps, too
    maps = maps.repeat(enlarge, axis=2).repeat(enlarge, axis=3)
    rows, columns, height, width = maps.shape
    gap = height // 8
    framed = np.pad(maps, ((0, 0), (0, 0), (0, gap), (0, gap)), constant_values=np.nan)
    canvas = framed.transpose(0, 2, 1, 3).reshape(rows * (height + gap), columns * (width + gap))[:-gap, :-gap]
    ax = ax or plt.subplots(figsize=(7.2, 7.2 * canvas.shape[0] / canvas.shape[1] + 0.5), layout="constrained")[1]
    colours = plt.get_cmap("gray" if grey else "RdBu_r", SHADES).with_extremes(bad="#d9d9d9")
    ax.imshow(canvas, cmap=colours, vmin=0 if grey else -vmax, vmax=vmax, interpolation="nearest")
    ax.set_xticks(np.arange(columns) * (width + gap) + width / 2, column_names or [""] * columns, fontsize=9)
    ax.set_yticks(np.arange(rows) * (height + gap) + height / 2, row_names or [""] * rows, fontsize=9)
    ax.tick_params(length=0, top=False, labeltop=True, bottom=False, labelbottom=False)
    ax.spines[:].set_visible(False)
    ax.set_title(title)
    return ax


def plot_journey(image, stages: dict, logits, fields: dict | None = None) -> Figure:
    """Draw the way of one digit through a convolutional network, from its pixels to the answer.

    Args:
        image: (H, W), drawn in grey.
        stages: name -> (M, h, w) feature maps or (K,) features, from -1 (blue) to 1 (red), in the order of the
            layers.
        logits: (10,): drawn with the digits they stand for, and beside them the probabilities (softmax).
        fields: name -> (map, row, column, size): squares to mark, linked from stage to stage. The image's name is
            "image"; its map is 0.
    """
    image, logits = np.asarray(image), np.asarray(logits, dtype=float)
    probabilities = np.exp(logits - logits.max())
    probabilities /= probabilities.sum()
    winner = int(logits.argmax())
    shades = plt.get_cmap("RdBu_r", SHADES)
    figure, ax = plt.subplots(figsize=(9.6, 4.15), layout="constrained")
    ax.axis("off")
    corners = {}  # name -> the marked square: left, right, top, bottom
    left, edges, count = (0.0, None, 0)  # of the stage before: right, top and bottom edge; number of maps
    for name, maps in {"image": image, **stages, "outputs": logits}.items():
        maps = np.asarray(maps)
        size = f"{maps.shape[-2]}×{maps.shape[-1]}" if maps.ndim > 1 else ""
        if name == "image":
            maps, columns, side, text = maps[None], 1, 62.0, size
        elif name == "outputs":
            maps, columns, side, text = maps[:, None, None], 1, 17.0, f"{maps.size}\nlogits"
        elif maps.ndim == 1:
            text = f"{maps.size} numbers"
            maps, columns, side = maps[:, None, None], 6, 8.5
        else:
            columns = 1 if len(maps) <= 8 else 2
            side = (144 if len(maps) == count else 180) / -(-len(maps) // columns)  # pooled: smaller
            text = f"{len(maps)} maps\n{size}"
        count = len(maps)
        gap = 0.0 if name == "outputs" else max(1.2, side / 9)
        rows = -(-len(maps) // columns)
        height, width = rows * (side + gap) - gap, columns * (side + gap) - gap
        top = -height / 2
        if edges is not None:
            ax.fill(
                [edges[0] + 2, left - 2, left - 2, edges[0] + 2], [edges[1], top, -top, edges[2]],
                color="#e9e9e9", linewidth=0, zorder=0,
            )  # fmt: skip
        scale = {"cmap": "gray", "vmin": image.min(), "vmax": image.max()} if name == "image" else {
            "cmap": shades, "vmin": -(vmax := np.abs(logits).max() if name == "outputs" else 1), "vmax": vmax,
        }  # fmt: skip
        for i, picture in enumerate(maps):
            x, y = left + (i % columns) * (side + gap), top + (i // columns) * (side + gap)
            ax.imshow(picture, extent=(x, x + side, y + side, y), interpolation="nearest", zorder=2, **scale)
            ax.add_patch(plt.Rectangle((x, y), side, side, fill=False, color=GREY, linewidth=0.4, zorder=2.5))
            if fields and name in fields and fields[name][0] == i:
                _, row, column, extent = fields[name]
                pixel = side / picture.shape[-1]
                corners[name] = (
                    x + column * pixel, x + (column + extent) * pixel, y + row * pixel, y + (row + extent) * pixel,
                )  # fmt: skip
            if name == "outputs":
                share, weight = probabilities[i], "bold" if i == winner else "normal"
                ax.text(x - 4, y + side / 2, i, ha="right", va="center", fontsize=10, weight=weight)
                ax.barh(
                    y + side / 2, 52 * share, left=x + side + 4, height=0.7 * side, zorder=2,
                    color=BLUE if i == winner else GREY,
                )  # fmt: skip
        ax.text(left + width / 2, -110, name, ha="center", va="bottom", fontsize=11, weight="bold")
        ax.text(left + width / 2, 108, text, ha="center", va="top", fontsize=9)
        edges = (left + width, top, -top)
        left += width + 30
    _link(ax, list(corners.values()))
    ax.add_patch(
        plt.Rectangle((edges[0] - 17, edges[1] + 17 * winner), 17, 17, fill=False, linewidth=2, zorder=4)
    )  # fmt: skip
    ax.plot([edges[0] + 4] * 2, edges[1:], color=GREY, linewidth=0.8)
    ax.text(edges[0] + 30, 108, "softmax", ha="center", va="top", fontsize=9)
    ax.text(edges[0] + 90, -110, "answer", ha="center", va="bottom", fontsize=11, weight="bold")
    ax.text(edges[0] + 90, 0, winner, ha="center", va="center", fontsize=64, weight="bold", color=BLUE)
    sure = say_percent(probabilities[winner])
    ax.text(edges[0] + 90, 108, f"{sure}\nsure", ha="center", va="top", fontsize=9)
    ax.set(xlim=(-4, edges[0] + 122), ylim=(140, -124))
    bar = ax.inset_axes((0.005, 0.0, 0.09, 0.022))
    figure.colorbar(plt.cm.ScalarMappable(plt.Normalize(-1, 1), "RdBu_r"), bar, orientation="horizontal")
    bar.set_xticks((-1, 0, 1), ("-1", "0", "1"), fontsize=8)
    bar.set_title("maps and numbers", fontsize=8, pad=3)
    return figure


def _link(ax: Axes, squares: list[tuple]) -> None:
    """Draw squares (left, right, top, bottom) and the lines from each to the next."""
    for left, right, top, bottom in squares:
        ax.add_patch(
            plt.Rectangle((left, top), right - left, bottom - top, fill=False, color=ORANGE, linewidth=1.6, zorder=5)
        )
    for (_, right, top, bottom), (left, _, next_top, next_bottom) in zip(squares, squares[1:]):
        ax.plot([right, left], [top, next_top], color=ORANGE, linewidth=0.8, zorder=4)
        ax.plot([right, left], [bottom, next_bottom], color=ORANGE, linewidth=0.8, zorder=4)
