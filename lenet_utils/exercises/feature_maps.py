"""Checkers of notebooks/05_feature_maps.ipynb."""

import math

import numpy as np
import torch
from torch import nn

from lenet_utils.data import NORMALISATIONS
from lenet_utils.exercises.common import check_number, compare_arrays, expects_function, match_letters, to_float
from lenet_utils.models import LeNet5

# What happened in each row of «Find the mistakes»: the letters of the rows, in the order of the list in 05.
WHAT_HAPPENED = "CADB"
MISTAKES = ("nothing", "dark ink on white", "grey values from 0 to 1", "no weights loaded")


@expects_function("def find_field(layers)")
def check_find_field(function) -> str:
    """A function from (kernel size, stride) of each layer to the rows of the image that one number sees."""
    lenet = [(5, 1), (2, 2), (5, 1), (2, 2), (5, 1)]
    cases = [[(5, 1)], [(7, 2), (3, 2), (3, 1)], *(lenet[:count] for count in range(2, 6)), [(2, 2), (3, 3)], []]
    for layers in cases:
        sizes, strides = [size for size, _ in layers], [stride for _, stride in layers]
        given = list(layers)
        found = to_float(function(given))
        if given != layers:
            return "Not yet: it changes the list that it is given."
        steps = [math.prod(strides[:place]) for place in range(len(layers))]  # of each layer's input, in pixels
        expected = 1 + sum((size - 1) * step for size, step in zip(sizes, steps))
        if found == expected:
            continue
        late = 1 + sum((size - 1) * step * stride for size, step, stride in zip(sizes, steps, strides))
        backwards = [math.prod(strides[place + 1 :]) for place in range(len(layers))]
        hints: dict[float, str] = {
            sum(sizes): "neighbouring squares overlap: a kernel of 5 reaches only 4 rows further.",
            1 + sum(size - 1 for size in sizes): "after a pooling, one row further is two rows of the image.",
            late: "a layer's own stride counts for the layers after it, not for itself.",
            1 + sum((size - 1) * step for size, step in zip(sizes, backwards)): "the list begins at the image.",
            expected - 1: "one number sees at least one row: begin with 1.",
            math.prod(sizes): "sizes are not multiplied; each layer adds what its kernel reaches further.",
            expected**2: "these are the pixels of the square; its rows are asked for.",
        }
        said = f"{found:g}" if found == found else "no number"
        hint = hints.get(found, f"{expected} would be right.")
        return f"Not yet: for {layers} it returned {said}; {hint}"
    return "Yes: 5, 6, 14, 16 and 32 rows from C1 to C5, and so for other networks."


def check_shift_for_s4(answer) -> str:
    """Pixels by which a digit must move for the maps of S4 to move by exactly one row or column."""
    return check_number(
        answer,
        4,
        "S2 halves the step and S4 halves it again, so 4 pixels make one row or column.",
        {
            1: "that holds for C1; after it come two poolings, each of which halves the step.",
            2: "that holds for S2 and C3; S4 halves once more.",
            8: "count the poolings up to S4: there are two.",
            25: "that is the number of units in a map.",
        },
    )


@expects_function("def squash_and_pool(maps)")
def check_squash_and_pool(function) -> str:
    """A function from C1's maps before tanh to S2: mean of the tanh of each square of 2x2."""
    generator = torch.Generator().manual_seed(0)
    pool, largest = torch.nn.functional.avg_pool2d, torch.nn.functional.max_pool2d
    for shape in ((2, 6, 28, 28), (3, 16, 10, 10), (1, 1, 2, 4)):
        maps = 3 * torch.randn(shape, generator=generator)
        given = maps.clone()
        result = function(given)
        if not torch.equal(given, maps):
            return "Not yet: it changes the maps that it is given."
        expected = pool(maps.tanh(), 2)
        hints = [
            (pool(maps, 2).tanh(), "first tanh, then the mean: the other way round gives other numbers."),
            (pool(maps, 2), "the mean is there, but where is tanh?"),
            (largest(maps.tanh(), 2), "S2 takes the mean of the four numbers, not the largest."),
            (4 * expected, "these are sums; divide by the four numbers of a square."),
            (maps.tanh(), "the result is as large as the maps; S2 has half as many rows and columns."),
        ]
        reply = compare_arrays(result, expected, "", hints)
        if not reply.startswith("Yes"):
            return reply
    return "Yes: first tanh, then the mean of every square of 2x2."


@expects_function("def read_layer(model, layer, images)")
def check_read_layer(function) -> str:
    """A function that returns what a layer gives out, and leaves the model as it was: tried on four layers."""
    with torch.random.fork_rng(), torch.enable_grad():
        torch.manual_seed(0)
        model = nn.Sequential(
            nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Tanh(), nn.Dropout(0.5), nn.Flatten(), nn.Linear(48, 5)
        )
        nn.init.constant_(model.get_buffer("1.running_mean"), 0.3)
        images = torch.randn(4, 1, 6, 6)
        for place, training in ((0, True), (2, True), (5, True), (3, False), (5, False)):
            reply = _try_reading(function, model, place, training, images)
            if reply:
                return reply
    return "Yes: what each layer gives out, in evaluation mode, and the model is as it was before."


def _try_reading(function, model: nn.Sequential, place: int, training: bool, images: torch.Tensor) -> str:
    """What is wrong with one reading, or nothing."""
    outputs = [images]
    with torch.no_grad():
        model.eval()
        for layer in model:
            outputs.append(layer(outputs[-1]))
    model.train(training)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    given = images.clone()
    answer = function(model, model[place], given)
    hooks = sum(len(layer._forward_hooks) + len(layer._forward_pre_hooks) for layer in model.modules())
    for layer in model.modules():
        layer._forward_hooks.clear()
        layer._forward_pre_hooks.clear()
    if isinstance(answer, (list, tuple)) and len(answer) == 1 and isinstance(answer[0], torch.Tensor):
        return "Not yet: it returns the tensor in a list or tuple; return the tensor itself."
    if hooks:
        return "Not yet: a hook is left behind, and would be called in every later pass: handle.remove()."
    if not torch.is_grad_enabled() or not all(weights.requires_grad for weights in model.parameters()):
        return "Not yet: there would be no gradients in any later training: read in a block, with torch.no_grad():"
    if any(layer.training != training for layer in model.modules()):
        was, now = ("training", "evaluation") if training else ("evaluation", "training")
        return f"Not yet: the model came in {was} mode and is in {now} mode now."
    if any(not torch.equal(value, before[name]) for name, value in model.state_dict().items()):
        model.load_state_dict(before)
        return "Not yet: BatchNorm has counted these images, so the model was in training mode: model.eval() first."
    if not torch.equal(given, images):
        return "Not yet: it changes the images that it is given."
    if isinstance(answer, torch.Tensor) and answer.requires_grad:
        return "Not yet: the result still carries its way back to the weights: use torch.no_grad(), or detach()."
    hints = [
        (outputs[-1], "these are the outputs of the whole model; the hook gets those of its own layer."),
        (outputs[place], "this is what goes into the layer; what comes out is asked for."),
    ]
    reply = compare_arrays(answer, outputs[place + 1], "", hints)
    if not reply.startswith("Yes") and np.shape(answer) == outputs[place + 1].shape and place > 2 and training:
        return "Not yet: dropout is at work, so the model was in training mode: model.eval() first."
    return "" if reply.startswith("Yes") else reply


def show_four_ways(model: LeNet5, pictures: torch.Tensor) -> dict[str, torch.Tensor]:
    """Return C1's six maps of a picture, (1, 1, 32, 32) with mean 0 over its set, one way right and three wrong.

    Letters A to D -> (6, 28, 28), after tanh. What happened to which is the question of the exercise.
    """
    device = next(model.parameters()).device
    mean, std = NORMALISATIONS["mnist"]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        new = LeNet5().to(device)
    with torch.no_grad():
        grey = pictures * std + mean  # 0 to 1
        ways = [(model, pictures), (model, (1 - grey - mean) / std), (model, grey), (new, pictures)]
        maps = [network.c1(given.to(device)).tanh()[0].cpu() for network, given in ways]
    return dict(sorted(zip(WHAT_HAPPENED, maps)))


def check_what_happened(answer) -> str:
    """The letters of the four rows of «Find the mistakes», in the order of the list: "ABCD", or a list of letters."""
    hints = (
        "compare with the figure «C1: every map shows the digit» above",
        "where the paper is white, every kernel meets its largest numbers in the background",
        "where the background is 0, a map shows the bias alone there, and that is small",
        "a network that was never trained has other kernels, so look for other patterns in the stroke",
    )
    return match_letters(answer, WHAT_HAPPENED, hints, "each row has the mark of its mistake.")
