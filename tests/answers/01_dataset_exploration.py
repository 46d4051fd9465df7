"""Answers to the exercises of this notebook: right ones, and wrong ones with a part of their hint."""

from collections import Counter

import numpy as np
import torch


def count_most(labels):
    return Counter(labels.tolist()).most_common(1)[0][0]


def be_lazy(train_labels, test_labels, factor=100):
    return factor * (test_labels == count_most(train_labels)).float().mean()


def be_lazy_in_a_loop(train_labels, test_labels):
    counts = [0] * 10
    for label in train_labels:
        counts[label] += 1
    most, right = counts.index(max(counts)), 0
    for label in test_labels:
        if int(label) == most:
            right += 1
    return round(100 * right / len(test_labels), 2)


def be_lazy_in_numpy(train_labels, test_labels):
    return 100 * np.mean(test_labels.numpy() == np.bincount(train_labels.numpy()).argmax())


def overwrite(train_labels, test_labels):
    result = be_lazy(train_labels, test_labels)
    test_labels[:] = 0
    return result


def square(examples, image, power=2):
    return (examples.float() - image.float()).pow(power).sum(dim=(1, 2))


def find_nearest(image, examples, labels):
    return labels[square(examples, image).argmin()]


def find_nearest_in_a_loop(image, examples, labels):
    best, answer = None, None
    for example, label in zip(examples, labels):
        distance = sum((a - b) ** 2 for a, b in zip(example.flatten().tolist(), image.flatten().tolist()))
        if best is None or distance < best:
            best, answer = distance, label
    return answer


def find_and_spoil(image, examples, labels):
    result = find_nearest(image, examples, labels).clone()
    labels.zero_()
    return result


def find_nearest_by_abs(image, examples, labels):
    return labels[(examples.float() - image.float()).abs().sum(dim=(1, 2)).argmin()]


def find_nearest_mean(image, examples, labels):
    digits = labels.unique()
    return digits[
        square(torch.stack([examples[labels == digit].float().mean(dim=0) for digit in digits]), image).argmin()
    ]


def find_furthest_pixel(image, examples, labels):
    return labels[(examples.float() - image.float()).abs().amax(dim=(1, 2)).argmin()]


def multiply(image, examples, labels, lengths=lambda rows: 1):
    rows = examples.flatten(1).float()
    return labels[(rows @ image.flatten().float() / lengths(rows)).argmax()]


def split_digits(images, labels, validation_size):
    order = torch.randperm(len(images))
    others, chosen = order[validation_size:], order[:validation_size]
    return (images[others], labels[others]), (images[chosen], labels[chosen])


def split_in_a_loop(images, labels, validation_size):
    chosen = set(np.random.default_rng(0).permutation(len(images))[:validation_size].tolist())
    parts = [[[], []], [[], []]]
    for place in range(len(images)):
        parts[place in chosen][0].append(images[place])
        parts[place in chosen][1].append(int(labels[place]))
    return [(torch.stack(pictures), digits) for pictures, digits in parts]


def split_in_numpy(images, labels, validation_size):
    order = np.random.default_rng(1).permutation(len(images))
    images, labels = images.numpy()[order], labels.numpy()[order]
    training = images[:-validation_size], labels[:-validation_size]
    return training, (images[-validation_size:], labels[-validation_size:])


def split_with_a_mask(images, labels, validation_size):
    kept = torch.ones(len(images), dtype=torch.bool)
    kept[torch.randperm(len(images))[:validation_size]] = False
    return (images[kept], labels[kept]), (images[~kept], labels[~kept])


def split_as_printed(images, labels, validation_size, draw_again=True, keep_labels=False):
    chosen = torch.randperm(len(images))[:validation_size]
    others = torch.randperm(len(images))[validation_size:]
    if not draw_again:
        others = torch.tensor(sorted(set(range(len(images))) - set(chosen.tolist())))
    training = images[others], labels[others]
    return training, (images[chosen], labels[chosen] if keep_labels else labels[:validation_size])


def split_in_order(images, labels, validation_size):
    last = len(images) - validation_size
    return (images[:last], labels[:last]), (images[last:], labels[last:])


def split_and_spoil(images, labels, validation_size):
    parts = split_digits(images, labels, validation_size)
    images.zero_()
    return parts


def split_and_lose(images, labels, validation_size):
    (pictures, digits), validation = split_digits(images, labels, validation_size)
    return (pictures[1:], digits[1:]), validation


def split_stacked(images, labels, validation_size):
    (a, b), (c, d) = split_digits(images, labels, validation_size)
    return a, c, b, d


# checker: (right answers, [(wrong answer, a part of the hint), ...])
ANSWERS = {
    "check_lazy_accuracy": (
        [be_lazy, be_lazy_in_a_loop, be_lazy_in_numpy, lambda a, b: be_lazy(a, b).reshape(1)],
        [
            (lambda a, b: 11.35, "0 came out right"),
            (lambda a, b: be_lazy(a, b, factor=1), "a share"),
            (lambda a, b: be_lazy(a, b, factor=len(b)), "number of correct answers"),
            (lambda a, b: be_lazy(b, b), "looked at the test labels"),
            (lambda a, b: be_lazy(a, a), "on the training images"),
            (lambda a, b: 100 * (b == 1).float().mean(), "most common digit in MNIST"),
            (lambda a, b: count_most(a), "the most common digit itself"),
            (lambda a, b: 100 * (b == a.bincount().argmin()).float().mean(), "came out right"),
            (lambda a, b: 100 - be_lazy(a, b), "came out right"),
            (lambda a, b: be_lazy(a, b) if len(a) > 4 else 0, "2 came out right"),
            (overwrite, "changes the labels"),
            (lambda a, b: "11.35", "no single number"),
            (lambda a, b: None, "returns None"),
            (11.35, "write a function"),
        ],
    ),
    "check_read_digit": (
        [find_nearest, lambda image, examples, labels: int(find_nearest(image, examples, labels)), find_nearest_by_abs]
        + [find_nearest_in_a_loop],
        [
            (find_nearest_mean, "got the label"),
            (find_furthest_pixel, "got the label"),
            (multiply, "got the label"),
            (lambda *given: multiply(*given, lengths=lambda rows: rows.norm(dim=1)), "got the label"),
            (lambda image, examples, labels: find_nearest(image, examples[:10], labels[:10]), "got the label"),
            (lambda image, examples, labels: labels[square(examples.short(), image.short()).argmin()] + 0.5, "0 got"),
            (lambda image, examples, labels: str(find_nearest(image, examples, labels).item()), "no single number"),
            (find_and_spoil, "changes the images or labels"),
            (lambda image, examples, labels: 3, "got the label"),
            (
                lambda image, examples, labels: find_nearest(image, examples, range(len(examples))),
                "place of the nearest",
            ),
            (lambda image, examples, labels: find_nearest(255 - image, examples, labels), "got the label"),
            (
                lambda image, examples, labels: labels[-find_nearest(image, examples, range(len(examples)))],
                "got the label",
            ),
            (lambda image, examples, labels: labels[square(examples, image).argmax()], "furthest away"),
            (lambda image, examples, labels: labels[((examples - image) ** 2).sum((1, 2)).argmin()], "in uint8"),
            (lambda image, examples, labels: labels[square(examples, image, power=1).argmin()], "cancel"),
            (lambda image, examples, labels: labels[square(examples, image, power=1).abs().argmin()], "cancel"),
            (lambda image, examples, labels: None, "returns None"),
            (lambda image: 1, "ends in TypeError"),
            (5, "write a function"),
        ],
    ),
    "check_to_grey": (
        [
            lambda x: 255 * (x * 0.3081 + 0.1307),
            lambda x: round(x * 0.3081 * 255 + 33.3285),
            lambda x: torch.tensor([x * 0.3081 + 0.1307]) * 255,
            lambda x: np.array([255 * (x * 0.3081 + 0.1307)]),
            lambda x: np.float64(x) * 78.5655 + 33.3285,
        ],
        [
            (lambda x: str(255 * (x * 0.3081 + 0.1307)), "no single number"),
            (lambda x: x * 0.3081 + 0.1307, "between 0 and 1"),
            (lambda x: 255 * (x + 0.1307) * 0.3081, "last step first"),
            (lambda x: 255 * x * 0.3081, "mean has to be added"),
            (lambda x: (x - 0.1307) / 0.3081, "way there"),
            (lambda x: None, "returns None"),
            (lambda: 1, "ends in TypeError"),
            (5, "write a function"),
        ],
    ),
    "check_five_ways": (
        ["CDAEB", list("CDAEB"), " c, d, a, e, b ", ("C", "D", "A", "E", "B"), dict(zip((1, 2, 3, 4, 5), "CDAEB"))]
        + [np.array(list("CDAEB")), iter("CDAEB")],
        [
            ("ADCEB", "3 of 5 are at their place. Number 1 is not A"),
            ("CBAED", "Number 2 is not B: where does white"),
            ("CDEAB", "Number 3 is not E: what mean"),
            ("CDABE", "Number 4 is not B: where does black"),
            ("ABCDE", "0 of 5"),
            ("CDAE", "each of them once"),
            ("CCAEB", "each of them once"),
            ([3, 4, 1, 5, 2], "each of them once"),
            ([*"CDAEB", None], "each of them once"),
            (set("CDAEB"), "each of them once"),
            ({"C": "right"}, "each of them once"),
        ],
    ),
    "check_split_digits": (
        [split_digits, split_in_a_loop, split_in_numpy, split_with_a_mask]
        + [lambda a, b, n: [[list(part) for part in pair] for pair in split_digits(a, b, n)]],
        [
            (split_as_printed, "are in both parts"),
            (lambda a, b, n: split_as_printed(a, b, n, keep_labels=True), "are in both parts"),
            (lambda a, b, n: split_as_printed(a, b, n, draw_again=False), "beside the label of another one"),
            (split_in_order, "one piece of the list"),
            (split_and_lose, "in neither part"),
            (split_and_spoil, "changes the images"),
            (lambda a, b, n: split_digits(a, b, n)[::-1], "the training part comes first"),
            (lambda a, b, n: split_digits(a, b, n // 2), "are expected"),
            (lambda a, b, n: split_digits(a, b, 20), "are expected"),
            (lambda a, b, n: split_digits(a + 0.4, b, n), "not among those"),
            (split_stacked, "two pairs"),
            (lambda a, b, n: split_digits(a, b, n)[0], "two pairs"),
            (lambda a, b, n: tuple((x.flatten(1), y) for x, y in split_digits(a, b, n)), "keep their shape"),
            (lambda a, b, n: None, "returns None"),
            (lambda a, b: 1, "ends in TypeError"),
            ([1, 2], "write a function"),
        ],
    ),
}
