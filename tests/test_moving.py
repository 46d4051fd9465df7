"""Moving pictures: every frame as it was drawn, a still where no script runs, and nothing from elsewhere."""

import base64
import io
import re

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from lenet_utils.moving import SCALE, play


@pytest.fixture
def rising():
    """A figure with a bar, and what draws the bar as high as the frame's number."""
    figure, ax = plt.subplots(figsize=(3, 2), layout="constrained")
    (bar,) = ax.bar([0], [0], color="#0072B2")
    ax.set(ylim=(0, 10), xlabel="a < b")

    def draw(number):
        bar.set_height(number)
        ax.set_title(f"Height {number}")

    yield figure, draw
    plt.close(figure)


def count_blue(picture):
    return (np.abs(np.asarray(picture.convert("RGB"), dtype=int) - [0, 0x72, 0xB2]).sum(axis=2) < 30).sum()


def read_pictures(page):
    """The still and the film of a stored moving picture."""
    still, film = (re.search(rf"data:image/{kind};base64,([^\"]+)", page)[1] for kind in ("png", "webp"))
    return (Image.open(io.BytesIO(base64.b64decode(data))) for data in (still, film))


def test_every_frame_is_what_was_drawn(rising):
    moving = play(*rising, frames=8)
    heights = [count_blue(frame) for frame in moving.frames]
    assert len(heights) == 8 and heights[0] == 0
    assert np.ptp(np.diff(heights)) <= 0.12 * heights[1]  # each as much higher than the last, to two rows of pixels
    assert {frame.size for frame in moving.frames} == {(round(300 * SCALE), round(200 * SCALE))}


def test_the_page_holds_the_still_and_all_frames_one_below_the_other(rising):
    moving = play(*rising, frames=8, still=3)
    assert moving.alt.startswith("Height 3;")
    still, film = read_pictures(moving._repr_html_())
    assert np.array_equal(np.asarray(still.convert("RGB")), np.asarray(moving.frames[3]))
    assert np.array_equal(np.asarray(film.convert("RGB")), np.concatenate(moving.frames))


def test_without_scripts_a_described_still_is_left(rising):
    page = re.sub(r"<(script|style)>.*?</\1>", "", play(*rising, frames=4)._repr_html_(), flags=re.S)
    assert page.count("<img") == 1 and "<button" not in page
    assert 'alt="A moving picture of 4 frames, of which this is number 4: Height 3; across: a &lt; b."' in page


def test_the_page_needs_nothing_from_elsewhere(rising):
    page = play(*rising, frames=4)._repr_html_()
    assert not re.search(r"https?:|//[a-z]+\.|import\(|src=\"(?!data:)", page)


def test_it_is_the_same_when_drawn_again_and_small(rising):
    first, second = (play(*rising, frames=12)._repr_html_() for _ in range(2))
    assert first == second and len(first) < 30_000


def test_everything_stays_at_its_place(rising):
    figure, draw = rising

    def draw_with_a_taller_title(number):
        draw(number)
        figure.suptitle(number * "more\n")

    moving = play(figure, draw_with_a_taller_title, frames=3)
    grounds = [(np.asarray(frame)[-40:] < 100).all(axis=2) for frame in moving.frames]  # the lower axis and its label
    assert all(np.array_equal(ground, grounds[0]) for ground in grounds)


def test_nothing_is_left_for_the_notebook_to_show(rising):
    play(*rising, frames=2)
    assert not plt.fignum_exists(rising[0].number)


def test_too_many_frames_are_refused(rising):
    with pytest.raises(ValueError, match="16383 pixels"):
        play(*rising, frames=60)._repr_html_()
