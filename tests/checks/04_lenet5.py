"""Checks of notebooks/04_lenet5.ipynb: its numbers and figures, computed again by other means."""
# ruff: noqa: F821  (the names are the notebook's)

import contextlib
import copy
import io
import re
import tempfile
import types
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from matplotlib.colors import to_hex
from torch import nn
from torch.utils.data import RandomSampler, SequentialSampler

from lenet_utils import models
from lenet_utils.checkpoints import load_checkpoint
from lenet_utils.data import find_data_root, load_mnist, make_loader
from lenet_utils.evaluation import predict_logits
from lenet_utils.lenet1998.network import LeNet1998
from lenet_utils.plotting import BLUE, ORANGE
from lenet_utils.results import load_histories, load_results
from lenet_utils.training import is_fast, train_one_epoch

TRAIN, TEST = load_mnist(train=True), load_mnist(train=False)
SOURCES = [  # table I of the paper: the maps of S2 that each map of C3 reads
    "012", "123", "234", "345", "045", "015", "0123", "1234", "2345", "0345", "0145", "0125", "0134", "1245", "0235",
    "012345",
]  # fmt: skip


def find_numbers(text):
    return [float(number) for number in re.findall(r"-?\d+\.?\d*", text.replace(",", ""))]


def stretch(images):
    """28x28 grey values to 32x32, mean 0 and standard deviation 1, by torch's own interpolation."""
    inputs = F.interpolate(images[:, None].float(), size=(32, 32), mode="bilinear", antialias=True)
    return (inputs.round() / 255 - 0.1307) / 0.3081


SCORES = {}


def score(net, images=TEST.data, labels=TEST.targets):
    """Accuracy and loss, by default on the test set."""
    key = len(images), labels is TEST.targets, *(value.double().sum().item() for value in net.state_dict().values())
    if key not in SCORES:
        logits = predict_logits(net, stretch(images))
        right = (logits.argmax(dim=1) == labels).double().mean().item()
        SCORES[key] = 100 * right, F.cross_entropy(logits, labels).item()
    return SCORES[key]


def check_band(ax):
    stored = read_histories("lenet5-adam")
    (band,) = ax.collections
    points = band.get_paths()[0].vertices
    for epoch in stored.index:
        y = points[points[:, 0] == epoch, 1]
        assert np.allclose([y.min(), y.max()], [stored.loc[epoch].min(), stored.loc[epoch].max()])
    epochs, means = find_line(ax, "their mean")
    assert epochs.tolist() == stored.index.tolist() and np.allclose(means, stored.mean(axis=1))
    assert axis_labels(ax) == ("epoch", "test accuracy (%)")


# ---- the network ----


def test_figure_of_activations():
    ax = find_axes("Three activation functions")
    assert axis_labels(ax) == ("input", "output")
    assert ax.get_legend_handles_labels()[1] == ["tanh", "sigmoid", "ReLU"]
    wanted = {"tanh": np.tanh, "sigmoid": lambda a: 1 / (1 + np.exp(-a)), "ReLU": lambda a: np.maximum(a, 0)}
    for name, function in wanted.items():
        inputs, drawn = find_line(ax, name)
        assert inputs[0] == -4 and inputs[-1] == 4 and np.allclose(drawn, function(inputs), atol=1e-6), name


def test_the_network_is_that_of_the_package():
    twin = models.LeNet5()
    twin.load_state_dict(model.state_dict())
    inputs = stretch(TEST.data[:500])
    assert torch.allclose(predict_logits(model, inputs), predict_logits(twin, inputs), atol=1e-5)
    assert [name for name, _ in model.named_children()] == [name for name, _ in twin.named_children()]
    assert {name: type(layer_) for name, layer_ in model.named_children()} == {
        name: type(layer_) for name, layer_ in twin.named_children()
    }
    assert model(torch.zeros(2, 1, 32, 32)).shape == (2, 10)


def test_shapes_are_printed_as_they_come():
    lines = print_again("watch" if False else "for name, layer in model.named_children():\n    x = layer").splitlines()
    shapes = {"input": (1, 1, 32, 32), "c1": (1, 6, 28, 28), "s2": (1, 6, 14, 14), "c3": (1, 16, 10, 10)}
    shapes |= {"s4": (1, 16, 5, 5), "c5": (1, 120, 1, 1), "f6": (1, 84), "output": (1, 10)}
    assert [line.split(maxsplit=1) for line in lines] == [[name, str(shape)] for name, shape in shapes.items()]


def test_torchsummary_prints_the_table_of_the_slides():
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        summary(models.LeNet5(), (1, 32, 32), device="cpu")
    kinds = [line.split("-")[0].strip() for line in printed.getvalue().splitlines()]
    assert sum(kind in ("Conv2d", "Tanh", "AvgPool2d", "Linear") for kind in kinds) == 11
    for line in (
        "Total params: 61,706", "Forward/backward pass size (MB): 0.11", "Params size (MB): 0.24",
        "Estimated Total Size (MB): 0.35",
    ):  # fmt: skip
        assert line in printed.getvalue()
    assert print_again("summary(model, (1, 32, 32)") == printed.getvalue()


def test_parameters():
    assert count_parameters(model) == 61_706
    assert count_parameters(model.c1) + count_parameters(model.c3) == 2_572
    assert count_parameters(model.c5) > 0.7 * 61_706
    lines = print_again('holds("the whole network has 61,706 parameters"').splitlines()[:-1]
    wanted = {"c1": 6 * 26, "c3": 16 * (6 * 25 + 1), "c5": 120 * (400 + 1), "f6": 84 * 121, "output": 10 * 85}
    assert [line.replace(",", "").split() for line in lines] == [[name, str(n)] for name, n in wanted.items()]


def test_c5_is_a_linear_layer_on_5x5_maps():
    linear = nn.Linear(400, 120)
    linear.load_state_dict({"weight": model.c5.weight.flatten(1), "bias": model.c5.bias})
    pictures = torch.randn(3, 16, 5, 5)
    assert torch.allclose(linear(pictures.flatten(1)), model.c5(pictures).flatten(1), atol=1e-5)
    assert maps.shape == (8, 16, 5, 5) and same and as_linear.shape == (8, 120)
    assert find_numbers(print_again("larger_maps = "))[-4:] == [8, 120, 5, 5]


# ---- C3, and other versions ----


def test_table_of_c3():
    wanted = np.array([[str(row) in sources for sources in SOURCES] for row in range(6)], dtype=int)
    assert (connected == wanted).all()
    assert [set(sources) for sources in C3_TABLE] == [{int(source) for source in sources} for sources in SOURCES]
    ax = find_axes("Which map of S2 feeds which map of C3")
    assert axis_labels(ax) == ("map of C3", "map of S2")
    assert (np.asarray(ax.collections[0].get_array()).reshape(6, 16) == wanted).all()
    crossed = {
        (int(text.get_position()[1]), int(text.get_position()[0])) for text in ax.texts if text.get_text() == "x"
    }
    assert crossed == {(row, column) for row, column in zip(*np.nonzero(wanted))} and ax.yaxis_inverted()
    assert [text.get_text() for text in ax.get_yticklabels()] == [str(row) for row in range(6)]
    text = find_numbers(print_again('print("kernels:"'))
    assert text[:2] == [60, 96] and text[-16:] == [len(sources) for sources in SOURCES]


def test_other_versions():
    assert count_parameters(selective) == 60_806 and missing == 900 == 36 * 25
    assert selective.c3.weight.numel() == 60 * 25
    assert count_parameters(models.LeNet28()) == 44_426 and 61_706 - 44_426 == (400 - 256) * 120 == 17_280
    assert find_numbers(print_again("selective = LeNet5Selective()"))[1:] == [2416, 61706, 1516, 60806, 36, 25]
    text = print_again("for size in (32, 28):")
    assert "32x32 -> S2 14x14 -> S4 5x5 -> 400 features\n28x28 -> S2 12x12 -> S4 4x4 -> 256 features\n" in text
    assert "parameters on 28x28: 44,426" in text


def test_table_of_1998():
    network = LeNet1998()
    layers = ["C1", "S2", "C3", "S4", "C5", "F6"]
    assert list(lenet_1998.index) == [*layers, "output"]
    assert lenet_1998.parameters.tolist() == [
        *(count_parameters(getattr(network, name.lower())) for name in layers), 0,
    ]  # fmt: skip
    assert lenet_1998.connections.tolist() == [122_304, 5_880, 151_600, 2_000, 48_120, 10_164, 840]
    assert totals == (60_000, 340_908) and lenet_1998.parameters["output"] == 0
    assert lenet_1998["size"].tolist() == [28, 14, 10, 5, 1, 1, 1]
    assert lenet_1998.maps.tolist() == [6, 6, 16, 16, 120, 84, 10]
    assert lenet_1998.stride.tolist() == [1, 2, 1, 2, 1, 1, 1]
    assert lenet_1998.kernel.tolist() == ["5x5", "2x2", "5x5", "2x2", "5x5", "all", "all"]
    assert lenet_1998.activation.tolist() == ["scaled tanh"] * 6 + ["distance (RBF)"]


def test_table_of_today():
    assert list(today.index) == list(lenet_1998.index)
    assert today.parameters.tolist() == [156, 0, 2416, 0, 48_120, 10_164, 850] and today.parameters.sum() == 61_706
    links = [28**2 * 6 * 26, 14**2 * 6 * 4, 10**2 * 16 * 151, 5**2 * 16 * 4, 120 * 401, 84 * 121, 10 * 85]
    assert today.connections.tolist() == links
    assert today.activation.tolist()[:6] == ["tanh", "none", "tanh", "none", "tanh", "tanh"]
    assert "softmax" in today.activation["output"]
    assert find_numbers(print_again("today = lenet_1998")) == [61_706, sum(links)]
    columns_ = ["maps", "kernel", "size", "stride"]
    assert today[columns_].equals(lenet_1998[columns_])


def test_said_and_true():
    """The corrections in the table of the text."""
    pictures = torch.randn(1, 6, 28, 28)
    assert nn.AvgPool2d(2, stride=1)(pictures).shape[-2:] == (27, 27) and model.s2(pictures).shape[-2:] == (14, 14)
    volume = torch.zeros(1, 1, 1, 32, 32)
    assert (
        type(model.c5) is nn.Conv2d and nn.Conv3d(1, 1, 1)(volume).ndim == model.c5(torch.zeros(1, 16, 5, 5)).ndim + 1
    )
    assert train_images.shape[1] == test_images.shape[1] == model.c1.in_channels == 1
    assert type(model.s2) is type(model.s4) is nn.AvgPool2d
    assert not (model.s2(pictures) == nn.MaxPool2d(2)(pictures)).any()
    after_s2 = model.s2(model.c1_tanh(model.c1(stretch(TEST.data[:5]))))
    after_s4 = model.s4(model.c3_tanh(model.c3(after_s2)))
    assert (after_s2 < 0).any() and (after_s4 < 0).any() and (after_s2.sigmoid() > 0).all()
    straight = model.c5_tanh(model.c5(after_s4)).flatten(1)  # nothing follows S2 and S4
    straight = model.output(model.f6_tanh(model.f6(straight)))
    assert torch.allclose(straight, predict_logits(model, stretch(TEST.data[:5])), atol=1e-5)
    network = LeNet1998()
    assert not list(network.output.parameters()) and count_parameters(model.output) == 850
    assert 28 + 2 * 0 - 2 / 2 + 1 == 28 and compute_output_size(28, 2, stride=2) == 14
    read = [len(sources) for sources in C3_TABLE]
    assert len(read) == 16 and min(read) > 0
    assert sum(n > 3 for n in read) == 10 and sum(n == 3 for n in read) == 6


# ---- training ----


def test_images_are_stretched():
    assert train_images.shape == (60_000, 1, 32, 32) and test_images.shape == (10_000, 1, 32, 32)
    for ours, raw in ((train_images, TRAIN.data), (test_images, TEST.data)):
        for part in (slice(0, 200), slice(len(raw) - 200, len(raw))):
            assert (ours[part] - stretch(raw[part])).abs().max() < 1.5 / 255 / 0.3081
    text = print_again("train_images = prepare_images(train_set.data")
    assert np.allclose(find_numbers(text)[-2:], [train_images.double().mean(), train_images.double().std()], atol=0.006)


def test_loaders():
    for loader_, batch, images_, labels_, order in (
        (train_loader, 32, train_images, TRAIN.targets, RandomSampler),
        (test_loader, 200, test_images, TEST.targets, SequentialSampler),
    ):
        assert type(loader_.sampler.sampler) is order and loader_.sampler.batch_size == batch
        assert torch.equal(loader_.dataset.tensors[0], images_) and torch.equal(loader_.dataset.tensors[1], labels_)
    assert train_loader.sampler.sampler.generator.initial_seed() == 0 == SEED


def test_training_is_that_of_the_recipe():
    """The first batches, trained again: seed, first weights, order, images, labels, optimiser and rate."""
    torch.manual_seed(0)
    net = models.LeNet5()
    optimiser = torch.optim.Adam(net.parameters(), lr=0.0005)
    again = []
    for inputs_, answers in make_loader(train_images, TRAIN.targets, 32, shuffle=True, seed=0):
        optimiser.zero_grad()
        loss_ = F.cross_entropy(net(inputs_), answers)
        loss_.backward()
        optimiser.step()
        again.append(loss_.item())
        if len(again) == 40:
            break
    assert np.allclose(history.batch_losses[0][:40], again, atol=2e-3)
    assert [len(losses) for losses in history.batch_losses] == [1875] * len(history)
    assert len(history) == done == (1 if is_fast() else 15)
    assert type(optimizer) is torch.optim.Adam and optimizer.param_groups[0]["lr"] == LEARNING_RATE == 0.0005
    assert optimizer.param_groups[0]["params"][0] is model.c1.weight


def test_a_new_network_has_no_history():
    given = []
    print_again("history = History()", fit=lambda net, *_, history: given.append((net, len(history))))
    assert given[0][0] is not model and given[0][1] == 0 < len(history)


def test_the_second_half_trains_from_the_start_where_the_first_left_nothing():
    given = []
    fit_ = lambda net, *_, history: given.append((net, len(history)))  # noqa: E731
    assert print_again('print("the second half:")', fit=fit_, history=History()) == "the second half:\n"
    assert given == [(model, 0)]


def test_accuracy_is_that_of_the_test_set():
    accuracy_, loss_ = score(model)
    assert abs(accuracy_ - last.test_accuracy) < 0.04 and abs(loss_ - last.test_loss) < 0.002
    accuracy_, loss_ = score(model, TRAIN.data[:10_000], TRAIN.targets[:10_000])
    assert abs(accuracy_ - last.train_accuracy) < 0.04 and abs(loss_ - last.train_loss) < 0.002
    assert last.test_accuracy > (95 if is_fast() else 98.3) and last.epoch == len(history)
    first, second = print_again('print(f"after {done} epochs').splitlines()
    assert first == f"after {done} epochs:"  # what a folded output shows gives nothing away
    assert np.allclose(find_numbers(second), [last.train_accuracy, last.test_accuracy], atol=0.006)


def test_figure_of_the_curves():
    figure = find_figure("Accuracy")
    left, right = figure.axes
    assert (left.get_title(), right.get_title()) == ("Loss", "Accuracy")
    assert axis_labels(left) == ("epoch", "mean cross-entropy") and axis_labels(right) == ("epoch", "accuracy (%)")
    rows_ = pd.DataFrame(
        history.rows, columns=["epoch", "train_loss", "train_accuracy", "test_loss", "test_accuracy", "s"]
    )
    for ax, quantity, position in ((left, "loss", 1), (right, "accuracy", 0)):
        for name, colour in (("train", BLUE), ("test", ORANGE)):
            epochs, drawn = find_line(ax, name)
            assert epochs.tolist() == list(range(1, len(history) + 1))
            assert np.allclose(drawn, rows_[f"{name}_{quantity}"])
            (line,) = (line for line in ax.lines if line.get_label() == name)
            assert to_hex(line.get_color()) == colour.lower()
        assert abs(drawn[-1] - score(model)[position]) < 0.04


def test_numbers_of_the_curves():
    rows_ = history.epochs
    assert test_loss.tolist() == rows_.test_loss.tolist() and accuracy.tolist() == rows_.test_accuracy.tolist()
    assert train_loss.tolist() == rows_.train_loss.tolist() and third == max(1, len(rows_) // 3)
    printed = print_again("late, before = ")
    text = find_numbers(printed)
    assert text[:2] == [round(min(rows_.test_loss), 4), 1 + rows_.test_loss.tolist().index(min(rows_.test_loss))]
    assert np.allclose(text[2:4], [last.test_loss, last.train_loss], atol=6e-5)
    assert abs(late - np.mean(rows_.test_accuracy.tolist()[len(rows_) - third :])) < 1e-9
    assert "nan" not in printed and ("mean of epochs" in printed) == (done > 1)
    if not is_fast():
        values = rows_.test_loss.tolist()
        assert np.mean(values[10:]) > 0.85 * np.mean(values[5:10])
        assert abs(before - np.mean(rows_.test_accuracy.tolist()[5:10])) < 1e-9
        assert np.allclose(text[4:10], [11, 15, late, 6, 10, before], atol=0.006)
        assert rows_.train_loss.tolist()[-1] < rows_.train_loss.tolist()[4] / 2


def test_numbers_of_the_curves_of_a_full_run():
    """The shortened run has one epoch: too few to tell its thirds apart. So ask about a stored run of 15."""
    rows_ = load_histories("lenet5-adam").query("seed == 0").reset_index(drop=True)
    full_ = types.SimpleNamespace(epochs=rows_)
    text = find_numbers(print_again("late, before = ", history=full_, last=rows_.iloc[-1], done=len(rows_)))
    scores_ = rows_.test_accuracy.tolist()
    assert len(scores_) == 15 and text[:4] == [
        round(rows_.test_loss.min(), 4), rows_.test_loss.tolist().index(rows_.test_loss.min()) + 1,
        round(rows_.test_loss.iloc[-1], 4), round(rows_.train_loss.iloc[-1], 4),
    ]  # fmt: skip
    assert text[4:6] == [11, 15] and text[7:9] == [6, 10]
    assert abs(text[6] - np.mean(scores_[10:])) < 0.0051 and abs(text[9] - np.mean(scores_[5:10])) < 0.0051


def test_the_network_is_too_sure():
    """As the text says of the trained network; of the one that comes with the course, which is trained in full."""
    net, _ = load_checkpoint(find_data_root() / "checkpoints" / "lenet5.pt")
    probabilities = predict_logits(net, stretch(TEST.data)).softmax(dim=1).max(dim=1).values
    assert 100 * probabilities.double().mean() > score(net)[0] + 0.3


def test_going_on_at_another_rate():
    torch.manual_seed(0)
    pupil_, share_ = copy.deepcopy(model), 0.02 if is_fast() else 0.5
    chosen_ = torch.randperm(60_000)[: round(share_ * 60_000)]
    loader_ = make_loader(train_images[chosen_], TRAIN.targets[chosen_], 32, shuffle=True, seed=0)
    train_one_epoch(pupil_, loader_, torch.optim.Adam(pupil_.parameters(), lr=0.00005))
    after_accuracy, after_loss = score(pupil_)
    before_, after_ = print_again("go_on(learning_rate=LEARNING_RATE / 10").splitlines()
    assert np.allclose(find_numbers(before_), [score(model)[1], score(model)[0]], atol=0.04)
    assert abs(find_numbers(after_)[0] - after_loss) < 0.002 and abs(find_numbers(after_)[1] - after_accuracy) < 0.08
    assert abs(score(model)[0] - last.test_accuracy) < 0.04  # the copy learned, not the network


# ---- the stored runs ----


def test_figure_of_the_band():
    ax = find_axes("This run among others")
    check_band(ax)
    epochs, drawn = find_line(ax, "this run")
    assert epochs.tolist() == list(range(1, len(history) + 1)) and abs(drawn[-1] - score(model)[0]) < 0.04
    stored = read_histories("lenet5-adam").loc[len(drawn)]
    assert stored.min() - 0.5 < drawn[-1] < stored.max() + 0.5


def test_our_run_is_the_stored_one_of_seed_0():
    stored = pd.read_csv(find_data_root() / "runs" / "lenet5-adam-0" / "history.csv")
    assert set(load_results().query("recipe == 'lenet5-adam'").threads) == {1}
    ours = history.epochs[:3]
    assert np.allclose(ours.test_loss, stored.test_loss[: len(ours)], atol=0.005)
    assert np.allclose(ours.test_accuracy, stored.test_accuracy[: len(ours)], atol=0.2)


def test_stored_runs():
    stored = read_histories("lenet5-adam").loc[15]
    assert sorted(finals) == sorted(stored) and stored.min() > 98.73
    text = find_numbers(print_again("runs: mean {finals.mean()"))
    assert np.allclose(text, [5, stored.mean(), stored.std(), stored.min(), stored.max(), 98.73], atol=0.006)


def test_try_of_the_readers_own():
    global is_fast
    ax = find_axes("Your LeNet-5 among five")
    check_band(ax)
    share_ = 0.02 if is_fast() else 1 / 3
    epochs, drawn = find_line(ax, "your run")
    assert np.allclose(epochs, [share_]) and ax.get_xlim() == (0, 4)
    torch.manual_seed(0)
    net = models.LeNet5()
    net.c1, net.c3, net.c5 = nn.Conv2d(1, 6, 5), nn.Conv2d(6, 16, 5), nn.Conv2d(16, 120, 5)
    chosen_ = torch.randperm(60_000)[: round(share_ * 60_000)]
    loader_ = make_loader(train_images[chosen_], TRAIN.targets[chosen_], 32, shuffle=True, seed=0)
    train_one_epoch(net, loader_, torch.optim.Adam(net.parameters(), lr=0.0005))
    assert abs(drawn[-1] - score(net)[0]) < 0.5
    # The arguments arrive in the network, and no try takes the place of another.
    fast, built, original = is_fast, [], LeNet5.forward
    is_fast = lambda: False  # noqa: E731
    LeNet5.forward = lambda self, images: built.append(self) or original(self, images)
    try:
        with contextlib.redirect_stdout(io.StringIO()) as text:
            try_lenet(activation=nn.ReLU, pooling=nn.MaxPool2d, maps=(3, 8), share=0.01)
            try_lenet(activation=nn.ReLU, pooling=nn.MaxPool2d, maps=(3, 8), share=0.03)
    finally:
        LeNet5.forward, is_fast = original, fast
        plt.close("all")
    kinds = [type(layer_).__name__ for layer_ in built[0].children()]
    assert kinds == ["Conv2d", "ReLU", "MaxPool2d"] * 2 + ["Conv2d", "ReLU", "Linear", "ReLU", "Linear"]
    assert [built[0].c1.out_channels, built[0].c3.out_channels, built[0].c5.in_channels] == [3, 8, 8]
    heading, first, *others = text.getvalue().splitlines()[-4:]
    assert heading == "test accuracies:"  # what a folded output shows gives nothing away
    assert first.startswith(f"Tanh, AvgPool2d, 6 and 16 maps, share {share_:.2f}: ")
    for line, of_all in zip(others, ("0.01", "0.03"), strict=True):
        assert line.startswith(f"ReLU, MaxPool2d, 3 and 8 maps, share {of_all}: ")
    assert abs(find_numbers(first)[-1] - drawn[-1]) < 0.006


# ---- save and load ----


def test_the_file():
    assert path.name == "lenet5.pt" and path.is_file() and path != find_data_root() / "checkpoints" / "lenet5.pt"
    assert path.parent.name == "runs" or "tmp" in path.as_posix()
    assert stored["model"] == "LeNet5" and list(stored) == ["model", "inputs", "state"]
    assert stored["inputs"] == {"normalisation": "mnist", "size": 32, "method": "resize"} == INPUTS
    assert list(stored["state"]) == list(model.state_dict()) == list(restored.state_dict())
    for name, weight in model.state_dict().items():
        assert torch.equal(weight, stored["state"][name]) and torch.equal(weight, restored.state_dict()[name]), name
    assert restored is not model and same_logits
    inputs_ = stretch(TEST.data)
    assert torch.equal(predict_logits(model, inputs_), predict_logits(restored, inputs_))


def test_a_folder_that_cannot_be_written_to():
    for name in ("missing", "taken"):
        root = Path(tempfile.mkdtemp()) / name
        if name == "taken":
            (root / "runs" / "lenet5.pt").mkdir(parents=True)
        text = print_again("checkpoint = {", find_data_root=lambda root=root: root / "data")
        assert "a temporary one is used" in text and "lenet5.pt: 251 kB" in text


def test_a_file_of_another_network_is_noticed():
    other = Path(tempfile.mkdtemp()) / "other.pt"
    torch.save({"model": "LeNet5", "inputs": INPUTS, "state": LeNet5().state_dict()}, other)
    try:
        text = print_again("stored = torch.load(path", path=other)
    except AssertionError as error:
        text = str(error)
    assert "does not hold" in text


def test_the_file_of_the_course():
    assert abs(shipped_accuracy - score(shipped)[0]) < 0.04 and shipped_accuracy > 98.8
    if not is_fast():
        assert abs(shipped_accuracy - last.test_accuracy) < 0.5
    assert np.allclose(find_numbers(print_again("shipped, _ = load_checkpoint"))[:2],
                       [shipped_accuracy, last.test_accuracy], atol=0.006)  # fmt: skip


def test_summary_of_the_notebook():
    text = print_again('print("as published: 98.73 % after 15 epochs")')
    assert abs(find_numbers(text.split("here:")[1])[0] - score(model)[0]) < 0.04
    assert f"% after {len(history)}, seed 0" in text
    assert f"61,706 parameters, {sum(row[-1] for row in history.rows):.0f} s of training" in text
    assert "Adam 0.0005, batches of 32" in text
