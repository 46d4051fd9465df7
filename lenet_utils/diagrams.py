"""Diagrams of networks and of their training, drawn from the model or the numbers that they show.

A notebook stores each as vectors (SVG), and as a PNG for viewers that show no SVG. Blue is what comes forwards, orange
what comes backwards. Lengths are inches; the middle of a diagram is at height 0.
"""

import re
from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from torch import nn

from lenet_utils.figures import Diagram
from lenet_utils.models import count_parameters
from lenet_utils.pictures import SHADES
from lenet_utils.plotting import BLUE, GREY, ORANGE, as_array

USES = {"training": "to learn from", "validation": "to choose by", "test": "to score, once"}


def draw_neuron(inputs, weights, bias: float, activation: Callable = torch.relu, title: str = "") -> Figure:
    """Draw one unit at work: inputs, (n,), times weights, (n,), the sum with the bias, the activation."""
    inputs, weights = as_array(inputs, "(N)").astype(float), as_array(weights, "(N)").astype(float)
    products, total = float(inputs @ weights), float(inputs @ weights + bias)
    figure, ax = _start(7.2, 0.75 * len(inputs) + 0.3, title)
    for (x, y), value, weight in zip(_place(0.5, len(inputs), 0.75), inputs, weights):
        ax.plot([x, 3.3], [y, 0], color=GREY, linewidth=0.8)
        _write(ax, 1.5, 0.6 * y, (f"x {weight:.2f}", "black"))
        _circle(ax, x, y, [(f"{value:.2f}", BLUE)])
    _box(ax, 3.3, 0, f"sum + bias\n{products:.2f} + {bias:.2f}\n= {total:.2f}", 1.4)
    _box(ax, 5.1, 0, activation.__name__, 1.0)
    _circle(ax, 6.65, 0, [(f"{activation(torch.tensor(total)).item():.2f}", BLUE)])
    _arrow(ax, (4.7, 0), (5.1, 0))
    _arrow(ax, (6.1, 0), (6.35, 0))
    return figure


def draw_mlp(model: nn.Module, title: str = "") -> Figure:
    """Draw the linear layers of a model as columns of units, and how many numbers each layer has to learn."""
    linear, names = [], ["inputs"]
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            linear.append(layer)
            names.append("")
        elif linear and not list(layer.children()):
            names[-1] = type(layer).__name__  # the activation that follows
    names[-1] = names[-1] or "outputs"
    sizes = [linear[0].in_features, *(layer.out_features for layer in linear)]
    columns = [_place(0.5 + 2.3 * i, min(size, 5), 0.5) for i, size in enumerate(sizes)]
    figure, ax = _start(2.3 * len(linear) + 1.0, 4.2, title)
    for layer, left, right in zip(linear, columns, columns[1:]):
        lines = [place for start in left for end in right for place in (start, end, (np.nan, np.nan))]
        ax.plot(*zip(*lines), color="#c8c8c8", linewidth=0.5)
        text = f"{layer.in_features:,} x {layer.out_features:,} weights"
        text += "" if layer.bias is None else f"\n+ {layer.out_features:,} biases"
        learnt = count_parameters(layer)
        _write(ax, (left[0][0] + right[0][0]) / 2, -1.75, (f"{text}\n= {learnt:,}", "black"))
    for size, name, column in zip(sizes, names, columns):
        for i, (x, y) in enumerate(column):
            if size > 5 and i == 2:
                _write(ax, x, y, ("...", BLUE), rotation=90)
            else:
                ax.add_patch(plt.Circle((x, y), 0.13, facecolor="white", edgecolor=BLUE, zorder=3))
        _write(ax, column[0][0], 1.6, (f"{size:,}\n{name}", BLUE))
    return figure


def draw_passes(forward, backward, weights, names=None, title: str = "") -> Figure:
    """Draw a small network with its numbers: in each unit what came forwards, and below it its gradient.

    Args:
        forward: for each layer the numbers of its units, (n,).
        backward: for each layer their gradients, (n,), or None to leave them out.
        weights: for each step from layer to layer the weights, (outputs, inputs), or a pair: these and their gradients.
        names: for each layer the names of its units, or None.
    """
    forward = [as_array(numbers, "(N)") for numbers in forward]
    columns = [_place(0.6 + 2.7 * i, len(numbers), 1.9) for i, numbers in enumerate(forward)]
    figure, ax = _start(2.7 * len(columns) - 1.5, 1.9 * max(map(len, columns)) - 0.4, title)
    for left, right, step in zip(columns, columns[1:], weights):
        numbers = [as_array(part, "(outputs, inputs)") for part in (step if isinstance(step, tuple) else (step,))]
        for j, end in enumerate(right):
            for i, start in enumerate(left):
                ax.plot(*zip(start, end), color=GREY, linewidth=0.8)
                share = 0.32 if len(right) > 1 else 0.5  # where lines cross, nobody could tell whose number it is
                texts = [(f"{part[j, i]:.2f}", colour) for part, colour in zip(numbers, (BLUE, ORANGE))]
                x, y = (a + share * (b - a) for a, b in zip(start, end))
                _write(ax, x, y, *texts)
    for i, column in enumerate(columns):
        for j, (x, y) in enumerate(column):
            texts = [(f"{forward[i][j]:.2f}", BLUE)]
            texts += [] if backward is None else [(f"{as_array(backward[i])[j]:.2f}", ORANGE)]
            _circle(ax, x, y, texts, 0.4)
            if names:
                ax.text(x, y + 0.45, names[i][j], ha="center", va="bottom", fontsize=9)
    return figure


def draw_calculation(values, names: dict, title: str = "") -> Figure:
    """Draw a calculation: each value with its name, its number, and its gradient where one has come back.

    On the arrow to what was made of it stands the slope of that step.

    Args:
        values: all of them, each after those it was made of: objects with ``data``, ``grad`` and ``parents``, which are
            pairs (value, slope).
        names: name -> value.
    """
    known, depth = {value: name for name, value in names.items()}, dict.fromkeys(values, 0)
    for value in values:
        depth[value] = 1 + max((depth[parent] for parent, _ in value.parents), default=-1)
    for value in values:  # what was put in stands beside the place where it is used
        if not value.parents:
            depth[value] = min(depth[other] for other in values if value in dict(other.parents)) - 1
    rows = {value: [other for other in values if depth[other] == depth[value]].index(value) for value in values}
    places = {value: (0.7 + 1.55 * depth[value], -1.2 * rows[value]) for value in values}
    figure, ax = _start(1.4 + 1.55 * max(depth.values()), 1.2 * max(rows.values()) + 1.1, title)
    ax.set_ylim(-1.2 * max(rows.values()) - 0.55, 0.55)
    for value in values:
        for number, (parent, slope) in enumerate(value.parents):
            (x0, y0), (x1, y1) = start, end = places[parent], places[value]
            twice = [other for other, _ in value.parents].count(parent) > 1
            side = (-1) ** number if twice else 0.0  # two threads to one value are two arrows, above and below
            _arrow(ax, start, end, shrink=32, bend=-0.25 * side)
            lift = 0.24 * side if twice else 0.13 if y0 == y1 else 0.0
            _write(ax, (x0 + x1) / 2, (y0 + y1) / 2 + lift, (f"{slope:.2f}", GREY))
        gradient = [(f"{value.grad:.3f}", ORANGE)] if value.grad else []
        _write(ax, *places[value], (known.get(value, ""), "black"), (f"{value.data:.3f}", BLUE), *gradient)
    return figure


def draw_kernels(conv: nn.Conv2d, maps, output: int = 0, title: str = "") -> Figure:
    """Draw how a convolution makes one of its maps: a kernel for each map, (C, H, W), that it reads, then the sum.

    The first four of the C maps are drawn; the sum is of all. Red is positive and blue negative, on one scale for all
    maps and one for all kernels.
    """
    maps, kernels = torch.as_tensor(as_array(maps, "(C, H, W)")), conv.weight[output].detach().cpu()
    read = [nn.functional.conv2d(m[None, None], k[None, None])[0, 0] for m, k in zip(maps, kernels)]
    bias = 0.0 if conv.bias is None else conv.bias[output].item()
    result = torch.stack(read).sum(dim=0) + bias
    shown = min(len(kernels), 4)
    figure, ax = _start(7.8, 1.35 * shown + 0.4, title)
    strongest = max(float(picture.abs().max()) for picture in (*read, result))
    for i, (_, y) in enumerate(_place(0, shown, 1.35)):
        _picture(ax, 0.6, y, 1.1, maps[i], float(maps.abs().max()), f"map {i}")
        _picture(ax, 2.2, y, 0.7, kernels[i], float(kernels.abs().max()), f"kernel {i}")
        _picture(ax, 3.8, y, 1.1, read[i], strongest, "what it finds")
        _write(ax, 1.5, y, ("*", "black"))
        _arrow(ax, (2.7, y), (3.15, y))
        _arrow(ax, (4.45, y), (5.1, 0.25 * y))
    more = "" if shown == len(kernels) else f"\n({len(kernels) - shown} more)"
    _box(ax, 5.1, 0, f"sum{more}\n+ bias {bias:.2f}", 1.0)
    _arrow(ax, (6.1, 0), (6.4, 0))
    _picture(ax, 7.1, 0, 1.2, result, strongest, f"output map {output}")
    return figure


def draw_step(model: nn.Module, optimizer: torch.optim.Optimizer, batch_size: int, title: str = "") -> Figure:
    """Draw a step of training as a loop: batch, forward pass, loss, backward pass, step, and the next batch."""
    count = count_parameters(model)
    rate, method = optimizer.param_groups[0]["lr"], type(optimizer).__name__
    figure, ax = _start(8.0, 2.9, title)
    for x, y, text, colour in (
        (0.1, 0.9, f"batch\n{batch_size} images", BLUE),
        (3.1, 0.9, f"1. forward pass\nthrough {count:,} numbers", BLUE),
        (6.1, 0.9, "2. loss\none number", BLUE),
        (6.1, -0.9, f"3. backward pass\n{count:,} gradients", ORANGE),
        (3.1, -0.9, f"4. step\n{method}, rate {rate:g}", ORANGE),
        (0.1, -0.9, "the gradients\nback to zero", GREY),
    ):
        _box(ax, x, y, text, 1.8, colour)
    for start, end in (((1.9, 0.9), (3.1, 0.9)), ((4.9, 0.9), (6.1, 0.9)), ((7.0, 0.5), (7.0, -0.5)),
                       ((6.1, -0.9), (4.9, -0.9)), ((3.1, -0.9), (1.9, -0.9)), ((1.0, -0.5), (1.0, 0.5))):  # fmt: skip
        _arrow(ax, start, end)
    _write(ax, 1.0, 0, ("the next batch", "black"))
    return figure


def draw_epoch(images: int, batch_size: int, title: str = "") -> Figure:
    """Draw an epoch: so many images in batches, one step for each, and the last batch of what is left."""
    steps, last = -(-images // batch_size), images % batch_size or batch_size
    figure, ax = _start(8.2, 1.8, title)
    shown = [(i + 1, batch_size) for i in range(min(steps, 4) - 1)] + [(steps, last)]
    for place, (number, size) in enumerate(shown):
        x, width = 0.1 + 1.9 * place + (0.7 if number == steps > 4 else 0), 0.8 + 0.8 * size / batch_size
        _box(ax, x, 0.4, f"{size} images", width, BLUE)
        _write(ax, x + width / 2, -0.15, (f"step {number:,}", ORANGE))
    if steps > 4:
        _write(ax, 6.05, 0.4, ("...", "black"))
    ax.plot([0.1, x + width], [-0.45] * 2, color=GREY)
    text = f"one epoch: all {images:,} images once, {steps:,} steps; the next one has a new order"
    _write(ax, 4.1, -0.7, (text, "black"))
    return figure


def draw_split(sizes: dict[str, int], title: str = "") -> Figure:
    """Draw parts of a dataset to scale, name -> number of images, and say what each is for."""
    figure, ax = _start(8.4, 1.9, title)
    left, whole = 0.1, sum(sizes.values())
    for number, ((name, size), colour) in enumerate(zip(sizes.items(), (BLUE, GREY, ORANGE))):
        width = 8.2 * size / whole
        ax.add_patch(plt.Rectangle((left, -0.2), width, 0.4, facecolor=colour, edgecolor="white"))
        y = (0.55, -0.55)[number % 2]  # above and below in turn: a narrow part has no room for its name
        _write(ax, left + width / 2, y, (f"{name} {size:,}\n{USES.get(name, '')}".strip(), colour))
        left += width
    return figure


def draw_lenet(model: nn.Module, title: str = "") -> Figure:
    """Draw a network like LeNet-5, layer by layer, as an image passes through it: sizes, kinds and parameters.

    A layer that neither learns nor changes the shape, such as tanh, is left out; codes to compare with are drawn.
    """
    stages = _pass_through(model)
    figure, ax = _start(1.06 * len(stages) + 0.2, 3.3, title)
    for i, (name, layer, shape) in enumerate(stages):
        x, count = 0.6 + 1.06 * i, shape[0]
        if len(shape) == 3 and shape[1] > 1:
            side, sizes = 0.1 + shape[1] / 45, f"{count} of {shape[1]}x{shape[2]}"
            for k in range(min(count, 6)):
                shift = 0.03 * (k - (min(count, 6) - 1) / 2)
                _frame(ax, x + shift, -shift, side, side)
        else:
            sizes = f"{count} numbers"
            _frame(ax, x, 0, 0.16, 0.3 + count / 80)
        _write(ax, x, 1.2, (name.upper() if len(name) < 3 else name, "black"), (sizes, BLUE))
        if layer is not None:
            learnt = count_parameters(layer)
            _write(ax, x, -1.25, (_say_kind(layer), "black"), (f"{learnt:,} to learn" if learnt else "fixed", GREY))
            _arrow(ax, (x - 0.66, 0), (x - 0.5, 0))
    for k, code in enumerate(as_array(getattr(layer, "codes", torch.zeros(0, 84))).reshape(-1, 12, 7)):
        _picture(ax, x + 0.3 + 0.24 * (k % 2), 0.76 - 0.38 * (k // 2), 0.32, -code, 1.0, "", "gray")
    return figure


def _pass_through(model: nn.Module) -> list[tuple[str, nn.Module | None, torch.Size]]:
    """(name, layer, shape of what it makes of an image) of each layer that learns or changes the number of numbers."""
    size, stages = getattr(model, "input_size", 32), []
    names = {layer: name for name, layer in model.named_modules() if name and not list(layer.children())}

    def note(layer, given, result):
        if count_parameters(layer) or given[0].numel() != result.numel():
            stages.append((names[layer].split(".")[-1], layer, result.shape[1:]))

    hooks = [layer.register_forward_hook(note) for layer in names]
    with torch.no_grad():
        model(torch.zeros(1, 1, size, size, device=next(model.parameters()).device))
    for hook in hooks:
        hook.remove()
    return [("input", None, torch.Size([1, size, size])), *stages]


def _say_kind(layer: nn.Module) -> str:
    if hasattr(layer, "codes"):
        return "distances"
    name, size = type(layer).__name__, np.ravel(getattr(layer, "kernel_size", 0))[0]
    kinds = {"Conv2d": f"{size}x{size} kernels", "AvgPool2d": f"mean of {size}x{size}", "Linear": "reads all"}
    return kinds.get(name, re.sub("(?<=[a-z])(?=[A-Z])", "\n", name, count=1))  # a class of the course's own


def _start(width: float, height: float, title: str) -> tuple[Figure, Axes]:
    figure = plt.figure(FigureClass=Diagram, figsize=(width, height))
    ax = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(-height / 2, height / 2))
    ax.axis("off")
    ax.set_title(title)
    return figure, ax


def _place(x: float, count: int, pitch: float) -> list[tuple[float, float]]:
    """Where the units of a column stand: one below the other, centred at height 0."""
    return [(x, pitch * ((count - 1) / 2 - i)) for i in range(count)]


def _write(ax: Axes, x: float, y: float, *texts: tuple[str, str], rotation: int = 0) -> None:
    """Write (text, colour) one below the other, centred at a place, on a white ground."""
    style: dict = {"ha": "center", "va": "center", "fontsize": 9, "zorder": 4, "rotation": rotation}
    style["bbox"] = {"facecolor": "white", "linewidth": 0, "pad": 0.5}
    lines = [text.count("\n") + 1 for text, _ in texts]
    for i, (text, colour) in enumerate(texts):
        lift = 0.17 * (sum(lines[i + 1 :]) - sum(lines[:i])) / 2
        ax.text(x, y + lift, text, color=colour, **style)


def _frame(ax: Axes, x: float, y: float, width: float, height: float) -> None:
    corner = x - width / 2, y - height / 2
    ax.add_patch(plt.Rectangle(corner, width, height, facecolor="white", edgecolor=BLUE))


def _circle(ax: Axes, x: float, y: float, texts: list[tuple[str, str]], radius: float = 0.3) -> None:
    ax.add_patch(plt.Circle((x, y), radius, facecolor="white", edgecolor="black", zorder=3))
    _write(ax, x, y, *texts)


def _box(ax: Axes, left: float, y: float, text: str, width: float, colour: str = "black") -> None:
    height = 0.3 + 0.17 * text.count("\n") + 0.13
    style: dict = {"boxstyle": "round,pad=0,rounding_size=0.08", "facecolor": "white", "edgecolor": colour, "zorder": 3}
    ax.add_patch(FancyBboxPatch((left, y - height / 2), width, height, **style))
    _write(ax, left + width / 2, y, (text, colour))


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], shrink: float = 0, bend: float = 0) -> None:
    style = {"arrowstyle": "->", "color": GREY, "connectionstyle": f"arc3,rad={bend}"}
    ax.annotate("", end, start, arrowprops=style | {"shrinkA": shrink, "shrinkB": shrink})


def _picture(
    ax: Axes, x: float, y: float, side: float, pixels, vmax: float, name: str, colours: str = "RdBu_r"
) -> None:  # fmt: skip
    pixels = as_array(pixels, "(H, W)")
    width = side * pixels.shape[1] / pixels.shape[0]
    extent = (x - width / 2, x + width / 2, y - side / 2, y + side / 2)
    ax.imshow(pixels, cmap=plt.get_cmap(colours, SHADES), vmin=-vmax, vmax=vmax, extent=extent, aspect="auto")
    if name:
        ax.add_patch(plt.Rectangle(extent[::2], width, side, fill=False, edgecolor=GREY, linewidth=0.5))
        _write(ax, x, y + side / 2 + 0.09, (name, "black"))
