"""Checks of notebooks/01_dataset_exploration.ipynb: its numbers and figures, computed again from the files."""
# ruff: noqa: F821  (the names are the notebook's)

import contextlib
import io

import numpy as np
import torch
from matplotlib.colors import to_hex
from torch.utils.data import RandomSampler, SequentialSampler
from torchvision.transforms.functional import resize, to_pil_image, to_tensor

from lenet_utils import data
from lenet_utils.plotting import BLUE, GREY, ORANGE


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


def find_nearest(ghosts, images):
    """Squared distances by (a - b)^2 = a^2 - 2ab + b^2, in float64."""
    a, b = images.reshape(len(images), -1).astype(float), ghosts.reshape(10, -1)
    return (a**2).sum(axis=1)[:, None] - 2 * a @ b.T + (b**2).sum(axis=1)


GHOSTS = np.stack([PIXELS[digit == DIGITS].mean(axis=0) for digit in range(10)])


def test_the_sets_are_those_of_the_files():
    assert PIXELS.shape == (60_000, 28, 28) and TEST_PIXELS.shape == (10_000, 28, 28)
    assert np.array_equal(train_set.data, PIXELS) and np.array_equal(train_labels, DIGITS)
    assert np.array_equal(test_set.data, TEST_PIXELS) and np.array_equal(test_labels, TEST_DIGITS)
    assert (raw / "train-images-idx3-ubyte").stat().st_size == 16 + 60_000 * 28 * 28
    assert np.array_equal(pixels, PIXELS[0]) and label == DIGITS[0] == 5
    assert "Number of datapoints: 60000" in print_again('"Root" not in line').split("Split: Train")[0]


def test_numbers_of_the_first_image():
    ax = find_axes("Training image 0, a 5")
    (mesh,) = ax.collections
    assert np.array_equal(np.asarray(mesh.get_array()).reshape(28, 28), PIXELS[0])
    assert [int(text.get_text()) for text in ax.texts] == PIXELS[0].ravel().tolist()
    assert axis_labels(ax) == ("column", "row") and ax.yaxis_inverted()
    assert mesh.get_cmap().name == "gray" and mesh.get_clim() == (0, 255)


def test_any_image_can_be_shown_as_numbers():
    show_numbers(7)
    figure = plt.gcf()
    (ax,) = figure.axes
    assert ax.get_title() == f"Training image 7, a {DIGITS[7]}"
    assert np.array_equal(np.asarray(ax.collections[0].get_array()).reshape(28, 28), PIXELS[7])
    plt.close(figure)


def test_shares():
    ax = find_axes("Share of each digit")
    for bars, name, digits, colour in zip(
        ax.containers, ("train", "test"), (DIGITS, TEST_DIGITS), (BLUE, ORANGE), strict=True
    ):
        share = [100 * np.mean(digits == digit) for digit in range(10)]
        assert np.allclose([bar.get_height() for bar in bars], share)
        assert {to_hex(bar.get_facecolor()).upper() for bar in bars} == {colour}
        assert np.allclose(shares[name], share)
        assert list(counts[name]) == [(digits == digit).sum() for digit in range(10)]
    handles, names = ax.get_legend_handles_labels()
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts == ["all equal", "train", "test"]
    colours = [to_hex(p.get_facecolor()).upper() for p in ax.get_legend().get_patches()]
    assert colours == [BLUE, ORANGE]
    assert axis_labels(ax) == ("digit", "share (%)")
    assert [text.get_text() for text in ax.get_xticklabels()] == [str(digit) for digit in range(10)]
    assert any(np.allclose(line.get_ydata(), 10) for line in ax.lines)
    assert shares.min().min() > 8.9 and shares.max().max() < 11.4
    assert counts.train.idxmax() == counts.test.idxmax() == 1
    assert counts.train.idxmin() == counts.test.idxmin() == 5
    train, test = (max(abs(100 * np.mean(digits == d) - 10) for d in range(10)) for digits in (DIGITS, TEST_DIGITS))
    assert f"{train:.1f} points in the training set, {test:.1f} in the test set" in print_again("furthest = (")


def test_ghosts():
    figure = find_figure("mean 0")
    assert [ax.get_title() for ax in figure.axes] == [f"mean {digit}" for digit in range(10)]
    assert np.allclose(images_of(figure), GHOSTS, atol=1e-3) and np.allclose(means, GHOSTS, atol=1e-3)
    white = 100 * PIXELS.reshape(len(PIXELS), -1).mean(axis=1) / 255
    expected = [white[digit == DIGITS].mean() for digit in range(10)]
    text = print_again("ink in % of a white square")
    assert np.allclose(ink, expected, atol=1e-3)
    assert all(f"{digit}: {share:.1f}" in text for digit, share in enumerate(expected))


def test_nearest_ghost():
    answers = find_nearest(GHOSTS, TEST_PIXELS).argmin(axis=1)
    accuracy = 100 * np.mean(answers == TEST_DIGITS)
    assert abs(ghost_accuracy - accuracy) < 0.05 and abs(accuracy - 82) < 1
    assert np.mean(answers == nearest.numpy()) > 0.999
    first, share = print_again("that the ghosts read correctly:").splitlines()  # JupyterLab shows the first when folded
    assert not any(sign.isdigit() for sign in first) and share == f"{accuracy:.1f} %"
    assert wrong.tolist() == np.flatnonzero(nearest.numpy() != TEST_DIGITS).tolist()


def test_ghosts_of_a_few_images():
    figure = find_figure("images per digit:")
    assert figure.get_suptitle().startswith("images per digit: 3; ")
    drawn = np.stack(images_of(figure))
    answers = find_nearest(drawn, TEST_PIXELS).argmin(axis=1)
    accuracy = 100 * np.mean(answers == TEST_DIGITS)
    assert f" {accuracy:.1f} % correct" in figure.get_suptitle() and abs(accuracy - small_ghost_accuracy) < 0.05
    for digit, ghost in enumerate(drawn):  # thirds of whole numbers, and near the digit's own mean
        assert np.allclose(3 * ghost, np.round(3 * ghost), atol=1e-3)
        assert np.corrcoef(ghost.ravel(), GHOSTS[digit].ravel())[0, 1] > 0.6
    assert 50 < small_ghost_accuracy < ghost_accuracy
    assert try_ghosts(3, SEED) == small_ghost_accuracy != try_ghosts(3, SEED + 1)
    assert abs(try_ghosts(10_000, SEED) - ghost_accuracy) < 0.05  # all there are
    for _ in range(3):
        plt.close()


def test_grey_values():
    ax = find_axes("Grey values of the training set")
    expected = np.bincount(PIXELS.ravel(), minlength=256)
    bars = ax.patches
    assert len(bars) == 256 and np.array_equal([bar.get_height() for bar in bars], expected)
    assert np.allclose([bar.get_x() + bar.get_width() / 2 for bar in bars], range(256))
    assert axis_labels(ax) == ("grey value (0 black, 255 white)", "pixels (log scale)") and ax.get_yscale() == "log"
    share = 100 * expected / expected.sum()
    text = print_again("the most common value above 0")
    assert f"pixels: {expected.sum():,}\n" in text and f"exactly 0: {share[0]:.1f} %" in text
    assert f"between:   {share[1:-1].sum():.1f} %" in text and f"exactly 255: {share[255]:.1f} %" in text
    assert f"above 0: {1 + expected[1:].argmax()}\n" in text and 80 < share[0] < 82
    dead = PIXELS.max(axis=0) == 0
    rows, columns = np.nonzero(dead)
    outside = (rows < 3) | (rows > 24) | (columns < 3) | (columns > 24)
    assert outside.all() and f"{dead.sum()} pixels are 0 in every image, 0 of the inner 22 x 22" in text
    assert inner.shape == (22, 22) and np.array_equal(inner, dead[3:25, 3:25])


def test_boxes():
    expected = compute_box(EVERYTHING)
    assert all(np.array_equal(mine, own) for mine, own in zip((top, bottom, left, right), expected))
    first_row, last_row, first_column, last_column = expected
    longer = np.maximum(last_row - first_row, last_column - first_column) + 1
    assert np.array_equal(longer_side, longer) and len(all_images) == 70_000
    margin = np.stack([first_row, 27 - last_row, first_column, 27 - last_column])
    numbers = [
        (longer <= 20).sum(),
        (longer == 20).sum(),
        (margin >= 4).all(axis=0).sum(),
        (margin == 0).any(axis=0).sum(),
    ]
    lines = print_again("fit a box of 20 x 20").splitlines()[1:5]
    assert [int(line.split()[0].replace(",", "")) for line in lines] == numbers
    assert numbers[0] == 70_000 and numbers[1] > 69_900 and 0.2 < numbers[2] / 70_000 < 0.26


def test_centres_of_mass():
    rows, columns = compute_centres(EVERYTHING)
    assert np.allclose(row_centre, rows) and np.allclose(column_centre, columns)
    within = (abs(rows - 14) <= 0.5) & (abs(columns - 14) <= 0.5)
    text = print_again("within half a pixel of (14, 14)")
    assert f"within half a pixel of (14, 14): {within.sum():,} of 70,000" in text
    for name, values in (("row   ", rows), ("column", columns)):
        assert f"{name} from {values.min():.3f} to {values.max():.3f}, mean {values.mean():.3f}, " in text
        assert f"mean {values.mean():.3f}, standard deviation {values.std():.3f}" in text
        assert abs(values.mean() - 14) < 0.01 and abs(values.std() - 12**-0.5) < 0.01
    assert within.sum() > 69_900 and "1 / sqrt(12) = 0.289" in text


def check_box(ax, index):
    """The digit of this place among all 70,000, its box and its centre."""
    first_row, last_row, first_column, last_column = (value[0] for value in compute_box(EVERYTHING[[index]]))
    assert np.array_equal(images_of(ax)[0], EVERYTHING[index])
    (box,) = ax.patches
    assert box.get_xy() == (first_column - 0.5, first_row - 0.5)
    assert (box.get_width(), box.get_height()) == (last_column - first_column + 1, last_row - first_row + 1)
    (cross,) = ax.lines
    row, column = (centre[0] for centre in compute_centres(EVERYTHING[[index]]))
    assert cross.get_marker() == "+" and np.allclose([cross.get_xdata()[0], cross.get_ydata()[0]], [column, row])
    assert ax.get_title() == "Ink box and centre of mass (+)" and axis_labels(ax) == ("column", "row")


def test_figure_of_box_and_centres():
    ax = find_axes("70,000 centres of mass")
    check_box(ax.figure.axes[0], 0)
    assert ax.figure.axes[1] is ax and "(x: middle of the image)" in ax.get_title()
    rows, columns = compute_centres(EVERYTHING)
    (mesh,) = ax.collections
    edges = np.linspace(13.3, 14.7, 57)
    table, _, _ = np.histogram2d(rows, columns, bins=[edges, edges])  # rows run down the picture
    assert np.abs(np.asarray(mesh.get_array()).reshape(56, 56) - table).sum() <= 20  # rounding at the bins' edges
    assert np.allclose(mesh.get_coordinates()[0, :, 0], edges) and np.allclose(mesh.get_coordinates()[:, 0, 1], edges)
    (middle,) = ax.lines
    assert middle.get_marker() == "x" and (middle.get_xdata()[0], middle.get_ydata()[0]) == (13.5, 13.5)
    assert axis_labels(ax) == ("column", "row") and ax.yaxis_inverted()


def check_look(figure, index):
    one, ten = figure.axes
    check_box(one, 60_000 + index)
    expected = find_nearest(GHOSTS, TEST_PIXELS[[index]])[0] ** 0.5
    assert np.allclose([bar.get_height() for bar in ten.patches], expected, rtol=1e-3)
    winner = expected.argmin()
    assert ten.get_title() == f"nearest ghost: {winner}; true digit: {TEST_DIGITS[index]}"
    colours = [to_hex(bar.get_facecolor()).upper() for bar in ten.patches]
    assert colours == [BLUE if digit == winner else GREY for digit in range(10)]
    assert axis_labels(ten) == ("digit", "distance to its ghost")


def test_any_test_image_can_be_looked_at():
    check_look(find_figure("nearest ghost: "), int(wrong[1]))
    for index in (0, 9_999):
        with contextlib.redirect_stdout(io.StringIO()) as text:
            look_at(index)
        order = find_nearest(GHOSTS, TEST_PIXELS[[index]])[0].argsort()
        assert text.getvalue() == f"from near to far: {' '.join(map(str, order))}\n"
        check_look(plt.gcf(), index)
        plt.close()


def test_mean_and_standard_deviation():
    scaled = PIXELS.astype(np.float32) / 255
    assert abs(pixel_mean - scaled.mean(dtype=float)) < 1e-6 and abs(pixel_std - scaled.std(dtype=float)) < 1e-6
    assert "mean 0.1307   standard deviation 0.3081" in print_again("pixel_std:.4f")


def test_ranges():
    pairs = {"unit": (0, 1), "half": (0.5, 0.5), "mnist": (0.1307, 0.3081)}
    names = ["mean", "standard deviation", "black (0) becomes", "white (255) becomes"]
    assert list(ranges.columns) == names
    for name, (mean, std) in pairs.items():
        ends = (torch.tensor([0, 255]) / 255 - mean) / std
        assert np.allclose(ranges.loc[name], [mean, std, *ends.tolist()])
    assert np.allclose(ranges.loc["mnist"].iloc[2:].tolist(), [-0.4242, 2.8215], atol=5e-5)
    assert ranges.loc["half"].iloc[2:].tolist() == [-1, 1] and ranges.loc["unit"].iloc[2:].tolist() == [0, 1]


def make_versions(images):
    """As torchvision makes them: a PIL image resized, and numpy's padding."""
    scaled = images / 255
    resized = [to_tensor(resize(to_pil_image(torch.tensor(image)), [32, 32], antialias=True))[0] for image in images]
    return {
        "28 x 28": scaled,
        "padded to 32": np.pad(scaled, ((0, 0), (2, 2), (2, 2))),
        "resized to 32": np.stack(resized),
    }


def test_pad_and_resize():
    figure = find_figure("padded to 32")
    expected = make_versions(PIXELS[[4]])
    assert [ax.get_title() for ax in figure.axes] == list(expected)
    for ax, version in zip(figure.axes, expected.values()):
        assert images_of(ax)[0].shape == version[0].shape
        assert np.allclose(images_of(ax)[0], version[0], atol=0.006)  # torchvision rounds PIL's grey values
        assert ax.images[0].get_clim() == (0, 1)


def test_strokes():
    expected = data.prepare_images(train_set.data[:10_000], "unit")[:, 0].numpy()
    versions = {
        "28 x 28": expected,
        "padded to 32": np.pad(expected, ((0, 0), (2, 2), (2, 2))),
        "resized to 32": data.prepare_images(train_set.data[:10_000], "unit", size=32, method="resize")[:, 0].numpy(),
    }
    for name, images in versions.items():
        first_row, last_row, first_column, last_column = compute_box(images)
        values = [
            images.sum(axis=(1, 2)).mean(dtype=float),
            ((images > 0) & (images < 1)).sum(axis=(1, 2)).mean(),
            (images >= 249.9 / 255).sum(axis=(1, 2)).mean(),
            abs(images[:, :, 1:] - images[:, :, :-1]).max(axis=(1, 2)).mean(dtype=float),
            (np.maximum(last_row - first_row, last_column - first_column) + 1).mean(),
        ]
        assert np.allclose(strokes[name], values, rtol=1e-3)
    ratio = strokes["resized / padded"]
    assert np.allclose(ratio, strokes["resized to 32"] / strokes["padded to 32"])
    more, grey, bright, jump, side = ratio
    assert abs(more - (32 / 28) ** 2) < 0.02 and more == more_ink
    assert grey > 1.5 and bright < 0.7 and jump < 0.9 and side > 1.1
    assert [name.split(" (")[0] for name in strokes.index] == [
        "ink", "grey pixels", "bright pixels", "greatest jump to the next pixel", "longer side of the digit"
    ]  # fmt: skip


def test_transform():
    scaled = torch.tensor(PIXELS[0]) / 255
    assert torch.allclose(as_tensor[0], scaled) and as_tensor.dtype == torch.float32
    assert torch.allclose(normalised[0], (scaled - 0.1307) / 0.3081)
    assert torch.equal(transform(image), normalised)
    sample, digit = transformed_set[3]
    assert torch.allclose(sample[0], (torch.tensor(PIXELS[3]) / 255 - 0.1307) / 0.3081) and digit == DIGITS[3]
    text = print_again("Normalize: {tuple")
    assert "ToTensor:  (1, 28, 28), from 0.0000 to 1.0000" in text
    assert "Normalize: (1, 28, 28), from -0.4242 to 2.8215" in text


def test_batch_and_its_picture():
    assert batch_images.shape == (BATCH_SIZE, 1, 28, 28) and batch_labels.shape == (BATCH_SIZE,)
    (figure,) = (figure for figure in SHOWN if len(figure.axes) == 36)
    grey = np.round((np.stack(images_of(figure)) * 0.3081 + 0.1307) * 255)
    places = {image.tobytes(): place for place, image in enumerate(PIXELS)}
    found = [places[image.astype(np.uint8).tobytes()] for image in grey]
    assert [ax.get_title() for ax in figure.axes] == [str(DIGITS[place]) for place in found]
    assert len(set(found)) == 36 and found != sorted(found)
    assert figure.axes[0].get_gridspec().ncols == 6


def test_shuffling():
    assert beginnings[False, 1] == beginnings[False, 2] == DIGITS[:16].tolist()
    assert len({tuple(beginnings[key]) for key in ((False, 1), (True, 1), (True, 2))}) == 3
    assert isinstance(loader.sampler, RandomSampler)
    assert isinstance(usual_loader.sampler, RandomSampler)
    assert isinstance(make_loader(part_images, part_labels, 64, shuffle=False).sampler.sampler, SequentialSampler)


def test_all_at_once():
    own = (torch.tensor(PIXELS[:PART]).unsqueeze(1) / 255 - 0.1307) / 0.3081
    for images in (part_images, one_by_one, prepared, data.prepare_images(train_set.data[:PART])):
        assert images.dtype == torch.float32 and torch.allclose(images, own, rtol=0, atol=1e-6)
    assert np.array_equal(part_labels, DIGITS[:PART]) and len(part) == PART
    assert "all 60,000 images: 47 MB as uint8, 188 MB as float32" in print_again("MB as uint8")
    assert torch.equal(few_images, part_images[:4]) and few_labels.tolist() == DIGITS[:4].tolist()


def test_batches():
    for seed in (0, 5):
        ours, again = make_batches(part_set, seed), make_batches(part_set, seed)
        reference = data.make_loader(part_images, part_labels, BATCH_SIZE, shuffle=True, seed=seed)
        passes = [torch.cat([labels for _, labels in ours]) for _ in range(2)]
        assert not torch.equal(*passes) and torch.equal(*(p.sort().values for p in passes))
        assert torch.equal(passes[0], torch.cat([labels for _, labels in again]))
        assert torch.equal(passes[0], torch.cat([labels for _, labels in reference]))
    sizes = [len(labels) for _, labels in fast_loader]
    assert sizes == [BATCH_SIZE] * (PART // BATCH_SIZE) + [PART % BATCH_SIZE] and sum(sizes) == PART
    assert same == {"ours": PART, "the course's": PART}
    swapped = make_batches(TensorDataset(part_images, part_labels.roll(1)), SEED)
    usual = torch.cat([labels for _, labels in make_batches(part_set, SEED)])
    assert not torch.equal(usual, torch.cat([labels for _, labels in swapped]))


def test_times():
    assert len(usual_times) == len(fast_times) == 5 and torch.get_num_threads() == 1
    assert usual_seconds == min(usual_times) and fast_seconds == min(fast_times)
    assert speedup == usual_seconds / fast_seconds > 2


def test_split():
    assert len(train_part) == 55_000 and len(validation_part) == 5_000
    assert not set(train_part.tolist()) & set(validation_part.tolist())
    expected = data.split_train_validation(train_labels, validation_size=5_000, seed=SEED)
    assert torch.equal(train_part, expected[0]) and torch.equal(validation_part, expected[1])
    assert len(drawn.unique()) == 5_000 and not torch.equal(drawn.sort().values, validation_part)
    assert drawn.min() < 100 and drawn.max() > 59_900 and (drawn.diff() == 1).sum() < 10  # from all over, in no order
    for name, places in (("training", train_part), ("validation", validation_part), ("5,000 drawn", drawn)):
        (column,) = (column for column in split_shares if column.startswith(name))
        assert np.allclose(split_shares[column], [100 * np.mean(DIGITS[places] == d) for d in range(10)])
    stratified, at_random = off
    assert stratified < 0.05 and stratified < at_random
    train_share = np.bincount(DIGITS[train_part]) / 550
    assert np.isclose(at_random, abs(np.bincount(DIGITS[drawn]) / 50 - train_share).max())
    assert np.isclose(stratified, abs(np.bincount(DIGITS[validation_part]) / 50 - train_share).max())
    assert f"stratified {stratified:.3f}, drawn at random {at_random:.3f}" in print_again(
        "furthest from the training share"
    )


def test_summary():
    text = print_again("ten averages read {ghost")
    assert "60,000 + 10,000 images, 784 pixels each" in text and "most often 1, least often 5" in text
    assert f"{100 * np.mean(PIXELS == 0):.1f} % of all training pixels are empty" in text
    assert f"ten averages read {ghost_accuracy:.1f} % of the test images" in text and f"{speedup:.0f} times" in text
