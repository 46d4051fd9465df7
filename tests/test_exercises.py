"""The checkers of the exercises: right answers, likely wrong ones, and nonsense."""

import importlib
import inspect
import re
import runpy

import numpy as np
import pytest
import torch
from notebooks_as_data import PATHS, ROOT, find_exercises

from lenet_utils.exercises import common

MODULES = [importlib.import_module(f"lenet_utils.exercises.{path.stem[3:]}") for path in PATHS]
CHECKERS = {
    name: check
    for module in MODULES
    for name, check in vars(module).items()
    if name.startswith("check_") and check.__module__ == module.__name__
}

# checker: (right answers, [(wrong answer, a part of the hint), ...])
ANSWERS = {
    name: answers
    for path in PATHS
    for name, answers in runpy.run_path(str(ROOT / "tests" / "answers" / f"{path.stem}.py"))["ANSWERS"].items()
}


def test_no_two_checkers_have_one_name():
    files = [runpy.run_path(str(ROOT / "tests" / "answers" / f"{path.stem}.py"))["ANSWERS"] for path in PATHS]
    assert sum(map(len, files)) == len(ANSWERS)


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
    assert len(ANSWERS[name][0]) >= 3 and len(ANSWERS[name][1]) >= 5
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
