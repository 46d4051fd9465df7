"""Answers to the exercises of this notebook: right ones, and wrong ones with a part of their hint."""

import numpy as np
import torch
from torch.nn.functional import cross_entropy


def pick(numbers, labels):
    return numbers[torch.arange(len(labels)), labels]


def shift(logits):
    return logits - logits.max(dim=-1, keepdim=True).values


def by_loop(logits):
    """One answer after the other, as lists of floats."""
    if logits.ndim > 1:
        return [by_loop(row) for row in logits]
    largest = max(logits.tolist())
    powers = [2.718281828459045 ** (value - largest) for value in logits.tolist()]
    return [power / sum(powers) for power in powers]


def by_numpy(logits):
    numbers = np.asarray(logits, dtype=np.float64)
    powers = np.exp(numbers - numbers.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def divide(exponentials):
    return exponentials / exponentials.sum(dim=-1, keepdim=True)


def take_row(logits):
    return list(logits.softmax(-1).requires_grad_())


def change_given(logits):
    logits -= logits.max(dim=-1, keepdim=True).values
    return divide(logits.exp())


def loss_by_loop(logits, labels):
    rows = [-float(row.softmax(0)[label].log()) for row, label in zip(logits, labels.tolist())]
    return sum(rows) / len(rows)


def loss_by_numpy(logits, labels):
    shares = by_numpy(logits)
    return -np.log(shares[np.arange(len(labels)), labels.numpy()]).mean()


def change_logits(logits, labels):
    logits -= logits.logsumexp(dim=1, keepdim=True)
    return -pick(logits, labels).mean()


def change_labels(logits, labels):
    loss = cross_entropy(logits, labels)
    labels.zero_()
    return loss


def do(order):
    """A step with its five lines in this order."""

    def training_step(model, images, labels, optimizer):
        for letter in order:
            if letter == "f":
                logits = model(images)
            elif letter == "l":
                loss = cross_entropy(logits, labels)
            elif letter == "b":
                loss.backward()
            elif letter == "z":
                optimizer.zero_grad()
            else:
                optimizer.step()

    return training_step


def in_one_line(model, images, labels, optimizer):
    model.zero_grad()
    loss = cross_entropy(model(images), labels)
    loss.backward()
    optimizer.step()
    return loss.item()


def wipe_by_model(model, images, labels, optimizer):
    cross_entropy(model(images), labels).backward()
    model.zero_grad()
    optimizer.step()


def add_up(model, images, labels, optimizer, count=1):
    optimizer.zero_grad()
    (cross_entropy(model(images), labels, reduction="sum") / count).backward()
    optimizer.step()


def twice(model, images, labels, optimizer):
    in_one_line(model, images, labels, optimizer)
    in_one_line(model, images, labels, optimizer)


def with_another_network(model, images, labels, optimizer):
    in_one_line(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 5)), images, labels, optimizer)


# checker: (right answers, [(wrong answer, a part of the hint), ...])
ANSWERS = {
    "check_softmax": (
        [lambda logits: logits.softmax(-1), lambda logits: divide(shift(logits).exp()), by_loop, by_numpy, take_row],
        [
            (lambda logits: divide(logits.exp()), "returns nan: take away the largest logit"),
            (lambda logits: divide((logits - logits.max()).exp()), "the largest of each answer"),
            (lambda logits: divide((logits - logits.abs().max()).exp()), "not the largest absolute value"),
            (lambda logits: logits.softmax(-1).squeeze(), "the shape (5,)"),
            (lambda logits: logits.softmax(0), "each row is an answer"),
            (lambda logits: (logits - logits.max()).flatten().softmax(0).reshape(logits.shape), "a sum of its own"),
            (lambda logits: logits.log_softmax(-1), "logarithms of the probabilities"),
            (lambda logits: logits.exp(), "not divided"),
            (lambda logits: shift(logits).exp(), "not divided"),
            (lambda logits: divide(logits), "exponentials come first"),
            (lambda logits: divide((-shift(logits)).exp()), "largest probability"),
            (lambda logits: divide(2 ** shift(logits)), "would be right"),
            (lambda logits: torch.full_like(logits, 1 / logits.shape[-1]), "would be right"),
            (lambda logits: shift(logits).exp().sum(), "the shape ()"),
            (lambda logits: divide(shift(logits).exp()).tolist()[0], "shape ()"),
            (change_given, "changes the logits"),
            (lambda logits: None, "returns None"),
            (lambda: 1, "ends in TypeError"),
            (5, "write a function"),
        ],
    ),
    "check_cross_entropy": (
        [
            cross_entropy,
            lambda logits, labels: -pick(logits.log_softmax(1), labels).mean().item(),
            loss_by_loop,
            loss_by_numpy,
            lambda logits, labels: np.array([cross_entropy(logits, labels)]),
        ],
        [
            (lambda logits, labels: pick(logits.log_softmax(1), labels).mean(), "positive"),
            (lambda logits, labels: -pick(logits.log_softmax(1), labels).sum(), "take the mean"),
            (lambda logits, labels: -pick(logits.softmax(1), labels).log10().mean(), "base 10"),
            (lambda logits, labels: -pick(logits.softmax(1), labels).log2().mean(), "base 2"),
            (lambda logits, labels: -pick(logits.softmax(1), labels).mean().log(), "first the logarithms"),
            (lambda logits, labels: pick(logits.softmax(1), labels).mean(), "still to come"),
            (lambda logits, labels: -logits.log_softmax(1).mean(), "not those of all"),
            (lambda logits, labels: -pick(logits, labels).mean(), "softmax comes first"),
            (lambda logits, labels: -pick(logits.log_softmax(1), labels), "a single number"),
            (lambda logits, labels: -pick(logits.log_softmax(1), labels).sum() / 6, "too small"),  # six, always
            (change_logits, "changes the logits"),
            (change_labels, "changes the logits or labels"),
            (lambda logits, labels: pick(logits, labels).mean().sub(9).log(), "returns nan"),
            (lambda logits, labels: str(cross_entropy(logits, labels).item()), "a single number"),
            (lambda logits, labels: None, "returns None"),
            (lambda logits, labels: 0.5, "too small"),
            (lambda: 1, "ends in TypeError"),
            (5, "write a function"),
        ],
    ),
    "check_training_step": (
        [do("flzbs"), do("zflbs"), do("flbsz"), do("fzlbs"), in_one_line],
        [
            (do("flbs"), "added to them"),
            (do("flbzs"), "wipes out"),
            (wipe_by_model, "wipes out"),
            (do("flzb"), "no step is taken"),
            (do("fls"), "no gradient is computed"),
            (do("fzlsb"), "comes after it"),
            (do("sflzb"), "comes after it"),
            (do("flzbss"), "are enough"),
            (twice, "are enough"),
            (lambda *given: add_up(*given, count=8), "the weights come out differently"),
            (lambda model, images, *rest: (in_one_line(model, images, *rest), images.zero_()), "changes the images"),
            (add_up, "the weights come out differently"),
            (lambda model, images, labels, optimizer: do("flzbs")(model, -images, labels, optimizer), "differently"),
            (with_another_network, "another network's loss"),
            (do("blfzs"), "ends in UnboundLocalError"),
            (lambda model, images: None, "ends in TypeError"),
            ("EBDCA", "write a function"),
        ],
    ),
    "check_faulty_lines": (
        [[3, 4, 8, 16], (3, 4, 10, 15), {3, 4, 6, 15, 16}, torch.tensor([3, 4, 7, 16]), [16.0, 8, 4, 3]]
        + [[3, 4, 8, 16] * 50, iter([3, 4, 8, 16]), np.array([3, 4, 8, 16], dtype=np.uint8)],
        [
            ([], "0 of 4 mistakes found; 4 missed: think of what must stand between"),
            ([3], "1 of 4 mistakes found (3); 3 missed: think of how long"),
            ([3, 4], "think of what backward() does"),
            ([3, 4, 8], "must not learn from"),
            ([3, 4, 8, 16, 1], "false alarms: 1."),
            ([3, 4, 9, 16], "false alarms: 9; 1 missed"),
            (list(range(1, 18)), "false alarms: 1, 2, 5"),
            ([3, 4, 8, 18], "no line 18"),
            ([0], "no line 0"),
            ([3.5], "a list of line numbers"),
            (["3", "4", "8", "16"], "a list of line numbers"),
            (bytes([3, 4, 8, 16]), "a list of line numbers"),
            ([3, 4, 8, 16] * 500, "a list of line numbers"),
            ([True, 3, 4, 8, 16], "a list of line numbers"),
            ("34816", "a list of line numbers"),
            ({3: 1}, "a list of line numbers"),
            (8, "a list of line numbers"),
        ],
    ),
}
