"""The checkers of the exercises: right answers, likely wrong ones, and nonsense."""

import importlib
import inspect
import re

import numpy as np
import pytest
import torch
from notebooks_as_data import PATHS, find_exercises

from lenet_utils.exercises import common

MODULES = [importlib.import_module(f"lenet_utils.exercises.{path.stem[3:]}") for path in PATHS]
CHECKERS = {
    name: check
    for module in MODULES
    for name, check in vars(module).items()
    if name.startswith("check_") and check.__module__ == module.__name__
}


def find_error(matrix, turned=False, diagonal=False, spoil=False):
    errors = matrix if spoil else matrix.copy()
    if not diagonal:
        np.fill_diagonal(errors, 0)
    pair = np.unravel_index(errors.argmax(), errors.shape)
    return pair[::-1] if turned else pair


def shuffle_runs(one, other, both_sides=True):
    rng, runs, real = np.random.default_rng(3), np.concatenate([one, other]), other.mean() - one.mean()
    shuffled = rng.permuted(np.tile(runs, (2_000, 1)), axis=1)
    gaps = shuffled[:, len(one) :].mean(axis=1) - shuffled[:, : len(one)].mean(axis=1)
    return (np.abs(gaps) >= abs(real)).mean() if both_sides else (gaps >= real).mean()


def pool(maps, how="mean"):
    squares = maps.unflatten(3, (-1, 2)).unflatten(2, (-1, 2))  # (N, M, H/2, 2, W/2, 2)
    return squares.amax((3, 5)) if how == "max" else squares.mean((3, 5))


def square(examples, image, power=2):
    return (examples.float() - image.float()).pow(power).sum(dim=(1, 2))


def find_nearest(image, examples, labels):
    return labels[square(examples, image).argmin()]


def find_nearest_by_abs(image, examples, labels):
    return labels[(examples.float() - image.float()).abs().sum(dim=(1, 2)).argmin()]


def pick(numbers, labels):
    return numbers[torch.arange(len(labels)), labels]


# checker: (right answers, {wrong answer: a part of the hint})
ANSWERS = {
    "check_lazy_accuracy": (
        [11.35],
        [
            (10, "equally common"),
            (11.24, "training set"),
            (0.1135, "in percent"),
            (1135, "how many percent"),
            (90, "too large"),
        ],
    ),
    "check_read_digit": (
        [find_nearest, lambda image, examples, labels: int(find_nearest(image, examples, labels)), find_nearest_by_abs],
        [
            (lambda image, examples, labels: find_nearest(image, examples, range(10)), "place of the nearest"),
            (lambda image, examples, labels: find_nearest(255 - image, examples, labels), "got the label"),
            (lambda image, examples, labels: labels[-find_nearest(image, examples, range(10))], "got the label"),
            (lambda image, examples, labels: labels[square(examples, image).argmax()], "furthest away"),
            (lambda image, examples, labels: labels[((examples - image) ** 2).sum((1, 2)).argmin()], "in uint8"),
            (lambda image, examples, labels: labels[square(examples, image, power=1).argmin()], "cancel"),
            (lambda image, examples, labels: labels[square(examples, image, power=1).abs().argmin()], "cancel"),
            (lambda image, examples, labels: None, "returns None"),
            (lambda image: 1, "ends in TypeError"),
            (5, "write a function"),
        ],
    ),
    "check_to_grey": (
        [lambda x: 255 * (x * 0.3081 + 0.1307)],
        [
            (lambda x: x * 0.3081 + 0.1307, "between 0 and 1"),
            (lambda x: 255 * (x + 0.1307) * 0.3081, "last step first"),
            (lambda x: 255 * x * 0.3081, "mean has to be added"),
            (lambda x: (x - 0.1307) / 0.3081, "way there"),
            (lambda x: None, "returns None"),
            (lambda: 1, "ends in TypeError"),
            (5, "write a function"),
        ],
    ),
    "check_mlp_parameters": (
        [203_530, torch.tensor(203_530)],
        [(203_264, "weights alone"), (200_960, "second layer"), (1, "too small")],
    ),
    "check_cross_entropy": (
        [torch.nn.functional.cross_entropy, lambda logits, labels: -pick(logits.log_softmax(1), labels).mean().item()],
        [
            (lambda logits, labels: pick(logits.log_softmax(1), labels).mean(), "positive"),
            (lambda logits, labels: -pick(logits.log_softmax(1), labels).sum(), "take the mean"),
            (lambda logits, labels: -pick(logits.softmax(1), labels).log10().mean(), "base 10"),
            (lambda logits, labels: -pick(logits.softmax(1), labels).log2().mean(), "base 2"),
            (lambda logits, labels: -pick(logits.softmax(1), labels).mean().log(), "first the logarithms"),
            (lambda logits, labels: pick(logits.softmax(1), labels).mean(), "still to come"),
            (lambda logits, labels: -logits.log_softmax(1).mean(), "not those of all"),
            (lambda logits, labels: -pick(logits, labels).mean(), "softmax comes first"),
            (lambda logits, labels: -pick(logits.log_softmax(1), labels), "a single number"),
            (lambda logits, labels: None, "returns None"),
            (lambda logits, labels: 0.5, "too small"),
            (lambda: 1, "ends in TypeError"),
            (5, "write a function"),
        ],
    ),
    "check_step_order": (
        ["EBDCA", "DEBCA", "edbca", "E B C A D", list("EBDCA")],
        [
            ("BEDCA", "needs the logits"),
            ("ECBDA", "starts from the loss"),
            ("EBACD", "needs the gradients"),
            ("EBCDA", "wipes out"),
            ("EBCA", "five letters"),
            ("EBCAA", "five letters"),
            (12345, "five letters"),
            ([1, 2, 3, 4, 5], "five letters"),
        ],
    ),
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
    "check_seen_rows": ([14], [(10, "rows of C1"), (9, "lies S2"), (16, "S4"), (13, "too small")]),
    "check_shift_for_s4": ([4], [(1, "C1"), (2, "S4 halves"), (8, "there are two"), (3, "too small")]),
    "check_squash_and_pool": (
        [lambda m: pool(m.tanh())],
        [
            (lambda m: pool(m).tanh(), "first tanh"),
            (pool, "where is tanh"),
            (lambda m: pool(m.tanh(), "max"), "not the largest"),
            (lambda m: 4 * pool(m.tanh()), "sums"),
            (torch.tanh, "as large as"),
            (lambda m: m[:, 0], "should become"),
            (lambda m: 1 / 0, "ZeroDivisionError"),
            (lambda m: pool(m.tanh()).to("meta"), "NotImplementedError"),
            (3, "write a function"),
        ],
    ),
    "check_precision": (
        [0.875, 7 / 8],
        [(0.7, "recall"), (0.75, "precision of the ones"), (0.8, "accuracy"), (87.5, "from 0 to 1")],
    ),
    "check_most_confused": (
        [find_error],
        [
            (lambda m: find_error(m, turned=True), "wrong way round"),
            (lambda m: find_error(m, diagonal=True), "diagonal"),
            (lambda m: find_error(m, spoil=True), "changes the matrix"),
            (lambda m: (4, 9), "it returned (4, 9)"),
            (lambda m: None, "TypeError"),
            (lambda m: find_error(m + m.T), "both directions"),
            (lambda m: find_error(m / m.sum(1, keepdims=True)), "nor a share"),
            (lambda m: (4.0, 9.0), "TypeError"),
            ((4, 9), "write a function"),
        ],
    ),
    "check_error_left": (
        [
            lambda right, sure, sent: 100 * (1 - right[np.argsort(sure)[sent:]].mean()),
            lambda right, sure, sent: 100 * sum(not r for _, r in sorted(zip(sure, right))[sent:]) / (len(sure) - sent),
        ],
        [
            (lambda right, sure, sent: 1 - right[np.argsort(sure)[sent:]].mean(), "in percent"),
            (lambda right, sure, sent: 100 * right[np.argsort(sure)[sent:]].mean(), "accuracy of the rest"),
            (lambda right, sure, sent: 100 * (~right[np.argsort(sure)[sent:]]).sum() / len(sure), "not by all"),
            (lambda right, sure, sent: 100 * (~right[np.argsort(-sure)[sent:]]).mean(), "not the surest"),
            (lambda right, sure, sent: 100 * (~right[np.argsort(sure)[:sent]]).mean(), "the rest is asked for"),
            (lambda right, sure, sent: 100 * (~right).mean(), "has anything been sent"),
            (lambda right, sure, sent: 100 * (~right[sent:]).mean(), "sort by confidence"),
            (lambda right, sure, sent: 3, "of 400 digits 60 are sent"),
            (lambda right, sure: 3, "TypeError"),
            (lambda *a: None, "TypeError"),
            (0.5, "write a function"),
        ],
    ),
    "check_coin": (
        [100 * 2 / 256, 0.78],
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
        [shuffle_runs, lambda one, other: shuffle_runs(other, one)],
        [
            (lambda a, b: 1 - shuffle_runs(a, b), "smaller gaps"),
            (lambda a, b: shuffle_runs(a, b, both_sides=False), "np.abs"),
            (lambda a, b: 1 - shuffle_runs(a, b, both_sides=False), "np.abs"),
            (lambda a, b: 100 * shuffle_runs(a, b), "from 0 to 1"),
            (lambda a, b: 0.5, "was expected"),
            (lambda a, b: (a.sort(), shuffle_runs(a, b))[1], "changes the arrays"),
            (lambda a, b: shuffle_runs(a), "TypeError"),
            (lambda a, b: None, "TypeError"),
            (0.03, "write a function"),
        ],
    ),
    "check_needed_digits": (
        [40_000, 39_600],
        [
            (20_000, "square root of 2"),
            (5_000, "more digits"),
            (3.96, "0.0005"),
            (100, "too small"),
            (80_000, "too large"),
        ],
    ),
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


def test_every_checker_is_tested_and_used():
    used = {name for path in PATHS for cell, _ in find_exercises(path) for name in re.findall(r"(check_\w+)\(", cell)}
    assert set(ANSWERS) == set(CHECKERS) == used


@pytest.mark.parametrize("name", ANSWERS)
def test_right_answers_are_accepted(name):
    assert CHECKERS[name](None) == common.NOT_ANSWERED
    for answer in ANSWERS[name][0]:
        assert CHECKERS[name](answer).startswith("Yes: "), answer


@pytest.mark.parametrize("name", ANSWERS)
def test_wrong_answers_get_their_hint(name):
    assert len(ANSWERS[name][1]) >= 2
    for answer, hint in ANSWERS[name][1]:
        reply = CHECKERS[name](answer)
        assert reply.startswith("Not yet: ") and hint in reply and "\n" not in reply, (answer, reply)


NONSENSE = [
    "seven",
    "",
    True,
    float("nan"),
    float("inf"),
    1e400,
    10**400,
    [10**400],
    "1\n2",
    -1,
    [],
    [None],
    {},
    1j,
    object(),
    torch.zeros(2, 2),
    np.zeros(3),
    lambda: 0,
    lambda *a: "x",
    print,
]


@pytest.mark.parametrize("name", ANSWERS)
def test_nonsense_is_never_accepted_and_never_raises(name, capsys):
    for answer in NONSENSE:
        reply = CHECKERS[name](answer)
        assert reply.startswith("Not yet: ") and "\n" not in reply, (answer, reply)


def test_checkers_say_what_they_check():
    assert all(inspect.getdoc(check) for check in CHECKERS.values())
