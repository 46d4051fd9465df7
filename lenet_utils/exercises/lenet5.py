"""Checkers of notebooks/04_lenet5.ipynb."""

import math

from lenet_utils.exercises.common import NOT_ANSWERED, check_number, to_float
from lenet_utils.models import C3_TABLE, LeNet5, compute_output_size, count_parameters


def check_shape_after_s2(answer) -> str:
    """Shape of S2's output for one image of 36x36."""
    if answer is None:
        return NOT_ANSWERED
    try:
        shape = [to_float(number) for number in answer]
    except TypeError:
        shape = [math.nan]
    if any(math.isnan(number) for number in shape):
        return "Not yet: the answer is a tuple of four numbers, such as (1, 6, 14, 14)."
    side = compute_output_size(36, 5) // 2
    if shape == [1, 6, side, side]:
        return f"Yes: C1 makes 32x32 of 36x36, and S2 halves that to {side}x{side}."
    if len(shape) != 4:
        return f"Not yet: four numbers are needed (images, maps, rows, columns), not {len(shape)}."
    if shape[:2] != [1, 6]:
        return "Not yet: one image, and C1 has six maps whatever the size of the image."
    return f"Not yet: {shape[2]:g}x{shape[3]:g} is not the size. C1 first takes 4 off; then S2 halves."


def check_lenet_parameters(answer) -> str:
    """Parameters of LeNet5 with 26 outputs."""
    here = count_parameters(LeNet5())
    return check_number(
        answer,
        here + 16 * 85,
        "16 more outputs of 84 weights and a bias each: 63,066.",
        {
            here + 16 * 84: "each new output has a bias, too.",
            here + 26 * 85: "ten of the 26 outputs were there before.",
            here: "the output layer grows.",
        },
    )


def check_c3_maps(answer) -> str:
    """Maps of C3 that read map 0 of S2."""
    expected = sum(0 in sources for sources in C3_TABLE)
    return check_number(
        answer,
        expected,
        "ten, as for every other map of S2.",
        {len(C3_TABLE): "that would be the dense C3. Count the crosses in the row of map 0."},
    )
