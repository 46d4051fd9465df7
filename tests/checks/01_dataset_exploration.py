"""Checks of notebooks/01_dataset_exploration.ipynb: its numbers and figures, computed again from the files."""
# ruff: noqa: F821  (the names are the notebook's)

import re

import numpy as np
import torch
from matplotlib.colors import to_hex
from PIL import Image

from lenet_utils import data
from lenet_utils.plotting import BLUE, ORANGE


def read_idx(name, header):
    raw = data.find_data_root() / "MNIST" / "raw" / name
    return np.frombuffer(raw.read_bytes(), dtype=np.uint8, offset=header)


PIXELS = read_idx("train-images-idx3-ubyte", 16).reshape(-1, 28, 28)
TEST_PIXELS = read_idx("t10k-images-idx3-ubyte", 16).reshape(-1, 28, 28)
DIGITS, TEST_DIGITS = read_idx("train-labels-idx1-ubyte", 8), read_idx("t10k-labels-idx1-ubyte", 8)
EVERYTHING = np.concatenate([PIXELS, TEST_PIXELS])


def compute_box(images):
    """First and last row, first and last column with ink."""
    found = []
    for axis in (2, 1):
        marked, place = (images > 0).any(axis=axis), np.arange(images.shape[1])
        found += [np.where(marked, place, 99).min(axis=1), np.where(marked, place, -1).max(axis=1)]
    return found


def compute_centres(images):
    mass = images.sum(axis=(1, 2), dtype=float)
    place = np.arange(28.0)
    return [np.einsum(pattern, images, place) / mass for pattern in ("nrc,r->n", "nrc,c->n")]


def measure(ghosts, images):
    """Squared distances by (a - b)^2 = a^2 - 2ab + b^2, in float64."""
    a, b = images.reshape(len(images), -1).astype(float), ghosts.reshape(len(ghosts), -1).astype(float)
    return (a**2).sum(axis=1)[:, None] - 2 * a @ b.T + (b**2).sum(axis=1)


GHOSTS = np.stack([PIXELS[digit == DIGITS].mean(axis=0) for digit in range(10)])


def is_neutral(text):
    """JupyterLab shows the first line of a folded output: it must not give the answer away."""
    return not any(sign.isdigit() for sign in text.splitlines()[0])


def test_the_sets_are_those_of_the_files():
    assert PIXELS.shape == (60_000, 28, 28) and TEST_PIXELS.shape == (10_000, 28, 28)
    assert np.array_equal(train_images, PIXELS) and np.array_equal(train_labels, DIGITS)
    assert np.array_equal(test_images, TEST_PIXELS) and np.array_equal(test_labels, TEST_DIGITS)
    assert "training images 60,000, test images 10,000" in print_again("images, train_labels = ")
    files = [data.find_data_root() / "MNIST" / "raw" / f"{name}-ubyte" for name in ("train-images-idx3",)]
    assert [file.stat().st_size for file in files] == [16 + 60_000 * 28 * 28]


def test_the_first_picture_comes_from_torchvision():
    figure = find_figure("Forty digits drawn at random")
    assert figure is SHOWN[0] and len(figure.axes) == 40 and figure.axes[0].get_gridspec().ncols == 10
    places = {image.tobytes(): place for place, image in enumerate(PIXELS)}
    found = [places[image.astype(np.uint8).tobytes()] for image in images_of(figure)]
    assert [ax.get_title() for ax in figure.axes] == [str(DIGITS[place]) for place in found]
    assert len(set(found)) == 40 and found != sorted(found) and max(found) - min(found) > 30_000
    (source,) = (source for source in CELL_SOURCES if "prepare_files(root)" in source)
    for train, pixels in ((True, PIXELS), (False, TEST_PIXELS)):
        assert f"MNIST(root=root, train={train}, download=True)" in source
        assert np.array_equal(MNIST(root=root, train=train, download=True).data, pixels)
    assert type(train_set) is type(test_set) is MNIST and root == data.find_data_root()


def check_numbers(ax, index):
    (mesh,) = ax.collections
    assert np.array_equal(np.asarray(mesh.get_array()).reshape(28, 28), PIXELS[index])
    assert [int(text.get_text()) for text in ax.texts] == PIXELS[index].ravel().tolist()
    assert ax.get_title() == f"Training image {index}, a {DIGITS[index]}: to a computer, 784 numbers"
    assert axis_labels(ax) == ("column", "row") and ax.yaxis_inverted()
    assert mesh.get_cmap().name == "gray" and mesh.get_clim() == (0, 255)


def test_any_image_can_be_shown_as_numbers():
    check_numbers(find_axes("784 numbers"), 0)
    show_numbers(7)
    figure = plt.gcf()
    check_numbers(figure.axes[0], 7)
    plt.close(figure)
    assert np.array_equal(np.asarray(image), PIXELS[0]) and label == DIGITS[0] == 5
    assert print_again("type(image).__name__").strip() == "image: Image (28, 28) mode L    label: 5"


def test_small_tensor():
    table = np.array([[0, 40, 200], [0, 80, 255]])
    assert np.array_equal(small, table)
    expected = [
        table.shape, table[0], table[1, 2], table[:, 1], table[:, :2], table.max(), table.max(axis=1),
        table.max(axis=0), table.ravel(), table > 100, table[table > 100],
    ]  # fmt: skip
    lines = print_again("columns 0 and 1:").splitlines()
    assert len(lines) == len(expected)
    for line, value in zip(lines, expected):
        printed = re.split(r":\s|\?\s", line, maxsplit=1)[1].strip()
        assert np.array_equal(eval(printed), value), line
    text = print_again("mean of each column")
    assert "torch.int64 becomes torch.float32" in text and str(table.mean(axis=0).tolist()) in text


def test_shapes_of_the_images():
    text = print_again("shapes of the tensor")
    assert is_neutral(text)
    assert f"all:  (60000, 28, 28) torch.uint8\n[0]:  (28, 28)\nthrees: ({(DIGITS == 3).sum()}, 28, 28)" in text
    assert " ".join(map(str, PIXELS[0, 7, 6:21])) in text


def test_a_rule_of_if_and_else():
    middle = PIXELS[:, 12:16, 12:16].mean(axis=(1, 2))
    answers = np.where(middle > 90, 1, 0)
    assert [guess(picture) for picture in train_images[:500]] == answers[:500].tolist()
    two = DIGITS < 2
    assert np.isclose(rule_accuracy, 100 * np.mean(answers[two] == DIGITS[two]), atol=1e-3)
    assert np.isclose(rule_on_all, 100 * np.mean(answers == DIGITS), atol=1e-3)
    assert 95 < rule_accuracy < 97 and rule_on_all < 21
    assert np.isclose(score_rule(lambda picture: 3, [3, 7]), 100 * (DIGITS == 3).sum() / np.isin(DIGITS, (3, 7)).sum())
    lines = print_again("def score_rule").splitlines()
    assert lines[0] == f"of the digits [0, 1] the rule reads {rule_accuracy:.1f} % correctly"
    assert lines[1] == f"of all ten digits {rule_on_all:.1f} %"
    better = np.where(PIXELS[:, 14:16, 13:16].mean(axis=(1, 2)) > 80, 1, 0)  # the text asks for more than 98 %
    assert np.mean(better[two] == DIGITS[two]) > 0.98


def test_shares():
    ax = find_axes("The 1 is the most common digit, the 5 the rarest")
    for bars, name, digits, colour in zip(
        ax.containers, ("train", "test"), (DIGITS, TEST_DIGITS), (BLUE, ORANGE), strict=True
    ):
        share = [100 * np.mean(digits == digit) for digit in range(10)]
        assert np.allclose([bar.get_height() for bar in bars], share)
        assert {to_hex(bar.get_facecolor()).upper() for bar in bars} == {colour}
        assert np.allclose(shares[name], share)
        assert list(counts[name]) == [(digits == digit).sum() for digit in range(10)]
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts == ["all equal", "train", "test"]
    assert [to_hex(p.get_facecolor()).upper() for p in ax.get_legend().get_patches()] == [BLUE, ORANGE]
    assert axis_labels(ax) == ("digit", "share (%)")
    assert [text.get_text() for text in ax.get_xticklabels()] == [str(digit) for digit in range(10)]
    assert any(np.allclose(line.get_ydata(), 10) for line in ax.lines)
    assert {bar.get_hatch() for bar in ax.containers[1]} == {"//"}
    assert counts.train.idxmax() == counts.test.idxmax() == 1 and counts.train.idxmin() == counts.test.idxmin() == 5
    every = [100 * np.mean(digits == d) for digits in (DIGITS, TEST_DIGITS) for d in range(10)]
    assert np.isclose(smallest, min(every)) and np.isclose(largest, max(every))
    assert smallest > 8.5 and largest < 11.5


def test_ghosts():
    figure = find_figure("Ten ghosts")
    assert [ax.get_title() for ax in figure.axes] == [f"mean {digit}" for digit in range(10)]
    assert np.allclose(images_of(figure), GHOSTS, atol=1e-3) and np.allclose(means, GHOSTS, atol=1e-3)
    expected = measure(GHOSTS, TEST_PIXELS)
    assert np.allclose(distances, expected**0.5, rtol=1e-3)
    accuracy = 100 * np.mean(expected.argmin(axis=1) == TEST_DIGITS)
    assert abs(ghost_accuracy - accuracy) < 0.05 and abs(accuracy - 82) < 1
    assert np.mean(expected.argmin(axis=1) == ghost_answers.numpy()) > 0.999
    text = print_again("that the ghosts read correctly:")
    assert is_neutral(text) and text.splitlines()[1] == f"{accuracy:.1f} %"


def test_nearest_neighbours():
    assert neighbours.shape == (10_000,) and torch.equal(answers, train_labels[neighbours])
    places = np.r_[0:10_000:50, np.flatnonzero(answers.numpy() != TEST_DIGITS)[::3]]  # right ones, and wrong ones
    expected = measure(PIXELS, TEST_PIXELS[places])
    found = np.take_along_axis(expected, neighbours[places].numpy()[:, None], axis=1)[:, 0]
    assert np.allclose(found, expected.min(axis=1), rtol=1e-5)
    assert np.mean(expected.argmin(axis=1) == neighbours[places].numpy()) > 0.99
    accuracy = 100 * np.mean(DIGITS[neighbours] == TEST_DIGITS)
    assert abs(neighbour_accuracy - accuracy) < 1e-3 and 96.5 < accuracy < 97.5
    assert np.array_equal(wrong, np.flatnonzero(DIGITS[neighbours] != TEST_DIGITS))
    assert np.array_equal(train_rows, PIXELS.reshape(60_000, -1)) and train_rows.numel() == 47_040_000
    (source,) = (source for source in CELL_SOURCES if "test_rows.split(500)" in source)
    first = re.search(r'print\("([^"{]*)"\)', source)[1]
    assert is_neutral(first) and 'print(f"{neighbour_accuracy:.1f} %, in {1000 * seconds / 10_000:.1f} ms' in source
    assert 0 < seconds < 300


def test_confusions():
    pairs, counted = np.unique(
        np.stack([TEST_DIGITS, DIGITS[neighbours]])[:, wrong.numpy()], axis=1, return_counts=True
    )
    table = confused.value_counts()
    assert {tuple(pair): count for pair, count in zip(pairs.T.tolist(), counted.tolist())} == table.to_dict()
    assert table.index[0] == (4, 9) and len(print_again("confused.value_counts()").splitlines()) >= 6


def check_stroll(figure, digit):
    pictures, half = images_of(figure), len(figure.axes) // 2
    assert half == min(8, (TEST_DIGITS[wrong.numpy()] == digit).sum())
    titles = [ax.get_title() for ax in figure.axes]
    for above, below, number, read in zip(pictures[:half], pictures[half:], titles[:half], titles[half:], strict=True):
        place = int(number.removeprefix("no. "))
        assert TEST_DIGITS[place] == digit and place in wrong and np.array_equal(above, TEST_PIXELS[place])
        near = neighbours[place].item()
        assert np.array_equal(below, PIXELS[near]) and read == f"a {DIGITS[near]}" != f"a {digit}"
    assert figure.get_suptitle() == f"Each {digit} above was read as the digit of its nearest neighbour below"


def test_stroll():
    check_stroll(find_figure("above was read as"), 4)
    seen = set()
    for digit, seed in ((0, 0), (8, 0), (8, 1)):
        stroll(digit, seed)
        check_stroll(plt.gcf(), digit)
        seen.add(tuple(ax.get_title() for ax in plt.gcf().axes))
        plt.close()
    assert len(seen) == 3


def test_moved_digits():
    assert len(few.unique()) == 500 and few.max() > 9_000 and few.min() < 1_000  # from all over
    for pixels in (0, 2):
        shifted = np.roll(TEST_PIXELS[few], pixels, axis=2)
        assert pixels == 0 or (shifted[:, :, :pixels] > 0).any(axis=(1, 2)).mean() < 0.02  # hardly any ink comes round
        expected = DIGITS[measure(PIXELS, shifted).argmin(axis=1)]
        assert abs(moved_accuracy[pixels] - 100 * np.mean(expected == TEST_DIGITS[few])) < 0.41
    assert moved_accuracy == sorted(moved_accuracy, reverse=True) and len(moved_accuracy) == 3
    unmoved = 100 * np.mean(answers[few].numpy() == TEST_DIGITS[few])
    assert abs(moved_accuracy[0] - unmoved) < 0.01


def test_two_halves():
    mistakes = (DIGITS[neighbours] != TEST_DIGITS).reshape(10, 1_000).sum(axis=1)
    ax = find_axes("mistakes in the first half of the test set")
    assert ax.get_title().startswith(f"{mistakes[:5].sum()} mistakes in the first half of the test set, ")
    assert ax.get_title().endswith(f", {mistakes[5:].sum()} in the rest")
    assert [bar.get_height() for bar in ax.patches] == mistakes.tolist() == by_thousand
    assert [round(bar.get_x() + bar.get_width() / 2) for bar in ax.patches] == list(range(10))
    assert [text.get_text() for text in ax.texts] == [str(count) for count in mistakes]
    assert [to_hex(bar.get_facecolor()).upper() for bar in ax.patches] == [BLUE] * 5 + [ORANGE] * 5
    assert [bar.get_hatch() for bar in ax.patches] == [None] * 5 + ["//"] * 5
    assert [text.get_text() for text in ax.get_xticklabels()] == [f"{1000 * i:,}" for i in range(10)]
    assert axis_labels(ax) == ("the 1,000 test images from this one on", "mistakes")
    assert (first_half, second_half) == (mistakes[:5].sum(), mistakes[5:].sum()) and first_half > 2 * second_half
    text = print_again("by_thousand = [")
    assert is_neutral(text)
    assert text.splitlines()[1].startswith(f"{first_half} and {second_half}, {first_half / second_half:.1f} times")
    ghosts = (measure(GHOSTS, TEST_PIXELS).argmin(axis=1) != TEST_DIGITS).reshape(2, 5_000).sum(axis=1)
    assert ghosts[0] > 1.4 * ghosts[1]  # the ghosts find the same


def test_every_network_finds_the_first_half_harder():
    files = sorted(data.find_data_root().glob("runs/*/predictions.npy"))
    assert len(files) > 40
    for file in files:
        halves = (np.load(file) != TEST_DIGITS).reshape(2, 5_000).sum(axis=1)
        assert halves[0] > 1.5 * halves[1], file.parent.name


def test_digits_in_a_row():
    figure = find_figure("Twenty test digits in a row")
    expected = np.concatenate([TEST_PIXELS[1_000:1_020], TEST_PIXELS[7_500:7_520]])
    assert np.array_equal(images_of(figure), expected) and figure.axes[0].get_gridspec().ncols == 20
    assert TEST_DIGITS[7_506:7_520].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3]
    amount = TEST_PIXELS.reshape(2, 5_000, -1).mean(axis=2)
    expected = [np.corrcoef(half[:-1], half[1:])[0, 1] for half in amount]
    assert np.allclose(together, expected, atol=1e-4) and abs(expected[0]) < 0.1 < 0.2 < expected[1]
    assert f"first half {expected[0]:.2f}, second half {expected[1]:.2f}" in print_again("digit's ink with that of")


def test_samples():
    text = print_again("the first 1,000")
    mistakes = DIGITS[neighbours] != TEST_DIGITS
    assert len(drawn.unique()) == 1_000 and drawn.max() > 9_900 and (drawn.diff() == 1).sum() < 10
    values = [100 * mistakes[:1_000].mean(), 100 * mistakes[drawn].mean(), 100 * mistakes.mean()]
    lines = text.splitlines()
    assert len(lines) == 3 and all(f" {value:.1f} % read inc" in line for value, line in zip(values[:2], lines))
    assert lines[2].endswith(f" {values[2]:.1f} %")
    assert values[0] - values[2] > 3 * abs(values[1] - values[2])


def test_grey_values():
    ax = find_axes("of all training pixels are black")
    expected = np.bincount(PIXELS.ravel(), minlength=256)
    share = 100 * expected / expected.sum()
    (line,) = ax.lines
    assert np.array_equal(line.get_xdata(), range(256)) and np.allclose(line.get_ydata(), share)
    assert ax.get_title() == f"{share[0]:.1f} % of all training pixels are black" and 80 < share[0] < 82
    assert axis_labels(ax) == ("grey value (0 black, 255 white)", "share of all pixels (%)")
    assert ax.get_yscale() == "log" and ax.get_ylim()[0] < share.min() and share.max() < ax.get_ylim()[1]
    for text in ax.texts:
        value = int(text.get_text())
        assert np.allclose(text.get_position(), (value, 1.6 * share[value]))
        assert share[value] == share[max(value - 5, 0) : value + 6].max()
    assert [text.get_text() for text in ax.texts] == ["0", "64", "128", "191", "253"]
    text = print_again("the most common value above 0")
    assert f"exactly 0: {share[0]:.1f} %, exactly 255: {share[255]:.1f} %" in text
    assert f"above 0: {1 + expected[1:].argmax()}\n" in text
    dead = PIXELS.max(axis=0) == 0
    rows, columns = np.nonzero(dead)
    assert ((rows < 3) | (rows > 24) | (columns < 3) | (columns > 24)).all()
    assert f"{dead.sum()} pixels are 0 in every image, 0 of the inner 22 x 22" in text


def test_boxes():
    expected = compute_box(EVERYTHING)
    assert all(np.array_equal(mine, own) for mine, own in zip((top, bottom, left, right), expected))
    first_row, last_row, first_column, last_column = expected
    longer = np.maximum(last_row - first_row, last_column - first_column) + 1
    assert np.array_equal(longer_side, longer) and len(all_images) == 70_000
    margin = np.stack([first_row, 27 - last_row, first_column, 27 - last_column])
    numbers = [(longer <= 20).sum(), (longer == 20).sum(), (margin >= 4).all(axis=0).sum()]
    lines = print_again("fit a box of 20 x 20").splitlines()[1:4]
    assert [int(line.split()[0].replace(",", "")) for line in lines] == numbers
    assert numbers[0] == 70_000 and numbers[1] > 69_900 and 0.2 < numbers[2] / 70_000 < 0.26


def test_centres_of_mass():
    rows, columns = compute_centres(EVERYTHING)
    assert np.allclose(row_centre, rows) and np.allclose(column_centre, columns)
    within = (abs(rows - 14) <= 0.5) & (abs(columns - 14) <= 0.5)
    text = print_again("within half a pixel of (14, 14)")
    assert f"within half a pixel of (14, 14): {within.sum():,} of 70,000" in text and within.sum() > 69_990
    assert f"mean row {rows.mean():.2f}, mean column {columns.mean():.2f}" in text
    for values in (rows, columns):  # spread evenly over a pixel
        assert abs(values.mean() - 14) < 0.01 and abs(values.std() - 12**-0.5) < 0.01


def test_figure_of_box_and_centres():
    ax = find_axes("centres fill the square around (14, 14)")
    assert ax.get_title().startswith(f"{near.sum():,} ")
    one = ax.figure.axes[0]
    first_row, last_row, first_column, last_column = (value[0] for value in compute_box(EVERYTHING[[0]]))
    assert np.array_equal(images_of(one)[0], EVERYTHING[0])
    (box,) = one.patches
    assert box.get_xy() == (first_column - 0.5, first_row - 0.5)
    assert (box.get_width(), box.get_height()) == (last_column - first_column + 1, last_row - first_row + 1)
    (cross,) = one.lines
    row, column = (centre[0] for centre in compute_centres(EVERYTHING[[0]]))
    assert cross.get_marker() == "+" and np.allclose([cross.get_xdata()[0], cross.get_ydata()[0]], [column, row])
    assert one.get_title() == "The box of a digit's ink and its centre (+)" and axis_labels(one) == ("column", "row")
    rows, columns = compute_centres(EVERYTHING)
    (mesh,) = ax.collections
    edges = np.linspace(13.3, 14.7, 57)
    table, _, _ = np.histogram2d(rows, columns, bins=[edges, edges])  # rows run down the picture
    assert np.abs(np.asarray(mesh.get_array()).reshape(56, 56) - table).sum() <= 20  # rounding at the bins' edges
    assert np.allclose(mesh.get_coordinates()[0, :, 0], edges) and np.allclose(mesh.get_coordinates()[:, 0, 1], edges)
    for label, marker, place in (("middle of the image", "x", 13.5), ("pixel (14, 14)", "o", 14)):
        (line,) = (line for line in ax.lines if line.get_label() == label)
        assert line.get_marker() == marker and [*line.get_xdata(), *line.get_ydata()] == [place, place]
    assert axis_labels(ax) == ("column", "row") and ax.yaxis_inverted()
    assert ax.figure.axes[2].get_ylabel() == "images"


def test_mean_and_standard_deviation():
    own = PIXELS.astype(np.float32) / 255
    assert abs(pixel_mean - own.mean(dtype=float)) < 1e-6 and abs(pixel_std - own.std(dtype=float)) < 1e-6
    assert "mean 0.1307   standard deviation 0.3081" in print_again("pixel_std:.4f")


def test_ranges():
    pairs = {"unit": (0, 1), "half": (0.5, 0.5), "mnist": (0.1307, 0.3081), "1998": (0.1 / 1.275, 1 / 1.275)}
    lines = print_again("NORMALISATIONS.items()").splitlines()
    for line, (name, (mean, std)) in zip(lines, pairs.items(), strict=True):
        assert line.startswith(name)
        black, white = find_numbers(line.removeprefix(name))
        assert np.allclose([black, white], [-mean / std, (1 - mean) / std], atol=5.1e-5)


def test_transforms():
    own = torch.tensor(PIXELS[0]) / 255
    assert torch.allclose(to_tensor(image)[0], own) and torch.allclose(transform(image)[0], (own - 0.1307) / 0.3081)
    assert torch.equal(sample, transform(image)) and digit == DIGITS[0]
    text = print_again('("ToTensor", to_tensor')
    assert (
        "ToTensor (1, 28, 28), from 0.0000 to 1.0000" in text and "both     (1, 28, 28), from -0.4242 to 2.8215" in text
    )
    assert "the same from the dataset: True" in text


def test_pad_and_resize():
    figure = find_figure("Resizing makes the digit larger")
    bigger = Image.fromarray(PIXELS[0]).resize((32, 32), Image.Resampling.BILINEAR)
    expected = {"padded": np.pad(PIXELS[0], 2) / 255, "resized": np.asarray(bigger) / 255}
    for (whole, detail), (name, version) in zip(np.reshape(figure.axes, (2, 2)), expected.items(), strict=True):
        assert np.allclose(images_of(whole)[0], version, atol=0.006)
        assert np.allclose(images_of(detail)[0], version[6:18, 14:26], atol=0.006)
        assert detail.images[0].get_extent() == [13.5, 25.5, 17.5, 5.5]
        (frame,) = whole.patches
        assert (*frame.get_xy(), frame.get_width(), frame.get_height()) == (13.5, 5.5, 12, 12)
        greys = ((version > 0) & (version < 1)).sum()
        assert (
            whole.get_title() == f"{name}: the whole image"
            and detail.get_title() == f"{name}: {greys} grey pixels in all"
        )
        assert {axis_labels(ax) for ax in (whole, detail)} == {("column", "row")}
        assert {ax.images[0].get_clim() for ax in (whole, detail)} == {(0, 1)}
    box = compute_box(np.stack([expected["padded"], expected["resized"]]))
    assert box[1][1] - box[0][1] > box[1][0] - box[0][0]  # the resized digit is larger


def test_all_at_once():
    own = (np.pad(PIXELS[:100], ((0, 0), (2, 2), (2, 2)))[:, None] / 255 - 0.1307) / 0.3081
    for images in (at_once, one_by_one):
        assert images.dtype == torch.float32 and np.allclose(images, own, atol=1e-5)
    assert "(100, 1, 32, 32)" in print_again("at_once = prepare_images")


def test_split():
    assert len(train_part) == 55_000 and len(validation_part) == 5_000
    assert not set(train_part.tolist()) & set(validation_part.tolist())
    assert len(set(train_part.tolist() + validation_part.tolist())) == 60_000
    expected = data.split_train_validation(train_labels, validation_size=5_000, seed=SEED)
    assert torch.equal(train_part, expected[0]) and torch.equal(validation_part, expected[1])
    in_train, in_validation = (np.bincount(DIGITS[part]) for part in (train_part, validation_part))
    assert abs(in_train / 550 - in_validation / 50).max() < 0.05  # stratified
    text = print_again("to train on")
    assert f"threes among them: {in_train[3]:,} and {in_validation[3]:,}" in text and text.startswith("55,000 to train")


def test_summary():
    text = print_again("test images read correctly, without a network:")
    assert f"ten averages {ghost_accuracy:.1f} %, the nearest of 60,000 images {neighbour_accuracy:.1f} %" in text
    assert f"mistakes in the first half {first_half}, in the second {second_half}" in text


def test_figure_of_the_split():
    ax = find_axes("of all digits are there to be learned from")
    expected = {"training": 55_000, "validation": 5_000, "test": 10_000}
    assert sizes == expected and ax.get_title().startswith(f"{100 * 55 / 70:.0f} % ")
    widths = [bar.get_width() for bar in ax.patches]
    assert np.allclose(np.divide(widths, sum(widths)), [55 / 70, 5 / 70, 10 / 70])
    words = " ".join(text.get_text() for text in ax.texts)
    assert all(f"{name} {count:,}" in words for name, count in expected.items())


def test_five_ways():
    """The five programs of exercise 4, written again in NumPy; and what the solution says of their numbers."""
    grey, mean, std = TEST_PIXELS.astype(float), 0.1307, 0.3081
    unit, once = grey / 255, (grey / 255 - mean) / std
    ways = {"A": (unit - unit.mean()) / unit.std(), "B": (once - mean) / std, "C": once}
    ways |= {"D": (grey - mean) / std, "E": unit / std - mean}
    lines = print_again("prepare_five_ways(test_images)").splitlines()
    assert lines[0].split() == ["smallest", "largest", "mean", "standard", "deviation"]
    for line, (letter, wanted) in zip(lines[1:], ways.items(), strict=True):
        numbers = [wanted.min(), wanted.max(), wanted.mean(), wanted.std()]
        assert line[0] == letter and np.allclose(find_numbers(line[1:]), numbers, rtol=1e-4, atol=2e-4), letter


def test_the_split_with_mistakes():
    torch.manual_seed(5)
    wrong_training, wrong_validation = split_digits(train_images[:300], train_labels[:300], 100)
    assert len(wrong_training[0]) == 200 and len(wrong_validation[0]) == 100
    assert torch.equal(wrong_validation[1], train_labels[:100])  # not those of the images
    own = {picture.numpy().tobytes() for picture in wrong_training[0]}
    shared_ = sum(picture.numpy().tobytes() in own for picture in wrong_validation[0])
    assert 40 < shared_ < 90  # two images of three
    text = print_again("def split_digits")
    (right, _), (twins,) = (find_numbers(line) for line in text.splitlines())
    own = {picture.numpy().tobytes() for picture in training[0]}
    assert twins == sum(picture.numpy().tobytes() in own for picture in validation[0]) > 400
    near_ = DIGITS[:3_000][measure(PIXELS[:3_000], validation[0].numpy()).argmin(axis=1)]  # of all, twins among them
    assert 30 < right < 80 and len(validation[0]) == 500 and np.mean(near_ == validation[1].numpy()) < 0.2
