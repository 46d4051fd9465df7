"""Image files of any size and kind, brought to the form of MNIST's digits."""

import io
import warnings
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from lenet_utils.data import IMAGE_SIZE

BOX = 20  # the longer side of a digit in MNIST, in pixels
MAX_PIXELS = 50_000_000  # of an image file; more than any camera's photograph of a digit needs
MIN_CONTRAST = 0.1  # between ink and background, of the whole range from black to white


def read_digit(path: Path | str) -> torch.Tensor:
    """Read an image file that shows one digit, and bring it to MNIST's form: (28, 28) uint8, 0 background to 255 ink.

    The file may be of any kind that Pillow reads, of any size and mode, 16 bits a pixel included. Ink may be dark on
    light or light on dark, background may be transparent. The digit is cut out, scaled to a longer side of 20 pixels,
    and placed so that its centre of mass is at pixel (14, 14): as MNIST was made
    (notebooks/01_dataset_exploration.ipynb measures it). A file that shows no digit is a ValueError.
    """
    content, grey = Path(path).read_bytes(), None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content)) as image:
                if image.width * image.height <= MAX_PIXELS:
                    grey = _to_grey(image)
    except Image.DecompressionBombError:  # Pillow's own limit, which is higher
        pass
    except (OSError, SyntaxError, ValueError) as error:
        raise ValueError(f"{path} cannot be read as an image: it is of another kind, or damaged.") from error
    if grey is None:
        raise ValueError(f"{path} has more than {MAX_PIXELS:,} pixels: make it smaller.")
    return _place(_cut_out(_find_ink(grey, path)))


def _to_grey(image: Image.Image) -> np.ndarray:
    """(H, W) float64, 0 black to 1 white; transparent pixels become background."""
    if image.mode.startswith("I") or image.mode == "F":  # more than 8 bits a pixel
        values = np.asarray(image, dtype=np.float64)
        return values / (65_535 if values.max() > 255 else 255)
    image = image.convert("RGBA")
    grey = np.asarray(image.convert("RGB").convert("L"), dtype=np.float64) / 255
    alpha = np.asarray(image.getchannel("A"), dtype=np.float64) / 255
    if alpha.min() == 1 or alpha.max() == 0:
        return grey
    background = 0.0 if np.average(grey, weights=alpha) > 0.5 else 1.0
    return alpha * grey + (1 - alpha) * background


def _find_ink(grey: np.ndarray, path: Path | str) -> np.ndarray:
    """(H, W), 0 background to 1 ink. What the border shows is background."""
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    background = np.median(border)
    darker, lighter = background - grey.min(), grey.max() - background
    if max(darker, lighter) < MIN_CONTRAST:
        raise ValueError(f"{path} shows nothing: all of it has about the same brightness.")
    ink = background - grey if darker > lighter else grey - background
    return ink.clip(min=0) / ink.max()


def _cut_out(ink: np.ndarray) -> np.ndarray:
    """The ink alone, scaled to a longer side of 20 pixels."""
    rows, columns = (np.flatnonzero((ink > MIN_CONTRAST).any(axis=axis)) for axis in (1, 0))
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = BOX / max(ink.shape)
    height, width = (max(1, round(side * scale)) for side in ink.shape)
    image = Image.fromarray(ink.astype(np.float32)).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(image, dtype=np.float64).clip(0, 1)


def _place(ink: np.ndarray) -> torch.Tensor:
    """Move by whole pixels, so that the centre of mass comes to (14, 14), but no ink leaves the image."""
    canvas = np.zeros((IMAGE_SIZE, IMAGE_SIZE))
    corner = []
    for axis, side in enumerate(ink.shape):
        weights = ink.sum(axis=1 - axis)
        centre = weights @ np.arange(side) / weights.sum()
        corner.append(int(np.clip(round(IMAGE_SIZE / 2 - centre), 0, IMAGE_SIZE - side)))
    canvas[corner[0] : corner[0] + ink.shape[0], corner[1] : corner[1] + ink.shape[1]] = ink
    return torch.from_numpy((255 * canvas).round().astype(np.uint8))
