"""From a photograph or scan of a digit to a clean drawing: the sheet, the ink on it, the strokes of the digit.

Paper is what is wide, ink what is narrow. So the paper behind the ink is found without knowing its colour: a window
that is wider than a stroke slides over the picture and wipes out what is narrower than itself (a grey closing where ink
is dark, an opening where it is light). Shadows, the light of a lamp and rims are wider, and stay. What was wiped out is
ink.
"""

from typing import NamedTuple

import numpy as np
from scipy import ndimage

from lenet_utils.drawings import BOX

EDGE = 0.03  # steps of brightness from pixel to pixel, of 120, at which an even area ends
SAME = 0.05  # two areas are of one paper if they differ by less, apart from their brightness
WINDOWS = (0.06, 0.09, 0.135, 0.2, 0.3, 0.45)  # of the picture's shorter side
MORE = 1.07  # times as much ink in the next wider window, or as much less: then the narrower one was too narrow
MIN_CONTRAST = 0.04  # between ink and paper, of the light that the paper reflects
NOISE = 6  # ink is that many times stronger than the grain of the paper
SPECK = 0.03  # of the shorter side: nothing smaller is a digit
NEAR = 0.25  # a stroke nearer than this, of the digit's longer side, belongs to it
THINNEST, THIN = 2.0, 2.5  # strokes thinner than the one, where the longer side is 20, are drawn as thick as the other


class Strokes(NamedTuple):
    """The ink of a digit, (h, w) from 0 to 1; how much it was before it was brought to 1; how many digits there are."""

    ink: np.ndarray
    mass: float
    digits: int


def find_drawing(picture: np.ndarray) -> tuple[np.ndarray | None, int]:
    """The digit in a picture, (H, W, C) from 0 to 1, as a drawing, (h, w) from 0, paper, to 1, ink.

    And how many digits there are; none, and no drawing, where all of the picture looks like paper.
    """
    found = find_digit(cut_out_sheet(picture)) or find_digit(picture)
    return (thicken(found.ink), found.digits) if found else (None, 0)


def find_digit(picture: np.ndarray) -> Strokes | None:
    """The digit as the narrowest window shows it of which the next wider one shows the same."""
    found, votes = None, np.zeros(picture.shape[2])
    for share in WINDOWS:
        ink, votes = find_ink(picture, max(1, int(share * min(picture.shape[:2]))), votes)
        strokes = find_strokes(erase_lines(erase_lines(ink).T).T)  # along the rows, then along the columns
        if found and strokes and 1 / MORE < strokes.mass / found.mass < MORE:
            break
        found = strokes or found
    return found


def cut_out_sheet(picture: np.ndarray) -> np.ndarray:
    """The picture without what surrounds the sheet; what is left of it in the corners gets the nearest paper's colour.

    The sheet is the largest even area, its pixels counted the more the nearer they are to the middle, and others of the
    same colour in another light. What lies around it reaches a corner of the picture, and not its middle.
    """
    step = max(1, max(picture.shape) // 120)
    small = ndimage.median_filter(picture[::step, ::step], (7, 7, 1), mode="nearest")
    channels = np.moveaxis(small, 2, 0)
    even = np.max([ndimage.gaussian_gradient_magnitude(channel, 1) for channel in channels], axis=0) < EDGE
    areas, count = ndimage.label(even)
    if not count:
        return picture
    inside = ndimage.distance_transform_cdt(np.pad(even | True, 1))[1:-1, 1:-1]
    sizes = ndimage.sum_labels(inside, areas, range(1, count + 1))
    colours = np.stack([ndimage.median(channel, areas, range(1, count + 1)) for channel in channels], axis=1)
    paper = colours[sizes.argmax()]
    light = (colours @ paper / (paper @ paper + 1e-6)).clip(0.3, 3)
    is_paper = (abs(colours - light[:, None] * paper).max(axis=1) < SAME) | (sizes == sizes.max())
    at = tuple(ndimage.distance_transform_edt(~even, return_distances=False, return_indices=True))
    around, count = ndimage.label(~is_paper[areas[at] - 1])
    middle = around[around.shape[0] // 3 : -around.shape[0] // 3, around.shape[1] // 3 : -around.shape[1] // 3]
    sheet = ~np.isin(around, np.setdiff1d(around[[0, 0, -1, -1], [0, -1, 0, -1]], np.append(middle, 0)))
    if not is_rectangle(sheet):
        return picture
    sheet = ndimage.binary_erosion(sheet, iterations=2, border_value=1)
    rows, columns = (np.flatnonzero(sheet.any(axis=axis)) * step for axis in (1, 0))
    sheet = np.kron(sheet, np.ones((step, step), bool))[: picture.shape[0], : picture.shape[1]]
    nearest = ndimage.distance_transform_edt(~sheet, return_distances=False, return_indices=True)
    return picture[tuple(nearest)][rows[0] : rows[-1] + step, columns[0] : columns[-1] + step]


def is_rectangle(mask: np.ndarray) -> bool:
    """Whether a shape fills nine tenths of the smallest box around it, tilted a little or not."""
    points = np.stack(np.nonzero(mask))
    tilts = [np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]]) for a in np.linspace(-0.2, 0.2, 11)]
    return points.shape[1] > 0.9 * min(np.prod(np.ptp(tilt @ points, axis=1) + 1) for tilt in tilts)


def pad(picture: np.ndarray, width: int) -> np.ndarray:
    """More paper on all sides, of the colour that most of the picture has along the edge there."""
    for _ in range(2):
        depth, size = max(1, len(picture) // 60), (2 * (picture.shape[1] // 3) + 1, 1)  # a thin frame is not paper
        ends = [np.median(part, axis=0) for part in (picture[:depth], picture[-depth:])]
        first, last = (ndimage.median_filter(end, size, mode="nearest") for end in ends)
        picture = np.concatenate([[first] * width, picture, [last] * width]).swapaxes(0, 1)
    return picture


def find_ink(picture: np.ndarray, window: int, votes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(H, W): how far each pixel's colour is from the paper nearby; 0 for grain, and what is wider than ``window``.

    And the votes, (C,), with those that were given: above 0 where ink is darker than paper.
    """
    smooth = pad(ndimage.gaussian_filter(picture, (0.7, 0.7, 0)), window)
    size = (2 * (window // 2) + 1,) * 2 + (1,)
    high, low = ndimage.maximum_filter(smooth, size), ndimage.minimum_filter(smooth, size)
    lightest, darkest = ndimage.minimum_filter(high, size), ndimage.maximum_filter(low, size)
    change = high - low
    zone = change > np.maximum(MIN_CONTRAST, 0.3 * change.max(axis=(0, 1)))  # around the ink
    edge = zone & ~ndimage.binary_erosion(zone, np.ones((3, 3, 1)), border_value=1)
    votes = votes + ((2 * smooth - high - low) * edge).sum(axis=(0, 1)) / ((change * edge).sum(axis=(0, 1)) + 1e-6)
    below, above = (lightest - smooth) / lightest.clip(0.2), (smooth - darkest) / (1 - darkest).clip(0.2)
    distance = np.sqrt((np.where(votes > 0, below, above) ** 2).mean(axis=2))[window:-window, window:-window]
    low, grain = np.percentile(distance, (10, 30))  # of paper
    least = grain + max(MIN_CONTRAST, NOISE * 1.5 * (grain - low))
    return np.where(distance > least, distance - grain, 0), votes


def erase_lines(ink: np.ndarray) -> np.ndarray:
    """Without the thin straight lines that cross the picture from left to right; strokes that cross these stay."""
    height, width = ink.shape
    y, x = np.nonzero(ink)
    best, sharpest = (np.zeros(0, int), np.zeros(3 * height), 0.0), 0.0
    for slope in np.linspace(-0.1, 0.1, 51):  # the one at which the ink falls into the fewest rows
        rows = (y - slope * (x - width / 2)).round().astype(int) + height
        counts = np.bincount(rows, minlength=3 * height)
        if (counts**2.0).sum() > sharpest:
            best, sharpest = (rows, counts, slope), (counts**2.0).sum()
    rows, counts, slope = best
    shift = (slope * (np.arange(width) - width / 2))[:, None] + np.arange(3 * height) - height
    length = ((shift >= 0) & (shift < height)).sum(axis=0)  # of each row in the picture
    labels, _ = ndimage.label((counts > 0.55 * length) & (length > 0.2 * width))
    thickness = np.bincount(labels.ravel())
    thin = np.flatnonzero(thickness <= max(3, 0.03 * min(ink.shape)))
    lines = np.isin(labels, thin[thin > 0])
    if not lines.any():
        return ink
    on_line = ndimage.binary_dilation(lines, iterations=2)[rows]
    across = ndimage.grey_opening(ink, (int(thickness[labels[lines]].max()) + 4, 1))
    ink = ink.copy()
    ink[y[on_line], x[on_line]] = across[y[on_line], x[on_line]]
    return ink


def find_strokes(ink: np.ndarray) -> Strokes | None:
    """The part with the most ink, and what is near it; nothing where that is a speck."""
    parts, masses = find_parts(ink > 0, ink)
    for border in (parts[0], parts[-1], parts[:, 0], parts[:, -1]):
        masses[np.setdiff1d(border, 0) - 1] *= 0.5  # perhaps of something that is not on the sheet
    if not len(masses):
        return None
    level = np.percentile(ink[parts == masses.argmax() + 1], 90)
    parts, masses = find_parts(ink > 0.4 * level, ink)
    boxes = ndimage.find_objects(parts)
    for part in masses.argsort()[::-1][:3]:
        within = parts[
            tuple(slice(s.start + (s.stop - s.start) // 8, s.stop - (s.stop - s.start) // 8) for s in boxes[part])
        ]
        if (within == part + 1).any() or not (within > 0).any():
            break
        masses[part] = 0  # a frame
    main = int(masses.argmax())
    height, width = (side.stop - side.start for side in boxes[main])
    if max(height, width) < SPECK * min(ink.shape):
        return None
    distance = ndimage.distance_transform_edt(parts != main + 1)
    nearest = ndimage.minimum(distance, parts, range(1, len(masses) + 1))
    count, ours = 1, [main + 1]
    for part in np.flatnonzero(masses > 0.01 * masses[main]):
        rows, columns = boxes[part]
        shared = min(columns.stop, boxes[main][1].stop) - max(columns.start, boxes[main][1].start)
        is_beside = shared < 0.3 * min(width, columns.stop - columns.start) and nearest[part] > 0.05 * height
        if is_beside and rows.stop - rows.start > 0.5 * height and masses[part] > 0.25 * masses[main]:
            count += 1
        elif nearest[part] < NEAR * max(height, width):
            ours.append(int(part) + 1)
    strokes = np.where(ndimage.binary_dilation(np.isin(parts, ours), iterations=2), ink, 0)
    rows, columns = (np.flatnonzero(strokes.any(axis=axis)) for axis in (1, 0))
    strokes = strokes[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return Strokes((strokes / level / 0.8 - 0.25).clip(0, 1), float(strokes.sum()), count)


def find_parts(mask: np.ndarray, ink: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Connected parts, (H, W), 0 where there is none; and the ink in each part from 1 on."""
    parts, count = ndimage.label(mask, np.ones((3, 3)))
    return parts, np.asarray(ndimage.sum_labels(ink, parts, range(1, count + 1)), dtype=np.float64)


def thicken(ink: np.ndarray) -> np.ndarray:
    """Strokes that would come out thinner than MNIST's, drawn anew with a thicker pen."""
    mask, unit = ink > 0.3, max(ink.shape) / BOX
    width = 4 * ndimage.distance_transform_edt(np.pad(mask, 1)).sum() / mask.sum() / unit  # four times the mean depth
    if width > THINNEST:
        return ink
    radius = (THIN - width) / 2 * unit
    distance = ndimage.distance_transform_edt(~np.pad(mask, int(radius) + 2))
    return (radius + 0.5 - distance).clip(0, 1)
