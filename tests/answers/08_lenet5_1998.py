"""Answers to the exercises of this notebook: right ones, and wrong ones with a part of their hint."""

import numpy as np


def square(examples, image, power=2):
    return (examples.float() - image.float()).pow(power).sum(dim=(1, 2))


# checker: (right answers, [(wrong answer, a part of the hint), ...])
ANSWERS = {
    "check_switch": (
        [(2.0, -2.0), [1.5, -1.5], (3, -3)],
        [
            ((2.0, -6.0), "with 3 of 4"),
            ((2.0, 4.0), "with 1 of 4"),
            ((0.25, 0.0), "with 0 of 4 pixels on this unit answers -1.00, not less than -1"),
            ((-2.0, -2.0), "with 0 of 4"),
            ((2.0, -1.0), "with 2 of 4"),
            ((1.0, -1.0), "with 2 of 4"),
            ((2.0, 0.0), "with 2 of 4 pixels on this unit answers 0.00"),
            ((2.0, -3.5), "with 3 of 4"),
            (2.0, "a pair"),
            ((2.0, -2.0, 1.0), "a pair"),
            (("two", -2.0), "to be numbers"),
            ((float("inf"), -2.0), "to be numbers"),
            ((2.0, float("nan")), "to be numbers"),
        ],
    ),
    "check_read_code": (
        [
            lambda features, codes: (features - codes).square().sum(1).argmin(),
            lambda features, codes: int((codes @ features).argmax()),  # all codes are equally long
        ],
        [
            (lambda f, c: (f - c).square().sum(1).argmax(), "farthest"),
            (lambda f, c: (f - c).abs().sum(1).argmin(), "squared before"),
            (lambda f, c: 3, "it returned 3"),
            (lambda f, c: (f - c).square().sum(0).argmin(), "it returned"),
            (lambda f: 3, "TypeError: "),
            (lambda f, c: {}[1], "KeyError"),
            (7, "write a function"),
        ],
    ),
    "check_rubbish_share": (
        [1 / 11, 0.0909],
        [
            (0.1, "eleven classes"),
            (10 / 11, "ten digits have"),
            (9.09, "too large"),
            (100 / 11, "from 0 to 1"),
            (np.exp(-20), "exp(-j)"),
        ],
    ),
}
