"""Answers to the exercises of this notebook: right ones, and wrong ones with a part of their hint."""

from itertools import combinations

import numpy as np
from scipy import stats


def shuffle_runs(one, other, both_sides=True, again=np.greater_equal, first=None):
    rng, runs, first = np.random.default_rng(3), np.concatenate([one, other]), first or len(one)
    shuffled = rng.permuted(np.tile(runs, (2_000, 1)), axis=1)
    gaps, real = shuffled[:, first:].mean(axis=1) - shuffled[:, :first].mean(axis=1), other.mean() - one.mean()
    return (again(np.abs(gaps), abs(real)) if both_sides else gaps >= real).mean()


def try_all(one, other):
    runs, real = [*one, *other], abs(np.mean(other) - np.mean(one))
    chosen = np.array(list(combinations(range(len(runs)), len(one))))
    means = np.array(runs)[chosen].mean(axis=1)
    others = (sum(runs) - len(one) * means) / len(other)
    return (np.abs(means - others) >= real - 1e-9).mean()


# checker: (right answers, [(wrong answer, a part of the hint), ...])
ANSWERS = {
    "check_coin": (
        [100 * 2 / 256, 0.78, np.float32(0.78125)],
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
        [shuffle_runs, lambda one, other: shuffle_runs(other, one), try_all],
        [
            (lambda a, b: 1 - shuffle_runs(a, b), "smaller gaps"),
            (lambda a, b: shuffle_runs(a, b, both_sides=False), "np.abs"),
            (lambda a, b: 1 - shuffle_runs(a, b, both_sides=False), "np.abs"),
            (lambda a, b: 100 * shuffle_runs(a, b), "from 0 to 1"),
            (lambda a, b: 0.5, "was expected"),
            (lambda a, b: (a.sort(), shuffle_runs(a, b))[1], "changes the arrays"),
            (lambda a, b: shuffle_runs(a), "TypeError"),
            (lambda a, b: None, "is there a return"),
            (lambda a, b: str(shuffle_runs(a, b)), "no single number"),
            (lambda a, b: shuffle_runs(a, b, again=np.greater), "take >="),
            (lambda a, b: shuffle_runs(a, b, first=6), "cut the shuffled runs at len(one)"),
            (lambda a, b: shuffle_runs(a, b, first=(len(a) + len(b)) // 2), "cut the shuffled runs"),
            (lambda a, b: stats.ttest_ind(a, b).pvalue, "was expected"),
            (0.03, "write a function"),
        ],
    ),
    "check_needed_digits": (
        [40_000, 39_600, np.array(40_000.0)],
        [
            (20_000, "square root of 2"),
            (5_000, "more digits"),
            (3.96, "0.0005"),
            (100, "too small"),
            (80_000, "too large"),
        ],
    ),
}
