"""Answers to the exercises of this notebook: right ones, and wrong ones with a part of their hint."""

import numpy as np
import torch


def factors(x, s, gradient):
    return (gradient * x).sum(axis=(0, 2, 3)), gradient * s[:, None, None]


def factors_by_loops(x, s, gradient):
    mine, back = [0.0] * len(s), np.zeros(x.shape)
    for n, c, h, w in np.ndindex(x.shape):
        mine[c] += x[n, c, h, w] * gradient[n, c, h, w]
        back[n, c, h, w] = s[c] * gradient[n, c, h, w]
    return [mine, back.tolist()]


def factors_by_torch(x, s, gradient):
    x, s = (torch.tensor(a, requires_grad=True) for a in (x, s))
    (x * s[:, None, None]).backward(torch.tensor(gradient))
    return s.grad, x.grad


def change_in_place(x, s, gradient):
    gradient *= s[:, None, None]
    return (gradient * x / s[:, None, None]).sum(axis=(0, 2, 3)), gradient


# checker: (right answers, [(wrong answer, a part of the hint), ...])
ANSWERS = {
    "check_map_factors": (
        [factors, factors_by_loops, factors_by_torch, lambda x, s, g: tuple(map(np.float32, factors(x, s, g)))],
        [
            (lambda x, s, g: factors(x, s, g)[::-1], "first what s gets"),
            (lambda x, s, g: (g * x, factors(x, s, g)[1]), "one number for each map"),
            (lambda x, s, g: ((g * x).sum(axis=(2, 3)), factors(x, s, g)[1]), "images of the batch"),
            (lambda x, s, g: ((g * x).sum(axis=0), factors(x, s, g)[1]), "places of a map"),
            (lambda x, s, g: ((g * x).sum(), factors(x, s, g)[1]), "within each map"),
            (lambda x, s, g: ((g * x).mean(axis=(0, 2, 3)), factors(x, s, g)[1]), "their mean"),
            (lambda x, s, g: (g.sum(axis=(0, 2, 3)), factors(x, s, g)[1]), "what a bias would get"),
            (lambda x, s, g: (x.sum(axis=(0, 2, 3)), factors(x, s, g)[1]), "what came back is a factor"),
            (lambda x, s, g: (factors(x, s, g)[0], g), "missing its slope"),
            (lambda x, s, g: (factors(x, s, g)[0], s[:, None, None] * np.ones(x.shape)), "that is the slope"),
            (lambda x, s, g: (factors(x, s, g)[0], g * x), "is s, not x"),
            (lambda x, s, g: (factors(x, s, g)[0], x * s[:, None, None]), "forward pass"),
            (lambda x, s, g: (factors(x, s, g)[0], g * s[:, None, None] ** 2), "the slope comes once"),
            (lambda x, s, g: (factors(x, s, g)[0], g * s[:, None, None] + 1), "for x, at ["),
            (lambda x, s, g: (factors(x, s, g)[0], g * s), "belongs to the maps"),
            (change_in_place, "changes its arguments"),
            (lambda x, s, g: factors(x, s, g)[0], "return two arrays"),
            (lambda x, s, g: (None, None), "returns None"),
            (lambda x, s, g: None, "is there a return"),
            (lambda x, s: x, "TypeError"),
            ([1, 2], "write a function"),
        ],
    ),
    "check_autograd_bugs": (
        [[2, 8, 14, 17, 19], (19, 16, 14, 8, 2), {2, 8, 14, 18, 19}, np.array([2, 8, 14, 17, 19])],
        [
            ([2, 8, 14, 17], "4 of 5 mistakes found (2, 8, 14, 17); 1 missed: think of the side"),
            ([8, 14, 17, 19], "which factor"),
            ([2, 14, 17, 19], "how fast max"),
            ([2, 8, 17, 19], "used twice"),
            ([2, 8, 14, 19], "when a pass begins"),
            ([2, 8, 14, 17, 19, 5], "false alarms: 5"),
            (list(range(1, 20)), "false alarms"),
            ([2, 8, 14, 17, 19, 20], "no line 20"),
            ("2, 8, 14, 17, 19", "list of line numbers"),
            ([2.5], "list of line numbers"),
            (dict.fromkeys([2, 8, 14, 17, 19]), "list of line numbers"),
            (2, "list of line numbers"),
        ],
    ),
    "check_curve_causes": (
        [
            {"A": "too large", "B": "right", "C": "too small", "D": "zero_grad"},
            ["Too large", "right", "too small", "zero grad"],
            np.array(["too large", "right", "too small", "zero_grad"]),
            {"d": "zero-grad", "c": "TOO SMALL", "b": " right", "a": "too_large"},
        ],
        [
            ({"A": "right", "B": "too large", "C": "too small", "D": "zero_grad"}, 'A is not "right": it jumps'),
            ({"A": "too large", "B": "too small", "C": "right", "D": "zero_grad"}, 'B is not "too small": it falls'),
            ({"A": "too large", "B": "right", "C": "zero_grad", "D": "too small"}, 'C is not "zero_grad": it falls'),
            ({"A": "zero_grad", "B": "right", "C": "too small", "D": "too large"}, "A is not"),
            ({"A": "right", "B": "right", "C": "right", "D": "right"}, "one curve"),
            ({"A": "slow", "B": "right", "C": "too small", "D": "zero_grad"}, "A needs one of the words"),
            ({"A": "too large", "B": "right", "C": "too small"}, "a dictionary with the letters"),
            (["too large", "right", "too small"], "a dictionary with the letters"),
            ("ABCD", "a dictionary with the letters"),
            ([["too large"], "right", "too small", "zero_grad"], "A needs one of the words"),
            ([1, 2, 3, 4], "needs one of the words"),
            ({1: 2}, "a dictionary with the letters"),
        ],
    ),
}  # fmt: skip
