"""What the checkers share."""

import functools
import itertools
import math
from collections.abc import Callable, Mapping, Sequence, Set

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
    return f"Not yet: {value:.6g} is too {'small' if value < expected else 'large'}."


def to_float(answer) -> float:
    """The answer as a number; nan for what is no single number."""
    try:
        value = answer.item() if hasattr(answer, "item") else answer  # of an array, or a tensor
        return math.nan if isinstance(value, (str, bytes, bytearray, bool)) else float(value)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        return math.nan


def to_array(answer) -> np.ndarray:
    """An array, a tensor, or lists of them or of numbers, as one array."""
    if isinstance(answer, (list, tuple)):
        return np.array([to_array(part) for part in answer])
    return np.asarray(answer.detach().cpu() if hasattr(answer, "detach") else answer)


def to_list(answer) -> list | None:
    """What an array, a list or the like holds, in its order; None for text, sets, dictionaries, and what is no list."""
    if isinstance(answer, (str, bytes, bytearray, Mapping, Set)):
        return None
    try:
        parts = list(itertools.islice(answer, 1_001))
    except Exception:  # whatever cannot be read like a list
        return None
    return parts if len(parts) <= 1_000 else None


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
            except (Exception, SystemExit) as error:  # whatever a learner's function does
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
    found = to_array(answer)
    if found.dtype.kind not in "fiub":
        return f"Not yet: it returns no array of numbers, but {type(answer).__name__}."
    if found.shape == expected.shape and np.allclose(found, expected, rtol=1e-4, atol=1e-5):
        return f"Yes: {why}"
    for wrong, hint in hints or []:
        if found.shape == np.shape(wrong) and np.allclose(found, np.asarray(wrong, dtype=float), rtol=1e-4, atol=1e-5):
            return f"Not yet: {hint}"
    if found.shape != expected.shape:
        return f"Not yet: it returns the shape {found.shape}, and {expected.shape} is needed."
    place = np.unravel_index(np.abs(found - expected).argmax(), expected.shape)
    where = f" at [{', '.join(str(index) for index in map(int, place))}]" if place else ""
    return f"Not yet:{where} it returns {found[place]:.4g}; {expected[place]:.4g} would be right."


def check_lines(answer, mistakes: Sequence[tuple[set[int], str]], length: int, why: str) -> str:
    """Hold a collection of line numbers against the mistakes of a listing.

    Args:
        answer: what the learner wrote: line numbers in any order, or None.
        mistakes: for each, the lines that show it, of which one will do, and what to think of if it is not found.
        length: how many lines the listing has.
        why: the end of the line after "Yes: ".
    """
    if answer is None:
        return NOT_ANSWERED
    parts = to_list(list(answer) if isinstance(answer, (set, frozenset)) else answer)
    numbers = [math.nan] if parts is None else [to_float(part) for part in parts]
    if any(number % 1 != 0 for number in numbers):
        return "Not yet: the answer is a list of line numbers, such as [1, 2]."
    lines = {int(number) for number in numbers}
    if outside := sorted(line for line in lines if not 1 <= line <= length):
        return f"Not yet: the listing has lines 1 to {length}, and no line {outside[0]}."
    false_alarms = sorted(lines.difference(*(places for places, _ in mistakes)))
    hits = sorted(lines.difference(false_alarms))
    missed = [hint for places, hint in mistakes if not places & lines]
    if not missed and not false_alarms:
        return f"Yes: {why}"
    reply = f"Not yet: {len(mistakes) - len(missed)} of {len(mistakes)} mistakes found"
    if hits:
        reply += f" ({', '.join(map(str, hits))})"
    if false_alarms:
        reply += f"; false alarms: {', '.join(map(str, false_alarms))}"
    return reply + (f"; {len(missed)} missed: think of {missed[0]}." if missed else ".")


def match_letters(answer, right: str, hints: Sequence[str], why: str) -> str:
    """Hold letters, in a string, a list or a dictionary's values, against the right ones; ``hints`` go by place."""
    if answer is None:
        return NOT_ANSWERED
    if isinstance(answer, dict):
        answer = [answer[key] for key in sorted(answer, key=str)]
    parts = [answer] if isinstance(answer, str) else to_list(answer) or []
    text = "".join(part if isinstance(part, str) else "?" for part in parts).upper()
    letters = [letter for letter in text if letter.isalpha() or letter == "?"]
    if sorted(letters) != sorted(right):
        return f'Not yet: the answer is these letters, each of them once: "{"".join(sorted(right))}".'
    wrong = [place for place, letter in enumerate(letters) if letter != right[place]]
    if not wrong:
        return f"Yes: {why}"
    found = f"{len(right) - len(wrong)} of {len(right)} are at their place"
    hint = hints[wrong[0]]
    return (
        f"Not yet: {found}. Number {wrong[0] + 1} is not {letters[wrong[0]]}: {hint}{'' if hint.endswith('?') else '.'}"
    )
