"""From a photograph to the strokes of its digit: each step on its own, and whole photographs of training digits."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from lenet_utils.checkpoints import find_checkpoint, load_checkpoint
from lenet_utils.data import load_mnist
from lenet_utils.images import is_sure, read_digit
from lenet_utils.photographs import cut_out_sheet, erase_lines, find_drawing, find_ink, find_strokes, thicken
from lenet_utils.studies.made_photographs import KINDS, read, write_photographs

TROUBLES = [kind for kind in KINDS if kind not in ("several", "blank", "letter", "scribble")]


def draw_seven(side=200, pen=16, ink=0.0, paper=1.0):
    image = Image.new("F", (side, side), paper)
    points = [(0.3 * side, 0.25 * side), (0.7 * side, 0.25 * side), (0.45 * side, 0.78 * side)]
    ImageDraw.Draw(image).line(points, fill=ink, width=pen)
    return np.asarray(image)[..., None].copy()


def find_box(mask):
    return [(line[0], line[-1]) for line in (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))]


# ---- the steps ----


@pytest.mark.parametrize("ink, paper", [(0, 1), (1, 0), (0.4, 0.6), (0.6, 0.4)])
def test_ink_is_what_differs_from_paper(ink, paper):
    picture = draw_seven(ink=ink, paper=paper)
    found = find_ink(picture, 40, 0)[0] > 0.1
    assert (found == (picture[..., 0] == ink)).mean() > 0.98


def test_ink_of_the_same_grey_is_found_by_its_colour():
    mask = draw_seven() == 0
    picture = np.where(mask, [1, 0, 0], [0, 0.51, 0])
    assert ((find_ink(picture, 40, 0)[0] > 0.1) == mask[..., 0]).mean() > 0.98


def test_grain_and_light_are_not_ink():
    random = np.random.default_rng(0)
    picture = np.linspace(0.4, 1, 200)[:, None, None] + random.normal(0, 0.01, (200, 200, 1))
    assert (find_ink(picture, 40, 0)[0] > 0).mean() < 0.001


@pytest.mark.parametrize("slope", [-0.05, 0, 0.03])
def test_lines_across_go_and_strokes_stay(slope):
    ink = np.zeros((200, 300))
    ink[40:160, 140:150] = 1  # a stroke
    lines = np.zeros_like(ink)
    for x in range(300):
        for y in range(30, 180, 25):
            lines[round(y + slope * (x - 150)) : round(y + slope * (x - 150)) + 2, x] = 1
    rest = erase_lines(np.maximum(ink, lines))
    assert rest[(lines > 0) & (ink == 0)].mean() < 0.05 and rest[ink > 0].mean() > 0.98


def test_lines_that_do_not_cross_stay():
    ink = np.zeros((200, 300))
    ink[50:54, 100:220] = 1
    assert (erase_lines(ink) == ink).all()


def test_sheet_is_cut_out_of_a_table():
    picture = np.full((240, 300, 3), [0.4, 0.25, 0.15])
    picture[30:200, 40:260] = 0.9
    sheet = cut_out_sheet(picture)
    assert 0.8 < sheet.shape[0] / 170 <= 1.05 and 0.8 < sheet.shape[1] / 220 <= 1.05 and sheet.min() == 0.9


def test_shaded_paper_belongs_to_the_sheet():
    picture = np.full((200, 200, 1), 0.9)
    picture[:, :50] *= 0.5
    assert cut_out_sheet(picture).shape == picture.shape


def test_strokes_nearby_belong_to_the_digit_and_specks_do_not():
    ink = np.zeros((200, 200))
    ink[60:140, 60:70] = ink[60:140, 60:100] = 1
    ink[52:56, 60:110] = 1  # a stroke nearby
    ink[10:13, 10:13] = 1  # a speck
    strokes = find_strokes(ink)
    assert strokes.digits == 1 and 88 <= strokes.ink.shape[0] <= 92 and strokes.ink.max() == 1
    assert find_strokes(np.where(np.arange(200) < 20, ink, 0)) is None


def test_digits_side_by_side_are_counted_and_a_frame_is_not():
    ink = np.zeros((200, 200))
    for x in (50, 90, 130):
        ink[80:120, x : x + 12] = 1
    framed = ink.copy()
    framed[[20, 180], 20:181] = framed[20:181, [20, 180]] = 1
    assert find_strokes(ink).digits == find_strokes(framed).digits == 3


def test_thin_strokes_become_as_thick_as_those_of_mnist():
    ink = np.zeros((200, 100))
    ink[:, 50:52] = 1
    assert 20 <= (thicken(ink) > 0.5).sum(axis=1).max() <= 30  # 2.5 of 20, where the side is 200
    ink[:, 40:60] = 1
    assert (thicken(ink) == ink).all()


@pytest.mark.parametrize(
    "picture", [np.ones((50, 60, 1)), np.zeros((50, 60, 3)), np.ones((1, 1, 1)), np.ones((1, 400, 1))]
)
def test_nothing_is_found_on_empty_paper(picture):
    assert find_drawing(picture) == (None, 0)


# ---- whole photographs ----


@pytest.fixture(scope="module")
def reader():
    return load_checkpoint(find_checkpoint("lenet5.pt"))


@pytest.mark.parametrize("kind", TROUBLES)
def test_photographs_are_read(kind, reader, tmp_path):
    photographs = write_photographs(kind, tmp_path, train=True, count=12)
    assert sum(read(path, *reader)[0] == digit for path, digit in photographs) >= 11


def test_several_digits_are_said_to_be_several(tmp_path):
    for path, _ in write_photographs("several", tmp_path, train=True, count=5):
        with pytest.raises(ValueError, match=f"{path.name} shows [2-4] digits or more"):
            read_digit(path)


def test_digits_look_like_digits_and_letters_and_scribbles_do_not(reader, tmp_path):
    digits = load_mnist(train=False).data[:100]
    assert sum(is_sure(digit, 1) for digit in digits) >= 95
    assert not is_sure(digits[0], 0.4)
    answers = [
        read(path, *reader)
        for kind in ("letter", "scribble")
        for path, _ in write_photographs(kind, tmp_path, train=True, count=10)
    ]
    assert sum(not sure for _, sure in answers) >= 17
