"""Checkers of notebooks/01_dataset_exploration.ipynb."""

import torch

from lenet_utils.exercises.common import check_number, expects_function


def check_lazy_accuracy(answer) -> str:
    """Percent of the test images that are ones: what always answering "1" gets right."""
    return check_number(
        answer,
        100 * 1_135 / 10_000,
        "1,135 of the 10,000 test images are ones: 11.35 %.",
        {
            10.0: "that would be so if all digits were equally common. Look at the counts.",
            100 * 6_742 / 60_000: "these are the ones of the training set; the question is about the test set.",
            0.1135: "in percent, please.",
            1_135: "this is the number of correct answers; how many percent is that?",
        },
        tolerance=0.0051,
    )


@expects_function("def read_digit(image, examples, labels)")
def check_read_digit(function) -> str:
    """A function of an image, (28, 28), examples, (N, 28, 28), and labels, (N,), to the nearest example's label."""
    generator = torch.Generator().manual_seed(0)
    examples = torch.randint(0, 256, (10, 28, 28), dtype=torch.uint8, generator=generator)
    labels = torch.randperm(10, generator=generator)
    noise = torch.randint(-60, 61, (10, 28, 28), generator=generator)
    images = (examples.roll(3, dims=0).int() + noise).clamp(0, 255).to(torch.uint8)  # each is near one example
    results = [function(image, examples, labels) for image in images]
    if any(result is None for result in results):
        return "Not yet: the function returns None. Does it end with return?"
    results = [int(result) for result in results]

    def gives(find) -> bool:
        return results == [find(image).item() for image in images]

    def measure(image):
        return (examples.float() - image.float()).square().sum(dim=(1, 2))

    if gives(lambda image: labels[measure(image).argmin()]):
        return "Yes: subtract, square, add up, and take the label at the smallest sum."
    if gives(lambda image: measure(image).argmin()):
        return "Not yet: this is the place of the nearest example. Which label stands on it?"
    if gives(lambda image: labels[measure(image).argmax()]):
        return "Not yet: this is the example that is furthest away."
    if gives(lambda image: labels[(examples - image).square().sum(dim=(1, 2)).argmin()]):
        return "Not yet: in uint8, 3 - 5 is 254. Call .float() before you subtract."
    if gives(lambda image: labels[(examples.float() - image.float()).sum(dim=(1, 2)).abs().argmin()]) or gives(
        lambda image: labels[(examples.float() - image.float()).sum(dim=(1, 2)).argmin()]
    ):
        return "Not yet: differences above and below 0 cancel each other. Square them before you add them up."
    count = sum(result == labels[measure(image).argmin()].item() for result, image in zip(results, images))
    return f"Not yet: of {len(images)} images, {count} got the label of their nearest example."


@expects_function("def to_grey(x)")
def check_to_grey(function) -> str:
    """A function from numbers normalised with 0.1307 and 0.3081 back to grey values, 0 to 255."""
    mean, std = 0.1307, 0.3081
    greys = [0, 1, 100, 200, 255]
    inputs = [(grey / 255 - mean) / std for grey in greys]
    results = [function(x) for x in inputs]
    if any(result is None for result in results):
        return "Not yet: the function returns None. Does it end with return?"
    results = [float(result) for result in results]

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
