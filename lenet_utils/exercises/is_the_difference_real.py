"""Checkers of notebooks/09_is_the_difference_real.ipynb."""

import numpy as np

from lenet_utils.exercises.common import check_number, expects_function, to_float


def check_needed_digits(answer) -> str:
    """Test digits for a standard error of 0.05 points at an accuracy of 99 %."""
    return check_number(
        answer,
        39_600,
        "about 40,000, four times as many: the error shrinks with the square root of their number.",
        {
            3.96: "0.05 points are 0.0005, not 0.05.",
            20_000: "twice the digits divide the error by the square root of 2 only.",
            19_800: "twice the digits divide the error by the square root of 2 only.",
            5_000: "a smaller error needs more digits, not fewer.",
            2_500: "a smaller error needs more digits, not fewer.",
        },
        tolerance=450,
    )


def check_coin(answer) -> str:
    """Percent: how often 8 or more of 8 tosses of a fair coin fall on the same side."""
    return check_number(
        answer,
        100 * 2 / 2**8,
        "2 of 256 rows of tosses are all heads or all tails: 0.78 %.",
        {
            100 / 2**8: "all heads has this chance; all tails would surprise us as much.",
            2 / 2**8: "in percent, please.",
            100 / 8: "each toss has two sides, so there are 2 x 2 x ... x 2 rows of eight tosses.",
            50: "this is the chance of a single toss.",
            100 * 2 * 9 / 2**8: "this is 7 or more of 8; here one network is right in all eight.",
        },
        tolerance=0.005,
    )


@expects_function("def compute_p(one, other)")
def check_p(function) -> str:
    """A function that returns the p-value of a gap of two means, from 1,000 or more shuffles of the runs."""
    generator = np.random.default_rng(0)
    pairs = [(generator.normal(size=6), generator.normal(size=6) + shift) for shift in (0.0, 0.9, 1.5)]
    pairs.append((np.array([99.13, 99.42]), np.geomspace(98.5, 99.5, 10)))  # unequally long
    pairs.append((np.array([99.0] * 5 + [99.25]), np.array([99.0] * 4 + [99.25] * 2)))  # no shuffle has a smaller gap
    for one, other in pairs:
        given = one.copy(), other.copy()
        result = to_float(function(*given))
        if not (np.array_equal(given[0], one) and np.array_equal(given[1], other)):
            return "Not yet: it changes the arrays it is given."
        if np.isnan(result):
            return "Not yet: it returns no single number; is there a return?"
        runs, gap = np.concatenate([one, other]), other.mean() - one.mean()
        shuffled = generator.permuted(np.tile(runs, (20_000, 1)), axis=1)
        gaps = shuffled[:, len(one) :].mean(axis=1) - shuffled[:, : len(one)].mean(axis=1)
        expected = np.mean(np.abs(gaps) >= abs(gap) - 1e-9)
        if abs(result - expected) <= 0.05:
            continue
        if not 0 <= result <= 1:
            return f"Not yet: a p-value is a share, from 0 to 1, not {result:g}."
        half = len(runs) // 2
        halves = shuffled[:, half:].mean(axis=1) - shuffled[:, :half].mean(axis=1)
        for wrong, hint in (
            (
                np.mean(np.abs(halves) >= abs(gap)),
                "cut the shuffled runs at len(one): the two sets may differ in length.",
            ),
            (np.mean(np.abs(gaps) > abs(gap) + 1e-9), "a gap just as large as the real one counts, too: take >=."),
            (1 - expected, "this is the share of smaller gaps; count those at least as large as the real one."),
            (np.mean(gaps >= gap), "a gap in the other direction would surprise us as much: use np.abs."),
            (np.mean(gaps <= gap), "a gap in the other direction would surprise us as much: use np.abs."),
        ):
            if abs(result - wrong) <= 0.03:
                return f"Not yet: {hint}"
        return f"Not yet: about {expected:.2f} was expected for {len(one)} and {len(other)} runs, not {result:.2f}."
    return "Yes: the share of shuffles with a gap at least as large as the real one."
