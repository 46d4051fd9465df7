"""Answers to the exercises of this notebook: right ones, and wrong ones with a part of their hint."""


def square(examples, image, power=2):
    return (examples.float() - image.float()).pow(power).sum(dim=(1, 2))


def find_nearest(image, examples, labels):
    return labels[square(examples, image).argmin()]


def find_nearest_by_abs(image, examples, labels):
    return labels[(examples.float() - image.float()).abs().sum(dim=(1, 2)).argmin()]


# checker: (right answers, [(wrong answer, a part of the hint), ...])
ANSWERS = {
    "check_lazy_accuracy": (
        [11.35],
        [
            (10, "equally common"),
            (11.24, "training set"),
            (0.1135, "in percent"),
            (1135, "how many percent"),
            (90, "too large"),
        ],
    ),
    "check_read_digit": (
        [find_nearest, lambda image, examples, labels: int(find_nearest(image, examples, labels)), find_nearest_by_abs],
        [
            (lambda image, examples, labels: find_nearest(image, examples, range(10)), "place of the nearest"),
            (lambda image, examples, labels: find_nearest(255 - image, examples, labels), "got the label"),
            (lambda image, examples, labels: labels[-find_nearest(image, examples, range(10))], "got the label"),
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
        [lambda x: 255 * (x * 0.3081 + 0.1307)],
        [
            (lambda x: x * 0.3081 + 0.1307, "between 0 and 1"),
            (lambda x: 255 * (x + 0.1307) * 0.3081, "last step first"),
            (lambda x: 255 * x * 0.3081, "mean has to be added"),
            (lambda x: (x - 0.1307) / 0.3081, "way there"),
            (lambda x: None, "returns None"),
            (lambda: 1, "ends in TypeError"),
            (5, "write a function"),
        ],
    ),
}
