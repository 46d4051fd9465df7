"""Checkers of notebooks/06_confusion_matrix.ipynb."""

import math

import numpy as np

from lenet_utils.exercises.common import check_lines, compare_arrays, expects_function, to_float

# Each mistake of the listing in 06: the lines that show it, and a hint for those who have not found it.
LISTING_LINES = 20
LISTING_MISTAKES = (
    ({4}, "what must be done to a logit before it can be called a confidence"),
    ({9}, "what numpy divides by what in a table of ten by ten and a row of ten numbers"),
    ({10}, "whether a column or a row of the table holds all images of a digit"),
    ({12, 13, 14, 15, 16, 17}, "which digits choose the threshold, and which digits judge it"),
    ({18}, "which digits are sent to a person, and which are kept"),
)


@expects_function("def count_pairs(labels, predictions, classes)")
def check_count_pairs(function) -> str:
    """A function that counts a confusion matrix, rows true, whatever the number of classes."""
    generator = np.random.default_rng(4)
    why = "rows are true classes, columns predicted ones, and a class that never occurs has its row of zeros, too."
    for classes, count, highest in ((3, 40, 3), (10, 300, 10), (5, 60, 4), (2, 900, 2)):
        labels, predictions = generator.integers(0, highest, (2, count))
        predictions = np.where(generator.random(count) < 0.7, labels, predictions)
        given = labels.copy(), predictions.copy()
        answer = function(*given, classes)
        if not (np.array_equal(given[0], labels) and np.array_equal(given[1], predictions)):
            return "Not yet: it changes the labels or predictions that it is given."
        expected = np.bincount(classes * labels + predictions, minlength=classes**2).reshape(classes, classes)
        totals = expected.sum(axis=1, keepdims=True)
        once = np.minimum(expected, 1)
        hints = [
            (expected.T, "the table lies on its side: rows are the true classes, columns the predicted ones."),
            (expected - np.diag(expected.diagonal()), "the right answers belong to it, too, on the diagonal."),
            (np.diag(expected.diagonal()), "these are the right answers alone; the wrong ones are counted, too."),
            (once, "each pair is counted as often as it occurs: add 1 for each."),
            (once.T, "each pair is counted as often as it occurs, and rows are the true classes."),
            (expected / np.maximum(totals, 1), "these are shares of a row; counts are asked for."),
            (100 * expected / np.maximum(totals, 1), "these are percents of a row; counts are asked for."),
            (expected[:highest, :highest], "a class that never occurs has a row and a column, too: use `classes`."),
            (expected.diagonal(), "these are the right answers of each class; a table of all pairs is asked for."),
        ]
        reply = compare_arrays(answer, expected, why, hints)
        if not reply.startswith("Yes"):
            return reply
    return reply


@expects_function("def score_digit(matrix, digit)")
def check_score_digit(function) -> str:
    """A function that returns precision and recall of a digit from a matrix whose rows are true."""
    generator = np.random.default_rng(7)
    why = "precision goes down the column, recall along the row: of [[90, 10], [30, 70]] the second has 0.875 and 0.7."
    for size, digit in ((2, 1), (10, 9), (4, 0)):
        matrix = generator.integers(1, 30, (size, size)) + np.diag(generator.integers(50, 99, size))
        if size == 2:
            matrix = np.array([[90, 10], [30, 70]])
        given = matrix.copy()
        answer = function(given, digit)
        if not np.array_equal(given, matrix):
            return "Not yet: it changes the matrix that it is given."
        if isinstance(answer, (tuple, list)):
            answer = [to_float(number) for number in answer]
        right, called, there = matrix[digit, digit], matrix[:, digit].sum(), matrix[digit].sum()
        precision, recall = right / called, right / there
        others = matrix.sum() - called - there + right  # neither this digit, nor called so
        hints = [
            ([recall, precision], "precision comes first; or have you taken rows for columns?"),
            ([100 * precision, 100 * recall], "as numbers from 0 to 1, please."),
            ([recall, recall], "both go along the row; precision is a share of the column."),
            ([precision, precision], "both go down the column; recall is a share of the row."),
            ([right / matrix.sum(), right / matrix.sum()], "divide by the column or the row, not by all digits."),
            ([right / (called - right), right / (there - right)], "the right answers belong to the total, too."),
            ([matrix.trace() / matrix.sum()] * 2, "this is the accuracy of all digits together."),
            ([(right + others) / matrix.sum()] * 2, "the digits that are no such digit do not count here."),
            (recall, "this is the recall alone; return both, precision first."),
            (precision, "this is the precision alone; return both."),
        ]
        reply = compare_arrays(answer, [precision, recall], why, hints)
        if not reply.startswith("Yes"):
            return reply
    return reply


@expects_function("def find_most_confused(matrix)")
def check_most_confused(function) -> str:
    """A function that returns (true, predicted) of the most frequent error, and leaves the matrix as it is."""
    # Cases: size of the matrix, the most frequent error, and a pair of digits that are confused both ways.
    for size, true, predicted, one, other in ((10, 4, 9, 3, 5), (10, 9, 0, 2, 7), (3, 0, 2, 0, 1), (10, 7, 2, 4, 9)):
        matrix = np.ones((size, size), dtype=int) + 50 * np.eye(size, dtype=int)
        matrix[true, true] = matrix[predicted, predicted] = (
            500  # a share of the row or the column is another thing than a count
        )
        matrix[true, predicted] = 12
        matrix[one, other] = matrix[other, one] = 9
        given = matrix.copy()
        found = tuple(to_float(digit) for digit in function(given))
        said = ", ".join(f"{digit:g}" for digit in found)
        if not np.array_equal(given, matrix):
            return "Not yet: it changes the matrix it is given; work on a copy, matrix.copy()."
        if found == (predicted, true):
            return "Not yet: the pair is the wrong way round; rows are true digits, columns predicted ones."
        if set(found) == {one, other}:
            return "Not yet: the largest single count is wanted, not that of both directions together, nor a share."
        if len(found) == 2 and found[0] == found[1]:
            return f"Not yet: it returned ({said}), on the diagonal, where the right answers are."
        if found != (true, predicted):
            return f"Not yet: it returned ({said}) where a {true} was most often read as a {predicted}."
    return "Yes: the largest count beside the diagonal, row first."


@expects_function("def compute_error_left(right, confidences, sent)")
def check_error_left(function) -> str:
    """A function that returns the error in percent of all but the least sure digits."""
    generator = np.random.default_rng(6)
    for count, sent in ((400, 60), (50, 7), (90, 0)):
        confidences = generator.permutation(np.linspace(0.2, 1, count))
        right = generator.random(count) < confidences
        given = right.copy(), confidences.copy()
        result = to_float(function(*given, sent))
        if not (np.array_equal(given[0], right) and np.array_equal(given[1], confidences)):
            return "Not yet: it changes the arrays that it is given."
        if math.isnan(result):
            return "Not yet: it returns no single number; is there a return?"
        order = np.argsort(confidences)
        wrong = 100.0 * ~right[order]  # the least sure first
        expected = wrong[sent:].mean()
        for value, hint in (
            (expected, ""),
            (expected / 100, "in percent, please: 100 times that."),
            (100 - expected, "this is the accuracy of the rest; the error is what is missing to 100 %."),
            (wrong[sent:].sum() / count, "divide by the number of digits that are left, not by all."),
            (wrong[: count - sent].mean(), "the least sure go to the person, not the surest."),
            (wrong[:sent].mean() if sent else -1, "these are the ones that are sent; the rest is asked for."),
            (wrong.mean(), "this is the error of all digits: has anything been sent?"),
            (100.0 * np.mean(~right[sent:]), "sort by confidence first: these are the first ones of the list."),
        ):
            if abs(result - value) < 0.0051:  # it may be rounded
                if hint:
                    return f"Not yet: {hint}"
                break
        else:
            return (
                f"Not yet: of {count} digits {sent} are sent; {expected:.2f} % of the rest are wrong, not {result:.2f}."
            )
    return "Yes: the least sure are gone, and the mean of the rest is what the post office has to live with."


def check_mistaken_lines(answer) -> str:
    """The lines with mistakes in the listing of the post office: a collection of line numbers."""
    return check_lines(answer, LISTING_MISTAKES, LISTING_LINES, "all five mistakes, and no false alarm.")
