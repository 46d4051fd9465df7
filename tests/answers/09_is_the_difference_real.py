"""Answers to the exercises of this notebook: right ones, and wrong ones with a part of their hint."""

import numpy as np


def shuffle_runs(one, other, both_sides=True):
    rng, runs, real = np.random.default_rng(3), np.concatenate([one, other]), other.mean() - one.mean()
    shuffled = rng.permuted(np.tile(runs, (2_000, 1)), axis=1)
    gaps = shuffled[:, len(one) :].mean(axis=1) - shuffled[:, : len(one)].mean(axis=1)
    return (np.abs(gaps) >= abs(real)).mean() if both_sides else (gaps >= real).mean()


def square(examples, image, power=2):
    return (examples.float() - image.float()).pow(power).sum(dim=(1, 2))


# checker: (right answers, [(wrong answer, a part of the hint), ...])
ANSWERS = {
    "check_coin": (
        [100 * 2 / 256, 0.78],
        [
            (0.39, "all tails"),
            (2 / 256, "in percent"),
            (12.5, "2 x 2 x"),
            (50, "single toss"),
            (7.03, "7 or more"),
            (0.9, "too large"),
        ],
    ),
    "check_p": (
        [shuffle_runs, lambda one, other: shuffle_runs(other, one)],
        [
            (lambda a, b: 1 - shuffle_runs(a, b), "smaller gaps"),
            (lambda a, b: shuffle_runs(a, b, both_sides=False), "np.abs"),
            (lambda a, b: 1 - shuffle_runs(a, b, both_sides=False), "np.abs"),
            (lambda a, b: 100 * shuffle_runs(a, b), "from 0 to 1"),
            (lambda a, b: 0.5, "was expected"),
            (lambda a, b: (a.sort(), shuffle_runs(a, b))[1], "changes the arrays"),
            (lambda a, b: shuffle_runs(a), "TypeError"),
            (lambda a, b: None, "TypeError"),
            (0.03, "write a function"),
        ],
    ),
    "check_needed_digits": (
        [40_000, 39_600],
        [
            (20_000, "square root of 2"),
            (5_000, "more digits"),
            (3.96, "0.0005"),
            (100, "too small"),
            (80_000, "too large"),
        ],
    ),
}
