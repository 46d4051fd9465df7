"""Checkers of notebooks/05_feature_maps.ipynb."""

import torch

from lenet_utils.exercises.common import check_number, expects_function


def check_seen_rows(answer) -> str:
    """Rows of the image on which one number of C3 depends: 5 rows of S2, which are 10 of C1."""
    return check_number(
        answer,
        2 * 5 + 4,
        "5 rows of S2 cover 10 rows of C1, and these 14 rows of the image.",
        {
            5: "these are rows of S2, not of the image.",
            10: "these are rows of C1; each of them sees 5 rows of the image.",
            9: "between the two convolutions lies S2, which takes two rows of C1 into one.",
            30: "the 5x5 squares of neighbours overlap: 6 rows for the first, 2 more for each of the others.",
            196: "that is the whole square; how many rows has it?",
            16: "that is what one unit of S4 sees; C3 comes before the second pooling.",
        },
    )


def check_shift_for_s4(answer) -> str:
    """Pixels by which a digit must move for the maps of S4 to move by exactly one row or column."""
    return check_number(
        answer,
        4,
        "S2 halves the step and S4 halves it again, so 4 pixels make one row or column.",
        {
            1: "that holds for C1; after it come two poolings, each of which halves the step.",
            2: "that holds for S2 and C3; S4 halves once more.",
            8: "count the poolings up to S4: there are two.",
            25: "that is the number of units in a map.",
        },
    )


@expects_function("def squash_and_pool(maps)")
def check_squash_and_pool(function) -> str:
    """A function from C1's maps before tanh to S2: mean of the tanh of each square of 2x2."""
    generator = torch.Generator().manual_seed(0)
    pool, largest = torch.nn.functional.avg_pool2d, torch.nn.functional.max_pool2d
    for shape in ((2, 6, 28, 28), (3, 16, 10, 10), (1, 1, 2, 4)):
        maps = 3 * torch.randn(shape, generator=generator)
        with torch.no_grad():
            result = torch.as_tensor(function(maps.clone())).cpu().float()
        expected = pool(maps.tanh(), 2)
        if result.shape == expected.shape and torch.allclose(result, expected, atol=1e-5):
            continue
        if result.shape == maps.shape:
            return "Not yet: the result is as large as the maps; S2 has half as many rows and columns."
        if result.shape != expected.shape:
            return f"Not yet: {shape} should become {tuple(expected.shape)}, not {tuple(result.shape)}."
        for wrong, hint in (
            (pool(maps, 2).tanh(), "first tanh, then the mean: the other way round gives other numbers."),
            (pool(maps, 2), "the mean is there, but where is tanh?"),
            (largest(maps.tanh(), 2), "S2 takes the mean of the four numbers, not the largest."),
            (4 * pool(maps.tanh(), 2), "these are sums; divide by the four numbers of a square."),
        ):
            if torch.allclose(result, wrong, atol=1e-5):
                return f"Not yet: {hint}"
        return "Not yet: the shape is right, the numbers are not."
    return "Yes: first tanh, then the mean of every square of 2x2."
