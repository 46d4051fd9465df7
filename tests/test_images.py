"""Image files: 200 test digits in many disguises, and files that show no digit."""

import numpy as np
import pytest
import torch
from PIL import Image

from lenet_utils.checkpoints import find_checkpoint, load_checkpoint
from lenet_utils.data import load_mnist, prepare_images
from lenet_utils.evaluation import compute_accuracy, predict_logits
from lenet_utils.images import MAX_PIXELS, read_digit

COUNT = 200


def as_png(digit: Image.Image, folder, name="digit.png", **options):
    digit.save(folder / name, **options)
    return folder / name


def enlarge(digit, size):
    return digit.resize((size, size), Image.Resampling.BICUBIC)


def on_canvas(digit, width, height, x, y):
    canvas = Image.new("L", (width, height), 0)
    canvas.paste(digit, (x, y))
    return canvas


def with_transparency(digit, ink):
    picture = Image.new("RGBA", digit.size, (ink, ink, ink, 0))
    picture.putalpha(digit)
    return picture


def with_16_bits(digit):
    return Image.fromarray(np.asarray(digit).astype(np.uint16) * 257)


DISGUISES = {
    "as it is": lambda digit: digit,
    "100 pixels": lambda digit: enlarge(digit, 100),
    "400 pixels": lambda digit: enlarge(digit, 400),
    "dark on light": lambda digit: Image.eval(digit, lambda v: 255 - v),
    "dark on light grey, large, in colour": lambda digit: Image.eval(
        enlarge(digit, 100), lambda v: 200 - v * 3 // 4
    ).convert("RGB"),
    "black on transparent": lambda digit: with_transparency(enlarge(digit, 100), 0),
    "white on transparent": lambda digit: with_transparency(enlarge(digit, 100), 255),
    "16 bits": with_16_bits,
    "palette": lambda digit: digit.convert("P"),
    "in a corner": lambda digit: on_canvas(digit, 90, 60, 55, 2),
}


@pytest.fixture(scope="module")
def mnist_test():
    return load_mnist(train=False)


@pytest.fixture(scope="module")
def reader():
    return load_checkpoint(find_checkpoint("lenet5.pt"))


@pytest.mark.parametrize("disguise", DISGUISES)
def test_disguised_digits_are_read(disguise, mnist_test, reader, tmp_path):
    digits = []
    for image in mnist_test.data[:COUNT]:
        path = as_png(DISGUISES[disguise](Image.fromarray(image.numpy())), tmp_path)
        digits.append(read_digit(path))
    model, inputs = reader
    predictions = predict_logits(model, prepare_images(torch.stack(digits), **inputs)).argmax(dim=1)
    assert compute_accuracy(mnist_test.targets[:COUNT], predictions) >= 97


def test_result_has_the_form_of_mnist(mnist_test, tmp_path):
    big = enlarge(Image.fromarray(mnist_test.data[0].numpy()), 300)
    digit = read_digit(as_png(on_canvas(big, 500, 400, 150, 50), tmp_path))
    assert digit.shape == (28, 28) and digit.dtype == torch.uint8 and digit.max() > 250
    rows, columns = digit.nonzero().T
    assert 18 <= max(rows.max() - rows.min(), columns.max() - columns.min()) + 1 <= 20
    for axis in (0, 1):
        weights = digit.double().sum(dim=1 - axis)
        centre = (weights * torch.arange(28)).sum() / weights.sum()
        assert abs(centre - 14) <= 0.5


def test_thin_line_stays_inside(tmp_path):
    line = Image.new("L", (300, 40), 255)
    line.paste(0, (10, 20, 290, 22))
    digit = read_digit(as_png(line, tmp_path))
    assert digit.sum() > 0


@pytest.mark.parametrize("colour", [0, 128, 255])
def test_blank_image_is_named(colour, tmp_path):
    path = as_png(Image.new("L", (50, 50), colour), tmp_path, "blank.png")
    with pytest.raises(ValueError, match="blank.png shows nothing"):
        read_digit(path)


def test_wholly_transparent_image_is_named(tmp_path):
    path = as_png(Image.new("RGBA", (50, 50), (9, 9, 9, 0)), tmp_path, "glass.png")
    with pytest.raises(ValueError, match="glass.png shows nothing"):
        read_digit(path)


def test_enormous_image_is_named(tmp_path):
    side = int(MAX_PIXELS**0.5) + 1
    path = as_png(Image.new("1", (side, side)), tmp_path, "enormous.png")
    with pytest.raises(ValueError, match="enormous.png has more than .* pixels"):
        read_digit(path)


def test_kinds_that_cannot_be_converted_are_named(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise ValueError("conversion not supported")

    path = as_png(Image.new("P", (40, 40)), tmp_path, "strange.png")
    monkeypatch.setattr(Image.Image, "convert", refuse)
    with pytest.raises(ValueError, match="strange.png cannot be read as an image"):
        read_digit(path)


def test_files_that_are_no_images_are_named(tmp_path):
    (tmp_path / "text.png").write_text("a seven")
    (tmp_path / "empty.png").write_bytes(b"")
    whole = as_png(Image.new("L", (200, 200), 99), tmp_path).read_bytes()
    (tmp_path / "half.png").write_bytes(whole[: len(whole) // 2])
    for name in ("text.png", "empty.png", "half.png"):
        with pytest.raises(ValueError, match=f"{name} cannot be read as an image"):
            read_digit(tmp_path / name)
    with pytest.raises(FileNotFoundError, match="missing.png"):
        read_digit(tmp_path / "missing.png")


def test_turned_pictures_are_turned_back(mnist_test, tmp_path):
    upright = enlarge(Image.fromarray(mnist_test.data[0].numpy()), 200)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side
    turned = as_png(upright.transpose(Image.Transpose.ROTATE_90), tmp_path, "turned.png", exif=exif)
    difference = read_digit(turned).int() - read_digit(as_png(upright, tmp_path)).int()
    assert difference.abs().max() <= 2


@pytest.mark.parametrize(
    "top, dtype", [(1023, "uint16"), (4095, "uint16"), (4095, "int32"), (1, "float32"), (16, "uint8")]
)
def test_any_range_of_values_is_the_same_digit(top, dtype, mnist_test, tmp_path):
    digit = np.asarray(enlarge(Image.fromarray(mnist_test.data[0].numpy()), 100)) / 255
    path = as_png(Image.fromarray((top * digit).astype(dtype)), tmp_path, "digit.tif")
    whole = as_png(Image.fromarray((255 * digit).astype("uint8")), tmp_path)
    assert (read_digit(path).int() - read_digit(whole).int()).abs().max() <= 40


def test_ink_or_sheet_may_be_what_is_opaque(mnist_test, tmp_path):
    digit = enlarge(Image.fromarray(mnist_test.data[0].numpy()), 200)
    sheet = Image.new("RGBA", (320, 300), (255, 0, 0, 0))
    sheet.paste(Image.eval(digit, lambda v: 255 - v).convert("RGBA"), (60, 50))
    read = [read_digit(as_png(picture, tmp_path)).int() for picture in (digit, with_transparency(digit, 90), sheet)]
    for other in read[1:]:  # which may come out a pixel further
        assert min((other.roll(shift, 1) - read[0]).abs().max() for shift in (-1, 0, 1)) <= 60


def test_pixels_that_are_no_numbers_are_named(tmp_path):
    values = np.ones((40, 40), np.float32)
    for value in (np.nan, np.inf):
        values[3, 3] = value
        with pytest.raises(ValueError, match="strange.tif holds pixels that are no numbers"):
            read_digit(as_png(Image.fromarray(values), tmp_path, "strange.tif"))


def test_modes_that_are_no_colours_to_pillow_are_read(tmp_path):
    for mode in ("LAB", "CMYK", "1", "P"):
        with pytest.raises(ValueError, match="paper.tif shows nothing"):
            read_digit(as_png(Image.new(mode, (40, 40)), tmp_path, "paper.tif"))


def test_folders_and_phone_pictures_get_advice(tmp_path):
    (tmp_path / "photo.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(40))
    with pytest.raises(ValueError, match="photo.heic is a HEIC picture.* JPEG or PNG"):
        read_digit(tmp_path / "photo.heic")
    with pytest.raises(ValueError, match="is a folder"):
        read_digit(tmp_path)
