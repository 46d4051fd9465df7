"""Checkers for the exercises: ``print(check_...(answer))``.

Each returns one line of text and never raises: "Not answered yet" for None, "Yes: ..." for a right answer, and
for any other "Not yet: ..." with a hint at what went wrong. They compute what they compare with where they can.
"""

import math

import numpy as np
import torch

from lenet_utils.models import C3_TABLE, LeNet5, compute_output_size, count_parameters, draw_digit_codes

NOT_ANSWERED = "Not answered yet: replace None by your answer and run the cell again."


def _check_number(answer, expected: float, why: str, hints: dict | None = None, tolerance: float = 0.0) -> str:
    """Compare one number with another.

    Args:
        answer: what the learner wrote: a number, or None.
        expected: the right number.
        why: the end of the line after "Yes: ".
        hints: wrong numbers that one easily arrives at, and what to say to each.
        tolerance: how far from ``expected`` a right answer may be.
    """
    if answer is None:
        return NOT_ANSWERED
    try:
        value = math.nan if isinstance(answer, (str, bool)) else float(answer)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        value = math.nan
    if math.isnan(value):
        return f"Not yet: the answer is a single number, not {type(answer).__name__}."
    if math.isclose(value, expected, rel_tol=0, abs_tol=tolerance):
        return f"Yes: {why}"
    for wrong, hint in (hints or {}).items():
        if math.isclose(value, wrong, rel_tol=0, abs_tol=tolerance):
            return f"Not yet: {hint}"
    return f"Not yet: {answer} is too {'small' if value < expected else 'large'}."


# ---- 01_dataset_exploration ----


def check_lazy_accuracy(answer) -> str:
    """Percent of the test images that are ones: what always answering "1" gets right."""
    return _check_number(
        answer,
        100 * 1_135 / 10_000,
        "1,135 of the 10,000 test images are ones: 11.35 %.",
        {
            10.0: "that would be so if all digits were equally common. Look at the counts.",
            100 * 6_742 / 60_000: "these are the ones of the training set; the question is about the test set.",
            0.1135: "in percent, please.",
            1_135: "this is how many it reads rightly; how many percent is that?",
        },
        tolerance=0.0051,
    )


def check_last_batch(answer) -> str:
    """Images in the last of the batches of 128 that 60,000 images make."""
    return _check_number(
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


def check_to_grey(answer) -> str:
    """A function from numbers normalised with 0.1307 and 0.3081 back to grey values, 0 to 255."""
    if answer is None:
        return NOT_ANSWERED
    if not callable(answer):
        return f"Not yet: the answer is a function of one number, not {type(answer).__name__}."
    mean, std = 0.1307, 0.3081
    greys = [0, 1, 100, 200, 255]
    inputs = [(grey / 255 - mean) / std for grey in greys]
    try:
        results = [answer(x) for x in inputs]
        if any(result is None for result in results):
            return "Not yet: the function returns None. Does it end with return?"
        results = [float(result) for result in results]
    except Exception as error:  # whatever a learner's function does, the answer is one line
        return f"Not yet: the function raises {type(error).__name__} when it is given {inputs[0]:.4f}."

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


# ---- 02_mlp_baseline ----


def check_mlp_parameters(answer) -> str:
    """Parameters of an MLP 784-256-10."""
    weights = 784 * 256 + 256 * 10
    return _check_number(
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
    return _check_number(
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
    return _check_number(
        answer,
        2.4,
        "against the gradient, so the weight grows to 2.4.",
        {1.6: "a step goes against the gradient: minus times minus.", 6.0: "multiply the gradient by the rate."},
        tolerance=1e-6,
    )


# ---- 03_simple_cnn ----


# Each bug of the listing in 03: the lines that show it, and a hint for who has not found it.
LISTING_LINES = 43
LISTING_BUGS = (
    ({6}, "the order in which the training images come"),
    ({19}, "what the caller of a function gets back"),
    ({26, 32, 37}, "what happens on a computer without an NVIDIA GPU"),
    ({29}, "how many batches are scored"),
    ({39}, "a name that nobody has defined"),
    ({42, 43}, "what is done after every batch and is needed once in an epoch"),
)


def check_bug_lines(answer) -> str:
    """The lines with bugs in the listing of «Find six bugs»: a collection of line numbers."""
    if answer is None:
        return NOT_ANSWERED
    try:
        lines = {int(line) for line in answer if float(line) == int(line)}
        complete = not isinstance(answer, str) and len(lines) == len({float(line) for line in answer})
    except (TypeError, ValueError, OverflowError):
        complete = False
    if not complete:
        return "Not yet: the answer is a list of line numbers, such as [1, 8]."
    if outside := sorted(line for line in lines if not 1 <= line <= LISTING_LINES):
        return f"Not yet: the listing has lines 1 to {LISTING_LINES}, and no line {outside[0]}."
    found = [bug for bug, _ in LISTING_BUGS if bug & lines]
    hidden = [hint for bug, hint in LISTING_BUGS if not bug & lines]
    hits = sorted(line for line in lines if any(line in bug for bug in found))
    false_alarms = sorted(lines - set(hits))
    if not hidden and not false_alarms:
        return "Yes: all six bugs, and no false alarm."
    parts = [f"{len(found)} of 6 bugs found" + (f" (line {_list(hits)})" if hits else "")]
    if false_alarms:
        parts.append(f"false alarms: {_list(false_alarms)}")
    if hidden:
        parts.append(f"{len(hidden)} missed; think of {hidden[0]}")
    return f"Not yet: {'; '.join(parts)}."


def _list(numbers) -> str:
    return ", ".join(str(number) for number in numbers)


def check_output_rows(answer) -> str:
    """Rows left of 28 after convolution 3x3, pooling 2x2, convolution 3x3, pooling 2x2, pooling 2x2."""
    return _check_number(
        answer,
        2,
        "28, 26, 13, 11, 5, 2: twice half a row is rounded down.",
        {
            3: "half a row is rounded down, not up.",
            5: "there are three poolings; the last is still to come.",
            2.5: "half a row is rounded down.",
            2.75: "half a row is rounded down, each time.",
            3.5: "without padding a 3x3 convolution takes two rows away.",
        },
    )


def check_conv_parameters(answer) -> str:
    """Parameters of nn.Conv2d(16, 32, kernel_size=3)."""
    return _check_number(
        answer,
        32 * 16 * 9 + 32,
        "4,640: 32 x 16 kernels of 9 weights, and one bias for each of the 32 maps.",
        {
            32 * 16 * 9: "these are the weights alone; each output map has a bias, too.",
            32 * 9 + 32: "each output map has one kernel for each of the 16 input maps.",
            32 * 9: "each output map has one kernel for each of the 16 input maps, and a bias.",
            32 * 16 * 9 + 16: "the biases belong to the output maps.",
            32 * 16 * 9 + 32 * 16: "one bias for each output map, not for each kernel.",
            32 * 16 * 10: "one bias for each output map, not for each kernel.",
            32 * 16: "each kernel has 3 x 3 weights.",
        },
    )


def check_shift_kernel(answer) -> str:
    """The 3x3 kernel that moves a picture one pixel to the right: tried on random images."""
    if answer is None:
        return NOT_ANSWERED
    try:
        kernel = torch.as_tensor(answer, dtype=torch.float32).detach().cpu()
    except (TypeError, ValueError, RuntimeError):
        return "Not yet: the kernel is three rows of three numbers."
    if kernel.shape != (3, 3):
        return f"Not yet: the kernel has the shape (3, 3), not {tuple(kernel.shape)}."
    images = torch.rand(5, 1, 9, 9, generator=torch.Generator().manual_seed(0))
    result = torch.nn.functional.conv2d(images, kernel[None, None])

    def is_moved(rows: int, columns: int) -> bool:
        return torch.allclose(result, images[:, :, 1 - rows : 8 - rows, 1 - columns : 8 - columns], atol=1e-6)

    if is_moved(0, 1):
        return "Yes: each pixel of the result is the left neighbour of the one in the middle of the window."
    if is_moved(0, 0):
        return "Not yet: this kernel leaves the picture where it is."
    if is_moved(0, -1):
        return "Not yet: this moves the picture to the left; the kernel is not flipped."
    if is_moved(1, 0) or is_moved(-1, 0):
        return "Not yet: this moves the picture up or down; rows come first."
    return "Not yet: the result is not the picture moved to the right; a single weight differs from zero."


# ---- 04_lenet5 ----


def check_shape_after_s2(answer) -> str:
    """Shape of S2's output for one image of 36x36."""
    if answer is None:
        return NOT_ANSWERED
    try:
        shape = tuple(int(number) for number in answer)
    except (TypeError, ValueError):
        return "Not yet: the answer is a tuple of four numbers, such as (1, 6, 14, 14)."
    side = compute_output_size(36, 5) // 2
    if shape == (1, 6, side, side):
        return f"Yes: C1 makes 32x32 of 36x36, and S2 halves that to {side}x{side}."
    if len(shape) != 4:
        return f"Not yet: four numbers are needed (images, maps, rows, columns), not {len(shape)}."
    if shape[:2] != (1, 6):
        return "Not yet: one image, and C1 has six maps whatever the size of the image."
    return f"Not yet: {shape[2]}x{shape[3]} is not the size. C1 first takes 4 off; then S2 halves."


def check_lenet_parameters(answer) -> str:
    """Parameters of LeNet5 with 26 outputs."""
    here = count_parameters(LeNet5())
    return _check_number(
        answer,
        here + 16 * 85,
        "16 more outputs of 84 weights and a bias each: 63,066.",
        {
            here + 16 * 84: "each new output has a bias, too.",
            here + 26 * 85: "ten of the 26 outputs were there before.",
            here: "the output layer grows.",
        },
    )


def check_c3_maps(answer) -> str:
    """Maps of C3 that read map 0 of S2."""
    expected = sum(0 in sources for sources in C3_TABLE)
    return _check_number(
        answer,
        expected,
        "ten, as for every other map of S2.",
        {len(C3_TABLE): "that would be the dense C3. Count the crosses in the row of map 0."},
    )


# ---- 05_feature_maps ----


def check_seen_rows(answer) -> str:
    """Rows of the image on which one number of C3 depends: 5 rows of S2, which are 10 of C1."""
    return _check_number(
        answer,
        2 * 5 + 4,
        "5 rows of S2 cover 10 rows of C1, and these 14 rows of the image.",
        {
            5: "these are rows of S2, not of the image.",
            10: "these are rows of C1; each of them sees 5 rows of the image.",
            9: "between the two convolutions lies S2, which takes two rows of C1 into one.",
            30: "the 5x5 squares of neighbours overlap: 6 rows for the first, 2 more for each of the others.",
            196: "that is the whole square; how many rows has it?",
            16: "so many does one number of S4 see; C3 comes before the second pooling.",
        },
    )


def check_shift_for_s4(answer) -> str:
    """Pixels by which a digit must move for the maps of S4 to move by exactly one place."""
    return _check_number(
        answer,
        4,
        "S2 halves the step and S4 halves it again, so 4 pixels make one place.",
        {
            1: "that holds for C1; after it come two poolings, each of which halves the step.",
            2: "that holds for S2 and C3; S4 halves once more.",
            8: "count the poolings up to S4: there are two.",
            25: "that is the number of places in a map.",
        },
    )


def check_squash_and_pool(function) -> str:
    """A function from C1's maps before tanh to S2: mean of the tanh of each square of 2x2."""
    if function is None:
        return NOT_ANSWERED
    if not callable(function):
        return f"Not yet: the answer is a function, not {type(function).__name__}."
    generator = torch.Generator().manual_seed(0)
    pool, largest = torch.nn.functional.avg_pool2d, torch.nn.functional.max_pool2d
    for shape in ((2, 6, 28, 28), (3, 16, 10, 10), (1, 1, 2, 4)):
        maps = 3 * torch.randn(shape, generator=generator)
        try:
            with torch.no_grad():
                result = torch.as_tensor(function(maps.clone()))
        except Exception as error:
            return f"Not yet: on maps of the shape {shape} it stops with {type(error).__name__}."
        expected = pool(maps.tanh(), 2)
        if result.shape == expected.shape and torch.allclose(result.float(), expected, atol=1e-5):
            continue
        if result.shape == maps.shape:
            return "Not yet: the result is as large as the maps; S2 has half as many rows and columns."
        if result.shape != expected.shape:
            return f"Not yet: {shape} should become {tuple(expected.shape)}, not {tuple(result.shape)}."
        for wrong, hint in (
            (pool(maps, 2).tanh(), "first tanh, then the mean: the other way round gives other numbers."),
            (pool(maps, 2), "the mean is there, but where is tanh?"),
            (largest(maps.tanh(), 2), "S2 takes the mean of the four numbers, not the largest."),
            (4 * pool(maps.tanh(), 2), "these are sums; divide by the four numbers of a square."),
        ):
            if torch.allclose(result.float(), wrong, atol=1e-5):
                return f"Not yet: {hint}"
        return "Not yet: the shape is right, the numbers are not."
    return "Yes: first tanh, then the mean of every square of 2x2."


# ---- 06_confusion_matrix ----


def check_precision(answer) -> str:
    """Precision of the second class of the matrix [[90, 10], [30, 70]], rows true."""
    return _check_number(
        answer,
        70 / 80,
        "of 80 digits called a seven (the column), 70 were sevens.",
        {
            70 / 100: "this is the recall, along the row of true sevens; precision goes down the column.",
            90 / 120: "this is the precision of the ones; take the column of the sevens.",
            160 / 200: "this is the accuracy of both together.",
            87.5: "as a number from 0 to 1, please.",
        },
        tolerance=0.001,
    )


def check_most_confused(answer) -> str:
    """A function that returns (true, predicted) of the most frequent error, and leaves the matrix as it is."""
    if answer is None:
        return NOT_ANSWERED
    if not callable(answer):
        return f"Not yet: write a function, def find_most_confused(matrix), not {type(answer).__name__}."
    for size, true, predicted in ((10, 4, 9), (10, 9, 0), (3, 0, 2), (10, 7, 2)):
        matrix = np.ones((size, size), dtype=int) + 50 * np.eye(size, dtype=int)
        matrix[true, predicted] = 12
        matrix[predicted, true] = 8  # the same pair the other way, less often
        given = matrix.copy()
        try:
            found = tuple(int(digit) for digit in answer(given))
        except Exception as error:
            return f"Not yet: on a matrix of {size} x {size} it gave no pair of digits ({type(error).__name__})."
        if not np.array_equal(given, matrix):
            return "Not yet: it changes the matrix it is given; work on a copy, matrix.copy()."
        if found == (predicted, true):
            return "Not yet: the pair is the wrong way round; rows are true digits, columns predicted ones."
        if len(found) == 2 and found[0] == found[1]:
            return f"Not yet: {found} is on the diagonal, where the right answers are."
        if found != (true, predicted):
            return f"Not yet: it returned {found} where a {true} was most often read as a {predicted}."
    return "Yes: the largest count beside the diagonal, row first."


def check_needed_digits(answer) -> str:
    """Test digits for a standard error of 0.05 points at an accuracy of 99 %."""
    return _check_number(
        answer,
        39_600,
        "about 40,000, four times as many: the error shrinks with the square root of their number.",
        {
            3.96: "0.05 points are 0.0005, not 0.05.",
            20_000: "twice the digits divide the error by the square root of 2 only.",
            19_800: "twice the digits divide the error by the square root of 2 only.",
            5_000: "a smaller error needs more digits, not fewer.",
            2_500: "a smaller error needs more digits, not fewer.",
        },
        tolerance=450,
    )


# ---- 07_lenet5_1998 ----


def check_s4_connections(answer) -> str:
    """Connections of S4 in the network of 1998: 16 maps of 5x5 units, each with four inputs and a bias."""
    return _check_number(
        answer,
        16 * 5 * 5 * (4 + 1),
        "400 units, each with four pixels and a bias: 2,000.",
        {
            16 * 5 * 5 * 4: "the bias is a connection, too.",
            16 * 5 * 5: "these are the units; each has several connections.",
            16 * 2: "these are the parameters, which many connections share.",
            6 * 14 * 14 * 5: "this is S2; the question is about S4.",
            5 * 5 * 5: "this is one map; S4 has 16 of them.",
        },
    )


def check_read_code(function) -> str:
    """A function of features (84,) and codes (10, 84) that returns the digit of the nearest code."""
    if function is None:
        return NOT_ANSWERED
    if not callable(function):
        return f"Not yet: write a function, def read_code(features, codes), not {type(function).__name__}."
    codes = draw_digit_codes()
    between = codes[8].clone()  # nearest to 8 by absolute differences, to 6 by squared ones
    between[(codes[6] != codes[8]).nonzero()[:5, 0]] = 1.7 * codes[6][codes[6] != codes[8]][:5]
    for features in (0.5 * codes[3] + 0.3 * codes[5], 1.7 * codes[0], between):
        try:
            found = int(function(features.clone(), codes.clone()))
        except Exception as error:  # whatever a learner's function does, the answer is one line
            return f"Not yet: on features (84,) and codes (10, 84) it raises {type(error).__name__}."
        differences = features - codes
        distances = differences.square().sum(1)
        if found != distances.argmin():
            if found == distances.argmax():
                return "Not yet: this is the farthest code; the answer is the nearest."
            if features is between and found == differences.abs().sum(1).argmin():
                return "Not yet: the differences are squared before they are added."
            return f"Not yet: it returned {found} where the code of {int(distances.argmin())} is nearest."
    return "Yes: the smallest sum of squared differences."


def check_rubbish_share(answer) -> str:
    """Probability of the rubbish class when its distance j and all ten distances are equal."""
    return _check_number(
        answer,
        1 / 11,
        "eleven classes that are equally far are equally probable.",
        {
            1 / 10: "there are eleven classes: ten digits and the rubbish.",
            10 / 11: "this is what the ten digits have together.",
            math.exp(-20): "this is exp(-j); divide by the sum over all classes.",
            100 / 11: "as a number from 0 to 1, please.",
        },
        tolerance=0.0005,
    )
