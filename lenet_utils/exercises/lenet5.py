"""Checkers of notebooks/04_lenet5.ipynb."""

import math

import torch

from lenet_utils.exercises.common import NOT_ANSWERED, check_number, expects_function, to_float
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


@expects_function("def count_c3(table)")
def check_count_c3(answer) -> str:
    """A function that counts the parameters of C3 from its table, tried on three tables."""
    dense = (tuple(range(6)),) * 16
    for name, table in (("1998", C3_TABLE), ("a dense C3", dense), ("three maps", ((0,), (0, 1), (2, 5)))):
        kernels, expected = sum(map(len, table)), sum(25 * len(sources) + 1 for sources in table)
        counted = to_float(answer(table))
        if counted == expected:
            continue
        hints: dict[float, str] = {
            kernels: "these are the kernels; each has 25 weights.",
            25 * kernels: "these are the weights; each map of C3 has a bias, too.",
            26 * kernels: "one bias for each map, not for each kernel.",
            25 * kernels + 6: "the biases belong to the maps of C3, not to those of S2.",
            25 * kernels + 1: "each map of C3 has a bias of its own.",
            26 * len(table): "a map has a kernel for each map that it reads.",
        }
        found = f"for the table of {name} it returned" + (f" {counted:g}" if counted == counted else " no number")
        return f"Not yet: {found}; " + hints.get(counted, f"{expected:,} would be right.")
    return "Yes: 1,516 for the table of 1998, 2,416 for the dense one."


@expects_function("def momentum_step(weight, velocity, gradient, learning_rate, momentum)")
def check_momentum_step(answer) -> str:
    """A step of SGD with momentum, taken four times in a bowl and compared with torch's."""
    place = torch.tensor(2.0, requires_grad=True)
    sgd = torch.optim.SGD([place], lr=0.1, momentum=0.9)
    weight, velocity, reached = 2.0, 0.0, []
    for step in range(4):
        before, old_velocity, gradient = weight, velocity, 3 * weight
        sgd.zero_grad()
        (3 * place.square() / 2).backward()
        sgd.step()
        weight, velocity = map(to_float, answer(weight, velocity, gradient, 0.1, 0.9))
        reached.append(weight)
        if math.isclose(weight, place.item(), abs_tol=1e-4):
            continue
        hints: dict[float, str] = {
            before + 0.1 * (0.9 * old_velocity + gradient): "the weight moves against the velocity.",
            before - 0.1 * old_velocity: "the new velocity is used at once, not the old one.",
            before - 0.1 * (0.9 * old_velocity + 0.1 * gradient): "the gradient is added whole, without a factor.",
            before - 0.1 * gradient: "the velocity keeps its share of what it was.",
            before - 0.1 * (old_velocity + gradient): "only the share called momentum of the velocity is kept.",
            0.9 * old_velocity + gradient: "the weight comes first, then the velocity.",
        }
        near = [hint for wrong, hint in hints.items() if math.isclose(weight, wrong, abs_tol=1e-6)]
        hint = near[0] if near else f"it should be {place.item():.3f}."
        return f"Not yet: after step {step + 1} your weight is {weight:.3f}; {hint}"
    return f"Yes: four steps like torch.optim.SGD's, to {', '.join(f'{weight:.3f}' for weight in reached)}."
