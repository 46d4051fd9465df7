"""How figures look and how they are stored: sharp, small, on white, with a description."""

import io

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from lenet_utils import plotting
from lenet_utils.figures import COLOURS, describe_figure, encode_figure, set_style


@pytest.fixture
def figure():
    with plt.rc_context({"figure.dpi": 100}):
        figure, (left, right) = plt.subplots(1, 2, figsize=(6, 3), facecolor="none")
        left.plot([1, 2], [3, 4], label="train")
        left.plot([1, 2], [5, 4], label="test")
        left.set(title="The loss falls", xlabel="epoch", ylabel="loss\n(nats)")
        left.legend()
        right.imshow(np.random.default_rng(0).random((28, 28)), cmap="RdBu_r")
        figure.suptitle("Two parts")
        yield figure
        plt.close(figure)


def test_a_figure_is_stored_at_twice_the_resolution_in_few_colours_on_white(figure):
    data, metadata = encode_figure(figure)
    picture = Image.open(io.BytesIO(data))
    assert picture.format == "PNG" and picture.mode == "P"
    assert len(picture.getcolors()) <= COLOURS
    assert 900 < picture.width <= 1300  # 6 inches of 200 dots, without the margin
    assert (metadata["width"], metadata["height"]) == (round(picture.width / 2), round(picture.height / 2))
    assert picture.convert("RGB").getpixel((0, 0)) == (255, 255, 255)
    plain = io.BytesIO()
    figure.savefig(plain, format="png", dpi=200, bbox_inches="tight")
    assert len(data) < 0.6 * len(plain.getvalue())


def test_a_figure_looks_stored_as_it_looks_drawn(figure):
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=200, bbox_inches="tight", facecolor="white")
    drawn = np.asarray(Image.open(drawn).convert("RGB"), dtype=float)
    stored = np.asarray(Image.open(io.BytesIO(encode_figure(figure)[0])).convert("RGB"), dtype=float)
    assert np.abs(stored - drawn).mean() < 2 and np.abs(stored - drawn).max() < 25  # of 255: no colour is lost


def test_a_description_says_what_titles_axes_and_legends_say(figure):
    assert describe_figure(figure) == "Two parts. The loss falls; across: epoch; up: loss (nats); drawn: train, test."
    assert encode_figure(figure)[1]["alt"] == describe_figure(figure)
    figure.axes[1].set_title("Noise", loc="left")
    assert describe_figure(figure).endswith(" Noise.")


def test_a_description_says_a_thing_once():
    figure, axes = plt.subplots(1, 3)
    for ax in axes:
        ax.set_title("a digit")
    assert describe_figure(figure) == "a digit."
    plt.close(figure)


def test_the_style_can_be_set_outside_of_a_notebook():
    with plt.rc_context():
        set_style()
        assert not plt.rcParams["axes.spines.top"] and plt.rcParams["axes.titleweight"] == "bold"


def compute_luminance(colour):
    """The relative luminance of the Web Content Accessibility Guidelines 2."""
    channels = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return np.dot([0.2126, 0.7152, 0.0722], channels)


@pytest.mark.parametrize("name", ["BLUE", "ORANGE", "GREEN", "GREY"])
def test_colours_are_dark_enough_for_small_text_on_white(name):
    assert 1.05 / (compute_luminance(getattr(plotting, name)) + 0.05) >= 4.5  # the guidelines' contrast for text
