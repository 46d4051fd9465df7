"""Answers to the exercises of this notebook: right ones, and wrong ones with a part of their hint."""

import torch

# checker: (right answers, [(wrong answer, a part of the hint), ...])
ANSWERS = {
    "check_shape_after_s2": (
        [(1, 6, 16, 16), [1, 6, 32 / 2, 16], torch.Size([1, 6, 16, 16])],
        [
            ((1, 6, 18, 18), "takes 4 off"),
            ((6, 16, 16), "four numbers"),
            ((1, 16, 16, 16), "six maps"),
            ((1, 6, 16.5, 16), "takes 4 off"),
            ((1, 6, float("inf"), 16), "takes 4 off"),
            (16, "tuple of four"),
        ],
    ),
    "check_lenet_parameters": ([63_066], [(63_050, "bias"), (63_916, "ten of the 26"), (61_706, "grows")]),
    "check_count_c3": (
        [lambda table: sum(25 * len(sources) + 1 for sources in table)],
        [
            (lambda table: sum(map(len, table)), "each has 25 weights"),
            (lambda table: 25 * sum(map(len, table)), "a bias, too"),
            (lambda table: 26 * sum(map(len, table)), "not for each kernel"),
            (lambda table: 25 * sum(map(len, table)) + 6, "not to those of S2"),
            (lambda table: 25 * sum(map(len, table)) + 1, "of its own"),
            (lambda table: 26 * len(table), "for each map that it reads"),
            (lambda table: 25 * sum(map(len, table)) + 16, "three maps it returned 141"),
            (lambda table: 1516, "dense C3 it returned 1516; 2,416 would be right"),
            (lambda table: None, "no number"),
            (lambda: 1, "ends in TypeError"),
            (1516, "write a function"),
        ],
    ),
    "check_momentum_step": (
        [lambda w, v, g, rate, share: (w - rate * (share * v + g), share * v + g)],
        [
            (lambda w, v, g, rate, share: (w + rate * (share * v + g), share * v + g), "against the velocity"),
            (lambda w, v, g, rate, share: (w - rate * v, share * v + g), "not the old one"),
            (lambda w, v, g, rate, share: (w - rate * (share * v + (1 - share) * g), v), "without a factor"),
            (lambda w, v, g, rate, share: (w - rate * g, g), "keeps its share"),
            (lambda w, v, g, rate, share: (w - rate * (v + g), v + g), "only the share"),
            (lambda w, v, g, rate, share: (share * v + g, w - rate * (share * v + g)), "comes first"),
            (lambda w, v, g, rate, share: (w, v), "not the old one"),
            (lambda w, v, g, rate, share: (w / 2, v), "should be 1.400"),
            (lambda w, v, g, rate, share: w, "ends in TypeError"),
            (1.4, "write a function"),
        ],
    ),
}
