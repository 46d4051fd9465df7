"""Image files of any size and kind, brought to the form of MNIST's digits."""

import io
import warnings
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps

from lenet_utils.checkpoints import find_checkpoint, load_checkpoint
from lenet_utils.data import prepare_images
from lenet_utils.drawings import to_mnist
from lenet_utils.evaluation import predict_with_confidence
from lenet_utils.photographs import find_drawing

MAX_PIXELS = 50_000_000  # of an image file; more than any camera's photograph of a digit needs
SIDES = (200, 400)  # pixels of the longer side: a smaller picture is made larger, a larger one smaller
DOUBT = "doubt.pt"  # a network that knows what is no digit; lenet_utils/studies/doubt.py trained it
LEAST_LIKE, LEAST_SURE = 0.6, 0.5  # probabilities below which a reading is "not sure"; chosen on validation images


def read_digit(path: Path | str) -> torch.Tensor:
    """Read an image file that shows one digit, and bring it to MNIST's form: (28, 28) uint8, 0 background to 255 ink.

    The file may be of any kind that Pillow reads, of any size, colours and range of values: a photograph in uneven
    light, on ruled paper, with a rim, turned as its EXIF data say. A file that shows no digit, or several, is a
    ValueError that names it. ``drawings.to_mnist`` does the second half.
    """
    if Path(path).is_dir():
        raise ValueError(f"{path} is a folder: name the image files in it, such as {Path(path) / '*.png'}.")
    content, picture, problem = Path(path).read_bytes(), None, None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content)) as image:
                if image.width * image.height <= MAX_PIXELS:
                    picture = to_array(ImageOps.exif_transpose(image))
    except Image.DecompressionBombError:  # Pillow's own limit, which is higher
        pass
    except (OSError, SyntaxError, ValueError):
        is_heic = content[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypmsf1")
        problem = "cannot be read as an image: it is of another kind, or damaged."
        problem = "is a HEIC picture, as phones make them: export it as JPEG or PNG." if is_heic else problem
    if picture is None:
        problem = problem or f"has more than {MAX_PIXELS:,} pixels: make it smaller."
    elif not np.isfinite(picture).all():
        problem = "holds pixels that are no numbers (nan or infinite)."
    else:
        drawing, count = find_drawing(picture)
        if drawing is not None and count == 1:
            return to_mnist(drawing)
        problem = f"shows {count} digits or more: cut out one of them." if count else "shows nothing but paper."
    raise ValueError(f"{path} {problem}")


def is_sure(image: torch.Tensor, confidence: float) -> bool:
    """Whether a reading can be relied on: its probability is not low, and the image, (28, 28) uint8, is like a digit.

    That says a network of its own, which was taught to give all ten digits alike where it sees a letter or a scribble.
    """
    model, inputs = load_checkpoint(find_checkpoint(DOUBT))
    _, likeness = predict_with_confidence(model, prepare_images(image[None], **inputs))
    return confidence >= LEAST_SURE and likeness.item() >= LEAST_LIKE


def to_array(image: Image.Image) -> np.ndarray:
    """(H, W, C) float32, C of 1 or 3, the longer side 200 to 400 pixels; 0 to 1 of the range that the values use."""
    if image.mode[-1] in "Aa" or "transparency" in image.info:
        image = fill_transparent(image.convert("RGBA"))
    elif image.mode == "LAB":
        image = image.getchannel("L")
    elif image.mode.startswith("I"):
        image = Image.fromarray(np.asarray(image).astype(np.float32))
    elif image.mode not in ("L", "F"):
        image = image.convert("RGB")
    scale = np.clip(max(image.size), *SIDES) / max(image.size)
    width, height = (max(1, round(side * scale)) for side in image.size)
    image = image.resize((width, height), Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC)
    values = np.asarray(image, dtype=np.float32).reshape(height, width, -1)
    values = values - min(0, values.min())
    if values.max() > 1:  # the full range of so many bits
        values = values / (2 ** np.ceil(np.log2(values.max() + 1)) - 1)
    return values


def fill_transparent(image: Image.Image) -> Image.Image:
    """Without transparency: what is opaque, if that is ink; or the sheet that is, with its colour around it."""
    alpha, colours = np.asarray(image.getchannel("A")), np.asarray(image.convert("RGB"))
    opaque = alpha > 127
    if not opaque.any():
        return Image.fromarray(alpha)
    rows, columns = (np.flatnonzero(opaque.any(axis=axis)) for axis in (1, 0))
    is_solid = opaque[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].mean() > 0.7
    low, high = np.percentile(colours[opaque], (0.5, 99.5), axis=0)
    if not is_solid or (not opaque.all() and (high - low).max() < 25):
        return Image.fromarray(alpha)
    paper = np.median(colours[opaque], axis=0).astype(np.uint8)
    return Image.fromarray(np.where(opaque[..., None], colours, paper))
