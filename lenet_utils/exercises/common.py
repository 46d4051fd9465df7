"""What the checkers share."""

import functools
import math
from collections.abc import Callable

import numpy as np

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


def compare_arrays(answer, expected, why: str, hints: list[tuple] | None = None) -> str:
    """Compare an array, a tensor or nested lists of numbers with another array of any shape.

    Args:
        answer: what the learner made.
        expected: the right array.
        why: the end of the line after "Yes: ".
        hints: pairs of a wrong array that one easily arrives at, and what to say to it; the first that fits is said.
    """
    expected = np.asarray(expected, dtype=float)
    if answer is None:
        return "Not yet: your function returns None; is there a return?"
    found = np.asarray(answer.detach().cpu() if hasattr(answer, "detach") else answer)
    if found.dtype.kind not in "fiub":
        return f"Not yet: it returns no array of numbers, but {type(answer).__name__}."
    if found.shape == expected.shape and np.allclose(found, expected, rtol=1e-4, atol=1e-6):
        return f"Yes: {why}"
    for wrong, hint in hints or []:
        if found.shape == np.shape(wrong) and np.allclose(found, np.asarray(wrong, dtype=float), rtol=1e-4, atol=1e-6):
            return f"Not yet: {hint}"
    if found.shape != expected.shape:
        return f"Not yet: it returns the shape {found.shape}, and {expected.shape} is needed."
    place = np.unravel_index(np.abs(found - expected).argmax(), expected.shape)
    where = f" at [{', '.join(str(index) for index in map(int, place))}]" if place else ""
    return f"Not yet:{where} it returns {found[place]:.4g}; {expected[place]:.4g} would be right."
