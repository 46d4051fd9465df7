"""Checks of notebooks/03_simple_cnn.ipynb: its numbers and figures, computed again by other means."""
# ruff: noqa: F821  (the names are the notebook's)

import contextlib
import copy
import io
import re
import time

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from matplotlib.colors import to_hex
from torch import nn

from lenet_utils import models
from lenet_utils.data import find_data_root, load_mnist, make_loader, prepare_images
from lenet_utils.evaluation import predict_logits
from lenet_utils.plotting import BLUE, GREEN, ORANGE
from lenet_utils.training import is_fast, train_one_epoch

TRAIN, TEST = load_mnist(train=True), load_mnist(train=False)
KERNELS = {
    "vertical edges": [[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]],
    "horizontal edges": [[-1, -1, -1], [0, 0, 0], [1, 1, 1]],
    "diagonal edges": [[0, 1, 1], [-1, 0, 1], [-1, -1, 0]],
    "mean of 9 pixels": [[1 / 9] * 3] * 3,
}
# The networks of the notebook: their class in the package, Adam or SGD, its rate, the images.
TRAINED = {
    "MLP": (models.MLP, torch.optim.SGD, 0.03, "mnist"),
    "SigmoidConvNet": (models.SigmoidConvNet, torch.optim.Adam, 0.01, "unit"),
    "SimpleCNN": (models.SimpleCNN, torch.optim.SGD, 0.01, "mnist"),
}


def find_numbers(text):
    return [float(number) for number in re.findall(r"-?\d+\.?\d*", text.replace(",", ""))]


def convolve_again(image, kernel):
    """By shifted copies of the image instead of windows."""
    image, kernel = np.asarray(image, dtype=float), np.asarray(kernel, dtype=float)
    size, rows, columns = len(kernel), image.shape[0] - len(kernel) + 1, image.shape[1] - len(kernel) + 1
    copies = [
        kernel[i, j] * image[i : i + rows, j : j + columns] for i in range(size) for j in range(size)
    ]  # fmt: skip
    return sum(copies)


def move(images, distance):
    """Every first image of four to the right, every second to the left, then down, then up."""
    result = torch.zeros_like(images)
    keep, gone = slice(0, 28 - distance), slice(distance, 28)
    result[0::4, :, gone], result[1::4, :, keep] = images[0::4, :, keep], images[1::4, :, gone]
    result[2::4, gone, :], result[3::4, keep, :] = images[2::4, keep, :], images[3::4, gone, :]
    return result


SCORES = {}


def score(net, images, labels, normalisation="mnist"):
    weights_ = (value.double().sum().item() for value in net.state_dict().values())
    key = (normalisation, len(images), images.sum().item(), *weights_)
    if key not in SCORES:
        logits = predict_logits(net, prepare_images(images, normalisation=normalisation))
        SCORES[key] = 100 * (logits.argmax(dim=1) == labels).double().mean().item()
    return SCORES[key]


def band_of(ax):
    """x, lower and upper edge of the one band drawn."""
    (band,) = ax.collections
    points = band.get_paths()[0].vertices
    x = np.unique(points[:, 0])
    edges = [points[points[:, 0] == value, 1] for value in x]
    return x, np.array([e.min() for e in edges]), np.array([e.max() for e in edges])


def check_band(ax, name):
    stored = read_histories(name)
    x, low, high = band_of(ax)
    assert x.tolist() == stored.index.tolist()
    assert np.allclose(low, stored.min(axis=1)) and np.allclose(high, stored.max(axis=1))
    assert np.allclose(find_line(ax, "their mean")[1], stored.mean(axis=1))
    assert axis_labels(ax) == ("epoch", "test accuracy (%)")


# ---- a kernel on an image ----


def test_the_example_is_an_edge():
    assert image.tolist() == [[0, 0, 0, 1, 1, 1]] * 6 and kernel.tolist() == KERNELS["vertical edges"]
    assert edges.tolist() == [[0, 3, 3, 0]] * 4
    assert window.tolist() == [[0, 0, 1]] * 3
    assert "sum: 3\n" in print_again("the window:")


def test_convolve_is_a_cross_correlation():
    torch.manual_seed(1)
    for shape, size in (((7, 9), 3), ((9, 7), 5), ((4, 6), 2), ((5, 5), 1)):
        picture, weights_ = torch.randn(shape), torch.randn(size, size)
        wanted = F.conv2d(picture[None, None], weights_[None, None])[0, 0]
        assert torch.allclose(convolve(picture, weights_), wanted, atol=1e-5)


def test_maps_of_the_digit():
    assert torch.equal(digit, TRAIN.data[0] / 255)
    figure = find_figure("vertical edges")
    axes = [ax for ax in figure.axes if ax.get_title()]
    assert [ax.get_title() for ax in axes] == ["a training image: 5", *KERNELS]
    drawn = [images_of(ax)[0] for ax in axes]
    assert np.allclose(drawn[0], TRAIN.data[0] / 255)
    for values, weights_ in zip(drawn[1:], KERNELS.values()):
        assert np.allclose(values, convolve_again(TRAIN.data[0] / 255, weights_), atol=1e-5)
    assert axes[1].images[0].get_clim() == axes[4].images[0].get_clim()
    assert axes[1].images[0].get_cmap().name == "RdBu_r"


def test_ranges_of_the_maps():
    lines = print_again("for name, values in maps.items():\n    zero").splitlines()
    assert len(lines) == 4
    for line, (name, weights_) in zip(lines, KERNELS.items()):
        values = convolve_again(TRAIN.data[0] / 255, weights_)
        assert line.startswith(name)
        assert np.allclose(find_numbers(line)[-3:-1], [values.min(), values.max()], atol=0.006)
        assert find_numbers(line)[-1] == round(100 * (abs(values) < 1e-6).mean())
        assert values.min() >= -1e-9 if name == "mean of 9 pixels" else values.min() < -1.5 < 1.5 < values.max()


def test_ink_begins_where_the_map_is_red():
    values, picture = convolve_again(TRAIN.data[0] / 255, KERNELS["vertical edges"]), TRAIN.data[0].float()
    step = (picture[1:-1, 2:] - picture[1:-1, :-2]).numpy()
    assert (step[values > 1.5] > 0).mean() > 0.95 and (step[values < -1.5] < 0).mean() > 0.95


def test_kernel_of_the_readers_own():
    axes = [ax for ax in find_figure("your kernel").axes if ax.get_title()]
    assert [ax.get_title() for ax in axes] == ["training image 7: 3", "your kernel", "its map"]
    drawn, upright = [images_of(ax)[0] for ax in axes], [[-1, 2, -1]] * 3
    assert np.allclose(drawn[0], TRAIN.data[7] / 255) and drawn[1].tolist() == upright
    assert np.allclose(drawn[2], convolve_again(TRAIN.data[7] / 255, upright), atol=1e-5)


def test_shapes_and_channels():
    assert tuple(stack.shape) == (4, 1, 3, 3) and torch.equal(stack[1, 0], torch.tensor(KERNELS["horizontal edges"]))
    wanted = np.stack([convolve_again(TRAIN.data[0] / 255, weights_) for weights_ in KERNELS.values()])
    assert np.allclose(result[0], wanted, atol=1e-5) and np.allclose(by_loop, wanted, atol=1e-5)
    assert (layer.in_channels, layer.out_channels, layer.kernel_size) == (3, 6, (3, 3))
    assert count_parameters(layer) == 6 * 3 * 9 + 6 == 168
    wanted = sum(convolve_again(channels[c], layer.weight[4, c].detach()) for c in range(3)) + layer.bias[4].item()
    assert np.allclose(by_hand, wanted, atol=1e-4) and by_hand.shape == (6, 6)
    assert "gives (1, 4, 26, 26)" in print_again("stack = torch.stack")


def test_convolution_flips():
    lines = [find_numbers(line) for line in print_again("np.correlate").splitlines()]
    assert lines == [[0, 1, 1, 0], [0, -1, -1, 0], [0, 1, 1, 0]]


# ---- sizes, pooling, shared weights ----


def test_output_sizes():
    for n, f, p, s in [(28, 3, 0, 1), (28, 2, 0, 2), (13, 2, 0, 2), (28, 4, 1, 2), (5, 5, 2, 4), (11, 2, 0, 3)]:
        places = [start for start in range(-p, n + p) if start + f <= n + p][::s]
        assert compute_output_size(n, f, p, s) == len(places) == models.compute_output_size(n, f, p, s)
    assert len(cases) == len(set(cases)) == 28 * 5 * 3 * 4 and differing == 0
    assert sizes == [32, 28, 14, 10, 5]


def test_pooling():
    torch.manual_seed(1)
    picture = torch.randn(7, 9)
    for size in (2, 3):
        assert torch.allclose(pool(picture, torch.max, size), F.max_pool2d(picture[None], size)[0])
        assert torch.allclose(pool(picture, torch.mean, size), F.avg_pool2d(picture[None], size)[0], atol=1e-6)
    assert "max: [[5.0, 2.0], [2.0, 8.0]]   mean: [[3.25, 0.75], [1.0, 6.5]]" in print_again("def pool(")


def test_figure_of_pooling():
    axes = find_figure("max-pooling").axes
    squares = np.asarray(TRAIN.data[0] / 255).reshape(14, 2, 14, 2)
    wanted = {
        "image": TRAIN.data[0] / 255, "max-pooling": squares.max(axis=(1, 3)),
        "average pooling": squares.mean(axis=(1, 3)),
    }  # fmt: skip
    assert [ax.get_title() for ax in axes] == list(wanted)
    for ax, picture in zip(axes, wanted.values()):
        assert np.allclose(images_of(ax)[0], picture, atol=1e-6) and axis_labels(ax) == ("column", "row")
        assert ax.images[0].get_clim() == (0, 1) and ax.images[0].get_cmap().name == "gray"
    means = [float(np.asarray(picture).mean()) for picture in wanted.values()]
    assert abs(means[2] - means[0]) < 1e-6 and means[1] > 1.2 * means[0]
    shown = find_numbers(print_again("largest, averages = pool").split("value:")[1])
    assert np.allclose(shown, means, atol=0.0006)


def test_shared_weights():
    assert list(sharing) == ["28x28 pixels", "224x224 pixels"]
    for n, row_ in zip((28, 224), sharing.values()):
        assert list(row_.values()) == [160, n * n * 128 + 128, (n * n + 1) * 16 * (n - 2) ** 2]
        assert [name.split(",")[0] for name in row_] == ["convolution", "dense layer", "dense layer"]
    assert sharing["28x28 pixels"]["dense layer, as many outputs as the convolution"] == 784 * 10_816 + 10_816
    assert find_numbers(print_again("weights of one map and bias:")) == [10, 16, 160]
    assert 6 * rows * rows == 3456 and rows == 24


# ---- the three networks ----


def test_networks_are_those_of_the_package():
    assert [count_parameters(net) for net, _ in results.values()] == [109_386, 34_768, 108_618]
    assert count_parameters(cnn) < count_parameters(mlp) < 1.1 * count_parameters(cnn)
    assert count_parameters(sigmoid_net) < count_parameters(mlp) / 3
    assert count_parameters(SIMPLE_RECIPE.build_model()) == count_parameters(model) == 108_618
    for name, (net, _) in results.items():
        cls, _, _, normalisation = TRAINED[name]
        twin = cls()
        twin.load_state_dict(net.state_dict())
        inputs = prepare_images(TEST.data[:500], normalisation=normalisation)
        assert torch.allclose(predict_logits(net, inputs), predict_logits(twin, inputs), atol=1e-5), name


def test_layers_of_the_simple_cnn():
    kinds = " ".join(type(part).__name__ for part in [*cnn.features, *cnn.classifier])
    assert kinds == "Conv2d ReLU MaxPool2d Conv2d ReLU MaxPool2d Dropout Linear ReLU Dropout Linear"
    assert [part.p for part in cnn.classifier if isinstance(part, nn.Dropout)] == [0.2, 0.2]
    assert (cnn(torch.zeros(2, 1, 28, 28)).shape, tuple(x.shape)) == ((2, 10), (1, 10))


def test_training_is_that_of_the_recipes():
    """The first batches, trained again: seed, first weights, order, images, labels, optimiser and rate."""
    for name, (_, history) in results.items():
        cls, optimiser, rate, normalisation = TRAINED[name]
        torch.manual_seed(0)
        net = cls()
        loader_ = make_loader(
            prepare_images(TRAIN.data, normalisation=normalisation), TRAIN.targets, 64, shuffle=True, seed=0
        )
        optimiser = optimiser(net.parameters(), lr=rate)
        again = []
        for inputs, answers_ in loader_:
            optimiser.zero_grad()
            loss_ = F.cross_entropy(net(inputs), answers_)
            loss_.backward()
            optimiser.step()
            again.append(loss_.item())
            if len(again) == 30:
                break
        assert np.allclose(history.batch_losses[0][:30], again, atol=2e-3), name
        assert [len(losses_) for losses_ in history.batch_losses] == [938] * len(history), name


def test_epochs_are_those_of_the_text():
    wanted = {"MLP": 5, "SigmoidConvNet": 5, "SimpleCNN": 3}
    assert {name: len(history) for name, (_, history) in results.items()} == (
        dict.fromkeys(wanted, 1) if is_fast() else wanted
    )


def test_accuracies_are_those_of_the_test_set():
    for name, (net, history) in results.items():
        normalisation = TRAINED[name][3]
        found = score(net, TEST.data, TEST.targets, normalisation)
        assert abs(found - history.epochs.test_accuracy.iloc[-1]) < 0.02, name
        assert abs(float(side_by_side[name]["test accuracy (%)"]) - found) < 0.02, name
        trained = score(net, TRAIN.data[:10_000], TRAIN.targets[:10_000], normalisation)
        assert abs(trained - history.epochs.train_accuracy.iloc[-1]) < 0.02, name
    assert sigmoid_last.test_accuracy > (80 if is_fast() else 95)
    assert cnn_last.test_accuracy > (88 if is_fast() else 96)
    assert not any(net.training for net in (cnn, sigmoid_net)) or not cnn.training


# ---- scores ----


def test_one_batch_is_not_a_score():
    inputs = prepare_images(TEST.data, normalisation="unit")
    right_ = (predict_logits(sigmoid_net, inputs).argmax(dim=1) == TEST.targets).numpy()
    assert abs(one_batch - 100 * right_[:64].mean()) < 1e-6 and abs(all_batches - 100 * right_.mean()) < 0.01
    shares = 100 * right_[:9984].reshape(-1, 64).mean(axis=1)
    assert len(scores) == 156 and np.allclose(scores, shares, atol=1e-3)
    assert abs(scores[0] - one_batch) < 0.01 and scores.max() - scores.min() > 3
    counted = pd.Series(shares.round(1)).value_counts().sort_index().iloc[-4:]
    for part in (f"{value:.1f} % {count} times" for value, count in counted.items()):
        assert part in print_again("the four highest:")
    assert f"from {shares.min():.2f} % to {shares.max():.2f} %" in print_again("the four highest:")


def test_dropout():
    zeros = (dropped == 0).float().mean().item()
    assert abs(zeros - 0.2) < 0.02 and set(dropped.unique().tolist()) == {0, 1.25} and dropout.p == 0.2
    assert torch.equal(dropout(ones), ones) and len(ones) == 10_000
    text = print_again("dropout = nn.Dropout(0.2)")
    assert f"training:   {zeros:.1%} zeros, the others are 1.25" in text
    assert f"mean {dropped.mean():.3f}" in text and "evaluation: 0.0% zeros, mean 1\n" in text
    assert 0.0005 < share < 0.01
    assert 0.05 < find_numbers(print_again("nn.Dropout(0.002)(ones)"))[-1] < 0.5


def test_with_and_without_eval():
    assert repeats == {"eval": True, "train": False} and not cnn.training
    assert len(some) == len(set(chosen.tolist())) == 1000 and chosen.max() > 9000
    assert torch.equal(some, prepare_images(TEST.data)[chosen]) and torch.equal(answers, TEST.targets[chosen])
    first_line, second_line, *_ = print_again("repeats[mode] = torch.equal").splitlines()
    hits_ = (predict_logits(cnn, some).argmax(dim=1) == answers).sum().item()
    assert find_numbers(first_line) == [hits_, hits_, 1000] and "True" in first_line
    with_dropout = find_numbers(second_line)
    assert "False" in second_line and all(hits_ - 80 < value <= hits_ + 10 for value in with_dropout[:2])


# ---- the stored runs ----


def test_figure_of_the_band():
    ax = find_axes("This run among others")
    check_band(ax, "cnn3x3")
    epochs, drawn = find_line(ax, "this run")
    assert epochs.tolist() == list(range(1, len(cnn_history) + 1))
    assert abs(drawn[-1] - score(cnn, TEST.data, TEST.targets)) < 0.02
    stored = read_histories("cnn3x3")
    assert stored.iloc[len(drawn) - 1].min() - 0.7 < drawn[-1] < stored.iloc[len(drawn) - 1].max() + 0.7


def test_our_run_is_the_stored_one_of_seed_0():
    stored = pd.read_csv(find_data_root() / "runs" / "cnn3x3-0" / "history.csv")
    threads = set(load_results().query("recipe == 'cnn3x3'").threads)
    assert threads == {1} and SEED == 0
    ours = cnn_history.epochs
    for column in ("train_loss", "test_loss"):
        assert np.allclose(ours[column], stored[column][: len(ours)], atol=0.003), column
    assert np.allclose(ours.test_accuracy, stored.test_accuracy[: len(ours)], atol=0.15)


def test_stored_runs_of_the_cnn():
    stored = read_histories("cnn3x3")
    assert sorted(finals) == sorted(stored.loc[25]) and len(stored) == 25
    assert stored.loc[25].mean() > 98.7 > stored.loc[3].max()
    text = print_again("published {SIMPLE_RECIPE.published} %")
    wanted = [25, stored.loc[25].min(), stored.loc[25].max(), stored.loc[25].mean(), 98.7]
    assert np.allclose(find_numbers(text), wanted, atol=0.006)
    assert stored.loc[3].mean() > 97 and stored.loc[25].mean() - stored.loc[3].mean() < 2


def test_summary_of_the_architectures():
    assert list(summary.index) == ["mlp", "cnn3x3", "cnn5x5"]
    for name, published in {"mlp": 97.4, "cnn3x3": 98.7, "cnn5x5": 99.2}.items():
        last_ = read_histories(name).iloc[-1]
        row_ = summary.loc[name]
        assert np.allclose([row_["mean"], row_.sd, row_["min"], row_["max"]],
                           [last_.mean(), last_.std(), last_.min(), last_.max()])  # fmt: skip
        assert row_.published == published <= row_["mean"] and row_.seeds >= 5
    assert columns == ["published", "mean", "sd", "min", "max", "parameters", "seconds"]
    threads = load_results().groupby("recipe").threads.unique()
    assert [threads[name].tolist() for name in architectures] == [[2], [1], [1]]
    means = [read_histories(name).iloc[-1].mean() for name in architectures]
    wanted = [f"{means[1] - means[0]:.2f} points above mlp", f"{means[2] - means[1]:.2f} points above cnn3x3"]
    assert all(part in print_again("for better, other in") for part in wanted)


def test_figure_of_five_runs():
    ax = find_axes("Five runs of each (x: as published)")
    assert axis_labels(ax) == ("epoch", "test accuracy (%)")
    for band, (name, colour, published) in zip(
        ax.collections, (("mlp", BLUE, 97.4), ("cnn3x3", ORANGE, 98.7), ("cnn5x5", GREEN, 99.2)), strict=True
    ):
        stored = read_histories(name)
        epochs, drawn = find_line(ax, name)
        assert epochs.tolist() == stored.index.tolist() and np.allclose(drawn, stored.mean(axis=1))
        (line,) = (line for line in ax.lines if line.get_label() == name)
        points = band.get_paths()[0].vertices
        assert to_hex(line.get_color()) == to_hex(band.get_facecolor()[0]) == colour.lower()
        for epoch in stored.index:
            y = points[points[:, 0] == epoch, 1]
            assert np.allclose([y.min(), y.max()], [stored.loc[epoch].min(), stored.loc[epoch].max()])
        crosses = [line for line in ax.lines if line.get_marker() == "x" and to_hex(line.get_color()) == colour.lower()]
        assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in crosses] == [(len(stored), published)]
    low, high = ax.get_ylim()
    assert low < 92 and high > 99.4


def test_try_of_the_readers_own():
    ax = find_axes("Your CNN among five")
    check_band(ax, "cnn3x3")
    digits, passes = (500, 1) if is_fast() else (10_000, 2)
    epochs, drawn = find_line(ax, "your run")
    assert np.allclose(epochs, [digits * (i + 1) / 60_000 for i in range(passes)])
    torch.manual_seed(0)
    net = models.SimpleCNN()
    loader_ = make_loader(prepare_images(TRAIN.data[:digits]), TRAIN.targets[:digits], 64, shuffle=True, seed=0)
    optimiser = torch.optim.SGD(net.parameters(), lr=0.01)
    for value in drawn:
        train_one_epoch(net, loader_, optimiser)
        assert abs(value - score(net, TEST.data, TEST.targets)) < 0.3
    assert ax.get_xlim()[0] == 0 and ax.get_xlim()[1] >= 4


def test_arguments_of_the_try():
    """As many digits as asked for, shown as often, by a network of these settings."""
    global is_fast
    before, seen, forward = is_fast, [], AdjustableCNN.forward
    AdjustableCNN.forward = lambda self, inputs: (
        seen.append((self, self.training, len(inputs))) or forward(self, inputs)
    )
    is_fast = lambda: False  # noqa: E731
    try:
        with contextlib.redirect_stdout(io.StringIO()) as text:
            try_cnn(kernel_size=5, dropout=0.7, digits=200, passes=2)
        epochs, _ = find_line(plt.gcf().axes[0], "your run")
    finally:
        AdjustableCNN.forward, is_fast = forward, before
        plt.close("all")
    assert seen[0][0].settings["kernel_size"] == 5 and seen[0][0].settings["dropout"] == 0.7
    assert sum(count for _, training, count in seen if training) == 400
    assert sum(count for _, training, count in seen if not training) == 20_000
    assert np.allclose(epochs, [200 / 60_000, 400 / 60_000])
    assert text.getvalue().startswith("test accuracies:\n")  # what a folded output shows gives nothing away
    assert "kernel 3, dropout 0.2" in text.getvalue() and "kernel 5, dropout 0.7, 200 digits x 2" in text.getvalue()


# ---- kernels and work ----


def test_figure_of_the_learned_kernels():
    axes = [ax for ax in find_figure("kernel 15").axes if ax.get_title()]
    assert [ax.get_title() for ax in axes] == [f"kernel {i}" for i in range(16)]
    weights_ = cnn.state_dict()["features.0.weight"][:, 0]
    for ax, wanted in zip(axes, weights_):
        assert np.allclose(images_of(ax)[0], wanted)
    torch.manual_seed(0)
    start = models.SimpleCNN().state_dict()["features.0.weight"]
    assert torch.equal(first_kernels, start) and not torch.equal(first_kernels[:, 0], weights_)
    mixed = [sum(1 for k in group if k.min() < 0 < k.max()) for group in (weights_, start[:, 0])]
    assert min(mixed) > 8
    length = ((weights_ - start[:, 0]).square().sum() / start.square().sum()).sqrt()
    assert f"{mixed[0]} of 16 kernels" in print_again("plot_maps(learned") and abs(moved - length) < 1e-5
    plt.close("all")


def test_multiplications():
    for name, (net, _) in results.items():
        counted = []

        def count(part, _, output, counted=counted):
            counted.append(output[0, 0].numel() * part.weight.numel())

        layers_ = [part for part in net.modules() if isinstance(part, (nn.Conv2d, nn.Linear))]
        hooks = [part.register_forward_hook(count) for part in layers_]
        predict_logits(net, torch.zeros(1, 1, 28, 28))
        for hook in hooks:
            hook.remove()
        assert multiplications[name] == sum(counted), name
    assert 6.5 < work < 7.5 and abs(work - 758_592 / 109_184) < 1e-9


def test_table_side_by_side():
    assert list(side_by_side) == ["MLP", "SigmoidConvNet", "SimpleCNN"]
    for name, net, history in (("MLP", mlp, mlp_history), ("SigmoidConvNet", sigmoid_net, sigmoid_history),
                               ("SimpleCNN", cnn, cnn_history)):  # fmt: skip
        row_ = side_by_side[name]
        middle = float(np.median([values[-1] for values in history.rows]))
        assert row_["parameters"] == f"{count_parameters(net):,}" and row_["epochs"] == len(history)
        assert row_["multiplications"] == f"{multiplications[name]:,}"
        assert row_["seconds per epoch (median)"] == f"{middle:.1f}"
        assert abs(seconds[name] - middle) < 1e-9
    assert np.allclose(accuracies, [history.epochs.test_accuracy.iloc[-1] for _, history in results.values()])
    if not is_fast():
        assert abs(accuracies[1] - accuracies[0]) < 1
    share_ = min(accuracies) / 100
    assert abs(chance - 200 * (share_ * (1 - share_) / 10_000) ** 0.5) < 1e-9
    spent = sum(values[-1] for _, history in results.values() for values in history.rows)
    assert abs(total - spent) < 1e-6 and f"{total:.0f} s of training" in print_again("s of training for all three")


def test_work_is_not_time():
    """By the processor's time, and the least of several measurements: other programs disturb that little."""
    first, second = torch.rand(64, 16, 26, 26, requires_grad=True), torch.rand(64, 32, 11, 11, requires_grad=True)
    batch, answers_ = prepare_images(TRAIN.data[:64]), TRAIN.targets[:64]
    twins = {name: copy.deepcopy(net).cpu().train() for name, (net, _) in results.items()}
    tasks = {
        name: lambda twin=twin: F.cross_entropy(twin(batch), answers_).backward() for name, twin in twins.items()
    }  # fmt: skip
    tasks["pooling"] = lambda: (F.max_pool2d(first, 2), F.max_pool2d(second, 2))
    ratio = multiplications["SigmoidConvNet"] / multiplications["MLP"]
    for _ in range(8):  # until other programs let it be seen
        best = dict.fromkeys(tasks, float("inf"))
        for name, task in [*tasks.items()] * 20:
            start = time.process_time()
            task()
            best[name] = min(best[name], time.process_time() - start)
        more = best["SimpleCNN"] > 7 * best["MLP"] and best["SigmoidConvNet"] > 1.5 * ratio * best["MLP"]
        if more and best["pooling"] > 0.15 * best["SimpleCNN"]:
            return
    raise AssertionError(best)


# ---- shifted digits ----


def test_shift_moves_the_digits():
    for distance in range(5):
        assert torch.equal(shift_digits(TEST.data[:40], distance), move(TEST.data[:40], distance))
    assert torch.equal(shift_digits(test_set.data, 0), test_set.data)
    assert torch.equal(shift_digits(test_set.data, 3)[0, :, 3:], test_set.data[0, :, :-3])
    gone = 1 - move(TEST.data, 4).double().sum().item() / TEST.data.double().sum().item()
    assert abs(lost - gone) < 1e-4 and f"{gone:.2%}" in print_again("DIRECTIONS = ")


def test_convolution_moves_with_the_digit():
    net = nn.functional.conv2d
    padded_ = F.pad(prepare_images(TEST.data[:1]), (8, 8, 8, 8), value=-0.1307 / 0.3081)
    weights_, biases = cnn.features[0].weight, cnn.features[0].bias
    wanted = net(padded_.roll(3, dims=-1), weights_, biases).detach()
    assert torch.allclose(moved_then_convolved, wanted, atol=1e-5) and same_map
    assert not torch.allclose(wanted, net(padded_, weights_, biases), atol=1e-2)


def test_accuracies_of_shifted_digits():
    assert list(shifted) == ["MLP", "SigmoidConvNet", "SimpleCNN"]
    nets = {"MLP": mlp, "SigmoidConvNet": sigmoid_net, "SimpleCNN": cnn}
    for name, checked in {"MLP": range(5), "SigmoidConvNet": (0, 2, 4), "SimpleCNN": (1, 3)}.items():
        for distance in checked:
            wanted = score(nets[name], move(TEST.data, distance), TEST.targets, TRAINED[name][3])
            assert abs(shifted[name][distance] - wanted) < 0.02, (name, distance)
    assert all(values[4] < values[0] - 10 for values in shifted.values())
    if not is_fast():
        assert all(values[1] > values[0] - 5 for values in shifted.values())
    for line, values in zip(print_again("loses, in points").splitlines(), shifted.values()):
        losses_ = [float(number) for number in re.findall(r"(\d+\.\d) at", line)]
        assert np.allclose(losses_, [values[0] - value for value in values[1:]], atol=0.06)


def test_figure_of_shifted_digits():
    ax = find_axes("Digits moved off the centre")
    assert axis_labels(ax) == ("shift (pixels)", "test accuracy (%)")
    nets = {"MLP": mlp, "SigmoidConvNet": sigmoid_net, "SimpleCNN": cnn}
    assert ax.get_legend_handles_labels()[1] == list(nets)
    for name, net in nets.items():
        distances_, drawn = find_line(ax, name)
        assert distances_.tolist() == [0, 1, 2, 3, 4]
        wanted = score(net, move(TEST.data, 3), TEST.targets, TRAINED[name][3])
        assert abs(drawn[3] - wanted) < 0.02, name
    assert find_line(ax, ax.lines[-1].get_label())[1].tolist() == [10, 10]


def test_practice_on_shifted_digits():
    ax = find_axes("Practice on shifted digits")
    assert axis_labels(ax) == ("shift (pixels)", "test accuracy (%)")
    _, before = find_line(ax, "SimpleCNN, as above")
    distances_, after = find_line(ax, "the one that practised")
    assert before.tolist() == shifted["SimpleCNN"] and distances_.tolist() == [0, 1, 2, 3, 4]
    assert is_fast() or after[3] > before[3] + 10
    torch.manual_seed(0)
    order_ = torch.randperm(60_000)[: 500 if is_fast() else 20_000]
    pupil_, step = copy.deepcopy(cnn), -(-len(order_) // 3)
    parts_ = [move(TRAIN.data[order_[i * step : (i + 1) * step]], i) for i in range(3)]
    loader_ = make_loader(prepare_images(torch.cat(parts_)), TRAIN.targets[order_], 64, shuffle=True, seed=0)
    train_one_epoch(pupil_, loader_, torch.optim.SGD(pupil_.parameters(), lr=0.01))
    for distance in (0, 3, 4):
        wanted = score(pupil_, move(TEST.data[::4], distance), TEST.targets[::4])
        assert abs(after[distance] - wanted) < 0.3, distance
    lines = print_again("train_on_shifted(distance=2").splitlines()
    assert lines[0] == f"after {len(order_):,} digits moved by up to 2:" and lines[1].endswith(" % at 4 pixels")
    assert abs(find_numbers(lines[1])[0] - after[4]) < 0.3
    assert abs(score(cnn, TEST.data, TEST.targets) - shifted["SimpleCNN"][0]) < 0.02  # the copy learned, not the CNN


# ---- the end ----


def test_summary_of_the_notebook():
    text = print_again("SimpleCNN: two 3x3 convolutions")
    assert f"here: {score(cnn, TEST.data, TEST.targets):.2f} % after {len(cnn_history)}, seed 0" in text
    assert f"here: {score(sigmoid_net, TEST.data, TEST.targets, 'unit'):.2f} % after {len(sigmoid_history)}" in text
    assert "as published: 98.7 % after 25 epochs" in text


def test_losses_fall():
    losses_ = cnn_history.epochs.test_loss.tolist()
    assert test_losses.tolist() == losses_ and losses_ == sorted(losses_, reverse=True)
