"""The pictures: what is drawn, how it is labelled, what is refused."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch

from lenet_utils import pictures, plotting
from lenet_utils.plotting import BLUE, ORANGE


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_images_stand_in_a_grid_with_one_scale():
    images = np.stack([np.zeros((28, 28)), np.full((28, 28), 255), np.full((28, 28), 128)])
    figure = pictures.plot_images(images, titles=["a", "b", "c"], columns=2)
    drawn = [axis for axis in figure.axes if axis.images]
    assert [axis.get_title() for axis in drawn] == ["a", "b", "c"] and len(figure.axes) == 4
    assert [axis.images[0].get_array()[0, 0] for axis in drawn] == [0, 255, 128]
    assert {axis.images[0].get_clim() for axis in drawn} == {(0, 255)}
    assert {axis.images[0].get_cmap().name for axis in drawn} == {"gray"}


def test_history_has_two_labelled_axes_with_both_sets():
    epochs = pd.DataFrame(
        {
            "epoch": [1, 2],
            "train_loss": [1, 0.5],
            "test_loss": [1, 0.7],
            "train_accuracy": [80, 90.0],
            "test_accuracy": [79, 85.0],
        }
    )
    loss, accuracy = plotting.plot_history(epochs).axes
    assert loss.get_ylabel() == "mean cross-entropy" and accuracy.get_ylabel() == "accuracy (%)"
    for axis, quantity in ((loss, "loss"), (accuracy, "accuracy")):
        train, test = axis.lines
        assert list(train.get_ydata()) == list(epochs[f"train_{quantity}"]) and train.get_color() == BLUE
        assert list(test.get_ydata()) == list(epochs[f"test_{quantity}"]) and test.get_color() == ORANGE
        assert train.get_linestyle() != test.get_linestyle()  # not by colour alone


@pytest.mark.parametrize("errors_only, texts", [(False, 99), (True, 90)])
def test_confusion_matrix_names_its_axes_and_shows_its_numbers(errors_only, texts):
    axis = plotting.plot_confusion_matrix(np.arange(100).reshape(10, 10), errors_only=errors_only)
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("predicted digit", "true digit")
    positions = {text.get_text(): text.get_position() for text in axis.texts}
    assert positions["37"] == (7.5, 3.5)  # row 3, column 7
    written = [text.get_text() for text in axis.texts if text.get_text()]  # a zero is left blank
    assert len(written) == texts and "1" in written and ("11" in written) != errors_only
    assert min(text.get_size() for text in axis.texts) >= 9


def test_confusion_matrix_spends_its_colours_on_the_errors():
    matrix = np.diag([900, 800, 700]) + np.array([[0, 5, 1], [2, 0, 3], [0, 4, 0]])
    (mesh,) = plotting.plot_confusion_matrix(matrix).collections
    assert np.asarray(mesh.get_array()).tolist() == [[0, 5, 1], [2, 0, 3], [0, 4, 0]] and mesh.get_clim() == (0, 5)
    (mesh,) = plotting.plot_confusion_matrix(matrix, vmax=9).collections
    assert mesh.get_clim() == (0, 9)
    shares = plotting.plot_confusion_matrix(100 * matrix / matrix.sum(axis=1, keepdims=True))
    assert [text.get_text() for text in shares.texts][:2] == ["99.3", "0.6"]
    assert plotting.plot_confusion_matrix(np.eye(3, dtype=int)).collections[0].get_clim() == (0, 1)  # no errors


def test_probabilities_name_the_winner():
    probabilities = np.full(10, 0.05)
    probabilities[3] = 0.55
    image, bars = plotting.plot_probabilities(np.zeros((28, 28)), probabilities, label=8).axes
    assert image.get_title() == "true digit: 8" and bars.get_title() == "read as 3, 55.0 % sure"
    assert [bar.get_width() for bar in bars.patches] == pytest.approx(list(100 * probabilities))


def test_maps_share_a_scale_symmetric_about_zero():
    figure = pictures.plot_maps(np.stack([np.full((5, 5), -3.0), np.ones((5, 5))]))
    assert {axis.images[0].get_clim() for axis in figure.axes if axis.images} == {(-3, 3)}


def test_maps_of_zeros_are_white():
    figure = pictures.plot_maps(np.zeros((2, 3, 3)))
    assert figure.axes[0].images[0].get_clim() == (-1, 1)


def test_journey_ends_at_the_largest_logit():
    stages = {"C1": np.zeros((6, 28, 28)), "S2": np.zeros((6, 14, 14)), "F6": np.zeros(84)}
    logits = np.array([0, -9, 3.0, 0, 0, 0, 0, 0, 0, 0])
    axis = pictures.plot_journey(np.zeros((32, 32)), stages, logits).axes[0]
    texts = [text.get_text() for text in axis.texts]
    (answer,) = (text.get_text() for text in axis.texts if text.get_size() > 50)
    assert answer == "2" and {"image", "C1", "S2", "F6", "outputs", "answer"} <= set(texts)
    assert "6 maps\n28×28" in texts and "84 numbers" in texts
    sure = np.exp(3) / np.exp(logits).sum()
    assert f"{100 * sure:.1f} %\nsure" in texts


def test_no_probability_is_called_100_percent():
    probabilities = np.zeros(10)
    probabilities[7] = 0.99999
    _, bars = plotting.plot_probabilities(np.zeros((28, 28)), probabilities).axes
    assert bars.get_title() == "read as 7, over 99.9 % sure"


def test_mosaic_puts_every_map_in_its_place():
    maps = np.arange(6.0).reshape(2, 3, 1, 1) * np.ones((2, 3, 20, 20))
    axis = pictures.plot_mosaic(maps, ["a", "b"], [1, 2, 3], "title")
    canvas = axis.images[0].get_array()
    assert [canvas[y, x] for y in (5, 27) for x in (5, 27, 49)] == [0, 1, 2, 3, 4, 5]
    assert [text.get_text() for text in axis.get_yticklabels()] == ["a", "b"]


def test_titles_of_figures_stand_above_those_of_their_pictures():
    images = np.zeros((2, 6, 6))
    for figure in (
        pictures.plot_images(images, ["a", "b"], title="all"),
        pictures.plot_maps(images, ["a", "b"], title="all"),
        pictures.plot_image_and_maps(images[0], images[1:], ["a", "b"], title="all"),
    ):
        assert figure.get_suptitle() == "all" and [ax.get_title() for ax in figure.axes[:2]] == ["a", "b"]
    assert pictures.plot_images(images).get_suptitle() == ""
    assert pictures.plot_journey(images[0], {}, np.arange(10), title="all").axes[0].get_title() == "all"


def test_numbers_stand_on_their_squares_and_differ_from_them():
    values = np.array([[-1.0, 0.26, 0], [1, -0.004, 0.5]])
    figure = pictures.plot_image_and_maps(values, [values], ["image", "map"], numbers=True)
    written = {(text.get_position(), text.get_text()) for text in figure.axes[1].texts}
    assert {((0, 0), "-1.00"), ((1, 0), "0.26"), ((0, 1), "1.00"), ((2, 1), "0.50")} <= written and len(written) == 6
    assert not any(text == "-0.00" for _, text in written)
    colours = {text.get_text(): text.get_color() for text in figure.axes[1].texts}
    assert colours["-1.00"] == colours["1.00"] == "white" and colours["0.00"] == colours["0.26"] == "black"
    on_grey = {text.get_text(): text.get_color() for text in figure.axes[0].texts}
    assert (on_grey["-1.00"], on_grey["1.00"]) == ("white", "black")
    figure = pictures.plot_image_and_maps(np.full((1, 2), 3.0), [values], ["image", "map"], numbers=True)
    assert [text.get_text() for text in figure.axes[0].texts] == ["3", "3"]  # whole numbers
    assert "0.26" in [text.get_text() for text in figure.axes[1].texts]


def test_classes_are_named_where_they_are():
    labels = np.repeat(np.arange(10), 5)
    axis = plotting.plot_classes(np.stack([labels, -labels], axis=1), labels)
    assert {text.get_text(): text.get_position() for text in axis.texts} == {
        str(digit): (digit, -digit) for digit in range(10)
    }
    for digit, points in enumerate(axis.collections):  # drawn as digits: colour is not all that tells them apart
        assert (points.get_offsets() == [digit, -digit]).all() and len(points.get_offsets()) == 5
    outlines = [points.get_paths()[0].vertices for points in axis.collections]
    assert not any(a.shape == b.shape and np.allclose(a, b) for a, b in zip(outlines, outlines[1:]))


def test_image_and_maps_have_their_titles():
    figure = pictures.plot_image_and_maps(np.zeros((6, 6)), [np.ones((4, 4))], ["image", "map"])
    assert [axis.get_title() for axis in figure.axes[:2]] == ["image", "map"]
    with pytest.raises(ValueError, match="a title for each of the 2 pictures, not 1 titles"):
        pictures.plot_image_and_maps(np.zeros((6, 6)), [np.ones((4, 4))], ["image"])


@pytest.mark.parametrize("shape", [(28, 28), (0, 28, 28), (2, 1, 28, 28)])
def test_wrong_shapes_are_refused(shape):
    for function, expected in ((pictures.plot_images, r"\(N, H, W\)"), (pictures.plot_maps, r"\(M, H, W\)")):
        with pytest.raises(ValueError, match=f"must be {expected}, each of them 1 or more, not "):
            function(np.zeros(shape))


def test_maps_that_are_none_are_refused():
    for nothing in (np.empty((0, 5, 5)), []):
        with pytest.raises(ValueError, match=r"must be \(M, H, W\), each of them 1 or more"):
            pictures.plot_maps(nothing)


def test_titles_are_as_many_as_images():
    with pytest.raises(ValueError, match="a title for each of the 3 pictures, not 2 titles"):
        pictures.plot_images(np.zeros((3, 28, 28)), ["a", "b"])


def test_tensors_with_gradients_are_drawn():
    images = torch.rand(6, 8, 8, requires_grad=True)
    pictures.plot_images(images)
    pictures.plot_maps(images)
    pictures.plot_image_and_maps(images[0], images[1:3], list("abc"))
    pictures.plot_mosaic(images[None])
    pictures.plot_journey(images[0], {"C1": images}, images[0, 0])
    plotting.plot_probabilities(images[0], torch.rand(10, requires_grad=True))
    plotting.plot_classes(torch.rand(5, 2, requires_grad=True), torch.arange(5))


def test_everything_can_be_drawn_beside_something_else():
    _, (left, right) = plt.subplots(1, 2)
    assert plotting.plot_confusion_matrix(np.eye(10), ax=left) is left
    assert pictures.plot_mosaic(np.ones((1, 2, 5, 5)), ax=right) is right


def test_band_reaches_from_the_lowest_to_the_highest_run():
    runs = pd.DataFrame({"seed": [0, 0, 1, 1], "epoch": [1, 2, 1, 2], "test_accuracy": [90, 95, 94, 96.0]})
    one = pd.DataFrame({"epoch": [1], "test_accuracy": [91.0]})
    axis = plotting.plot_band(runs, one)
    corners = axis.collections[0].get_paths()[0].vertices
    assert {tuple(corner) for corner in corners} == {(1, 90), (1, 94), (2, 95), (2, 96)}
    mean, this = axis.lines
    assert list(mean.get_ydata()) == [92, 95.5] and list(this.get_ydata()) == [91]
    assert (this.get_marker(), this.get_linestyle()) == ("o", "-")  # the course of a run, and its epochs
    assert "2 stored runs" in axis.get_legend().get_texts()[0].get_text()


def test_band_takes_points_between_epochs_under_a_name_of_their_own():
    runs = pd.DataFrame({"epoch": [1, 2], "test_accuracy": [90, 95.0]})
    points = pd.DataFrame({"epoch": [0.25, 0.5, 1], "test_accuracy": [80, 85, 91.0]})
    axis = plotting.plot_band(runs, points, label="your run")
    assert list(axis.lines[-1].get_xdata()) == [0.25, 0.5, 1]
    assert axis.get_legend().get_texts()[-1].get_text() == "your run"
    assert axis.get_title() == "Your run among others of its recipe"


def test_landscape_shows_paths_in_the_plane_that_lies_closest_to_them():
    def height(weights):
        heard.append(weights.dtype)
        return float(0.5 * weights[0] ** 2 + 0.1 * (weights[1] - 2) ** 2 + 5 * weights[2] ** 2)

    heard = []
    times = np.linspace(0, 1, 9, dtype=np.float32)[:, None]
    start, ends = np.array([3, -1, 0.1], np.float32), {"a": [-3, 0, 0], "b": [0, 2, 0], "c": [-1, 1, 0.05]}
    paths = {name: start + times * np.array(end, np.float32) for name, end in ends.items()}
    ax = plotting.plot_landscape(paths, height, side=12)
    assert set(heard) == {np.dtype("float32")} and len(heard) == 12 * 12 + 3
    share = float(ax.get_xlabel().split("holds ")[1].split(" %")[0])
    assert share == 100  # but for little, the three paths lie in a plane
    for line, (name, path) in zip(ax.lines, paths.items()):
        assert line.get_label() == f"{name}, to a loss of {height(path[-1]):.2f}"
        drawn = np.array(line.get_data())
        assert np.allclose(np.hypot(*drawn), np.linalg.norm(path - start, axis=1), atol=0.05)  # lengths stay
    assert tuple(np.ravel(ax.lines[3].get_data())) == (0, 0)  # the start
    assert len({(line.get_color(), line.get_marker()) for line in ax.lines[:3]}) == 3
    (contours,) = (part for part in ax.collections if hasattr(part, "levels"))
    axes = [np.array(line.get_data())[:, -1] / np.linalg.norm(ends[line.get_label()[0]]) for line in ax.lines[:2]]
    for level, lines in zip(contours.levels, contours.allsegs):
        for x, y in (place for line in lines for place in line[::5]):
            along, across = np.linalg.solve(np.array(axes).T, [x, y])  # along a's and b's directions
            place = start + along * np.array([-1, 0, 0]) + across * np.array([0, 1, 0])
            assert abs(height(place) - level) < 0.15
    assert sum(map(len, contours.allsegs)) > 2 and ax.get_ylabel() and ax.get_legend()
