"""Answers to the exercises of this notebook: right ones, and wrong ones with a part of their hint."""

import math

import numpy as np
import torch

from lenet_utils.lenet1998.network import compute_loss_1998


def count_one_by_one(table, size):
    links = 0
    for reads in table:
        for _ in range(size):
            for _ in range(size):
                links += 1
                for _ in reads:
                    links += 5 * 5
    return links


def count_by_arrays(table, size):
    return np.sum(25 * np.array([len(reads) for reads in table]) + 1) * size**2


def count_in_place(table, size):
    return sum(25 * len(table.pop()) + 1 for _ in range(len(table))) * size**2


def lose_one_by_one(y, labels, j):
    losses = []
    for distances, label in zip(y.tolist(), labels.tolist()):
        losses.append(distances[label] + math.log(math.exp(-j) + sum(math.exp(-d) for d in distances)))
    return sum(losses) / len(losses)


def lose_by_arrays(y, labels, j):
    y, labels = y.numpy().astype(float), labels.numpy()
    return (y[np.arange(len(y)), labels] + np.log(np.exp(-j) + np.exp(-y).sum(axis=1))).mean()


def lose_by_logsumexp(y, labels, j):
    rubbish = torch.full((len(y), 1), -j)
    return torch.nn.functional.cross_entropy(torch.cat([-y, rubbish], dim=1), labels)


def lose(kind):
    """Equation 9 with a mistake."""

    def compute(y, labels, j):
        right, powers = y[torch.arange(len(y)), labels], torch.exp(-y)
        return {
            "batch": lambda: (right + torch.log(np.exp(-j) + powers.sum())).mean(),
            "axis": lambda: (right + torch.log(np.exp(-j) + powers.sum(dim=0))[0]).mean(),
            "no rubbish": lambda: (right + torch.log(powers.sum(dim=1))).mean(),
            "equation 8": lambda: right.mean(),
            "second part": lambda: torch.log(np.exp(-j) + powers.sum(dim=1)).mean(),
            "sum": lambda: (right + torch.log(np.exp(-j) + powers.sum(dim=1))).sum(),
            "without the right": lambda: (right + torch.log(np.exp(-j) + powers.sum(dim=1) - torch.exp(-right))).mean(),
            "sign": lambda: (right + torch.log(np.exp(-j) + torch.exp(y).sum(dim=1))).mean(),
            "minus": lambda: (torch.log(np.exp(-j) + powers.sum(dim=1)) - right).mean(),
            "each": lambda: right + torch.log(np.exp(-j) + powers.sum(dim=1)),
            "softmax of ten": lambda: torch.nn.functional.cross_entropy(y, labels),
            "in place": lambda: compute_loss_1998(y.neg_(), labels, j),
        }[kind]()

    return compute


# checker: (right answers, [(wrong answer, a part of the hint), ...])
ANSWERS = {
    "check_switch": (
        [(2.0, -2.0), [1.5, -1.5], (3, -3), torch.tensor([2.0, -2.0]), np.array([[2.0], [-2.0]])],
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
            ({2.0: 0, -2.0: 0}, "a pair"),
            ({2.0, -2.0}, "a pair"),
            (("two", -2.0), "to be numbers"),
            ((float("inf"), -2.0), "to be numbers"),
            ((2.0, float("nan")), "to be numbers"),
        ],
    ),
    "check_rubbish_share": (
        [1 / 11, 0.0909, np.float32(1 / 11), torch.tensor(1 / 11)],
        [
            (0.1, "eleven classes"),
            (10 / 11, "ten digits have"),
            (9.09, "too large"),
            (100 / 11, "from 0 to 1"),
            (np.exp(-20), "exp(-j)"),
        ],
    ),
    "check_count_links": (
        [
            lambda table, size: sum((25 * len(reads) + 1) * size**2 for reads in table),
            count_one_by_one,
            count_by_arrays,
            lambda table, size: torch.tensor([25 * len(reads) + 1 for reads in table]).sum() * size**2,
            lambda table, size: float(size * size * (25 * sum(map(len, table)) + len(table))),
        ],
        [
            (lambda table, size: 25 * sum(map(len, table)) * size**2, "biases are missing"),
            (lambda table, size: 26 * sum(map(len, table)) * size**2, "once for each map that is read"),
            (lambda table, size: 25 * sum(map(len, table)) + len(table), "these are the parameters"),
            (lambda table, size: 25 * sum(map(len, table)) * size**2 + len(table), "each unit counts its bias"),
            (lambda table, size: (25 * sum(map(len, table)) + len(table)) * size, "size x size"),
            (lambda table, size: len(table) * size**2 * 151, "read all"),
            (lambda table, size: sum(len(reads) + 1 for reads in table) * size**2, "5x5 weights"),
            (lambda table, size: 26 * len(table) * size**2, "a kernel for each map"),
            (lambda table, size: 151_600, "for 2 maps of 3x3 with 3 kernels it returns 151600; 693 would be right"),
            (lambda table, size: sum((25 * len(r) + 1) * 100 for r in table), "for 2 maps"),
            (lambda table, size: [25 * len(reads) + 1 for reads in table], "no single number"),
            (count_in_place, "changes the table"),
            (lambda table: 151_600, "TypeError: "),
            (151_600, "write a function"),
        ],
    ),
    "check_wrong_lines": (
        [[3, 6, 9, 15], (15, 9, 6, 3), {3, 6, 9, 15}, np.array([3, 6, 9, 15]), torch.tensor([3.0, 6.0, 9.0, 15.0])],
        [
            ([3, 6, 9], "3 of 4 mistakes found (3, 6, 9); 1 missed: think of how many biases"),
            ([6, 9, 15], "own background"),
            ([3, 9, 15], "how many inputs"),
            ([3, 6, 15], "before the coefficient"),
            ([3, 6, 9, 15, 19], "4 of 4 mistakes found (3, 6, 9, 15); false alarms: 19"),
            ([2, 10], "0 of 4 mistakes found; false alarms: 2, 10"),
            (range(1, 20), "false alarms: 1, 2, 4"),
            ([3, 6, 9, 20], "no line 20"),
            ([0], "no line 0"),
            (dict.fromkeys([3, 6, 9, 15]), "a list of line numbers"),
            (bytes([3, 6, 9, 15]), "a list of line numbers"),
            ([3.5], "a list of line numbers"),
            (3, "a list of line numbers"),
            ("3, 6, 9, 15", "a list of line numbers"),
            ([True, 3, 6, 9, 15], "a list of line numbers"),
        ],
    ),
    "check_mended_loss": (
        [
            lambda y, labels, j: (
                y[torch.arange(len(y)), labels] + torch.log(np.exp(-j) + torch.exp(-y).sum(dim=1))
            ).mean(),
            lose_one_by_one,
            lose_by_arrays,
            lose_by_logsumexp,
        ],
        [
            (lose("batch"), "over all digits of the batch"),
            (lose("axis"), "for a batch of 1 it returns"),
            (lose("no rubbish"), "the rubbish class is missing"),
            (lose("equation 8"), "this is equation 8"),
            (lose("second part"), "comes first"),
            (lose("sum"), "take their mean"),
            (lose("without the right"), "the right one included"),
            (lose("sign"), "lost their minus sign"),
            (lose("minus"), "plus sign"),
            (lose("each"), "is a mean over the digits"),
            (lose("softmax of ten"), "would be right"),
            (lose("in place"), "changes the distances"),
            (lambda y, labels, j: 1.0, "it returns 1;"),
            (lambda y, labels: 1.0, "TypeError: "),
            (0.0067, "write a function"),
        ],
    ),
}
