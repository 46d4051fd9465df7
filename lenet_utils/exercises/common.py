"""What the checkers share."""

import functools
import math
from collections.abc import Callable

NOT_ANSWERED = "Not answered yet: replace None by your answer and run the cell again."


def check_number(answer, expected: float, why: str, hints: dict | None = None, tolerance: float = 0.0) -> str:
    """Compare one number with another.

    Args:
        answer: what the learner wrote: a number, or None.
        expected: the right number.
        why: the end of the line after "Yes: ".
        hints: wrong numbers that one easily arrives at, and what to say to each.
        tolerance: how far from ``expected`` a right answer may be; a wrong one that gets a hint, at most 2 % from it.
    """
    if answer is None:
        return NOT_ANSWERED
    value = to_float(answer)
    if math.isnan(value):
        return f"Not yet: the answer is a single number, not {type(answer).__name__}."
    if math.isclose(value, expected, rel_tol=0, abs_tol=tolerance):
        return f"Yes: {why}"
    for wrong, hint in (hints or {}).items():
        if math.isclose(value, wrong, rel_tol=0, abs_tol=min(tolerance, 0.02 * abs(wrong))):
            return f"Not yet: {hint}"
    return f"Not yet: {answer} is too {'small' if value < expected else 'large'}."


def to_float(answer) -> float:
    """The answer as a number; nan for what is no single number."""
    try:
        return math.nan if isinstance(answer, (str, bool)) else float(answer)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        return math.nan


def expects_function(signature: str) -> Callable:
    """Make a checker of functions answer in one line to None, to what is no function, and to any error of it."""

    def decorate(check: Callable) -> Callable:
        @functools.wraps(check)
        def checked(answer) -> str:
            if answer is None:
                return NOT_ANSWERED
            if not callable(answer):
                return f"Not yet: write a function, {signature}, not {type(answer).__name__}."
            try:
                return check(answer)
            except Exception as error:  # whatever a learner's function does
                reason = " ".join(str(error).split())
                return f"Not yet: calling it, or reading its result, ends in {type(error).__name__}: {reason}"

        return checked

    return decorate
