"""Made photographs: digits on paper with one kind of trouble each, and pictures that show no digit.

``python -m lenet_utils.studies.made_photographs`` draws those of 200 test digits and counts how ``predict`` reads them:
the table of data/README.md. Others, made of training digits, are for tuning. Everything is drawn by a seed. Lengths are
shares of the page's shorter side where nothing else is said, colours and light from 0 to 1.
"""

import io
import tempfile
from collections.abc import Callable
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage
from torch import nn

from lenet_utils.checkpoints import find_checkpoint, load_checkpoint
from lenet_utils.data import load_mnist, prepare_images
from lenet_utils.evaluation import predict_with_confidence
from lenet_utils.images import is_sure, read_digit

COUNT = 200
TESTING, TRAINING = 12, 1  # the seeds
SIDES = (400, 900)  # of a page, in pixels
DIGIT = (0.2, 0.7)  # how large a digit is
TILT = 5  # degrees, to both sides
FONTS = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSerif", "DejaVuSerif-Italic", "DejaVuSansMono", "STIXGeneral")
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz"  # O, o, I and l are digits, too
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}  # fmt: skip
# Of each EXIF orientation: what a camera that was held so did to the picture.


class Page:
    """A sheet of paper, (height, width, 3) in ``pixels``, with ``ink`` for what is put on it."""

    def __init__(self, random: np.random.Generator, sides=SIDES, dark=0.1):
        self.random = random
        self.height, self.width = (int(side) for side in random.integers(sides[0], sides[1], 2))
        self.side = min(self.height, self.width)
        tint = random.uniform(0, 0.06, 3)
        if random.random() < dark:  # a blackboard
            self.paper, self.ink = random.uniform(0.08, 0.25) + tint, random.uniform(0.75, 0.95) + tint
        else:
            self.paper = random.uniform(0.82, 1) - tint
            inks = [[0.1, 0.1, 0.1], [0.1, 0.15, 0.5], [0.4, 0.4, 0.42], [0.6, 0.1, 0.1]]
            self.ink = np.array(inks[random.integers(4)]) + random.uniform(-0.1, 0.1)
        self.pixels = np.empty((self.height, self.width, 3), np.float32)
        self.pixels[:] = self.paper

    def put(self, mask: np.ndarray, at=None) -> None:
        """Ink where ``mask`` (h, w) is 1, at a place (row, column), or at any, a 20th of the side from the edges."""
        margin = self.side // 20
        height, width = mask.shape
        if at is None:
            at = [int(self.random.integers(margin, full - part - margin + 1)) for full, part in
                  ((self.height, height), (self.width, width))]  # fmt: skip
        part = self.pixels[at[0] : at[0] + height, at[1] : at[1] + width]
        part += mask[..., None] * (self.ink - part)

    def finish(self, noise=(0.003, 0.02), blur=(0.3, 1.2)) -> Image.Image:
        pixels = ndimage.gaussian_filter(self.pixels, [self.random.uniform(*blur)] * 2 + [0])
        pixels += self.random.uniform(*noise) * self.random.standard_normal(pixels.shape, np.float32)
        return Image.fromarray((255 * pixels.clip(0, 1)).round().astype(np.uint8))


# ---- what is drawn ----


def draw_digit(image: np.ndarray, side: int, random: np.random.Generator) -> np.ndarray:
    """An MNIST digit, (28, 28) uint8, as a pen would draw it, its longer side ``side`` pixels and then tilted."""
    rows, columns = (np.flatnonzero((image > 64).any(axis=axis)) for axis in (1, 0))
    cut = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    cut = np.pad(cut, 2)
    scale = side / (max(cut.shape) - 4)
    height, width = (max(2, round(length * scale)) for length in cut.shape)
    picture = Image.fromarray(cut).resize((width, height), Image.Resampling.BICUBIC)
    picture = picture.rotate(random.uniform(-TILT, TILT), Image.Resampling.BICUBIC, expand=True)
    return (np.asarray(picture) / 255 / 0.4 - 0.5).clip(0, 1)


def draw_thin(image: np.ndarray, side: int, width: int) -> np.ndarray:
    """The midline of a digit, drawn ``width`` pixels wide without a soft edge, as with a mouse."""
    line = thin(np.asarray(Image.fromarray(image).resize((112, 112), Image.Resampling.BICUBIC)) > 100)
    rows, columns = np.nonzero(line)
    scale = side / max(int(np.ptp(rows)), int(np.ptp(columns)), 1)
    canvas = Image.new("L", (round(np.ptp(columns) * scale) + 8, round(np.ptp(rows) * scale) + 8))
    draw = ImageDraw.Draw(canvas)
    points = {(row, column) for row, column in zip(rows.tolist(), columns.tolist())}
    for row, column in points:
        for other in ((row, column + 1), (row + 1, column - 1), (row + 1, column), (row + 1, column + 1)):
            if other in points:
                ends = [
                    (4 + (x - columns.min()) * scale, 4 + (y - rows.min()) * scale) for y, x in ((row, column), other)
                ]
                draw.line(ends, fill=255, width=width)
    return np.asarray(canvas) / 255


def thin(mask: np.ndarray) -> np.ndarray:
    """The midlines of a shape (Zhang and Suen, 1984)."""
    mask = np.pad(mask, 1).astype(np.uint8)
    changed = True
    ring = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))
    while changed:
        changed = False
        for first in (True, False):
            around = np.stack([np.roll(mask, (-dy, -dx), (0, 1)) for dy, dx in ring])
            count = around.sum(axis=0)
            turns = ((around == 0) & (np.roll(around, -1, axis=0) == 1)).sum(axis=0)
            north, east, south, west = around[[0, 2, 4, 6]]
            ends = (north * east * south, east * south * west) if first else (north * east * west, north * south * west)
            gone = (mask == 1) & (count >= 2) & (count <= 6) & (turns == 1) & (ends[0] == 0) & (ends[1] == 0)
            mask[gone] = 0
            changed |= bool(gone.any())
    return mask[1:-1, 1:-1] == 1


def draw_letter(side: int, random: np.random.Generator, letters=LETTERS, fonts=FONTS) -> np.ndarray:
    letter, font = random.choice(list(letters)), random.choice(fonts)
    path = Path(matplotlib.get_data_path(), "fonts", "ttf", f"{font}.ttf")
    canvas = Image.new("L", (2 * side, 2 * side))
    ImageDraw.Draw(canvas).text((side // 2, side // 4), str(letter), 255, ImageFont.truetype(str(path), side))
    return np.asarray(canvas.crop(canvas.getbbox()).rotate(random.uniform(-TILT, TILT), expand=True)) / 255


def draw_scribble(side: int, random: np.random.Generator) -> np.ndarray:
    """One to four smooth curves through 4 to 12 random points, or a zigzag, with a pen of 2 to 8 % of its size."""
    canvas = Image.new("L", (side, side))
    pen = max(1, int(side * random.uniform(0.02, 0.08)))
    for _ in range(random.integers(1, 5)):
        count = int(random.integers(4, 13))
        points = random.uniform(pen, side - pen, (count, 2))
        if random.random() < 0.3:  # a zigzag
            points[:, 0] = np.linspace(pen, side - pen, count)
        curve = ndimage.zoom(points, (20, 1), order=random.choice([1, 3])).clip(pen, side - pen)
        ImageDraw.Draw(canvas).line([tuple(point) for point in curve], fill=255, width=pen, joint="curve")
    return np.asarray(canvas) / 255


# ---- troubles of a page ----


def light(page: Page, darkest=(0.35, 0.65)) -> None:
    """Brightness falls across the page to a share, evenly or with the distance from a lamp."""
    angle, y, x = page.random.uniform(0, 2 * np.pi), *np.mgrid[-1 : 1 : page.height * 1j, -1 : 1 : page.width * 1j]
    if page.random.random() < 0.5:
        fall = x * np.cos(angle) + y * np.sin(angle)
    else:
        fall = np.hypot(x - page.random.uniform(-1, 1), y - page.random.uniform(-1, 1)) ** 2
    fall = (fall - fall.min()) / np.ptp(fall)
    page.pixels *= (1 - (1 - page.random.uniform(*darkest)) * fall)[..., None]


def rule(page: Page) -> None:
    """Lines or squares, 6 to 15 % apart, 1 to 4 pixels wide, 0.15 to 0.45 darker than paper, tilted 0 to 3 degrees."""
    random, squares = page.random, page.random.random() < 0.4
    distance, width = page.side * random.uniform(0.06, 0.15), int(random.integers(1, 5))
    canvas = Image.new("L", (2 * page.width, 2 * page.height))
    draw, dark = ImageDraw.Draw(canvas), page.paper.mean() < 0.5
    for y in np.arange(random.uniform(0, distance), 2 * page.height, distance):
        draw.line([(0, y), (2 * page.width, y)], fill=255, width=width)
    for x in np.arange(random.uniform(0, distance), 2 * page.width, distance) if squares else ():
        draw.line([(x, 0), (x, 2 * page.height)], fill=255, width=width)
    canvas = canvas.rotate(random.uniform(-3, 3), Image.Resampling.BICUBIC)
    top, left = page.height // 2, page.width // 2
    mask = np.asarray(canvas)[top : top + page.height, left : left + page.width] / 255
    change = random.uniform(0.15, 0.45) * np.array([1, 0.9, random.uniform(0.3, 0.9)]) * (-1 if not dark else 1)
    page.pixels += mask[..., None] * change


def shade(page: Page) -> None:
    """A shadow: one side of a line, or an ellipse 0.5 to 1.2 wide; 0.35 to 0.7 as bright, its edge 1 to 60 pixels."""
    random = page.random
    y, x = np.mgrid[: page.height, : page.width] / page.side
    middle = page.height / page.side * random.uniform(0.25, 0.75), page.width / page.side * random.uniform(0.25, 0.75)
    angle, v, u = random.uniform(0, 2 * np.pi), y - middle[0], x - middle[1]
    along, across = u * np.cos(angle) + v * np.sin(angle), v * np.cos(angle) - u * np.sin(angle)
    if random.random() < 0.6:
        inside = along > random.uniform(-0.2, 0.2)
    else:
        inside = (along / random.uniform(0.25, 0.6)) ** 2 + (across / random.uniform(0.25, 0.6)) ** 2 < 1
    soft = ndimage.gaussian_filter(inside.astype(float), random.uniform(0.5, 20))
    page.pixels *= (1 - (1 - random.uniform(0.35, 0.7)) * soft)[..., None]


def sprinkle(page: Page) -> None:
    """1 to 8 specks, 1 to 6 pixels wide, as dark as ink, anywhere."""
    for _ in range(page.random.integers(1, 9)):
        y, x, size = (
            page.random.integers(page.height - 6),
            page.random.integers(page.width - 6),
            page.random.integers(1, 7),
        )
        page.pixels[y : y + size, x : x + size] = page.ink


def surround(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    """A rim or frame of one of seven kinds around a picture."""
    width, height = picture.size
    kind, side = int(random.integers(7)), min(picture.size)
    thick = max(2, int(side * random.uniform(0.01, 0.1)))
    if kind == 0:  # a line around it, at the edge or inside
        inset = int(side * random.choice([0, 0.01, 0.03]))
        box = (inset, inset, width - 1 - inset, height - 1 - inset)
        ImageDraw.Draw(picture).rectangle(box, outline=(0, 0, 0), width=int(random.integers(1, 7)))
        return picture
    if kind in (1, 2):  # the scanner's lid on one to four sides: dark, or lighter than paper
        shade = int(random.integers(0, 70)) if kind == 1 else 255
        left, top, right, bottom = (thick * int(on) for on in random.integers(0, 2, 4))
        canvas = Image.new("RGB", (width + (left or thick) + right, height + top + bottom), (shade,) * 3)
        canvas.paste(picture, (left or thick, top))
        return canvas
    if kind in (3, 4):  # nothing around it, straight or with round corners, and any colour in the transparent pixels
        canvas = Image.new("RGBA", (width + 6 * thick, height + 6 * thick), (*random.integers(0, 256, 3).tolist(), 0))
        mask = Image.new("L", picture.size)
        ImageDraw.Draw(mask).rounded_rectangle((0, 0, width - 1, height - 1), thick * (kind - 3), fill=255)
        canvas.paste(picture, (3 * thick, 3 * thick))
        alpha = Image.new("L", canvas.size)
        alpha.paste(mask, (3 * thick, 3 * thick))
        canvas.putalpha(alpha)
        return canvas
    return lay_on_table(picture, random, straight=kind == 5)


def lay_on_table(picture: Image.Image, random: np.random.Generator, straight=False) -> Image.Image:
    """The sheet on a table with a grain, 3 to 15 % of it around, turned by up to 6 degrees."""
    width, height = picture.size
    border = int(min(picture.size) * random.uniform(0.08, 0.2))
    size = height + 2 * border, width + 2 * border
    grain = ndimage.gaussian_filter(random.normal(0, 1, size), random.permutation([2, 40])) * 9
    wood = np.array([0.45, 0.3, 0.2]) * random.uniform(0.4, 1.2) * (1 + 0.1 * grain[..., None])
    table = Image.fromarray((255 * wood.clip(0, 1)).astype(np.uint8))
    sheet = picture.convert("RGBA")
    if not straight:
        sheet = sheet.rotate(random.uniform(-6, 6), Image.Resampling.BICUBIC, expand=True)
    table.paste(sheet, ((table.width - sheet.width) // 2, (table.height - sheet.height) // 2), sheet)
    return table


# ---- the kinds: each gets an MNIST digit and returns the picture and how to save it ----

Made = tuple[Image.Image, str, dict]


def photograph(image, random, *troubles: Callable, **page_options) -> tuple[Page, Image.Image]:
    """A page with a digit and troubles; lines come first, then ink, then light."""
    page = Page(random, **page_options)
    for trouble in troubles:
        if trouble is rule:
            rule(page)
    page.put(draw_digit(image, int(page.side * random.uniform(*DIGIT)), random))
    for trouble in troubles:
        if trouble is not rule:
            trouble(page)
    return page, page.finish()


def save_somehow(picture: Image.Image, random) -> Made:
    if random.random() < 0.5 or picture.mode != "RGB":
        return picture, ".png", {}
    return picture, ".jpg", {"quality": int(random.integers(50, 96))}


def with_troubles(*troubles) -> Callable:
    return lambda image, random: save_somehow(photograph(image, random, *troubles)[1], random)


def make_rims(image, random) -> Made:
    return save_somehow(surround(photograph(image, random, dark=0)[1], random), random)


def make_thin(image, random) -> Made:
    """1 to 3 pixels wide on 600 to 1,600, without noise."""
    page = Page(random, sides=(600, 1600))
    page.put(draw_thin(image, int(page.side * random.uniform(0.4, 0.8)), int(random.integers(1, 4))))
    return Image.fromarray((255 * page.pixels.clip(0, 1)).round().astype(np.uint8)), ".png", {}


def make_ranges(image, random) -> Made:
    """Grey values of 8, 10, 12 or 16 bits, 0 to 1, 0 to 255 or 0 to 16, in files that could hold more."""
    grey = np.asarray(photograph(image, random)[1].convert("L"), dtype=np.float64) / 255
    top, kind, suffix = [
        (1023, np.uint16, ".png"), (4095, np.uint16, ".tif"), (65535, np.uint16, ".png"), (1, np.float32, ".tif"),
        (255, np.float32, ".tif"), (4095, np.int32, ".tif"), (16, np.uint8, ".png"), (255, np.uint16, ".png"),
    ][random.integers(8)]  # fmt: skip
    values = top * grey
    return Image.fromarray((values if kind == np.float32 else values.round()).astype(kind)), suffix, {}


def make_colours(image, random) -> Made:
    """Ink as grey as its paper and 0.35 or more apart in a channel; or pale on white."""
    page = Page(random, dark=0)
    while random.random() < 0.8:  # once in five: as it is below
        page.paper, page.ink = random.uniform(0, 1, (2, 3))
        page.ink[1] = page.paper[1] + ((page.paper - page.ink) @ [0.299, 0, 0.114]) / 0.587
        if 0 <= page.ink[1] <= 1 and abs(page.paper - page.ink).max() > 0.35:
            break
    else:
        page.paper, page.ink = (
            np.array([1, 1, 1]),
            np.array([[1, 1, 0.4], [0.6, 1, 1], [1, 0.8, 0.85]][random.integers(3)]),
        )
    page.pixels[:] = page.paper
    page.put(draw_digit(image, int(page.side * random.uniform(*DIGIT)), random))
    return page.finish(noise=(0, 0.01)), ".png", {}


def make_turned(image, random) -> Made:
    orientation = int(random.integers(2, 9))
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = photograph(image, random)[1].transpose(TURNS[orientation])
    return picture, ".jpg", {"quality": 85, "exif": exif}


def make_phone(image, random) -> Made:
    """Lines, light and shadow each at evens, a speck, on a table, taken at a slant."""
    page, _ = photograph(image, random, *(rule for _ in range(random.integers(2))), dark=0, sides=(700, 1100))
    for trouble in (light, shade, sprinkle):
        if random.random() < 0.5:
            trouble(page)
    picture = lay_on_table(page.finish(), random)
    width, height = picture.size
    slant = random.uniform(-0.04, 0.04, 2) / (width, height)
    picture = picture.transform(
        picture.size, Image.Transform.PERSPECTIVE, (1, 0, 0, 0, 1, 0, *slant), Image.Resampling.BICUBIC
    )
    return picture, ".jpg", {"quality": int(random.integers(40, 90))}


def make_several(image, random) -> Made:
    """Two to four of the same digit in a row, 8 to 40 % of their height apart."""
    page = Page(random, sides=(700, 900))
    side, x = int(page.side * 0.18), page.side // 20
    for _ in range(random.integers(2, 5)):
        mask = draw_digit(image, side, random)
        if x + mask.shape[1] > page.width:
            break
        page.put(mask, (page.height // 3 + int(random.integers(side // 5)), x))
        x += mask.shape[1] + int(side * random.uniform(0.08, 0.4))
    return save_somehow(page.finish(), random)


def make_nothing(draw: Callable | None) -> Callable:
    """A page with one of the troubles of a page or none, and, instead of a digit, what ``draw`` draws or nothing."""

    def make(image, random) -> Made:
        page, trouble = Page(random), random.choice([None, light, rule, shade])
        if trouble is rule:
            rule(page)
        if draw:
            page.put(draw(int(page.side * random.uniform(*DIGIT)), random))
        if trouble in (light, shade):
            trouble(page)
        return save_somehow(page.finish(), random)

    return make


KINDS = {
    "plain scan": with_troubles(),
    "uneven light": with_troubles(light),
    "ruled lines": with_troubles(rule),
    "shadow": with_troubles(shade),
    "rims": make_rims,
    "thin strokes": make_thin,
    "ranges": make_ranges,
    "colours": make_colours,
    "turned": make_turned,
    "dust": with_troubles(sprinkle),
    "phone": make_phone,
    "several": make_several,
    "blank": make_nothing(None),
    "letter": make_nothing(draw_letter),
    "scribble": make_nothing(draw_scribble),
}


def write_photographs(kind: str, folder: Path, train: bool, count: int = COUNT) -> list[tuple[Path, int]]:
    """Write ``count`` pictures of a kind into ``folder``; their paths and the digit that each shows."""
    seed, mnist = TRAINING if train else TESTING, load_mnist(train)
    chosen = np.random.default_rng(seed).choice(len(mnist.data), COUNT, replace=False)[:count]
    written = []
    for number, index in enumerate(chosen):
        random = np.random.default_rng([seed, list(KINDS).index(kind), number])
        picture, suffix, options = KINDS[kind](mnist.data[index].numpy(), random)
        path = folder / f"{kind.replace(' ', '-')}-{number}{suffix}"
        buffer = io.BytesIO()
        picture.save(buffer, Image.registered_extensions()[suffix], **options)
        path.write_bytes(buffer.getvalue())
        written.append((path, int(mnist.targets[index])))
    return written


def read(path: Path, model: nn.Module, inputs: dict) -> tuple[int | None, bool]:
    """The digit that ``predict`` reads in a file, none where it shows nothing or several; and whether it is sure."""
    try:
        image = read_digit(path)
    except ValueError:
        return None, False
    digits, confidences = predict_with_confidence(model, prepare_images(image[None], **inputs))
    return int(digits), is_sure(image, confidences.item())


def main() -> None:
    """Print, for each kind, how many of its 200 pictures are read right, sure or not, and how the others."""
    model, inputs = load_checkpoint(find_checkpoint("lenet5.pt"))
    print("kind            right  sure, wrong  not sure  refused")
    for kind in KINDS:
        with tempfile.TemporaryDirectory() as folder:
            made = write_photographs(kind, Path(folder), train=False)
            answers = [(*read(path, model, inputs), digit) for path, digit in made]
        right = sum(guess == digit for guess, _, digit in answers)
        wrong = sum(sure and guess != digit for guess, sure, digit in answers)
        refused = sum(guess is None for guess, _, _ in answers)
        unsure = sum(not sure for _, sure, _ in answers) - refused
        print(f"{kind:14} {right:6} {wrong:12} {unsure:9} {refused:8}", flush=True)


if __name__ == "__main__":
    main()
