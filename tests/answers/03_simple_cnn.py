"""Answers to the exercises of this notebook: right ones, and wrong ones with a part of their hint."""

import numpy as np
import torch
from torch.nn import functional


def convolve(image, kernel):
    size = len(kernel)
    rows, columns = image.shape[0] - size + 1, image.shape[1] - size + 1
    result = torch.zeros(rows, columns)
    for i in range(rows):
        for j in range(columns):
            result[i, j] = (image[i : i + size, j : j + size] * kernel).sum()
    return result


def convolve_channels(channels, kernels, bias):
    return sum(convolve(channel, kernel) for channel, kernel in zip(channels, kernels)) + bias


def convolve_by_torch(channels, kernels, bias):
    return functional.conv2d(channels[None], kernels[None], torch.tensor([bias]))[0, 0]


def convolve_in_lists(channels, kernels, bias):
    size, (height, width) = kernels.shape[1], channels.shape[1:]
    return [
        [
            bias + sum((channels[:, i : i + size, j : j + size] * kernels).flatten().tolist())
            for j in range(width - size + 1)
        ]
        for i in range(height - size + 1)
    ]


def convolve_by_waves(channels, kernels, bias):
    size, (height, width) = kernels.shape[1], channels.shape[1:]
    waves = torch.fft.rfft2(channels) * torch.fft.rfft2(kernels, s=(height, width)).conj()
    return torch.fft.irfft2(waves.sum(dim=0), s=(height, width))[: height - size + 1, : width - size + 1] + bias


def convolve_in_numpy(channels, kernels, bias):
    windows = np.lib.stride_tricks.sliding_window_view(channels.numpy(), kernels.shape[1:], axis=(1, 2))
    return np.einsum("cyxij,cij->yx", windows, kernels.numpy()) + bias


def convolve_and_spoil(channels, kernels, bias):
    result = convolve_channels(channels, kernels, bias)
    kernels += 1
    return result


def convolve_whole_kernels_only(channels, kernels, bias):
    result = convolve_channels(channels, kernels, bias)
    return result if kernels.shape[1] == 3 else result + 1


def max_pool(image, size, stride, reduce=torch.max, start=None):
    rows, columns = (image.shape[0] - size) // stride + 1, (image.shape[1] - size) // stride + 1
    result = torch.zeros(rows, columns)
    for i in range(rows):
        for j in range(columns):
            result[i, j] = reduce(image[i * stride : i * stride + size, j * stride : j * stride + size])
    return result


def max_pool_in_lists(image, size, stride):
    pixels, result = image.tolist(), []
    for i in range(0, len(pixels) - size + 1, stride):
        result.append([])
        for j in range(0, len(pixels[0]) - size + 1, stride):
            result[-1].append(max(pixels[i + a][j + b] for a in range(size) for b in range(size)))
    return result


def max_pool_in_numpy(image, size, stride):
    windows = np.lib.stride_tricks.sliding_window_view(image.numpy(), (size, size))
    return windows[::stride, ::stride].max(axis=(2, 3))


def max_pool_from(start, image, size, stride):
    return max_pool(image, size, stride, lambda window: max(start, *window.flatten().tolist()))


def max_pool_and_spoil(image, size, stride):
    result = max_pool(image, size, stride)
    image *= 2
    return result


def max_pool_rounding_up(image, size, stride):
    return functional.max_pool2d(image[None], size, stride, ceil_mode=True)[0]


# checker: (right answers, [(wrong answer, a part of the hint), ...])
ANSWERS = {
    "check_bug_lines": (
        [
            [1, 13, 19, 22, 31, 34],
            {35, 31, 22, 29, 13, 1},
            np.array([1, 13, 24, 22, 31, 35]),
            (1.0, 13, 19, 22, 31, 34),
            iter([1, 13, 19, 22, 31, 34]),
        ],
        [
            ([1, 22], "2 of 6"),
            (["1", "13", "19", "22", "31", "34"], "list of line numbers"),
            (dict.fromkeys([1, 13, 19, 22, 31, 34]), "list of line numbers"),
            ([True, 13, 19, 22, 31, 34], "list of line numbers"),
            ([12], "false alarms: 12"),
            ([99], "lines 1 to 35"),
            ([], "0 of 6"),
            (list(range(1, 36)), "false alarms"),
            ("22", "list of line numbers"),
            ([1.5], "list of line numbers"),
        ],
    ),
    "check_convolve_channels": (
        [
            convolve_channels,
            convolve_by_torch,
            convolve_in_lists,
            convolve_in_numpy,
            convolve_by_waves,
            lambda c, k, b: list(convolve_channels(c, k, b)),
        ],
        [
            (lambda c, k, b: convolve_channels(c, k, 0), "bias is missing"),
            (lambda c, k, b: sum(convolve(x, y) + b for x, y in zip(c, k)), "once for each channel"),
            (lambda c, k, b: convolve_channels(c, k, -b), "not subtracted"),
            (lambda c, k, b: convolve_channels(c, k, 0) / len(c) + b, "averaged"),
            (lambda c, k, b: torch.stack([convolve(x, y) + b for x, y in zip(c, k)]), "a map for each channel"),
            (lambda c, k, b: convolve(c[0], k[0]) + b, "first channel alone"),
            (lambda c, k, b: convolve(c[-1], k[-1]) + b, "last channel alone"),
            (lambda c, k, b: convolve_channels(c, [k[0]] * len(c), b), "its own kernel"),
            (lambda c, k, b: convolve_channels(c, k.flip(1, 2), b), "flipped"),
            (lambda c, k, b: convolve_channels(c, k.mT, b), "rows and columns of the kernels"),
            (lambda c, k, b: convolve_channels(c.mT, k.mT, b), "is needed"),
            (convolve_whole_kernels_only, "would be right"),
            (convolve_and_spoil, "changes the channels or kernels"),
            (lambda c, k, b: torch.zeros(3, 5), "would be right"),
            (lambda c, k, b: None, "returns None"),
            (lambda c: c, "ends in TypeError"),
            (torch.zeros(3), "write a function"),
        ],
    ),
    "check_max_pool": (
        [
            max_pool,
            max_pool_in_lists,
            max_pool_in_numpy,
            lambda x, size, stride: functional.max_pool2d(x[None], size, stride)[0],
            lambda x, size, stride: x.unfold(0, size, stride).unfold(1, size, stride).amax(dim=(2, 3)),
        ],
        [
            (lambda x, size, stride: max_pool(x, size, stride, torch.mean), "mean of each window"),
            (lambda x, size, stride: max_pool(x, size, stride, torch.min), "smallest number"),
            (lambda *given: max_pool_from(0, *given), "nothing but negative numbers"),
            (lambda *given: max_pool_from(-100, *given), "would be right"),
            (lambda x, size, stride: max_pool(x, size, size), "their own size"),
            (lambda x, size, stride: max_pool(x, size, 1), "by one pixel"),
            (lambda x, size, stride: max_pool(x, stride, size), "swapped"),
            (lambda x, size, stride: max_pool(x, stride, stride), "as large as the stride"),
            (lambda x, size, stride: max_pool(x, size, stride, lambda window: window[0, 0]), "one corner"),
            (lambda x, size, stride: x[::stride, ::stride], "is needed"),
            (max_pool_rounding_up, "would leave the image"),
            (max_pool_and_spoil, "changes the image"),
            (lambda x, size, stride: torch.full((3, 4), x.max()), "would be right"),
            (lambda x, size, stride: None, "returns None"),
            (lambda x: x, "ends in TypeError"),
            ([[1]], "write a function"),
        ],
    ),
    "check_shift_kernel": (
        [
            [[0, 0, 0], [1, 0, 0], [0, 0, 0]],
            np.array([[0, 0, 0], [1.0, 0, 0], [0, 0, 0]]),
            torch.tensor([[0, 0, 0], [1, 0, 0], [0, 0, 0]]),
            list(torch.tensor([[0, 0, 0], [1, 0, 0], [0, 0, 0]])),
            np.array([[0, 0, 0], [1, 0, 0], [0, 0, 0]], dtype=np.uint8)[::-1],
        ],
        [
            ([[0, 0, 0], [0, 1, 0], [0, 0, 0]], "leaves the picture"),
            ([[0, 0, 0], [0, 0, 1], [0, 0, 0]], "to the left"),
            ([[0, 1, 0], [0, 0, 0], [0, 0, 0]], "up or down"),
            ([[1, 1, 1]] * 3, "single weight"),
            ([1, 2], "shape (3, 3)"),
            ([["0", "0", "0"], ["1", "0", "0"], ["0", "0", "0"]], "three rows of three"),
            (np.array([[0, 0, 0], [1, 0, 0], [0, 0, 0]], dtype=complex), "three rows of three"),
            ([[10**400] * 3] * 3, "three rows of three"),
        ],
    ),
    "check_five_scores": (
        ["CBDEA", list("CBDEA"), "c, b, d, e, a", ("C", "B", "D", "E", "A"), dict(zip((1, 2, 3, 4, 5), "CBDEA"))],
        [
            ("BCDEA", "3 of 5 are at their place. Number 1 is not B"),
            ("CDBEA", "Number 2 is not D: what does dropout do"),
            ("CBEDA", "Number 3 is not E: how far apart"),
            ("CBDAE", "Number 4 is not A: nothing is random"),
            ("ABCDE", "1 of 5"),
            ("CBDE", "each of them once"),
            (["C", "B", "D", "E", 1], "each of them once"),
        ],
    ),
}
