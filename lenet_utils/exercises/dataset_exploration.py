"""Checkers of notebooks/01_dataset_exploration.ipynb."""

import math

import numpy as np
import torch

from lenet_utils.exercises.common import expects_function, match_letters, to_array, to_float


@expects_function("def lazy_accuracy(train_labels, test_labels)")
def check_lazy_accuracy(function) -> str:
    """A function of two sets of labels, (N,) and (M,): percent of the second that equal the first's most common."""
    train_sets = [[1, 7, 7, 3, 7, 1], [0] * 5 + [9] * 8 + [4] * 3, [2, 2, 2, 5]]
    test_sets = [[3, 3, 3, 7, 7, 1, 1, 8], [9, 0, 0], [5] * 9 + [2] * 3 + [1] * 5]
    pairs = [(torch.tensor(train), torch.tensor(test)) for train, test in zip(train_sets, test_sets)]
    results = []
    for train, test in pairs:
        given = train.clone(), test.clone()
        results.append(function(*given))
        if not (torch.equal(given[0], train) and torch.equal(given[1], test)):
            return "Not yet: the function changes the labels that it was given."
    if any(result is None for result in results):
        return "Not yet: the function returns None. Does it end with return?"
    results = [to_float(result) for result in results]
    if any(math.isnan(result) for result in results):
        return "Not yet: the function returns no single number."

    def gives(formula) -> bool:
        expected = [float(formula(*pair)) for pair in pairs]
        return all(abs(result - value) < 0.0051 for result, value in zip(results, expected))

    def find_most(labels):
        return labels.bincount().argmax()

    def score(labels, digit):
        return 100 * (labels == digit).double().mean()

    if gives(lambda train, test: score(test, find_most(train))):
        return "Yes: with MNIST's labels it is 11.35 %. Any real reader of digits must beat that."
    if gives(lambda train, test: score(test, find_most(train)) / 100):
        return "Not yet: this is a share, from 0 to 1; in percent, please."
    if gives(lambda train, test: (test == find_most(train)).sum()):
        return "Not yet: this is the number of correct answers; how many percent is that?"
    if gives(lambda train, test: score(test, find_most(test))):
        return "Not yet: this machine has looked at the test labels. It knows those of the training images alone."
    if gives(lambda train, test: score(train, find_most(train))):
        return "Not yet: this is its accuracy on the training images; the question is about the test images."
    if gives(lambda train, test: score(test, 1)):
        return "Not yet: 1 is the most common digit in MNIST. Other labels have another one; find it."
    if gives(lambda train, test: find_most(train)):
        return "Not yet: this is the most common digit itself. How often is it right?"
    count = sum(abs(result - score(test, find_most(train))) < 0.0051 for result, (train, test) in zip(results, pairs))
    return f"Not yet: of {len(pairs)} pairs of labels that were tried, {count} came out right."


@expects_function("def read_digit(image, examples, labels)")
def check_read_digit(function) -> str:
    """A function of an image, (28, 28), examples, (N, 28, 28), and labels, (N,), to the nearest example's label."""
    tries = _make_tries()
    results = []
    for images, examples, labels in tries:
        given = images.clone(), examples.clone(), labels.clone()
        results += [function(image, *given[1:]) for image in given[0]]
        if not all(map(torch.equal, given, (images, examples, labels))):
            return "Not yet: the function changes the images or labels that it was given."
    if any(result is None for result in results):
        return "Not yet: the function returns None. Does it end with return?"
    results = [to_float(result) for result in results]
    if any(math.isnan(result) for result in results):
        return "Not yet: the function returns no single number."

    def count(find) -> int:
        expected = [find(image, examples, labels) for images, examples, labels in tries for image in images]
        return sum(result == float(label) for result, label in zip(results, expected))

    def square(image, examples):
        return (examples.float() - image.float()).square().sum(dim=(1, 2))

    def add_up(image, examples):
        return (examples.float() - image.float()).sum(dim=(1, 2))

    right = count(lambda x, examples, names: names[square(x, examples).argmin()])
    if right == len(results):
        return "Yes: subtract, square, add up, and take the label at the smallest sum."
    cancel = "differences above and below 0 cancel each other. Square them before you add them up."
    for find, hint in (
        (
            lambda x, examples, _: square(x, examples).argmin(),
            "this is the place of the nearest. Which label stands on it?",
        ),
        (lambda x, examples, names: names[square(x, examples).argmax()], "this is the example that is furthest away."),
        (
            lambda x, examples, names: names[(examples - x).square().sum(dim=(1, 2)).argmin()],
            "in uint8, 3 - 5 is 254. Call .float() before you subtract.",
        ),
        (lambda x, examples, names: names[add_up(x, examples).abs().argmin()], cancel),
        (lambda x, examples, names: names[add_up(x, examples).argmin()], cancel),
    ):
        if count(find) == len(results):
            return f"Not yet: {hint}"
    return f"Not yet: of {len(results)} images, {right} got the label of their nearest example."


def _make_tries() -> list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """Images, examples and labels, twice; each image is near one example."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.randint(-60, 61, (24, 28, 28), generator=generator)
    grey = torch.randint(0, 256, (10, 28, 28), generator=generator)
    strokes = 255 * (torch.rand(12, 28, 28, generator=generator) < 0.2).int()
    pale = torch.cat([strokes, strokes // 2])  # the same strokes in two strengths
    spotted = pale.masked_fill(torch.rand(pale.shape, generator=generator) < 0.02, 0)
    labels = torch.randperm(10, generator=generator), torch.randint(0, 8, (24,), generator=generator)
    near = (grey.roll(3, dims=0) + noise[:10]).clamp(0, 255), (spotted.roll(5, dims=0) + noise).clamp(0, 255)
    return [
        (images.to(torch.uint8), examples.to(torch.uint8), names)
        for images, examples, names in zip(near, (grey, pale), labels)
    ]


@expects_function("def to_grey(x)")
def check_to_grey(function) -> str:
    """A function from numbers normalised with 0.1307 and 0.3081 back to grey values, 0 to 255."""
    mean, std = 0.1307, 0.3081
    greys = [0, 1, 100, 200, 255]
    inputs = [(grey / 255 - mean) / std for grey in greys]
    results = [function(x) for x in inputs]
    if any(result is None for result in results):
        return "Not yet: the function returns None. Does it end with return?"
    results = [to_float(result) for result in results]
    if any(math.isnan(result) for result in results):
        return "Not yet: the function returns no single number."

    def gives(formula) -> bool:
        return all(abs(result - formula(x)) < 0.01 for result, x in zip(results, inputs))

    if gives(lambda x: 255 * (x * std + mean)):
        return "Yes: times the standard deviation, plus the mean, times 255."
    if gives(lambda x: x * std + mean):
        return "Not yet: the results lie between 0 and 1. Grey values go up to 255."
    if gives(lambda x: 255 * (x + mean) * std):
        return "Not yet: undo the last step first. Was it the subtraction or the division?"
    if gives(lambda x: (x / 255 - mean) / std) or gives(lambda x: (x - mean) / std):
        return "Not yet: this is the way there. Undo each step, the last one first."
    if gives(lambda x: 255 * x * std):
        return "Not yet: the mean has to be added again."
    return f"Not yet: {inputs[2]:.4f} was the grey value {greys[2]}, but the function returns {results[2]:.4f}."


MEAN, STD = 0.1307, 0.3081  # of the training pixels, divided by 255
WAYS = {  # letter: the place in the list of the exercise, and what is done to the grey values
    "A": (2, lambda grey: (grey / 255 - (grey / 255).mean()) / (grey / 255).std()),
    "B": (4, lambda grey: ((grey / 255 - MEAN) / STD - MEAN) / STD),
    "C": (0, lambda grey: (grey / 255 - MEAN) / STD),
    "D": (1, lambda grey: (grey - MEAN) / STD),
    "E": (3, lambda grey: grey / 255 / STD - MEAN),
}
WAY_HINTS = (
    "with the mean and standard deviation of the *training* pixels, test pixels come close to 0 and 1, not onto them",
    "where does white, 255, come to lie if nobody divides by 255?",
    "what mean and what standard deviation has a set that was normalised by its own?",
    "where does black, 0, come to lie if the mean is subtracted last?",
    "take the smallest number of the right one through the formula once more",
)


def prepare_five_ways(test_images: torch.Tensor) -> dict[str, torch.Tensor]:
    """Return the test images, (N, 28, 28) uint8, normalised in five ways, A to E: one right, four with a mistake."""
    return {letter: way(test_images.float()) for letter, (_, way) in WAYS.items()}


def check_five_ways(answer) -> str:
    """The five letters of ``prepare_five_ways`` in the order of the list in the exercise."""
    right = "".join(sorted(WAYS, key=lambda letter: WAYS[letter][0]))
    return match_letters(answer, right, WAY_HINTS, "you read off five lines of numbers what five programs do.")


@expects_function("def split_digits(images, labels, validation_size)")
def check_split_digits(function) -> str:
    """A function that splits images, (N, H, W), and labels, (N,), at random: two pairs, training and validation."""
    generator = torch.Generator().manual_seed(0)
    with torch.random.fork_rng(devices=[]):
        for count, size in ((60, 20), (41, 10), (200, 150)):
            images = torch.randint(0, 256, (count, 5, 4), dtype=torch.uint8, generator=generator)
            labels = torch.randint(0, 10, (count,), generator=generator)
            given = images.clone(), labels.clone()
            result = function(*given, size)
            if not (torch.equal(given[0], images) and torch.equal(given[1], labels)):
                return "Not yet: the function changes the images or labels that it was given."
            if result is None:
                return "Not yet: the function returns None. Does it end with return?"
            if wrong := _find_fault(result, images.numpy(), labels.numpy(), size):
                return f"Not yet: {wrong}"
    return "Yes: no image is in both parts, none is lost, and each has kept its label."


def _find_fault(result, images: np.ndarray, labels: np.ndarray, size: int) -> str:
    """What is wrong with a split, in words; nothing if it is right."""
    try:
        parts = [(to_array(pictures), to_array(digits)) for pictures, digits in result]
        (training, _), (validation, _) = parts
    except (TypeError, ValueError):
        return "it returns two pairs, (images, labels) of the training part and then of the validation part."
    for pictures, digits in parts:
        if pictures.shape != (len(digits), *images.shape[1:]) or digits.ndim != 1:
            return "in each part there must be as many labels as images, and the images must keep their shape."
    places = {image.astype(float).tobytes(): place for place, image in enumerate(images)}
    found = [[places.get(image.astype(float).tobytes(), -1) for image in part] for part, _ in parts]
    if -1 in found[0] + found[1]:
        return "there are images in the parts that were not among those it was given."
    if shared := len(set(found[0]) & set(found[1])):
        return f"{shared} of the images are in both parts: the validation part is no test for who has learned from it."
    if len(set(found[0] + found[1])) < len(images):
        return "some images are in neither part."
    if len(training) == size != len(validation):
        return "the training part comes first."
    if len(validation) != size or len(training) + size != len(images):
        expected = f"{len(images) - size} and {size} of {len(images)} images"
        return f"{expected} are expected, not {len(training)} and {len(validation)}."
    if any((labels[place] != digits).any() for place, (_, digits) in zip(found, parts)):
        return "no image is in both parts, but some stand beside the label of another one."
    if max(found[1]) - min(found[1]) == size - 1:
        return "the validation part is one piece of the list. Draw it at random."
    return ""
