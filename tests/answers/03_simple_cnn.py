"""Answers to the exercises of this notebook: right ones, and wrong ones with a part of their hint."""

import numpy as np

# checker: (right answers, [(wrong answer, a part of the hint), ...])
ANSWERS = {
    "check_bug_lines": (
        [[1, 13, 19, 22, 31, 34], {35, 31, 22, 29, 13, 1}],
        [
            ([1, 22], "2 of 6"),
            ([12], "false alarms: 12"),
            ([99], "lines 1 to 35"),
            ([], "0 of 6"),
            (list(range(1, 36)), "false alarms"),
            ("22", "list of line numbers"),
            ([1.5], "list of line numbers"),
        ],
    ),
    "check_output_rows": ([2], [(3, "rounded down"), (5, "three poolings"), (7, "too large")]),
    "check_conv_parameters": (
        [4640],
        [
            (4608, "weights alone"),
            (320, "one kernel for each"),
            (5120, "one bias for each output map"),
            (4641, "too large"),
        ],
    ),
    "check_shift_kernel": (
        [[[0, 0, 0], [1, 0, 0], [0, 0, 0]], np.array([[0, 0, 0], [1.0, 0, 0], [0, 0, 0]])],
        [
            ([[0, 0, 0], [0, 1, 0], [0, 0, 0]], "leaves the picture"),
            ([[0, 0, 0], [0, 0, 1], [0, 0, 0]], "to the left"),
            ([[0, 1, 0], [0, 0, 0], [0, 0, 0]], "up or down"),
            ([[1, 1, 1]] * 3, "single weight"),
            ([1, 2], "shape (3, 3)"),
            ([[10**400] * 3] * 3, "three rows of three"),
        ],
    ),
}
