"""Answers to the exercises of this notebook: right ones, and wrong ones with a part of their hint."""

import torch


def pool(maps, how="mean"):
    squares = maps.unflatten(3, (-1, 2)).unflatten(2, (-1, 2))  # (N, M, H/2, 2, W/2, 2)
    return squares.amax((3, 5)) if how == "max" else squares.mean((3, 5))


# checker: (right answers, [(wrong answer, a part of the hint), ...])
ANSWERS = {
    "check_seen_rows": ([14], [(10, "rows of C1"), (9, "lies S2"), (16, "S4"), (13, "too small")]),
    "check_shift_for_s4": ([4], [(1, "C1"), (2, "S4 halves"), (8, "there are two"), (3, "too small")]),
    "check_squash_and_pool": (
        [lambda m: pool(m.tanh())],
        [
            (lambda m: pool(m).tanh(), "first tanh"),
            (pool, "where is tanh"),
            (lambda m: pool(m.tanh(), "max"), "not the largest"),
            (lambda m: 4 * pool(m.tanh()), "sums"),
            (torch.tanh, "as large as"),
            (lambda m: m[:, 0], "should become"),
            (lambda m: 1 / 0, "ZeroDivisionError"),
            (lambda m: pool(m.tanh()).to("meta"), "NotImplementedError"),
            (3, "write a function"),
        ],
    ),
}
