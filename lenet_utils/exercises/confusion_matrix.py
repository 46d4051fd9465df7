"""Checkers of notebooks/06_confusion_matrix.ipynb."""

import operator

import numpy as np

from lenet_utils.exercises.common import check_number, expects_function


def check_precision(answer) -> str:
    """Precision of the second class of the matrix [[90, 10], [30, 70]], rows true."""
    return check_number(
        answer,
        70 / 80,
        "of 80 digits called a seven (the column), 70 were sevens.",
        {
            70 / 100: "this is the recall, along the row of true sevens; precision goes down the column.",
            90 / 120: "this is the precision of the ones; take the column of the sevens.",
            160 / 200: "this is the accuracy of both together.",
            87.5: "as a number from 0 to 1, please.",
        },
        tolerance=0.001,
    )


@expects_function("def find_most_confused(matrix)")
def check_most_confused(function) -> str:
    """A function that returns (true, predicted) of the most frequent error, and leaves the matrix as it is."""
    # Cases: size of the matrix, the most frequent error, and a pair of digits that are confused both ways.
    for size, true, predicted, one, other in ((10, 4, 9, 3, 5), (10, 9, 0, 2, 7), (3, 0, 2, 0, 1), (10, 7, 2, 4, 9)):
        matrix = np.ones((size, size), dtype=int) + 50 * np.eye(size, dtype=int)
        matrix[true, true] = 500  # a share of the row is another thing than a count
        matrix[true, predicted] = 12
        matrix[one, other] = matrix[other, one] = 9
        given = matrix.copy()
        found = tuple(operator.index(digit) for digit in function(given))
        if not np.array_equal(given, matrix):
            return "Not yet: it changes the matrix it is given; work on a copy, matrix.copy()."
        if found == (predicted, true):
            return "Not yet: the pair is the wrong way round; rows are true digits, columns predicted ones."
        if set(found) == {one, other}:
            return "Not yet: the largest single count is wanted, not that of both directions together, nor a share."
        if len(found) == 2 and found[0] == found[1]:
            return f"Not yet: {found} is on the diagonal, where the right answers are."
        if found != (true, predicted):
            return f"Not yet: it returned {found} where a {true} was most often read as a {predicted}."
    return "Yes: the largest count beside the diagonal, row first."


@expects_function("def compute_error_left(right, confidences, sent)")
def check_error_left(function) -> str:
    """A function that returns the error in percent of all but the least sure digits."""
    generator = np.random.default_rng(6)
    for count, sent in ((400, 60), (50, 7), (90, 0)):
        confidences = generator.permutation(np.linspace(0.2, 1, count))
        right = generator.random(count) < confidences
        result = float(function(right.copy(), confidences.copy(), sent))
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
            if np.isclose(result, value, rtol=0, atol=1e-6):
                if hint:
                    return f"Not yet: {hint}"
                break
        else:
            return (
                f"Not yet: of {count} digits {sent} are sent; {expected:.2f} % of the rest are wrong, not {result:.2f}."
            )
    return "Yes: the least sure are gone, and the mean of the rest is what the post office has to live with."
