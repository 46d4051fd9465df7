"""Checkers of notebooks/01_dataset_exploration.ipynb."""

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


def check_last_batch(answer) -> str:
    """Images in the last of the batches of 128 that 60,000 images make."""
    return check_number(
        answer,
        60_000 % 128,
        "468 full batches, and 96 images are left for the last.",
        {
            128: "60,000 cannot be divided by 128 evenly, so the last batch is smaller.",
            469: "this is the number of batches; how many images are in the last one?",
            468: "this is the number of full batches; how many images are left over?",
            60_000 % 64: "this is so with batches of 64; the question is about 128.",
            0.75: "this is the share of a full batch; how many images is that?",
        },
    )


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
