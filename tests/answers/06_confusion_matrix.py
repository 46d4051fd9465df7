"""Answers to the exercises of this notebook: right ones, and wrong ones with a part of their hint."""

import numpy as np
import torch
from sklearn import metrics


def count_by_loop(labels, predictions, classes, add=1, keep=lambda true, read: True):
    matrix = [[0] * classes for _ in range(classes)]
    for true, read in zip(labels, predictions):
        if keep(true, read):
            matrix[true][read] += add
    return matrix


def count_by_tensors(labels, predictions, classes):
    matrix = torch.zeros(classes, classes, dtype=torch.long)
    places = torch.as_tensor(labels), torch.as_tensor(predictions)
    return matrix.index_put_(places, torch.ones(len(labels), dtype=torch.long), accumulate=True)


def count_once(labels, predictions, classes):
    matrix = np.zeros((classes, classes))
    matrix[labels, predictions] += 1
    return matrix


def count_shares(labels, predictions, classes):
    matrix = np.array(count_by_loop(labels, predictions, classes), dtype=float)
    return matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)


def count_and_spoil(labels, predictions, classes):
    matrix = count_by_loop(labels, predictions, classes)
    labels[:] = 0
    return matrix


def score_by_array(matrix, digit):
    return matrix[digit, digit] / np.array([matrix[:, digit].sum(), matrix[digit].sum()])


def score_by_loop(matrix, digit):
    called = there = 0
    for other in range(len(matrix)):
        called += int(matrix[other][digit])
        there += int(matrix[digit][other])
    return [matrix[digit][digit] / called, matrix[digit][digit] / there]


def score_by_tensor(matrix, digit):
    matrix = torch.as_tensor(matrix).double()
    return torch.stack([matrix[digit, digit] / matrix[:, digit].sum(), matrix[digit, digit] / matrix[digit].sum()])


def score_and_spoil(matrix, digit):
    scores = score_by_loop(matrix, digit)
    matrix[digit, digit] = 0
    return scores


def find_error(matrix, turned=False, diagonal=False, spoil=False):
    errors = matrix if spoil else matrix.copy()
    if not diagonal:
        np.fill_diagonal(errors, 0)
    pair = np.unravel_index(errors.argmax(), errors.shape)
    return pair[::-1] if turned else pair


def find_error_by_loop(matrix):
    pairs = [(true, read) for true in range(len(matrix)) for read in range(len(matrix)) if true != read]
    return max(pairs, key=lambda pair: matrix[pair])


def find_error_by_tensor(matrix):
    errors = torch.tensor(matrix).fill_diagonal_(0)
    return list(divmod(errors.argmax().item(), len(errors)))


def compute_error_left(right, confidences, sent):
    return 100 * (1 - right[np.argsort(confidences)[sent:]].mean())


# checker: (right answers, [(wrong answer, a part of the hint), ...])
ANSWERS = {
    "check_count_pairs": (
        [
            count_by_loop,
            count_by_tensors,
            lambda labels, predictions, classes: metrics.confusion_matrix(labels, predictions, labels=range(classes)),
            lambda t, p, k: [[((t == i) & (p == j)).sum() for j in range(k)] for i in range(k)],
            lambda t, p, k: np.bincount(k * t + p, minlength=k * k).reshape(k, k).astype(float),
        ],
        [
            (lambda t, p, k: count_by_loop(p, t, k), "lies on its side"),
            (lambda t, p, k: count_by_loop(t, p, k, keep=lambda i, j: i != j), "the right answers belong to it"),
            (lambda t, p, k: count_by_loop(t, p, k, keep=lambda i, j: i == j), "wrong ones are counted"),
            (lambda *given: np.array(count_by_loop(*given)).astype(np.uint8), "would be right"),
            (count_once, "add 1 for each"),
            (count_shares, "shares of a row"),
            (lambda t, p, k: 100 * count_shares(t, p, k), "percents of a row"),
            (lambda t, p, k: metrics.confusion_matrix(t, p), "a class that never occurs"),
            (lambda t, p, k: np.diag(count_by_loop(t, p, k)), "a table of all pairs"),
            (lambda t, p, k: count_by_loop(t, p, 10), "the shape (10, 10), and (3, 3) is needed"),
            (lambda t, p, k: count_by_loop(t, p, k, add=2), "would be right"),
            (count_and_spoil, "changes the labels"),
            (lambda t, p, k: None, "returns None"),
            (lambda t, p: 1, "TypeError"),
            (np.eye(3), "write a function"),
        ],
    ),
    "check_score_digit": (
        [
            lambda m, digit: (m[digit, digit] / m[:, digit].sum(), m[digit, digit] / m[digit].sum()),
            lambda m, digit: (m.diagonal()[digit] / m.sum(0)[digit], torch.tensor(m[digit, digit] / m.sum(1)[digit])),
            score_by_array,
            score_by_loop,
            score_by_tensor,
            lambda m, digit: tuple(np.array([score]) for score in score_by_loop(m, digit)),
        ],
        [
            (lambda m, digit: score_by_loop(m.T, digit), "precision comes first"),
            (lambda m, digit: 100 * score_by_array(m, digit), "from 0 to 1"),
            (lambda m, digit: [score_by_loop(m, digit)[1]] * 2, "both go along the row"),
            (lambda m, digit: [score_by_loop(m, digit)[0]] * 2, "both go down the column"),
            (lambda m, digit: [m[digit, digit] / m.sum()] * 2, "not by all digits"),
            (lambda m, digit: [m.trace() / m.sum()] * 2, "accuracy of all"),
            (lambda m, digit: score_by_loop(m, digit)[1], "recall alone"),
            (lambda m, digit: score_by_loop(m, digit)[0], "precision alone"),
            (lambda m, digit: tuple(map(str, score_by_loop(m, digit))), "it returns nan"),
            (lambda m, digit: (0.875, 0.7), "would be right"),
            (lambda m, digit: score_by_loop(m, 1), "would be right"),
            (lambda m, digit: (*score_by_loop(m, digit), 0.5), "the shape (3,)"),
            (lambda m, digit: ("a", "b"), "it returns nan"),
            (score_and_spoil, "changes the matrix"),
            ((0.875, 0.7), "write a function"),
        ],
    ),
    "check_most_confused": (
        [find_error, find_error_by_loop, find_error_by_tensor, lambda m: map(float, find_error(m))],
        [
            (lambda m: find_error(m, turned=True), "wrong way round"),
            (lambda m: find_error(m, diagonal=True), "diagonal"),
            (lambda m: find_error(m, spoil=True), "changes the matrix"),
            (lambda m: (4, 9), "it returned (4, 9)"),
            (lambda m: None, "TypeError"),
            (lambda m: find_error(m + m.T), "both directions"),
            (lambda m: find_error(m / m.sum(1, keepdims=True)), "nor a share"),
            (lambda m: find_error(m / m.sum(0)), "nor a share"),
            (lambda m: (4.0, 9.0), "it returned (4, 9)"),
            (lambda m: ["4", "9"], "it returned (nan, nan)"),
            ((4, 9), "write a function"),
        ],
    ),
    "check_error_left": (
        [
            compute_error_left,
            lambda *given: round(compute_error_left(*given), 2),
            lambda right, sure, sent: 100 * sum(not r for _, r in sorted(zip(sure, right))[sent:]) / (len(sure) - sent),
            lambda right, sure, sent: 100 * (~torch.tensor(right))[torch.tensor(sure).argsort()[sent:]].double().mean(),
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
            (lambda *a: None, "is there a return"),
            (lambda *given: str(compute_error_left(*given)), "no single number"),
            (lambda *given: (compute_error_left(*given), given[1].sort())[0], "changes the arrays"),
            (lambda right, sure, sent: compute_error_left(right, sure, sent + 1), "of 400 digits"),
            (0.5, "write a function"),
        ],
    ),
    "check_mistaken_lines": (
        [[4, 9, 10, 12, 18], {18, 17, 10, 9, 4}, np.array([4.0, 9, 10, 16, 18]), torch.tensor([4, 9, 10, 13, 14, 18])],
        [
            ([4, 18], "2 of 5 mistakes found (4, 18); 3 missed: think of what numpy divides"),
            ([4, 9, 10, 12], "4 of 5 mistakes found (4, 9, 10, 12); 1 missed: think of which digits are sent"),
            ([9, 10, 12, 18], "before it can be called a confidence"),
            ([4, 9, 10, 18], "which digits choose the threshold"),
            ([4, 9, 12, 18], "holds all images of a digit"),
            ([3, 4, 9, 10, 12, 18], "5 of 5 mistakes found (4, 9, 10, 12, 18); false alarms: 3."),
            ([7], "0 of 5 mistakes found; false alarms: 7; 5 missed"),
            (list(range(1, 21)), "false alarms: 1, 2"),
            ([99], "lines 1 to 20"),
            ([4, 9.5], "list of line numbers"),
            ("4", "list of line numbers"),
            (4, "list of line numbers"),
        ],
    ),
}
