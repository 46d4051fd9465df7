"""Diagrams: what they say is what the model or the numbers say."""

import re
from xml.etree import ElementTree

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.patches import Circle
from torch import nn

from lenet_utils import diagrams
from lenet_utils.figures import Diagram, encode_figure
from lenet_utils.lenet1998.network import LeNet1998
from lenet_utils.models import MLP, LeNet5, LeNet5Selective, LeNet28, SimpleCNN, count_parameters
from lenet_utils.plotting import BLUE, ORANGE


@pytest.fixture(autouse=True)
def seed_and_close():
    torch.manual_seed(0)
    yield
    plt.close("all")


def read_texts(figure):
    """All words of a diagram, from left to right and then from the top, without its title."""
    (ax,) = figure.axes
    placed = sorted((round(text.get_position()[0], 3), -text.get_position()[1], text.get_text()) for text in ax.texts)
    return [text for _, _, text in placed if text]


def find_text(figure, words):
    (text,) = (text for text in figure.axes[0].texts if text.get_text() == words)
    return text


class Value:
    def __init__(self, data, parents=(), grad=0.0):
        self.data, self.parents, self.grad = data, parents, grad


def draw_all():
    mlp = MLP()
    w, x = Value(2.0), Value(3.0)
    product = Value(6.0, [(w, 3.0), (x, 2.0)], 1.0)
    conv, maps = nn.Conv2d(6, 2, 3), torch.randn(6, 8, 8)
    yield diagrams.draw_neuron([1.0, 2.0], [0.5, -1.0], 0.25, title="A neuron")
    yield diagrams.draw_mlp(mlp, title="A network")
    yield diagrams.draw_passes([[1, 2], [3]], [[4, 5], [1]], [np.array([[6, 7]])], title="Two passes")
    yield diagrams.draw_calculation([w, x, product], {"w": w, "x": x, "product": product}, title="A product")
    yield diagrams.draw_kernels(conv, maps, title="Kernels of a map")
    yield diagrams.draw_step(mlp, torch.optim.SGD(mlp.parameters(), lr=0.03), 64, title="A step")
    yield diagrams.draw_epoch(60_000, 64, title="An epoch")
    yield diagrams.draw_split({"training": 55_000, "validation": 5_000, "test": 10_000}, title="Three parts")
    yield diagrams.draw_lenet(LeNet5(), title="LeNet-5")
    yield diagrams.draw_lenet(LeNet1998(), title="LeNet-5 of 1998")


def test_all_are_vectors_with_words_and_fit_a_page():
    names = [name for name in vars(diagrams) if name.startswith("draw_")]
    figures = list(draw_all())
    assert len(figures) == len(names) + 1
    for figure in figures:
        assert isinstance(figure, Diagram) and figure.axes[0].get_title()
        drawing = figure._repr_svg_()
        root = ElementTree.fromstring(drawing)
        assert root.attrib["role"] == "img" and root.attrib["aria-label"].startswith(figure.axes[0].get_title())
        written = "".join(root.itertext())
        assert "fill: #ffffff" in drawing[: drawing.index("</g>")]  # the ground
        assert all(line in written for text in read_texts(figure) for line in text.split("\n"))
        assert drawing == figure._repr_svg_() and len(drawing) < 40_000
        data, metadata = encode_figure(figure)
        assert metadata["width"] <= 1000 and len(data) < 60_000
        assert min(text.get_fontsize() for text in figure.axes[0].texts if text.get_text()) >= 9


def test_a_title_may_hold_any_sign():
    drawing = diagrams.draw_split({"a": 1}, title='"1" < 2 & 3')._repr_svg_()
    assert ElementTree.fromstring(drawing).attrib["aria-label"] == '"1" < 2 & 3.'


def test_no_words_overlap():
    for figure in draw_all():
        renderer = figure.canvas.get_renderer()
        boxes = [
            (text.get_text(), text.get_window_extent(renderer)) for text in figure.axes[0].texts if text.get_text()
        ]
        for number, (words, box) in enumerate(boxes):
            for others, other in boxes[number + 1 :]:
                assert not box.padded(-2).overlaps(other.padded(-2)), (figure.axes[0].get_title(), words, others)


@pytest.mark.parametrize("activation", [torch.relu, torch.tanh, torch.sigmoid])
def test_a_neuron_computes_what_it_says(activation):
    inputs, weights, bias = torch.tensor([1.0, 0.5, -0.2]), torch.tensor([0.3, -0.8, 0.9]), -0.4
    texts = read_texts(diagrams.draw_neuron(inputs, weights, bias, activation))
    total = (inputs @ weights).item() + bias
    assert texts[:6] == ["1.00", "0.50", "-0.20", "x 0.30", "x -0.80", "x 0.90"]
    assert texts[6] == f"sum + bias\n{total - bias:.2f} + {bias:.2f}\n= {total:.2f}"
    assert texts[7:] == [activation.__name__, f"{activation(torch.tensor(total)).item():.2f}"]


def test_an_mlp_is_drawn_from_its_layers():
    model = nn.Sequential(nn.Flatten(), nn.Linear(300, 5), nn.Tanh(), nn.Linear(5, 9, bias=False))
    figure = diagrams.draw_mlp(model)
    texts = read_texts(figure)
    assert [text for text in texts if "weights" in text] == [
        "300 x 5 weights\n+ 5 biases\n= 1,505", "5 x 9 weights\n= 45",
    ]  # fmt: skip
    assert [text for text in texts if "weights" not in text] == ["300\ninputs", "...", "5\nTanh", "9\noutputs", "..."]
    circles = [patch.center[0] for patch in figure.axes[0].patches if isinstance(patch, Circle)]
    assert [circles.count(x) for x in sorted(set(circles))] == [4, 5, 4]
    assert "\n= 100,480" in "".join(read_texts(diagrams.draw_mlp(MLP())))


def test_passes_put_every_number_at_its_place():
    weights, gradients = np.array([[0.11, 0.12], [0.21, 0.22]]), np.array([[0.13, 0.14], [0.23, 0.24]])
    figure = diagrams.draw_passes(
        [[1, 2], [3, 4]], [[5, 6], [7, 8]], [(weights, gradients)], [["a", "b"], ["c", "d"]], title="x"
    )
    column = [find_text(figure, words).get_position() for words in ("a", "1.00", "5.00", "b", "2.00", "6.00")]
    assert len({x for x, _ in column}) == 1 and [y for _, y in column] == sorted((y for _, y in column), reverse=True)
    for words, colour in (("1.00", BLUE), ("4.00", BLUE), ("7.00", ORANGE), ("0.21", BLUE), ("0.23", ORANGE)):
        assert find_text(figure, words).get_color() == colour
    for words, start, end in (("0.12", "2.00", "3.00"), ("0.21", "1.00", "4.00"), ("0.22", "2.00", "4.00")):
        # the weight of row j and column i stands on the line from input i to output j
        (x0, y0), (x1, y1), (x, y) = (find_text(figure, text).get_position() for text in (start, end, words))
        assert y == pytest.approx(y0 + (x - x0) / (x1 - x0) * (y1 - y0), abs=0.1)
    assert "5.00" not in read_texts(diagrams.draw_passes([[1, 2], [3, 4]], None, [weights]))


def test_a_calculation_shows_numbers_and_the_gradients_that_have_come_back():
    w, x, b = Value(2.0), Value(3.0, grad=-4.0), Value(5.0)
    product = Value(6.0, [(w, 3.0), (x, 2.0)], grad=7.0)
    total = Value(11.0, [(product, 1.0), (b, 1.0)])
    figure = diagrams.draw_calculation([w, x, product, b, total], {"w": w, "x": x, "sum": total})
    column = ["w", "2.000", "x", "3.000", "-4.000"]
    slopes = [["3.00", "2.00"], ["1.00", "1.00"]]
    assert read_texts(figure) == [*column, *slopes[0], "6.000", "7.000", "5.000", *slopes[1], "sum", "11.000"]
    assert find_text(figure, "3.00").get_position()[1] > find_text(figure, "2.00").get_position()[1]  # w's, then x's
    arrows = [text for text in figure.axes[0].texts if not text.get_text()]
    assert len(arrows) == 4 + 2  # and two values have no name
    ends = [(text.xyann[0], text.xy[0]) for text in arrows if hasattr(text, "xyann")]
    assert len(ends) == 4 and all(start < end for start, end in ends)  # to the right
    assert find_text(figure, "-4.000").get_color() == ORANGE and find_text(figure, "3.000").get_color() == BLUE


def test_a_value_that_is_used_twice_has_two_arrows():
    error = Value(3.0)
    figure = diagrams.draw_calculation([error, Value(9.0, [(error, 3.0), (error, 3.0)])], {"error": error})
    heights = [text.get_position()[1] for text in figure.axes[0].texts if text.get_text() == "3.00"]
    arrows = [text.arrow_patch.get_connectionstyle().rad for text in figure.axes[0].texts if hasattr(text, "xyann")]
    assert len(heights) == 2 and heights[0] > 0 > heights[1]
    assert len(arrows) == 2 and arrows[0] < 0 < arrows[1]  # the first bends upwards


def test_kernels_add_up_to_the_map_that_the_layer_computes():
    conv, maps = nn.Conv2d(6, 3, 3), torch.randn(6, 8, 8)
    figure = diagrams.draw_kernels(conv, maps, output=2)
    pictures = [np.asarray(image.get_array()) for image in figure.axes[0].images]
    assert len(pictures) == 4 * 3 + 1
    assert np.allclose(pictures[-1], conv(maps[None])[0, 2].detach(), atol=1e-5)
    assert np.allclose(pictures[3], maps[1]) and np.allclose(pictures[4], conv.weight[2, 1].detach())
    alone = nn.functional.conv2d(maps[None, 1:2], conv.weight[2:3, 1:2])[0, 0].detach()
    assert np.allclose(pictures[5], alone, atol=1e-6)
    assert f"sum\n(2 more)\n+ bias {conv.bias[2].item():.2f}" in read_texts(figure)
    assert "sum\n+ bias 0.00" in read_texts(diagrams.draw_kernels(nn.Conv2d(1, 1, 3, bias=False), maps[:1]))


def test_a_step_names_the_model_s_size_and_the_optimiser():
    model = SimpleCNN()
    texts = "\n".join(read_texts(diagrams.draw_step(model, torch.optim.Adam(model.parameters(), lr=0.002), 32)))
    count = f"{count_parameters(model):,}"
    assert "batch\n32 images" in texts and "Adam, rate 0.002" in texts
    assert f"through {count} numbers" in texts and f"{count} gradients" in texts


@pytest.mark.parametrize(
    "images, batch_size, batches, steps",
    [
        (60_000, 64, ["64", "64", "64", "32"], ["1", "2", "3", "938"]),
        (100, 40, ["40", "40", "20"], ["1", "2", "3"]),
        (8, 2, ["2", "2", "2", "2"], ["1", "2", "3", "4"]),
        (5, 10, ["5"], ["1"]),
    ],
)
def test_an_epoch_counts_its_steps(images, batch_size, batches, steps):
    texts = read_texts(diagrams.draw_epoch(images, batch_size))
    assert [text.split()[0] for text in texts if re.fullmatch(r"\d+ images", text)] == batches
    assert [text.split()[1] for text in texts if text.startswith("step")] == steps
    assert f"all {images:,} images once, {steps[-1]} steps" in "".join(texts)


def test_a_split_is_drawn_to_scale():
    figure = diagrams.draw_split({"training": 600, "validation": 100, "test": 300})
    widths = [patch.get_width() for patch in figure.axes[0].patches]
    assert np.allclose(np.array(widths) / sum(widths), [0.6, 0.1, 0.3])
    texts = read_texts(figure)
    assert texts == ["training 600\nto learn from", "validation 100\nto choose by", "test 300\nto score, once"]


@pytest.mark.parametrize("model", [LeNet5(), LeNet5Selective(), LeNet28(), LeNet1998()], ids=lambda m: type(m).__name__)
def test_lenet_is_drawn_from_its_layers(model):
    texts = read_texts(diagrams.draw_lenet(model))
    learnt = [int(text.split()[0].replace(",", "")) for text in texts if text.endswith("to learn")]
    assert sum(learnt) == count_parameters(model)
    assert [text for text in texts if re.fullmatch("[CSF][1-6]|input|output", text)] == [
        "input", "C1", "S2", "C3", "S4", "C5", "F6", "output",
    ]  # fmt: skip
    side = model.input_size if hasattr(model, "input_size") else 32
    sizes = [text for text in texts if re.search(r" of \d+x\d+$|\d numbers$", text) and "mean" not in text]
    assert sizes == [
        f"1 of {side}x{side}", f"6 of {side - 4}x{side - 4}", f"6 of {side // 2 - 2}x{side // 2 - 2}",
        f"16 of {side // 2 - 6}x{side // 2 - 6}", f"16 of {side // 4 - 3}x{side // 4 - 3}",
        "120 numbers", "84 numbers", "10 numbers",
    ]  # fmt: skip
    assert not any(layer._forward_hooks for layer in model.modules())


def test_the_answer_of_1998_is_drawn_as_its_ten_codes():
    model = LeNet1998()
    figure = diagrams.draw_lenet(model)
    pictures = [np.asarray(image.get_array()) for image in figure.axes[0].images]
    assert np.array_equal(np.stack(pictures), -model.output.codes.reshape(10, 12, 7).numpy())
    assert "distances" in read_texts(figure) and not diagrams.draw_lenet(LeNet5()).axes[0].images
