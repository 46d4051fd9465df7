"""A drawing of one digit: strokes to ink, and ink to the form of MNIST's digits (box, 20x20, centre of mass)."""

import numpy as np
import torch
from PIL import Image, ImageDraw

from lenet_utils.data import IMAGE_SIZE

BOX = 20  # the longer side of a digit in MNIST, in pixels
FAINT = 0.1  # less ink than this, of the most, does not set the box
PAD = 280  # rows and columns of a drawing pad
BRUSH = 0.09  # width of its strokes, of the pad: an eighth of a digit's height, as in MNIST, if it fills 3/4 of the pad


def to_mnist(ink) -> torch.Tensor:
    """Bring a drawing, (H, W) from 0, paper, to 1, ink, to MNIST's form: (28, 28) uint8, 0 background to 255 ink.

    The digit is cut out, scaled to a longer side of 20 pixels, and placed so that its centre of mass is at pixel
    (14, 14): as MNIST was made (notebooks/01_dataset_exploration.ipynb measures it). ``pad/pad.js`` does the same in a
    browser. A drawing without ink is a ValueError.
    """
    ink = np.asarray(ink, dtype=np.float64)
    rows, columns = (np.flatnonzero((ink > FAINT * ink.max()).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        raise ValueError("the drawing is empty.")
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = BOX / max(ink.shape)
    height, width = (max(1, int(side * scale + 0.5)) for side in ink.shape)
    small = weigh(ink.shape[0], height) @ ink @ weigh(ink.shape[1], width).T
    canvas = np.zeros((IMAGE_SIZE, IMAGE_SIZE))
    top, left = (find_corner(small.sum(axis=1 - axis)) for axis in (0, 1))
    canvas[top : top + height, left : left + width] = small / small.max()
    return torch.from_numpy((255 * canvas + 0.5).astype(np.uint8))


def weigh(before: int, after: int) -> np.ndarray:
    """The weights, (after, before), with which old pixels make one of the new: triangles, as wide as a step.

    A step is the larger of both sizes of a pixel, so that nothing is left out when a picture is made smaller.
    """
    scale = before / after
    centres, places = (np.arange(after)[:, None] + 0.5) * scale, np.arange(before) + 0.5
    weights = np.maximum(0, 1 - np.abs(places - centres) / max(scale, 1))
    return weights / weights.sum(axis=1, keepdims=True)


def find_corner(sums: np.ndarray) -> int:
    """Where rows (or columns) with these sums of ink begin, so that their centre of mass comes to the middle."""
    centre = sums @ np.arange(len(sums)) / sums.sum()
    corner = np.floor(IMAGE_SIZE / 2 - centre + 0.5 + 1e-6)  # a symmetric digit is just between two: the later one
    return int(np.clip(corner, 0, IMAGE_SIZE - len(sums)))


def draw_strokes(strokes, brush: float = BRUSH) -> np.ndarray:
    """Return the ink, (280, 280) float64 from 0 to 1, of strokes: lists of points (x, y), 0 to 1, y down.

    ``brush`` is their width, of the pad's. A browser draws the same, but for the last shade at the edges.
    """
    side = 4 * PAD  # the edges are smooth when four by four pixels become one
    picture = Image.new("L", (side, side))
    pen, radius = ImageDraw.Draw(picture), brush * side / 2
    for stroke in strokes:
        points = [(x * side, y * side) for x, y in stroke]
        pen.line(points, fill=255, width=round(2 * radius))
        for x, y in points:
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return np.asarray(picture.reduce(4), dtype=np.float64) / 255
