"""Checkers of notebooks/03_simple_cnn.ipynb."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from lenet_utils.data import prepare_images
from lenet_utils.exercises.common import (
    NOT_ANSWERED,
    check_lines,
    compare_arrays,
    expects_function,
    match_letters,
    to_array,
)

# Each bug of the listing in 03: the lines that show it, and a hint for those who have not found it.
LISTING_LINES = 35
LISTING_BUGS = (
    ({1}, "the order in which the training images come"),
    ({13}, "what the caller of a function gets back"),
    ({19, 24, 29}, "what happens on a computer without an NVIDIA GPU"),
    ({22}, "how many batches are scored"),
    ({31}, "a name that nobody has defined"),
    ({34, 35}, "what is done after every batch and is needed once in an epoch"),
)


def check_bug_lines(answer) -> str:
    """The lines with bugs in the listing of «Find six bugs»: a collection of line numbers."""
    return check_lines(answer, LISTING_BUGS, LISTING_LINES, "all six bugs, and no false alarm.")


@expects_function("def convolve_channels(channels, kernels, bias)")
def check_convolve_channels(function) -> str:
    """A function of channels, (C, H, W), kernels, (C, K, K), and a bias to one map, (H - K + 1, W - K + 1)."""
    generator = torch.Generator().manual_seed(0)
    reply = ""
    for (count, height, width), size, bias in (((2, 5, 7), 3, 0.5), ((4, 6, 4), 2, -1.25), ((1, 7, 6), 5, 2.0)):
        channels = torch.randn(count, height, width, generator=generator)
        kernels = torch.randn(count, size, size, generator=generator)
        given = channels.clone(), kernels.clone()
        result = function(*given, bias)
        if not (torch.equal(given[0], channels) and torch.equal(given[1], kernels)):
            return "Not yet: the function changes the channels or kernels that it was given."
        parts = _convolve(channels, kernels)
        total = parts.sum(dim=0)
        hints = [
            (total, "the bias is missing; it is added to every number of the map."),
            (total + count * bias, "the bias is added once for each channel. The map has one bias."),
            (total - bias, "the bias is added, not subtracted."),
            (total / count + bias, "the channels are averaged. Add them up."),
            (parts + bias, "this is a map for each channel. Add them up to one."),
            (parts[0] + bias, "the first channel alone is read."),
            (parts[-1] + bias, "the last channel alone is read. Is the sum begun anew in each round?"),
            (_convolve(channels, kernels[:1].expand_as(kernels)).sum(dim=0) + bias, "each channel has its own kernel."),
            (_convolve(channels, kernels.flip(1, 2)).sum(dim=0) + bias, "the kernels are flipped."),
            (_convolve(channels, kernels.mT).sum(dim=0) + bias, "rows and columns of the kernels are swapped."),
        ]
        why = "one kernel for each channel, all added up, and one bias, as in nn.Conv2d."
        reply = compare_arrays(result, total + bias, why, hints)
        if not reply.startswith("Yes"):
            return reply
    return reply


@expects_function("def max_pool(image, size, stride)")
def check_max_pool(function) -> str:
    """A function of an image, (H, W), the size of the windows and their stride to the largest number of each."""
    generator = torch.Generator().manual_seed(0)
    reply = ""
    cases = ((8, 10), 3, 2, 3), ((8, 6), 2, 2, 3), ((5, 6), 2, 1, 3), ((9, 11), 2, 3, 1000)
    for (height, width), size, stride, depth in cases:
        image = torch.randn(height, width, generator=generator)
        image[:3] -= depth  # windows without a number above 0
        given = image.clone()
        result = function(given, size, stride)
        if not torch.equal(given, image):
            return "Not yet: the function changes the image that it was given."
        pool, pool_mean = functional.max_pool2d, functional.avg_pool2d
        batch = image[None]
        expected = pool(batch, size, stride)[0]
        rows, columns = expected.shape
        hints = [
            (pool_mean(batch, size, stride)[0], "this is the mean of each window, not the largest number."),
            (-pool(-batch, size, stride)[0], "this is the smallest number of each window."),
            (expected.clamp(min=0), "a window may hold nothing but negative numbers."),
            (pool(batch, size, size)[0], "the windows move on by their own size. They should move on by stride."),
            (pool(batch, size, 1)[0], "the windows move on by one pixel. They should move on by stride."),
            (pool(batch, stride, size)[0], "size and stride are swapped."),
            (pool(batch, stride, stride)[0], "the windows are as large as the stride. They should have the size."),
            (pool(batch, size, stride, ceil_mode=True)[0], "a window that would leave the image is not taken."),
            (
                image[::stride, ::stride][:rows, :columns],
                "this is one corner of each window. Take the largest number in it.",
            ),
        ]
        why = "the largest number of each window, with any size and stride, as in nn.MaxPool2d."
        reply = compare_arrays(result, expected, why, hints)
        if not reply.startswith("Yes"):
            return reply
    return reply


def _convolve(channels, kernels):
    """Each channel, (C, H, W), with its own kernel, (C, K, K): C maps."""
    return functional.conv2d(channels[None], kernels[:, None], groups=len(channels))[0]


def check_shift_kernel(answer) -> str:
    """The 3x3 kernel that moves a picture one pixel to the right: tried on random images."""
    if answer is None:
        return NOT_ANSWERED
    try:
        array = to_array(answer)
    except Exception:  # whatever is no array
        array = np.array(None)
    if array.dtype.kind not in "fiub":
        return "Not yet: the kernel is three rows of three numbers."
    kernel = torch.tensor(array.tolist(), dtype=torch.float32)
    if kernel.shape != (3, 3):
        return f"Not yet: the kernel has the shape (3, 3), not {tuple(kernel.shape)}."
    images = torch.rand(5, 1, 9, 9, generator=torch.Generator().manual_seed(0))
    result = torch.nn.functional.conv2d(images, kernel[None, None])

    def is_moved(rows: int, columns: int) -> bool:
        return torch.allclose(result, images[:, :, 1 - rows : 8 - rows, 1 - columns : 8 - columns], atol=1e-6)

    if is_moved(0, 1):
        return "Yes: each pixel of the result is the left neighbour of the one in the middle of the window."
    if is_moved(0, 0):
        return "Not yet: this kernel leaves the picture where it is."
    if is_moved(0, -1):
        return "Not yet: this moves the picture to the left; the kernel is not flipped."
    if is_moved(1, 0) or is_moved(-1, 0):
        return "Not yet: this moves the picture up or down; rows come first."
    return "Not yet: the result is not the picture moved to the right; a single weight differs from zero."


# The letters of the scores of «Find the mistake», in the order of the list of the exercise, and a hint for each place.
SCORES = "CBDEA"
SCORE_HINTS = (
    "the right program has nothing random in it, reads all digits, and reads them well",
    "what does dropout do in training mode, run after run?",
    "how far apart are two neighbouring scores of 2,000 digits, and how far apart are two of 64?",
    "nothing is random in this program: its score is far too low, but the same twice",
    "how many digits does one read by luck, and is luck the same twice?",
)


def score_five_ways(model: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> dict[str, list[float]]:
    """Score a model twice by each of five programs, A to E: one right, four with a mistake.

    ``images`` are (N, 28, 28) uint8 and ``labels`` (N,); returns two accuracies in percent for each letter. The model
    is left in evaluation mode.
    """
    device = next(model.parameters()).device

    def score(inputs, answers, training=False) -> float:
        model.train(training)
        with torch.no_grad():
            hits = [model(part.to(device)).argmax(dim=1).cpu() for part in inputs.split(500)]
        model.eval()
        return 100 * (torch.cat(hits) == answers).double().mean().item()

    right = prepare_images(images)
    return {
        "A": [score(right[torch.randperm(len(right))], labels) for _ in range(2)],
        "B": [score(right, labels, training=True) for _ in range(2)],
        "C": [score(right, labels) for _ in range(2)],
        "D": [score(right[:64], labels[:64]) for _ in range(2)],
        "E": [score(prepare_images(255 - images), labels) for _ in range(2)],
    }


def check_five_scores(answer) -> str:
    """The five letters of ``score_five_ways`` in the order of the list in the exercise."""
    return match_letters(answer, SCORES, SCORE_HINTS, "one score to trust, and four to mend.")
