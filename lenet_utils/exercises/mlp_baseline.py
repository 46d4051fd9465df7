"""Checkers of notebooks/02_mlp_baseline.ipynb."""

import math

import numpy as np
import torch
from torch import nn

from lenet_utils.exercises.common import check_lines, check_number, compare_arrays, expects_function, to_array

# Each mistake of the last exercise's listing: the lines that show it, and a hint for those who have not found it.
LISTING_LINES = 17
LISTING_MISTAKES = (
    ({3}, "what must stand between two linear layers"),
    ({4}, "how long the steps are"),
    ({6, 7, 8, 10}, "what backward() does with the gradients that are there"),
    ({15, 16}, "what the network must not learn from"),
)


@expects_function("my_softmax(logits)")
def check_softmax(answer) -> str:
    """A function of logits, (K,) or (N, K), that returns their softmax, however large they are."""
    generator = torch.Generator().manual_seed(2)
    one, some = torch.randn(4, generator=generator), torch.randn(3, 5, generator=generator)
    apart = torch.tensor([[1000.0, 999.0, 0.0], [0.0, 1.0, -1.0], [-1000.0, -1001.0, -1000.0]])
    reply = ""
    for logits, lost in (
        (one, ""),
        (some, ""),
        (some[:1], ""),
        (torch.tensor([1000.0, 0.0]), "take away the largest logit before the exponentials."),
        (-torch.tensor([1000.0, 1001.0]), "take away the largest logit, not the largest absolute value."),
        (apart, "take away the largest of each answer, not the largest of the batch."),
    ):
        given = logits.clone()
        found = answer(given)
        if not torch.equal(given, logits):
            return "Not yet: your function changes the logits that it was given; make new ones."
        if lost and has_nan(found):
            return f"Not yet: for {logits.tolist()} it returns nan: {lost}"
        exponentials = logits.exp()
        wrong = [
            (logits.log_softmax(-1), "these are the logarithms of the probabilities."),
            (exponentials, "the exponentials are not divided by their sum yet."),
            ((logits - logits.amax(-1, keepdim=True)).exp(), "the exponentials are not divided by their sum yet."),
            (logits / logits.sum(-1, keepdim=True), "the exponentials come first, then the division."),
            ((-logits).softmax(-1), "the largest logit must get the largest probability."),
            (logits.softmax(0), "each row is an answer: the sum is that of a row, not of a column."),
            ((logits - logits.max()).exp() / (logits - logits.max()).exp().sum(), "each row has a sum of its own."),
        ]
        reply = compare_arrays(found, logits.softmax(-1), "it is PyTorch's softmax, and 1,000 is not too large.", wrong)
        if not reply.startswith("Yes"):
            return reply
    return reply


def has_nan(found) -> bool:
    """Whether a function has returned numbers, one of which is nan."""
    numbers = to_array(found)
    return numbers.dtype.kind == "f" and bool(np.isnan(numbers).any())


@expects_function("my_cross_entropy(logits, labels)")
def check_cross_entropy(answer) -> str:
    """A function of logits (N, K) and labels (N,) that returns the mean cross-entropy."""
    generator = torch.Generator().manual_seed(1)
    reply = ""
    for labels, classes in (([0, 3, 1, 1, 2, 0], 4), ([9, 2, 5], 10), ([1], 2)):
        logits = torch.randn(len(labels), classes, generator=generator)
        reply = compare_losses(answer, logits, torch.tensor(labels))
        if not reply.startswith("Yes"):
            return reply
    return reply


def compare_losses(answer, logits: torch.Tensor, labels: torch.Tensor) -> str:
    """Compare a function's loss with the mean cross-entropy of these logits, (N, K), and labels, (N,)."""
    given = logits.clone(), labels.clone()
    value = answer(*given)
    if value is None:
        return "Not yet: your function returns None; is there a return?"
    if not (torch.equal(given[0], logits) and torch.equal(given[1], labels)):
        return "Not yet: your function changes the logits or labels that it was given; make new ones."
    if has_nan(value):
        return "Not yet: your function returns nan, which is what comes out of the logarithm of a negative number."
    log_probabilities = logits.log_softmax(dim=1)
    right = log_probabilities[torch.arange(len(labels)), labels]
    return check_number(
        value,
        -right.mean().item(),
        "for batches of random answers your loss is that of PyTorch.",
        {
            right.mean().item(): "the loss is minus the logarithm, so it is positive.",
            -right.sum().item(): "that is the sum over the batch; take the mean.",
            -right.mean().item() / math.log(10): "take the natural logarithm (log), not the one to base 10.",
            -right.mean().item() / math.log(2): "take the natural logarithm (log), not the one to base 2.",
            -right.exp().mean().log().item(): "first the logarithms, then the mean.",
            right.exp().mean().item(): "that is the mean probability; its logarithm is still to come.",
            -log_probabilities.mean().item(): "only the probability of the right class counts, not those of all.",
            -logits[torch.arange(len(labels)), labels].mean().item(): "the logits are no probabilities yet: softmax "
            "comes first.",
        },
        tolerance=1e-4,
    )


@expects_function("training_step(model, images, labels, optimizer)")
def check_training_step(answer) -> str:
    """A function that takes one step of training: tried on a small network, with two optimisers."""
    for method, settings in (("SGD", {"lr": 0.5, "momentum": 0.5}), ("Adam", {"lr": 0.05})):
        expected, _ = take_steps(step_correctly, method, settings)
        found, calls = take_steps(answer, method, settings)
        if "change" in calls:
            return "Not yet: your function changes the images or labels that it was given."
        if not torch.allclose(found, expected, atol=1e-6):
            before, _ = take_steps(lambda *_: None, method, settings)
            return f"Not yet: {say_what_went_wrong(calls, is_unchanged=torch.equal(found, before))}"
    return "Yes: forward, loss, backward, step; and the gradients are set to zero before the next ones are added."


def step_correctly(model, images, labels, optimizer) -> None:
    """The step of the notebook."""
    loss = nn.functional.cross_entropy(model(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def take_steps(step, method: str, settings: dict) -> tuple[torch.Tensor, list[str]]:
    """Let a function take three steps with a small network; return its weights, and what was called in the last one."""
    generator = torch.Generator().manual_seed(3)
    layer = nn.Linear(784, 5)
    model = nn.Sequential(nn.Flatten(), layer)
    layer.weight.data = torch.randn(5, 784, generator=generator) / 28
    layer.bias.data.zero_()
    optimizer, calls = getattr(torch.optim, method)(model.parameters(), **settings), []
    layer.weight.register_hook(lambda _: calls.append("backward"))
    for name in ("step", "zero_grad"):
        note_calls(optimizer, name, calls)
    for count in (8, 5, 1):
        images = torch.randn(count, 1, 28, 28, generator=generator)
        labels = torch.randint(0, 5, (count,), generator=generator)
        given = images.clone(), labels.clone()
        calls.clear()
        step(model, *given, optimizer)
        if not (torch.equal(given[0], images) and torch.equal(given[1], labels)):
            calls.append("change")
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()]), calls


def note_calls(optimizer, name: str, calls: list[str]) -> None:
    """Note in ``calls`` whenever this method of the optimiser is called."""
    method = getattr(optimizer, name)

    def noted(*arguments, **settings):
        calls.append(name)
        return method(*arguments, **settings)

    setattr(optimizer, name, noted)


def say_what_went_wrong(calls: list[str], is_unchanged: bool) -> str:
    """What to say to a step that leads to wrong weights, from the calls in it."""
    if calls.count("backward") == 0:
        return "no gradient is computed: loss.backward() is missing, or it starts from another network's loss."
    if calls.count("step") == 0:
        return "no step is taken: optimizer.step() is missing."
    if calls.count("backward") > 1 or calls.count("step") > 1:
        return "one backward pass and one step are enough for a batch."
    if calls.index("step") < calls.index("backward"):
        return "the step needs the gradients of the backward pass, so it comes after it."
    if is_unchanged:
        return "zero_grad wipes out the gradients before the step has used them."
    if "zero_grad" not in calls:
        return "the old gradients are still there, and the new ones are added to them."
    return "the weights come out differently: is the loss the cross-entropy of this model, these images and labels?"


def check_faulty_lines(answer) -> str:
    """The lines with mistakes in the listing of the last exercise: a collection of line numbers."""
    return check_lines(answer, LISTING_MISTAKES, LISTING_LINES, "all four mistakes, and no false alarm.")
