"""Answers to the exercises of this notebook: right ones, and wrong ones with a part of their hint."""

import torch


def pick(numbers, labels):
    return numbers[torch.arange(len(labels)), labels]


# checker: (right answers, [(wrong answer, a part of the hint), ...])
ANSWERS = {
    "check_mlp_parameters": (
        [203_530, torch.tensor(203_530)],
        [(203_264, "weights alone"), (200_960, "second layer"), (1, "too small")],
    ),
    "check_cross_entropy": (
        [torch.nn.functional.cross_entropy, lambda logits, labels: -pick(logits.log_softmax(1), labels).mean().item()],
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
            (lambda logits, labels: None, "returns None"),
            (lambda logits, labels: 0.5, "too small"),
            (lambda: 1, "ends in TypeError"),
            (5, "write a function"),
        ],
    ),
    "check_step_order": (
        ["EBDCA", "DEBCA", "edbca", "E B C A D", list("EBDCA")],
        [
            ("BEDCA", "needs the logits"),
            ("ECBDA", "starts from the loss"),
            ("EBACD", "needs the gradients"),
            ("EBCDA", "wipes out"),
            ("EBCA", "five letters"),
            ("EBCAA", "five letters"),
            (12345, "five letters"),
            ([1, 2, 3, 4, 5], "five letters"),
        ],
    ),
}
