"""Checkers of notebooks/07_backpropagation.ipynb."""

from collections.abc import Mapping

import numpy as np

from lenet_utils.exercises.common import NOT_ANSWERED, check_lines, compare_arrays, expects_function, to_list

# The mistakes of the listing: the lines that show it, and a hint for those who have not found it.
LISTING_LINES = 19
LISTING_BUGS = (
    ({2}, "which factor is the slope for which"),
    ({8}, "how fast max(a, 0) grows when a grows"),
    ({14}, "a value that is used twice"),
    ({16, 17, 18}, "what stands in w.grad when a pass begins"),
    ({19}, "the side to which a step goes"),
)

# Whose curve is which under «Read the curves», and what is to be seen there.
CURVES = {"A": "too large", "B": "right", "C": "too small", "D": "zero_grad"}
CLUES = {
    "right": "falls steeply and stays low.",
    "too small": "falls smoothly and hardly gets anywhere.",
    "too large": "jumps far above a shrug in its first steps, and stays at a shrug.",
    "zero_grad": "begins well and then climbs again.",
}


@expects_function("def my_map_factors(x, s, gradient)")
def check_map_factors(answer) -> str:
    """A function of maps (N, C, H, W), factors (C,) and what came back (N, C, H, W): two arrays."""
    rng = np.random.default_rng(1)
    for shape in ((2, 4, 3, 4), (1, 2, 3, 3), (4, 4, 4, 4)):
        x, gradient, s = rng.normal(size=shape), rng.normal(size=shape), rng.normal(size=shape[1])
        given = x.copy(), s.copy(), gradient.copy()
        result = answer(*given)
        if result is None:
            return "Not yet: your function returns None; is there a return?"
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            return "Not yet: return two arrays, what s gets and what is handed back."
        if not all(np.array_equal(a, b) for a, b in zip(given, (x, s, gradient))):
            return "Not yet: your function changes its arguments; make new arrays."
        wide = s[:, None, None]
        products = gradient * x
        expected = products.sum(axis=(0, 2, 3)), gradient * wide
        if np.shape(result[0]) == shape and np.shape(result[1]) == s.shape:
            return "Not yet: first what s gets, then what is handed back."
        to_factors = compare_arrays(result[0], expected[0], "", [
            (products, "s has one number for each map: add up over images, rows and columns."),
            (products.sum(axis=(2, 3)), "the images of the batch are added up, too."),
            (products.sum(axis=0), "the places of a map are added up, too."),
            (products.sum(), "add up within each map, not over all of them."),
            (products.mean(axis=(0, 2, 3)), "where paths meet, slopes are added; that is their mean."),
            (gradient.sum(axis=(0, 2, 3)), "that is what a bias would get; the slope for s is x."),
            (x.sum(axis=(0, 2, 3)), "what came back is a factor, too."),
            ((products * wide).sum(axis=(0, 2, 3)), "the slope for s is x alone."),
        ])  # fmt: skip
        handed_back = compare_arrays(result[1], expected[1], "", [
            (gradient, "what is handed back is missing its slope: y grows s times as fast as x."),
            (np.broadcast_to(wide, shape), "that is the slope; what came back is a factor, too."),
            (products, "the slope for x is s, not x."),
            (x * wide, "that is the forward pass; on the way back the gradient is multiplied by s."),
            (gradient / wide, "slopes are multiplied, also on the way back."),
            (gradient * s if shape[1] == shape[3] else [], "s belongs to the maps, the second of the four axes."),
            (gradient * wide**2, "the slope comes once; its square belongs to the second derivatives."),
        ])  # fmt: skip
        for what, said in (("s", to_factors), ("x", handed_back)):
            if not said.startswith("Yes"):
                return f"Not yet: for {what}, {said.removeprefix('Not yet: ')}"
    return "Yes: both are right, for arrays of three shapes."


def check_autograd_bugs(answer) -> str:
    """The lines with mistakes in the listing of exercise 3: a collection of line numbers."""
    return check_lines(answer, LISTING_BUGS, LISTING_LINES, "all five mistakes, and no false alarm.")


def check_curve_causes(answer) -> str:
    """The causes of the four curves: a dictionary, or four words in the order A to D."""
    if answer is None:
        return NOT_ANSWERED
    words = to_list(answer)
    if words is not None and len(words) == len(CURVES):
        answer = dict(zip(CURVES, words))
    if not isinstance(answer, Mapping) or {_tidy(letter) for letter in answer} != set("abcd") or len(answer) != 4:
        return 'Not yet: the answer is a dictionary with the letters A to D, such as {"A": "right", ...}.'
    verdict = {_tidy(letter).upper(): _tidy(word) for letter, word in answer.items()}
    causes = {_tidy(word): word for word in CLUES}
    for letter in CURVES:
        if verdict[letter] not in causes:
            return f"Not yet: {letter} needs one of the words {', '.join(CLUES)}."
    if len(set(verdict.values())) < len(CURVES):
        return "Not yet: each of the four words belongs to one curve."
    for letter, cause in CURVES.items():
        if verdict[letter] != _tidy(cause):
            return f'Not yet: {letter} is not "{causes[verdict[letter]]}": it {CLUES[cause]}'
    return "Yes: all four, by their curves alone."


def _tidy(word) -> str:
    """A word without case, spaces, hyphens, underscores and brackets; nothing for what is no word."""
    return "".join(letter for letter in word.lower() if letter.isalpha()) if isinstance(word, str) else ""
