"""Drawings brought to MNIST's form. tests/test_browser_pad.py compares the same in a browser."""

import json

import numpy as np
import pytest
import torch
from draw_strokes import draw_all
from notebooks_as_data import ROOT
from scipy import ndimage

from lenet_utils.data import load_mnist
from lenet_utils.drawings import BRUSH, draw_strokes, find_corner, to_mnist, weigh

STROKES = json.loads((ROOT / "tests" / "strokes.json").read_text("utf-8"))


def measure(digit):
    """The longer side and the centre of mass, (row, column), of a digit (28, 28)."""
    rows, columns = (np.flatnonzero(digit.numpy().any(axis=axis)) for axis in (1, 0))
    return max(np.ptp(rows), np.ptp(columns)) + 1, np.array(ndimage.center_of_mass(digit.numpy()))


def test_strokes_are_as_the_generator_wrote_them():
    assert draw_all() == STROKES and [drawing["digit"] for drawing in STROKES] == [i // 2 for i in range(20)]


@pytest.mark.parametrize("drawing", STROKES[::3], ids=lambda drawing: drawing["digit"])
def test_a_drawing_gets_the_form_of_mnist(drawing):
    digit = to_mnist(draw_strokes(drawing["strokes"]))
    side, centre = measure(digit)
    assert digit.shape == (28, 28) and digit.dtype == torch.uint8 and digit.max() == 255
    assert side in (19, 20) and abs(centre - 14).max() <= 0.5


def test_place_size_and_shade_do_not_matter():
    strokes = np.array(STROKES[4]["strokes"][0])
    ink = draw_strokes([strokes])
    digit = to_mnist(ink)
    assert torch.equal(to_mnist(np.roll(ink, (9, -11), axis=(0, 1))), digit)
    assert (to_mnist(0.3 * ink).int() - digit.int()).abs().max() <= 1
    small = to_mnist(draw_strokes([0.5 * strokes + (0.45, 0.02)], BRUSH / 2))
    assert np.corrcoef(small.flatten(), digit.flatten())[0, 1] > 0.9  # the width may round to another pixel


def test_digits_of_mnist_stay_as_they_are():
    """Enlarged without smoothing and brought back, a digit has moved by less than a pixel and kept its shades."""
    for digit in load_mnist(train=True).data[:20]:
        again = to_mnist(np.kron(digit.numpy() / 255, np.ones((10, 10))))
        assert abs(measure(again)[1] - measure(digit)[1]).max() <= 1
        assert np.corrcoef(again.flatten(), digit.flatten())[0, 1] > 0.9


def test_an_empty_drawing_is_said_to_be_empty():
    with pytest.raises(ValueError, match="the drawing is empty"):
        to_mnist(np.zeros((280, 280)))


@pytest.mark.parametrize("shape", [(1, 300), (300, 1), (1, 1), (3, 5), (500, 40)])
def test_any_shape_stays_inside(shape):
    digit = to_mnist(np.ones(shape))
    assert digit.max() == 255 and measure(digit)[0] == 20


@pytest.mark.parametrize("before, after", [(280, 20), (20, 20), (7, 20), (281, 3), (1, 20)])
def test_weights_keep_evenness_and_leave_nothing_out(before, after):
    weights = weigh(before, after)
    assert weights.shape == (after, before)
    assert np.allclose(weights.sum(axis=1), 1) and (weights.sum(axis=0) > 0).all()
    assert np.allclose(weights, weights[::-1, ::-1])


def test_a_symmetric_digit_is_not_moved_by_the_last_bit():
    sums = np.ones(19)
    assert find_corner(np.ones(20)) == find_corner(np.ones(20) * (1 + 1e-12 * np.arange(20))) == 5
    assert find_corner(sums) == 5 and find_corner(np.ones(28)) == 0


def test_strokes_are_as_wide_as_the_brush():
    ink = draw_strokes([[(0.2, 0.5), (0.8, 0.5)]], 0.1)
    assert ink.shape == (280, 280) and ink.min() == 0 and ink.max() == 1
    assert ink[:, 140].sum() == pytest.approx(28, abs=1) and ink[140].sum() == pytest.approx(0.7 * 280, abs=1.5)
    assert draw_strokes([[(0.5, 0.5)]], 0.1).sum() == pytest.approx(np.pi * 14**2, rel=0.03)  # a dot
    assert draw_strokes([]).sum() == 0
