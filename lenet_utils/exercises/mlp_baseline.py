"""Checkers of notebooks/02_mlp_baseline.ipynb."""

import math

import torch

from lenet_utils.exercises.common import NOT_ANSWERED, check_number, expects_function


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


@expects_function("cross_entropy(logits, labels)")
def check_cross_entropy(answer) -> str:
    """A function of logits (N, K) and labels (N,) that returns the mean cross-entropy."""
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(6, 4, generator=generator)
    labels = torch.tensor([0, 3, 1, 1, 2, 0])
    value = answer(logits, labels)
    if value is None:
        return "Not yet: your function returns None; is there a return?"
    log_probabilities = logits.log_softmax(dim=1)
    right = log_probabilities[torch.arange(6), labels]
    return check_number(
        value,
        -right.mean().item(),
        "for six random answers your loss is that of PyTorch.",
        {
            right.mean().item(): "the loss is minus the logarithm, so it is positive.",
            -right.sum().item(): "that is the sum over the batch; take the mean.",
            -right.mean().item() / math.log(10): "take the natural logarithm (log), not the one to base 10.",
            -right.mean().item() / math.log(2): "take the natural logarithm (log), not the one to base 2.",
            -right.exp().mean().log().item(): "first the logarithms, then the mean.",
            right.exp().mean().item(): "that is the mean probability; its logarithm is still to come.",
            -log_probabilities.mean().item(): "only the probability of the right class counts, not those of all.",
            -logits[torch.arange(6), labels].mean().item(): "the logits are no probabilities yet: softmax comes first.",
        },
        tolerance=1e-4,
    )


def check_step_order(answer) -> str:
    """The five lines of a training step, in an order that works, as letters."""
    if answer is None:
        return NOT_ANSWERED
    letters = [letter for part in answer for letter in part.upper() if letter.isalpha()] if is_text(answer) else []
    if sorted(letters) != list("ABCDE"):
        return 'Not yet: the answer is the five letters A to E, each of them once, such as "ABCDE".'
    place = {letter: letters.index(letter) for letter in letters}
    for before, after, why in (
        ("E", "B", "the loss (B) needs the logits (E)."),
        ("B", "C", "the backward pass (C) starts from the loss (B)."),
        ("C", "A", "the step (A) needs the gradients of the backward pass (C)."),
    ):
        if place[before] > place[after]:
            return f"Not yet: {why}"
    if place["C"] < place["D"] < place["A"]:
        return "Not yet: there D wipes out the gradients (C) before the step (A) has used them."
    return "Yes: forward, loss, backward, step; and the gradients are set to zero before the next ones are added."


def is_text(answer) -> bool:
    """Whether the answer is a text, or a collection of texts."""
    return isinstance(answer, (str, list, tuple)) and all(isinstance(part, str) for part in answer)
