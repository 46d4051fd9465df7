"""Answers to the exercises of this notebook: right ones, and wrong ones with a part of their hint."""

import numpy as np
import pandas as pd
import torch
from torch import nn
from torchvision.models.feature_extraction import create_feature_extractor


def pool(maps, how="mean"):
    squares = maps.unflatten(3, (-1, 2)).unflatten(2, (-1, 2))  # (N, M, H/2, 2, W/2, 2)
    return squares.amax((3, 5)) if how == "max" else squares.mean((3, 5))


def pool_by_loops(maps):
    count, channels, height, width = maps.shape
    pooled = torch.zeros(count, channels, height // 2, width // 2)
    for row in range(height // 2):
        for column in range(width // 2):
            square = maps[:, :, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
            pooled[:, :, row, column] = square.tanh().sum(dim=(2, 3)) / 4
    return pooled


def pool_as_array(maps):
    maps = np.tanh(maps.numpy())
    return (maps[:, :, ::2, ::2] + maps[:, :, 1::2, ::2] + maps[:, :, ::2, 1::2] + maps[:, :, 1::2, 1::2]) / 4


def pool_in_place(maps):
    return pool(maps.tanh_())


def find_field(layers):
    rows = step = 1
    for size, stride in layers:
        rows += (size - 1) * step
        step *= stride
    return rows


def find_from_the_top(layers):
    rows = 1
    for size, stride in reversed(layers):
        rows = (rows - 1) * stride + size
    return torch.tensor(rows)


def find_by_gradient(layers):
    weights = [(torch.ones(1, 1, size), stride) for size, stride in layers]
    line = torch.zeros(1, 1, 200, requires_grad=True)
    x = line
    for weight, stride in weights:
        x = nn.functional.conv1d(x, weight, stride=stride)
    return (torch.autograd.grad(x[0, 0, 3], line)[0] != 0).sum() if layers else 1


def find_with_late_strides(layers):
    rows = step = 1
    for size, stride in layers:
        step *= stride
        rows += (size - 1) * step
    return rows


def find_and_spoil(layers):
    rows = find_field(layers)
    layers.reverse()
    return rows


def read_layer(model, layer, images, quiet=True, off=True, back=True, evaluate=True, give=None):
    """By a hook, as the solution does, with parts that can be forgotten."""
    found, training = [], model.training
    handle = layer.register_forward_hook(give or (lambda layer, inputs, output: found.append(output)))
    if evaluate:
        model.eval()
    with torch.set_grad_enabled(not quiet):
        answer = model(images)
    if off:
        handle.remove()
    if back:
        model.train(training)
    return found[0] if found else answer


def read_by_loop(model, layer, images):
    modes = {part: part.training for part in model.modules()}
    model.eval()
    x = images
    with torch.no_grad():
        for part in model:
            x = part(x)
            if part is layer:
                break
    for part, mode in modes.items():
        part.training = mode
    return x.numpy()


def read_by_extractor(model, layer, images):
    (name,) = (name for name, part in model.named_children() if part is layer)
    training = model.training
    found = create_feature_extractor(model.eval(), [name])(images)[name].detach()
    model.train(training)
    return found.tolist()


def read_without_gradients_ever_after(model, layer, images):
    answer = read_layer(model, layer, images)
    torch.set_grad_enabled(False)
    return answer


def read_and_freeze(model, layer, images):
    return read_layer(model.requires_grad_(False), layer, images, quiet=False)


KEPT = []


def read_the_first_ever(model, layer, images):
    answer = read_layer(model, layer, images)
    KEPT.append(answer)
    return KEPT[0]


def read_inputs(model, layer, images):
    found = []
    read_layer(model, layer, images, give=lambda layer, inputs, output: found.append(inputs[0]))
    return found[0]


def read_and_spoil(model, layer, images):
    answer = read_layer(model, layer, images)
    images.zero_()
    return answer


def read_without_hook(model, layer, images):
    training = model.training
    with torch.no_grad():
        answer = model.eval()(images)
    model.train(training)
    return answer


# checker: (right answers, [(wrong answer, a part of the hint), ...])
ANSWERS = {
    "check_find_field": (
        [find_field, find_from_the_top, find_by_gradient, lambda layers: float(find_field(layers))],
        [
            (lambda layers: sum(size for size, _ in layers), "squares overlap"),
            (lambda layers: 1 + sum(size - 1 for size, _ in layers), "two rows of the image"),
            (find_with_late_strides, "for the layers after it"),
            (lambda layers: find_field(layers[::-1]), "begins at the image"),
            (lambda layers: find_field(layers) - 1, "begin with 1"),
            (lambda layers: find_field(layers) ** 2, "pixels of the square"),
            (lambda layers: int(np.prod([size for size, _ in layers])), "not multiplied"),
            (lambda layers: 32, "returned 32; 5 would be right"),
            (lambda layers: {1: 5, 2: 6, 3: 14, 4: 16, 5: 32}[len(layers)], "returned 14; 19 would be right"),
            (lambda layers: [find_field(layers)] * 2, "no number"),
            (lambda layers: None, "no number"),
            (find_and_spoil, "changes the list"),
            (lambda: 5, "TypeError"),
            (14, "write a function"),
        ],
    ),
    "check_shift_for_s4": (
        [4, 4.0, torch.tensor(4), np.array([4]), torch.tensor([[4.0]], requires_grad=True)],
        [(1, "C1"), (2, "S4 halves"), (8, "there are two"), (3, "small")]
        + [(b"4", "a single number"), (np.array("4"), "a single number"), ([4], "a single number")]
        + [(pd.Series([3]), "3 is too small")],
    ),
    "check_squash_and_pool": (
        [lambda m: pool(m.tanh()), pool_by_loops, pool_as_array, lambda m: list(pool(m.tanh().double()))],
        [
            (lambda m: pool(m).tanh(), "first tanh"),
            (pool, "where is tanh"),
            (lambda m: pool(m.tanh(), "max"), "not the largest"),
            (lambda m: 4 * pool(m.tanh()), "sums"),
            (torch.tanh, "as large as"),
            (lambda m: m[:, 0], "is needed"),
            (pool_in_place, "changes the maps"),
            (lambda m: None, "returns None"),
            (lambda m: pool(m.tanh()).squeeze(), "is needed"),
            (lambda m: 1 / 0, "ZeroDivisionError"),
            (lambda m: pool(m.tanh()).to("meta"), "NotImplementedError"),
            (3, "write a function"),
        ],
    ),
    "check_read_layer": (
        [read_layer, read_by_loop, read_by_extractor],
        [
            (lambda *given: read_layer(*given, off=False), "handle.remove()"),
            (lambda *given: read_layer(*given, back=False), "came in training mode and is in evaluation mode"),
            (lambda *given: read_layer(*given, evaluate=False), "in training mode: model.eval() first"),
            (lambda *given: read_layer(*given, quiet=False), "torch.no_grad()"),
            (read_without_gradients_ever_after, "no gradients in any later training"),
            (read_and_freeze, "no gradients in any later training"),
            (read_inputs, "goes into the layer"),
            (read_without_hook, "outputs of the whole model"),
            (lambda model, layer, images: layer(images), "no_grad"),
            (lambda *given: [read_layer(*given)], "in a list"),
            (read_the_first_ever, "would be right"),
            (lambda *given: read_layer(*given).mean(), "the shape ()"),
            (lambda *given: read_layer(*given) + 1, "would be right"),
            (read_and_spoil, "changes the images"),
            (lambda model, layer, images: None, "returns None"),
            (lambda model, images: 1, "TypeError"),
            (torch.zeros(4, 3, 4, 4), "write a function"),
        ],
    ),
    "check_what_happened": (
        ["CADB", ["C", "A", "D", "B"], "c, a, d, b", ("c", "A", "d", "B"), dict(enumerate("CADB")), "C\nA\nD\nB"],
        [
            ("ABCD", "0 of 4 are at their place. Number 1 is not A: compare"),
            ("CABD", "2 of 4 are at their place. Number 3 is not B: where the background is 0"),
            ("CDAB", "2 of 4 are at their place. Number 2 is not D: where the paper is white"),
            ("DACB", "2 of 4 are at their place. Number 1"),
            ("BADC", "Number 1 is not B"),
            ("CAD", "each of them once"),
            (dict.fromkeys("CADB"), "each of them once"),
            ("CCCC", "each of them once"),
            ([3, 1, 4, 2], "each of them once"),
            (7, "each of them once"),
        ],
    ),
}
