"""Checkers for the exercises: ``print(check_...(answer))``.

Each returns one line of text and never raises: "Not answered yet" for None, "Yes: ..." for a right answer, and
for any other "Not yet: ..." with a hint at what went wrong. They compute what they compare with where they can.
"""

import math

NOT_ANSWERED = "Not answered yet: replace None by your answer and run the cell again."


def _check_number(answer, expected: float, why: str, hints: dict | None = None, tolerance: float = 0.0) -> str:
    """Compare one number with another.

    Args:
        answer: what the learner wrote: a number, or None.
        expected: the right number.
        why: the end of the line after "Yes: ".
        hints: wrong numbers that one easily arrives at, and what to say to each.
        tolerance: how far from ``expected`` a right answer may be.
    """
    if answer is None:
        return NOT_ANSWERED
    try:
        value = float(answer)
    except (TypeError, ValueError):
        return f"Not yet: the answer is a number, not {type(answer).__name__}."
    if math.isclose(value, expected, rel_tol=0, abs_tol=tolerance):
        return f"Yes: {why}"
    for wrong, hint in (hints or {}).items():
        if math.isclose(value, wrong, rel_tol=0, abs_tol=tolerance):
            return f"Not yet: {hint}"
    return f"Not yet: {answer} is too {'small' if value < expected else 'large'}."


# ---- 01_dataset_exploration ----


# ---- 02_mlp_baseline ----


# ---- 03_simple_cnn ----


# ---- 04_lenet5 ----


# ---- 05_feature_maps ----


# ---- 06_confusion_matrix ----
