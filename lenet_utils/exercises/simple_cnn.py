"""Checkers of notebooks/03_simple_cnn.ipynb."""

import torch

from lenet_utils.exercises.common import NOT_ANSWERED, check_number

# Each bug of the listing in 03: the lines that show it, and a hint for those who have not found it.
LISTING_LINES = 35
LISTING_BUGS = (
    ({1}, "the order in which the training images come"),
    ({13}, "what the caller of a function gets back"),
    ({19, 24, 29}, "what happens on a computer without an NVIDIA GPU"),
    ({22}, "how many batches are scored"),
    ({31}, "a name that nobody has defined"),
    ({34, 35}, "what is done after every batch and is needed once in an epoch"),
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
        return "Not yet: the answer is a list of line numbers, such as [3, 8]."
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
    return check_number(
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
    return check_number(
        answer,
        32 * 16 * 9 + 32,
        "4,640: 32 x 16 kernels of 9 weights, and one bias for each of the 32 maps.",
        {
            32 * 16 * 9: "these are the weights alone; each output map has a bias, too.",
            32 * 9 + 32: "each output map has one kernel for each of the 16 input maps.",
            32 * 9: "each output map has one kernel for each of the 16 input maps, and a bias.",
            32 * 16 * 9 + 16: "the biases belong to the output maps.",
            32 * 16 * 9 + 32 * 16: "one bias for each output map, not for each kernel.",
            32 * 16: "each kernel has 3 x 3 weights.",
        },
    )


def check_shift_kernel(answer) -> str:
    """The 3x3 kernel that moves a picture one pixel to the right: tried on random images."""
    if answer is None:
        return NOT_ANSWERED
    try:
        kernel = torch.as_tensor(answer, dtype=torch.float32).detach().cpu()
    except (TypeError, ValueError, RuntimeError, OverflowError):
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
