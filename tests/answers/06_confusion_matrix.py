"""Answers to the exercises of this notebook: right ones, and wrong ones with a part of their hint."""

import numpy as np


def find_error(matrix, turned=False, diagonal=False, spoil=False):
    errors = matrix if spoil else matrix.copy()
    if not diagonal:
        np.fill_diagonal(errors, 0)
    pair = np.unravel_index(errors.argmax(), errors.shape)
    return pair[::-1] if turned else pair


# checker: (right answers, [(wrong answer, a part of the hint), ...])
ANSWERS = {
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
}
