"""Checkers of notebooks/08_lenet5_1998.ipynb."""

import math

import torch

from lenet_utils.exercises.common import NOT_ANSWERED, check_lines, check_number, expects_function, to_float, to_list
from lenet_utils.lenet1998.network import compute_loss_1998
from lenet_utils.models import C3_TABLE

# The listing of exercise 5: its wrong lines, and a hint for those who have not found one.
LISTING_LINES = 19
WRONG_LINES = {
    3: "what a border of the digit's own background would be",
    6: "how many inputs a unit has that reads a map by a 5x5 kernel",
    9: "what is done with four pixels before the coefficient",
    15: "how many biases a unit has",
}


def check_switch(answer) -> str:
    """(coefficient, bias) of a subsampling unit: above 1 with three or four pixels on, below -1 with fewer."""
    if answer is None:
        return NOT_ANSWERED
    pair = to_list(answer)
    if pair is None or len(pair) != 2:
        return "Not yet: the answer is a pair of numbers, (coefficient, bias)."
    coefficient, bias = map(to_float, pair)
    if not math.isfinite(coefficient) or not math.isfinite(bias):
        return "Not yet: both of the pair are to be numbers, (coefficient, bias)."
    for on in range(5):
        found = 1.7159 * math.tanh(2 / 3 * (coefficient * (on - (4 - on)) + bias))
        if not (found > 1 if on >= 3 else found < -1):
            wanted = "more than 1" if on >= 3 else "less than -1"
            return f"Not yet: with {on} of 4 pixels on this unit answers {found:.2f}, not {wanted}."
    return "Yes: it switches between two pixels on, where the sum is 0, and three, where it is 2."


def check_rubbish_share(answer) -> str:
    """Probability of the rubbish class when its distance j and all ten distances are equal."""
    return check_number(
        answer,
        1 / 11,
        "eleven classes that are equally far are equally probable.",
        {
            1 / 10: "there are eleven classes: ten digits and the rubbish.",
            10 / 11: "this is what the ten digits have together.",
            math.exp(-20): "this is exp(-j); divide by the sum over all classes.",
            100 / 11: "as a number from 0 to 1, please.",
        },
        tolerance=0.0005,
    )


@expects_function("def count_links(table, size)")
def check_count_links(function) -> str:
    """A function of a connection table and the size of the maps that returns the number of connections."""
    tables = (C3_TABLE, 10), (((0,), (0, 1)), 3), (((0, 1, 2),), 1), (C3_TABLE[5:8], 4), (tuple([(0, 1, 2, 3)] * 5), 7)
    for table, size in tables:
        given = [list(reads) for reads in table]
        found = to_float(function(given, size))
        if given != [list(reads) for reads in table]:
            return "Not yet: the function changes the table that it was given."
        if math.isnan(found):
            return "Not yet: it returns no single number."
        kernels, units = sum(map(len, table)), len(table) * size**2
        right = (25 * kernels + len(table)) * size**2
        if found == right:
            continue
        hints: dict[float, str] = {
            25 * kernels * size**2: "the biases are missing: each unit is connected to its own.",
            26 * kernels * size**2: "the bias is counted once for each map that is read. A unit has one.",
            25 * kernels * size**2 + len(table): "each unit counts its bias, not each map.",
            25 * kernels + len(table): "these are the parameters. Each is used at every position of a map.",
            (25 * kernels + len(table)) * size: "a map has size x size units.",
            units
            * (25 * (1 + max(max(reads) for reads in table)) + 1): "every map is taken to read all; see the table.",
            kernels * size**2 + units: "a kernel has 5x5 weights, each of them a connection.",
            (25 * len(table) + len(table)) * size**2: "a map has a kernel for each map that it reads.",
        }
        what = f"{len(table)} maps of {size}x{size} with {kernels} kernels"
        if found in hints:
            return f"Not yet: for {what}, {hints[found]}"
        return f"Not yet: for {what} it returns {found:g}; {right:,} would be right."
    return "Yes: the units times what each of them reads, and its bias."


def check_wrong_lines(answer) -> str:
    """The four wrong lines of the listing in exercise 5: a collection of line numbers."""
    why = "the border, the limit, the mean, and the bias; the other lines are as published."
    return check_lines(answer, [({line}, hint) for line, hint in WRONG_LINES.items()], LISTING_LINES, why)


@expects_function("def mended_loss(y, labels, j)")
def check_mended_loss(function) -> str:
    """Equation 9, a function of distances (N, 10), labels (N,) and j that returns the mean loss."""
    generator = torch.Generator().manual_seed(0)
    for count, largest, j in ((1, 30.0, 20.0), (3, 9.0, 5.0), (10, 4.0, 1.0), (4, 2.0, 0.1)):
        y = largest * torch.rand(count, 10, generator=generator)
        labels = torch.randint(10, (count,), generator=generator)
        given = y.clone(), labels.clone()
        found = to_float(function(*given, j))
        if not (torch.equal(given[0], y) and torch.equal(given[1], labels)):
            return "Not yet: the function changes the distances or labels that it was given."
        if math.isnan(found):
            return "Not yet: it returns no single number; the loss is a mean over the digits."
        right = y[torch.arange(count), labels]
        powers, rubbish = torch.exp(-y), math.exp(-j)
        wrong = {
            "the sum runs over all digits of the batch. Each digit has a sum over its own ten codes.": (
                right + torch.log(rubbish + powers.sum())
            ).mean(),
            "the rubbish class is missing: exp(-j) belongs into the sum.": (right + powers.sum(dim=1).log()).mean(),
            "this is equation 8. Equation 9 has a second part.": right.mean(),
            "the second part alone; the distance to the right code comes first.": torch.log(
                rubbish + powers.sum(dim=1)
            ).mean(),
            "the losses of the digits are added; take their mean.": (
                right + torch.log(rubbish + powers.sum(dim=1))
            ).sum(),
            "the sum is over all ten codes, the right one included.": (
                right + torch.log(rubbish + powers.sum(dim=1) - torch.exp(-right))
            ).mean(),
            "the distances have lost their minus sign in the powers of e.": (
                right + torch.log(rubbish + torch.exp(y).sum(dim=1))
            ).mean(),
            "the distance to the right code is to be small: it has a plus sign.": (
                torch.log(rubbish + powers.sum(dim=1)) - right
            ).mean(),
        }
        expected = float(compute_loss_1998(-y, labels, j))
        if math.isclose(found, expected, rel_tol=1e-4, abs_tol=1e-5):
            continue
        for hint, value in wrong.items():
            if math.isclose(found, float(value), rel_tol=1e-4, abs_tol=1e-5):
                return f"Not yet: {hint}"
        return f"Not yet: for a batch of {count} it returns {found:.4g}; {expected:.4g} would be right."
    return "Yes: for every digit a sum over its ten codes and the rubbish, then the mean over the digits."
