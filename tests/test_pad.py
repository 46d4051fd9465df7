"""What the drawing pad stands on: readings, networks as data, the page as a file, and the widget without a browser."""

import base64
import json
import re

import numpy as np
import pytest
import torch
from notebooks_as_data import PROJECT, ROOT
from PIL import Image
from torch import nn

from lenet_utils import drawings
from lenet_utils.checkpoints import load_checkpoint
from lenet_utils.data import load_mnist, prepare_images, split_train_validation
from lenet_utils.evaluation import predict_logits
from lenet_utils.lenet1998.network import CODES, LeNet1998
from lenet_utils.models import C3_TABLE, MLP, LeNet5Selective, LeNet28, SimpleCNN
from lenet_utils.pad import page as page_module
from lenet_utils.pad.page import NETWORKS, write_page
from lenet_utils.pad.reading import (
    EXAMPLE,
    choose_threshold,
    compute_scores,
    describe_network,
    find_weight,
    read,
    show_reading,
)  # fmt: skip
from lenet_utils.pad.widget import DrawingPad

PAD = ROOT / "lenet_utils" / "pad"
LIVE = "application/vnd.jupyter.widget-view+json"


@pytest.fixture(scope="module")
def networks():
    return {name: load_checkpoint(file) for name, file in NETWORKS.items()}


@pytest.fixture(scope="module")
def digits():
    return load_mnist(train=True).data[:30]


def decode(stored) -> np.ndarray:
    return np.frombuffer(base64.b64decode(stored["base64"]), "<f4").reshape(stored["shape"])


# ---- readings ----


@pytest.mark.parametrize("name", NETWORKS)
def test_a_reading_is_what_the_model_computes(name, networks, digits):
    model, inputs = networks[name]
    model.train()
    for digit in digits[:5]:
        reading = read(model, inputs, digit, -1e9)
        logits = predict_logits(model, prepare_images(digit[None], **inputs))
        assert torch.equal(reading.logits, logits[0]) and torch.equal(reading.image, digit)
        assert reading.score == compute_scores(model, logits).item()
        assert reading.digit == logits.argmax().item()
    assert model.training and not any(layer._forward_hooks for layer in model.modules())
    model.eval()


def test_steps_are_named_and_squashed(networks, digits):
    def steps(model, **inputs):
        found = read(model, inputs, digits[0], 0.0).steps
        return [(step.name, step.squash, tuple(step.output.shape)) for step in found]

    shapes = [(6, 28, 28), (6, 14, 14), (16, 10, 10), (16, 5, 5), (120,), (84,), (10,)]
    names = ["C1", "S2", "C3", "S4", "C5", "F6", "output"]
    assert steps(LeNet5Selective(), size=32) == list(zip(names, ["tanh", "", "tanh", "", "tanh", "tanh", ""], shapes))
    assert steps(LeNet1998(), size=32) == list(zip(names, ["scaled tanh"] * 6 + [""], shapes))
    assert steps(MLP()) == [("linear 1", "relu", (128,)), ("linear 2", "relu", (64,)), ("output", "", (10,))]
    assert [name for name, _, _ in steps(SimpleCNN())] == [
        "convolution 1", "max 1", "convolution 2", "max 2", "linear 1", "output",
    ]  # fmt: skip


def test_outputs_are_the_squashed_ones(networks, digits):
    model, inputs = networks["LeNet-5 of 1998"]
    steps = read(model, inputs, digits[0], 0.0).steps
    features = model.compute_features(prepare_images(digits[:1], **inputs))
    assert torch.allclose(steps[-2].output, features[0])
    first = 1.7159 * torch.tanh(model.c1(prepare_images(digits[:1], **inputs)) * 2 / 3)
    assert torch.allclose(steps[0].output, first[0])


@pytest.mark.parametrize("name", NETWORKS)
def test_at_most_two_of_a_hundred_validation_digits_are_refused(name, networks):
    model, inputs = networks[name]
    train_set = load_mnist(train=True)
    _, validation = split_train_validation(train_set.targets)
    logits = predict_logits(model, prepare_images(train_set.data[validation], **inputs))
    assert 0.019 <= (compute_scores(model, logits) < choose_threshold(model, inputs)).float().mean() <= 0.02


def test_a_reading_says_how_sure_it_is(networks, digits):
    (model, inputs), (old, old_inputs) = networks["LeNet-5"], networks["LeNet-5 of 1998"]
    five = digits[0]
    assert re.fullmatch(r"a 5 \((over )?[\d.]+ %\)", str(read(model, inputs, five, 0.1)))
    assert str(read(model, inputs, five, 1.1)).startswith("not sure, perhaps a 5 (")
    assert re.fullmatch(r"a 5 \(distance \d+\.\d\)", str(read(old, old_inputs, five, -100.0)))
    assert str(read(old, old_inputs, five, 0.0)).startswith("no digit, the nearest is a 5 (distance ")
    assert read(model, inputs, five, 1.1).digit is None


def test_show_reading_takes_files_drawings_and_digits(networks, digits, tmp_path):
    model, inputs = networks["LeNet-5"]
    Image.fromarray(digits[0].numpy()).resize((280, 280)).save(tmp_path / "five.png")
    drawing = np.kron(digits[0].numpy() / 255, np.ones((10, 10)))
    moved = digits[0].roll(1, dims=1)
    for picture in (tmp_path / "five.png", str(tmp_path / "five.png"), drawing, moved):
        (ax, *_) = show_reading(picture, model, inputs).axes
        assert ax.get_title().startswith("LeNet5: ") and "a 5 (" in ax.get_title()
    assert np.array_equal(ax.images[0].get_array(), moved)  # a digit is taken as it is


# ---- networks as data ----


@pytest.mark.parametrize("name", NETWORKS)
def test_a_described_network_has_the_weights_of_the_model(name, networks):
    model, inputs = networks[name]
    described = describe_network(name, model, inputs)
    assert json.loads(json.dumps(described)) == described
    assert (described["size"], described["method"]) == (inputs.get("size", 28), inputs.get("method", "pad"))
    count = 0
    for step in described["steps"]:
        for values in filter(None, (step["weight"], step["bias"])):
            count += (decode(values) != 0).sum()
    codes = 840 if name.endswith("1998") else 0
    assert count == sum(p.numel() for p in model.parameters()) + codes
    last = described["steps"][-1]
    assert np.array_equal(decode(last["weight"]), find_weight(list(model.modules())[-1]).detach().numpy())


def test_selected_maps_are_the_others_zero():
    layer = LeNet5Selective().c3
    weight = find_weight(layer)
    x = torch.randn(2, 6, 14, 14)
    assert torch.allclose(nn.functional.conv2d(x, weight, layer.bias), layer(x), atol=1e-6)
    assert [tuple(maps.flatten(1).any(1).nonzero().flatten().tolist()) for maps in weight] == list(C3_TABLE)


def test_codes_are_weights_too(networks):
    step = describe_network("x", *networks["LeNet-5 of 1998"])["steps"][-1]
    assert step["kind"] == "distance" and step["bias"] is None
    assert (decode(step["weight"])[3] > 0).tolist() == [c == "#" for c in CODES[3].replace("/", "")]


def test_a_model_that_cannot_read_digits_says_so():
    with pytest.raises(ValueError, match="LeNet28 reads .* size=28"):
        describe_network("x", LeNet28(), {"size": 32})


# ---- the module and the page ----


def test_both_halves_have_the_same_constants():
    line = re.search(r"^const (SIDE = .*);", (PAD / "pad.js").read_text("utf-8"), re.M)[1]
    constants = dict(pair.split(" = ") for pair in line.split(", "))
    assert constants.pop("SIDE") == "28"
    assert {name: float(value) for name, value in constants.items()} == {
        name: getattr(drawings, name) for name in ("BOX", "FAINT", "PAD", "BRUSH")
    }


def test_the_module_comes_with_the_package():
    import tomllib

    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["package-data"]
    assert settings == {"lenet_utils.pad": ["*.js", "*.css"]} and "anywidget" in PROJECT["dependencies"]
    assert "import " not in re.sub("//.*", "", (PAD / "pad.js").read_text("utf-8"))  # no libraries


def test_the_page_is_one_small_file(tmp_path):
    path = tmp_path / "page.html"
    write_page(path)
    text = path.read_text("utf-8")
    assert path.stat().st_size <= 1_500_000
    assert not re.search(r"https?:|(src|href)=\"(?!data:)|url\(|@import|fetch\(", text)
    assert text.count("<script") == text.count("</script>") == 2
    stored, example = json.loads(re.search(r'id="networks">(.*?)</script>', text)[1])
    assert [network["name"] for network in stored] == list(NETWORKS)
    assert [[tuple(point) for point in stroke] for stroke in example] == EXAMPLE
    assert all(isinstance(network["threshold"], float) for network in stored)
    assert page_module.PAGE.count("%(") == 3


# ---- the widget, without a browser ----


@pytest.fixture
def pad(networks, monkeypatch):
    pad = DrawingPad({name: networks[name] for name in ("LeNet-5", "LeNet-5 of 1998")})
    pad.sent = []
    monkeypatch.setattr(pad, "send", lambda content, buffers: pad.sent.append((content, buffers)))
    return pad


def test_the_widget_answers_with_its_models(pad, networks, digits):
    for number, name in enumerate(pad.models):
        question = {"id": f"a {number}", "network": number}
        pad._handle_custom_msg(question, [memoryview(digits[0].numpy().tobytes())])
        (content, (buffer,)) = pad.sent.pop()
        assert content == {"id": f"a {number}"}
        numbers = np.frombuffer(buffer, "<f4")
        assert len(numbers) == sum(int(np.prod(step["shape"])) for step in pad.networks[number]["steps"])
        model, inputs = networks[name]
        expected = predict_logits(model, prepare_images(digits[:1], **inputs))[0]
        assert np.array_equal(numbers[-10:], expected.numpy())
        assert pad.reading.digit == 5 and torch.equal(pad.reading.image, digits[0])
        assert repr(pad).startswith(f"A drawing pad. {name}: a 5 (")


def test_a_cell_shows_the_widget_and_keeps_a_still(pad):
    data, metadata = pad._repr_mimebundle_()
    assert data[LIVE]["model_id"] == pad.model_id
    assert data["text/plain"] == repr(pad) and "LeNet-5: a 2" in repr(pad)  # the example
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    assert len(base64.b64decode(data["image/png"])) < 60_000
    assert metadata["image/png"]["alt"].startswith("LeNet-5: a 2")
