"""Pictures made of pixels: images, kernels, feature maps, and a digit on its way through a network."""

from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lenet_utils.plotting import BLUE, GREY, ORANGE, as_array, make_axes, say_percent

SHADES = 15  # of a table of maps: as many as the eye tells apart, and a much smaller file than with 256


def plot_images(
    images, titles=None, columns: int = 6, colours=None, scale: float = 1.1, title: str = ""
) -> Figure:  # fmt: skip
    """Draw grey images, (N, H, W), on one scale; ``colours`` are those of the titles, ``scale`` is inches an image."""
    images = as_array(images, "(N, H, W)")
    figure, axes = _make_grid(len(images), titles, columns, scale, title, colours=colours)
    for ax, image in zip(axes, images):
        ax.imshow(image, cmap="gray", vmin=images.min(), vmax=images.max())
    return figure


def plot_maps(
    maps, titles=None, columns: int = 6, vmax: float | None = None, scale: float = 1.3, title: str = ""
) -> Figure:  # fmt: skip
    """Draw feature maps or kernels, (M, H, W), with one colour scale: blue is negative, white zero, red positive.

    ``vmax`` is the value of the strongest colour, by default the largest absolute value; ``scale`` is inches per map.
    """
    maps = as_array(maps, "(M, H, W)")
    figure, axes = _make_grid(len(maps), titles, columns, scale, title, for_bar=0.8)
    _draw_maps(axes, maps, vmax)
    return figure


def plot_image_and_maps(
    image, maps, titles, vmax: float | None = None, title: str = "", numbers: bool = False
) -> Figure:  # fmt: skip
    """Draw an image, (H, W), in grey and, beside it in one row, maps of any sizes, coloured as by :func:`plot_maps`.

    ``titles`` are one for the image and one for each map. With ``numbers`` each value is written on its square.
    """
    image, maps = as_array(image, "(H, W)"), [as_array(values, "(H, W)") for values in maps]
    figure, axes = _make_grid(1 + len(maps), titles, 1 + len(maps), 2.1 if numbers else 1.7, title, for_bar=0.8)
    axes[0].imshow(image, cmap="gray")
    _draw_maps(axes[1:], maps, vmax)
    if numbers:
        for ax in axes:
            write_numbers(ax, decimals=0 if (ax.images[0].get_array() % 1 == 0).all() else 2)
    return figure


def write_numbers(ax: Axes, decimals: int = 2) -> None:
    """Write each number of the picture that ``imshow`` drew on its square, dark on light colours and light on dark."""
    (picture,) = ax.images
    for (row, column), value in np.ndenumerate(picture.get_array()):
        dark = np.dot(picture.to_rgba(value)[:3], (0.299, 0.587, 0.114)) < 0.5  # as bright as the eye sees it
        text = f"{round(float(value), decimals) + 0.0:.{decimals}f}"  # no -0.00
        ax.text(column, row, text, ha="center", va="center", fontsize=9, color="white" if dark else "black")


def plot_mosaic(
    maps, row_names=None, column_names=None, title: str = "", vmax: float | None = None, grey: bool = False,
    ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Draw a table, (R, C, H, W), of maps coloured as by :func:`plot_maps`, or ``grey`` from 0, black, to ``vmax``."""
    maps = as_array(maps, "(R, C, H, W)").astype(float)  # the gaps are nan
    vmax = _find_vmax(maps, vmax)
    enlarge = -(-20 // maps.shape[2])  # so that the gaps are thin beside the smallest maps, too
    maps = maps.repeat(enlarge, axis=2).repeat(enlarge, axis=3)
    rows, columns, height, width = maps.shape
    gap = height // 8
    framed = np.pad(maps, ((0, 0), (0, 0), (0, gap), (0, gap)), constant_values=np.nan)
    canvas = framed.transpose(0, 2, 1, 3).reshape(rows * (height + gap), columns * (width + gap))[:-gap, :-gap]
    ax = make_axes(ax, 7.2, 7.2 * canvas.shape[0] / canvas.shape[1] + 0.5)
    colours = plt.get_cmap("gray" if grey else "RdBu_r", SHADES).with_extremes(bad="#d9d9d9")
    ax.imshow(canvas, cmap=colours, vmin=0 if grey else -vmax, vmax=vmax, interpolation="nearest")
    ax.set_xticks(np.arange(columns) * (width + gap) + width / 2, column_names or [""] * columns, fontsize=9)
    ax.set_yticks(np.arange(rows) * (height + gap) + height / 2, row_names or [""] * rows, fontsize=9)
    ax.tick_params(length=0, top=False, labeltop=True, bottom=False, labelbottom=False)
    ax.spines[:].set_visible(False)
    ax.set_title(title)
    return ax


def plot_journey(image, stages: dict, logits, fields: dict | None = None, title: str = "") -> Figure:
    """Draw a digit's way through a convolutional network: its pixels, (H, W), the stages, ten logits, the answer.

    ``stages`` are maps, (M, h, w), or features, (K,), by name, from -1 (blue) to 1 (red). ``fields`` are squares to
    mark and link, name -> (map, row, column, size), where the pixels are map 0 of "image".
    """
    image, logits, fields = as_array(image), as_array(logits).astype(float), fields or {}
    laid_out = _lay_out(image, stages, logits)
    figure, ax = plt.subplots(figsize=(9.6, 4.4), layout="constrained")
    ax.axis("off")
    ax.set_title(title, pad=10)
    shades = plt.get_cmap("RdBu_r", SHADES)
    _draw_stage(ax, laid_out[0], "gray", image.min(), image.max())
    for stage in laid_out[1:-1]:
        _draw_stage(ax, stage, shades, -1, 1)
    _draw_stage(ax, laid_out[-1], shades, -np.abs(logits).max(), np.abs(logits).max())
    for stage, following in zip(laid_out, laid_out[1:]):
        x, y = (stage.right + 2, following.left - 2), (stage.top, following.top)
        ax.fill([*x, *x[::-1]], [*y, -y[1], -y[0]], color="#e9e9e9", linewidth=0, zorder=0)
    _draw_fields(ax, [stage.find_field(*fields[stage.name]) for stage in laid_out if stage.name in fields])
    _draw_answer(ax, laid_out[-1], logits)
    bar = ax.inset_axes((0.005, 0.0, 0.09, 0.022))
    figure.colorbar(plt.cm.ScalarMappable(plt.Normalize(-1, 1), shades), bar, orientation="horizontal")
    bar.set_xticks((-1, 0, 1), ("-1", "0", "1"), fontsize=9)
    bar.set_title("maps and numbers", fontsize=9, fontweight="normal", pad=3)
    return figure


def _make_grid(count: int, titles, columns: int, scale: float, title: str, colours=None, for_bar: float = 0.0):
    """Figure and ``count`` Axes without frames, ``scale`` inches each, and ``for_bar`` inches for a colour bar."""
    if titles is not None and len(titles) != count:
        raise ValueError(f"there must be a title for each of the {count} pictures, not {len(titles)} titles.")
    columns = min(columns, count)
    rows = -(-count // columns)
    size = (columns * scale + for_bar, rows * (scale + (0.0 if titles is None else 0.3)) + (0.3 if title else 0.0))
    figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False, layout="constrained")
    if title:
        figure.suptitle(title)
    for i, ax in enumerate(axes.flat):
        ax.axis("off")
        if titles is not None and i < count:
            colour = "black" if colours is None else colours[i]
            ax.set_title(titles[i], fontsize=9, fontweight="normal", pad=3, color=colour)
    return figure, axes.flat[:count]


def _find_vmax(maps, vmax: float | None) -> float:
    return max(float(np.abs(values).max()) for values in maps) or 1.0 if vmax is None else vmax


def _draw_maps(axes, maps, vmax: float | None) -> None:
    vmax = _find_vmax(maps, vmax)
    for ax, values in zip(axes, maps):
        picture = ax.imshow(values, cmap=plt.get_cmap("RdBu_r", SHADES), vmin=-vmax, vmax=vmax)
    picture.figure.colorbar(picture, ax=picture.figure.axes, shrink=0.8, aspect=30)


@dataclass
class _Stage:
    """A stage of a journey: square maps (M, h, w) in columns, centred at height 0. y goes down, as in an image."""

    name: str
    text: str
    maps: np.ndarray
    columns: int
    side: float  # of a map
    left: float = 0.0

    def __post_init__(self):
        self.pitch = self.side + (0.0 if self.name == "outputs" else max(1.2, self.side / 9))  # from map to map
        gap = self.pitch - self.side
        self.width = self.columns * self.pitch - gap
        self.top = (gap - -(-len(self.maps) // self.columns) * self.pitch) / 2

    @property
    def right(self) -> float:
        return self.left + self.width

    def find_corner(self, i: int) -> tuple[float, float]:
        """The top left corner of map ``i``."""
        return self.left + (i % self.columns) * self.pitch, self.top + (i // self.columns) * self.pitch

    def find_field(self, i: int, row: int, column: int, size: int) -> tuple[float, float, float]:
        """The top left corner and the side of a square in map ``i``."""
        x, y = self.find_corner(i)
        pixel = self.side / self.maps.shape[-1]
        return x + column * pixel, y + row * pixel, size * pixel


def _lay_out(image: np.ndarray, stages: dict, logits: np.ndarray) -> list[_Stage]:
    laid_out = [_Stage("image", f"{image.shape[0]}×{image.shape[1]}", image[None], columns=1, side=62.0)]
    for name, maps in stages.items():
        maps = as_array(maps)
        if maps.ndim == 1:
            stage = _Stage(name, f"{len(maps)} numbers", maps[:, None, None], columns=6, side=8.5)
        else:
            pooled = len(maps) == len(laid_out[-1].maps)  # pooled maps are drawn smaller
            columns = 1 if len(maps) <= 8 else 2
            side = (144 if pooled else 180) / -(-len(maps) // columns)
            stage = _Stage(name, f"{len(maps)} maps\n{maps.shape[1]}×{maps.shape[2]}", maps, columns, side)
        laid_out.append(stage)
    laid_out.append(_Stage("outputs", f"{len(logits)}\nlogits", logits[:, None, None], columns=1, side=17.0))
    for stage, following in zip(laid_out, laid_out[1:]):
        following.left = stage.right + 30
    return laid_out


def _draw_stage(ax: Axes, stage: _Stage, cmap, vmin: float, vmax: float) -> None:
    side = stage.side
    for i, values in enumerate(stage.maps):
        x, y = stage.find_corner(i)
        extent = (x, x + side, y + side, y)
        ax.imshow(values, extent=extent, interpolation="nearest", zorder=2, cmap=cmap, vmin=vmin, vmax=vmax)
        ax.add_patch(plt.Rectangle((x, y), side, side, fill=False, color=GREY, linewidth=0.4, zorder=2.5))
    _write(ax, stage.left + stage.width / 2, stage.name, stage.text)


def _draw_fields(ax: Axes, fields: list[tuple[float, float, float]]) -> None:
    for x, y, side in fields:  # squares, each joined to the next
        ax.add_patch(plt.Rectangle((x, y), side, side, fill=False, color=ORANGE, linewidth=1.6, zorder=5))
    for (x, y, side), (next_x, next_y, next_side) in zip(fields, fields[1:]):
        ax.plot([x + side, next_x], [y, next_y], color=ORANGE, linewidth=0.8, zorder=4)
        ax.plot([x + side, next_x], [y + side, next_y + next_side], color=ORANGE, linewidth=0.8, zorder=4)


def _draw_answer(ax: Axes, outputs: _Stage, logits: np.ndarray) -> None:
    """Draw what stands beside the logits: the digits, their probabilities, and the digit that is read."""
    probabilities = np.exp(logits - logits.max())
    probabilities /= probabilities.sum()
    winner, side, right = int(logits.argmax()), outputs.side, outputs.right
    for i, probability in enumerate(probabilities):
        x, y = outputs.find_corner(i)
        weight, colour = ("bold", BLUE) if i == winner else ("normal", GREY)
        ax.text(x - 4, y + side / 2, str(i), ha="right", va="center", fontsize=10, weight=weight)
        ax.barh(y + side / 2, 52 * probability, left=right + 4, height=0.7 * side, zorder=2, color=colour)
    ax.add_patch(plt.Rectangle(outputs.find_corner(winner), side, side, fill=False, linewidth=2, zorder=4))
    ax.plot([right + 4] * 2, [outputs.top, -outputs.top], color=GREY, linewidth=0.8)
    _write(ax, right + 30, "", "softmax")
    _write(ax, right + 90, "answer", f"{say_percent(probabilities[winner])}\nsure")
    ax.text(right + 90, 0, str(winner), ha="center", va="center", fontsize=64, weight="bold", color=BLUE)
    ax.set(xlim=(-4, right + 122), ylim=(140, -124))


def _write(ax: Axes, x: float, above: str, below: str) -> None:
    ax.text(x, -110, above, ha="center", va="bottom", fontsize=11, weight="bold")
    ax.text(x, 108, below, ha="center", va="top", fontsize=9)
