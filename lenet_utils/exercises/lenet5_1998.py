"""Checkers of notebooks/08_lenet5_1998.ipynb."""

import math

from lenet_utils.exercises.common import check_number, expects_function
from lenet_utils.lenet1998.network import draw_digit_codes


def check_s4_connections(answer) -> str:
    """Connections of S4 in the network of 1998: 16 maps of 5x5 units, each with four inputs and a bias."""
    return check_number(
        answer,
        16 * 5 * 5 * (4 + 1),
        "400 units, each with four pixels and a bias: 2,000.",
        {
            16 * 5 * 5 * 4: "the bias is a connection, too.",
            16 * 5 * 5: "these are the units; each has several connections.",
            16 * 2: "these are the parameters, which many connections share.",
            6 * 14 * 14 * 5: "this is S2; the question is about S4.",
            5 * 5 * 5: "this is one map; S4 has 16 of them.",
        },
    )


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
