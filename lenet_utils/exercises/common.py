"""What the checkers share."""

import math

NOT_ANSWERED = "Not answered yet: replace None by your answer and run the cell again."


def check_number(answer, expected: float, why: str, hints: dict | None = None, tolerance: float = 0.0) -> str:
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
        value = math.nan if isinstance(answer, (str, bool)) else float(answer)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        value = math.nan
    if math.isnan(value):
        return f"Not yet: the answer is a single number, not {type(answer).__name__}."
    if math.isclose(value, expected, rel_tol=0, abs_tol=tolerance):
        return f"Yes: {why}"
    for wrong, hint in (hints or {}).items():
        if math.isclose(value, wrong, rel_tol=0, abs_tol=tolerance):
            return f"Not yet: {hint}"
    return f"Not yet: {answer} is too {'small' if value < expected else 'large'}."
