"""Checkers of notebooks/08_lenet5_1998.ipynb."""

import math

from lenet_utils.exercises.common import NOT_ANSWERED, check_number, expects_function, to_float
from lenet_utils.lenet1998.network import draw_digit_codes


def check_switch(answer) -> str:
    """(coefficient, bias) of a subsampling unit: above 1 with three or four pixels on, below -1 with fewer."""
    if answer is None:
        return NOT_ANSWERED
    try:
        coefficient, bias = map(to_float, answer)
    except (TypeError, ValueError):
        return "Not yet: the answer is a pair of numbers, (coefficient, bias)."
    if not math.isfinite(coefficient) or not math.isfinite(bias):
        return "Not yet: both of the pair are to be numbers, (coefficient, bias)."
    for on in range(5):
        found = 1.7159 * math.tanh(2 / 3 * (coefficient * (on - (4 - on)) + bias))
        if not (found > 1 if on >= 3 else found < -1):
            wanted = "more than 1" if on >= 3 else "less than -1"
            return f"Not yet: with {on} of 4 pixels on this unit answers {found:.2f}, not {wanted}."
    return "Yes: it switches between two pixels on, where the sum is 0, and three, where it is 2."


@expects_function("def read_code(features, codes)")
def check_read_code(function) -> str:
    """A function of features (84,) and codes (10, 84) that returns the digit of the nearest code."""
    codes = draw_digit_codes()
    between = codes[8].clone()  # nearest to 8 by absolute differences, to 6 by squared ones
    between[(codes[6] != codes[8]).nonzero()[:5, 0]] = 1.7 * codes[6][codes[6] != codes[8]][:5]
    for features in (0.5 * codes[3] + 0.3 * codes[5], 1.7 * codes[0], between):
        found = int(function(features.clone(), codes.clone()))
        differences = features - codes
        distances = differences.square().sum(1)
        if found != distances.argmin():
            if found == distances.argmax():
                return "Not yet: this is the farthest code; the answer is the nearest."
            if features is between and found == differences.abs().sum(1).argmin():
                return "Not yet: the differences are squared before they are added."
            return f"Not yet: it returned {found} where the code of {int(distances.argmin())} is nearest."
    return "Yes: the smallest sum of squared differences."


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
