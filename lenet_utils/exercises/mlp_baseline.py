"""Checkers of notebooks/02_mlp_baseline.ipynb."""

import math

from lenet_utils.exercises.common import check_number


def check_mlp_parameters(answer) -> str:
    """Parameters of an MLP 784-256-10."""
    weights = 784 * 256 + 256 * 10
    return check_number(
        answer,
        weights + 256 + 10,
        "203,530, weights and biases of both layers.",
        {
            weights: "these are the weights alone; each output has a bias, too.",
            784 * 256 + 256: "and the second layer?",
        },
    )


def check_loss_of_guess(answer) -> str:
    """Cross-entropy of an answer that gave the right digit a probability of 50 %."""
    return check_number(
        answer,
        -math.log(0.5),
        "minus the logarithm of 0.5 is 0.69.",
        {
            math.log(0.5): "the loss is minus the logarithm, so it is positive.",
            -math.log10(0.5): "take the natural logarithm (np.log), not the one to base 10.",
            1.0: "take the natural logarithm (np.log), not the one to base 2.",
        },
        tolerance=0.006,
    )


def check_updated_weight(answer) -> str:
    """Weight 2.0, gradient -4.0, learning rate 0.1: the weight after one step."""
    return check_number(
        answer,
        2.4,
        "against the gradient, so the weight grows to 2.4.",
        {1.6: "a step goes against the gradient: minus times minus.", 6.0: "multiply the gradient by the rate."},
        tolerance=1e-6,
    )
