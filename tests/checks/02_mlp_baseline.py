"""Checks of notebooks/02_mlp_baseline.ipynb: its functions against the package's, its numbers and figures."""
# ruff: noqa: F821  (the names are the notebook's)

import contextlib
import inspect
import io
import math

import numpy as np
import torch
from matplotlib.colors import to_hex
from torch import nn
from torch.utils.data import RandomSampler, SequentialSampler

from lenet_utils import data, evaluation, models, training
from lenet_utils.plotting import BLUE, GREY
from lenet_utils.recipes import RECIPES

PIXELS, DIGITS = train_set.data.numpy(), train_set.targets
TEST_PIXELS, TEST_DIGITS = test_set.data.numpy(), test_set.targets
SCALED = [(pixels / np.float32(255) - 0.1307) / 0.3081 for pixels in (PIXELS, TEST_PIXELS)]
OWN = [torch.tensor(scaled).unsqueeze(1).float() for scaled in SCALED]


def make_untrained(network=models.MLP):
    torch.manual_seed(SEED)
    return network()


def make_few(count, batch_size=64, shuffle=True, seed=3):
    return data.make_loader(OWN[0][:count], DIGITS[:count], batch_size, shuffle, seed if shuffle else None)


def have_equal_weights(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def test_images_and_labels():
    assert len(train_set) == 60_000 and len(test_set) == 10_000
    for images, own in zip((train_images, test_images), OWN):
        assert images.shape == own.shape and torch.allclose(images, own, atol=1e-5)
    assert torch.equal(train_labels, DIGITS) and torch.equal(test_labels, TEST_DIGITS)
    assert abs(train_images.mean()) < 0.001 and abs(train_images.std() - 1) < 0.001
    text = print_again("standard deviation {train_images")
    assert f"mean {OWN[0].mean():.4f}, standard deviation {OWN[0].std():.4f}" in text
    assert row.shape == (1, 784) and torch.equal(row[0, 28:56], train_images[0, 0, 1])


def test_settings():
    recipe = RECIPES["mlp"]
    assert RECIPE is recipe and recipe.optimizer is torch.optim.SGD
    assert BATCH_SIZE == recipe.batch_size == 64 and LEARNING_RATE == recipe.optimizer_settings["lr"] == 0.03
    assert device.type == "cpu"


def test_layer_and_relu():
    sums = [sum(w * v for w, v in zip(weights, (1, 2, 3))) for weights in layer.weight.tolist()]
    expected = [value + bias for value, bias in zip(sums, layer.bias.tolist())]
    assert np.allclose(by_hand.tolist(), expected, atol=1e-6) and torch.allclose(by_hand, layer(x))
    lines = print_again("nn.Linear ").splitlines()
    assert lines[0].split("[")[1] == lines[1].split("[")[1]
    assert torch.relu(values).tolist() == [0.0, 0.0, 0.0, 1.5]
    assert "-> [0.0, 0.0, 0.0, 1.5]" in print_again("torch.relu(values)")


def test_network_is_the_packages():
    own, theirs = make_untrained(MLP), make_untrained()
    assert [type(layer) for layer in own.layers] == [nn.Linear, nn.ReLU, nn.Linear, nn.ReLU, nn.Linear]
    assert have_equal_weights(own, theirs)
    assert torch.equal(own(OWN[1][:50]), theirs(OWN[1][:50]))
    assert parameters == models.count_parameters(theirs) == 109_386
    text = " ".join(print_again("'together':29").split())
    for name, weights in theirs.named_parameters():
        assert f"{name} {tuple(weights.shape)} {weights.numel():,} " in text
    assert "together 109,386 " in text


def test_untrained_network():
    untrained = make_untrained()
    expected = evaluation.predict_logits(untrained, OWN[1])
    assert torch.allclose(logits, expected[:1], atol=1e-5)
    shares = expected[0].softmax(dim=0)
    assert torch.allclose(guess, shares, atol=1e-6) and guess.max() < 0.3
    loss = nn.functional.cross_entropy(expected, TEST_DIGITS).item()
    accuracy = 100 * (expected.argmax(dim=1) == TEST_DIGITS).double().mean().item()
    assert abs(first_loss - loss) < 1e-4 and abs(loss - math.log(10)) < 0.1
    assert abs(untrained_loss - loss) < 1e-4 and abs(untrained_accuracy - accuracy) < 0.02 and accuracy < 25
    check_probabilities(find_axes("read as " + str(int(shares.argmax()))).figure, shares)


def test_printed_numbers():
    """Logits and losses before training, sure answers after it, and the gap."""
    untrained = make_untrained()
    first = evaluation.predict_logits(untrained, OWN[1][:1])[0]
    shares, sum_ = first.softmax(dim=0), first.sum().item()
    rounded = [round(value, 2) for value in logits[0].tolist()]
    assert f"from {shares.min():.3f} to {shares.max():.3f}, sum 1.000" in print_again("{guess.min():.3f}")
    plt.close("all")
    text = print_again('print("logits:"', model=untrained)
    assert text.split() == f"logits: {rounded} sum: {round(sum_, 2)}".split()
    text = print_again("of a shrug", model=untrained)
    assert f"loss of the untrained network: {untrained_loss:.3f};  of a shrug: {math.log(10):.3f}" in text
    text = print_again("untrained: loss", model=untrained)
    assert f"loss {untrained_loss:.3f}, accuracy {untrained_accuracy:.2f} %" in text
    sure = evaluation.predict_logits(model, OWN[1][:1]).softmax(dim=1).max().item()
    assert f"read as 7, {100 * sure:.2f} % sure" in print_again("read as {probabilities")
    plt.close("all")
    assert f"= {last.train_accuracy - last.test_accuracy:.2f} points" in print_again("gap:.2f")


def check_probabilities(figure, shares):
    """The first test image and ten bars: lengths in percent, the longest in blue."""
    picture, bars = figure.axes
    assert np.array_equal(images_of(picture)[0], TEST_PIXELS[0])
    assert picture.get_title() == f"true digit: {int(TEST_DIGITS[0])}"
    assert np.allclose([bar.get_width() for bar in bars.patches], 100 * shares.numpy(), atol=0.02)
    winner = int(shares.argmax())
    assert [to_hex(bar.get_facecolor()).upper() for bar in bars.patches] == [
        BLUE if digit == winner else GREY for digit in range(10)
    ]
    assert bars.get_title().startswith(f"read as {winner}, ")
    assert axis_labels(bars) == ("probability (%)", "digit")


def test_softmax():
    some = torch.randn(7, 10, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(softmax(some), some.softmax(dim=1))
    assert torch.allclose(softmax(some[0]), some[0].softmax(dim=0))
    text = print_again('print("by hand:", [round(p')
    assert text.count("[0.7054, 0.2595, 0.0351]") == 2


def test_losses_of_three_answers():
    numbers = [math.exp(5) / (math.exp(5) + 2), 1 / 3, 1 / (math.exp(5) + 2)]
    assert np.allclose(answer_losses, [-math.log(p) for p in numbers], atol=1e-5)
    text = print_again("probability of the right class")
    for name, p in zip(("sure and right", "undecided", "sure and wrong"), numbers):
        (line,) = (line for line in text.splitlines() if line.startswith(name))
        assert f"{p:.3f}   loss {-math.log(p):.3f}" in line
    own = -some_logits.double().log_softmax(dim=1)[range(64), some_labels].mean()
    assert torch.allclose(in_two_parts, at_once) and abs(own - at_once) < 1e-5
    assert torch.allclose(log_probabilities.exp(), some_logits.softmax(dim=1))


def test_steps_downhill():
    assert abs(w.item() - 3 * (1 - 0.5**5)) < 1e-6
    text = print_again("puts the gradient 2 (w - 3)")
    assert [f"step {n}: w = {3 * (1 - 0.5**n):.3f}" for n in range(1, 6)] == [
        line.replace("2.8125", "2.812") for line in text.splitlines()[:5]
    ]
    assert gradients == [-6.0, -12.0, -18.0]
    for rate, shown in ((0.9, path), (0.02, None), (0.5, None), (1.0, None), (1.1, None)):
        own = [3 - 3 * (1 - 2 * rate) ** n for n in range(11)]
        if shown is None:
            shown = walk(rate)
            figure = plt.gcf()
        else:
            figure = find_figure(f"Learning rate {rate}")
        assert np.allclose(shown, own)
        (ax,) = figure.axes
        assert ax.get_title() == f"Learning rate {rate}" and axis_labels(ax) == ("w", "loss $(w - 3)^2$")
        where, height = find_line(ax, "10 steps from 0.0")
        assert np.allclose(where, own) and np.allclose(height, [(value - 3) ** 2 for value in own])
        where, height = find_line(ax, "loss")
        assert np.allclose(height, (where - 3) ** 2) and where.min() < min(own) + 1e-6
        assert where.max() > max(own) - 1e-6
        if rate != 0.9:
            plt.close(figure)
    ends = {rate: walk(rate)[-1] for rate in (0.02, 0.5, 0.9, 1.0, 1.1)}
    plt.close("all")
    assert ends[0.02] < 1.1 and ends[0.5] == 3 and 2.5 < ends[0.9] < 3.5 and ends[1.0] == 0 and abs(ends[1.1] - 3) > 10


def make_probe():
    """A network with dropout, which tells whether it trains, for functions that must set the mode."""
    torch.manual_seed(5)
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 20), nn.ReLU(), nn.Dropout(0.5), nn.Linear(20, 10))


def test_train_one_epoch_is_the_packages():
    found = []
    for function in (train_one_epoch, training.train_one_epoch):
        probe = make_probe().eval()
        optimizer = torch.optim.SGD(probe.parameters(), lr=0.1, momentum=0.9)
        torch.manual_seed(0)
        losses = function(probe, make_few(500), optimizer) + function(probe, make_few(200), optimizer)
        assert probe.training
        found.append((losses, probe))
    assert np.allclose(found[0][0], found[1][0]) and have_equal_weights(found[0][1], found[1][1])
    assert len(found[0][0]) == 8 + 4 and not have_equal_weights(found[0][1], make_probe())


def test_evaluate_is_the_packages():
    probe = make_probe().train()
    for loader in (make_few(1_003, 200, shuffle=False), make_few(37, 10)):
        theirs = evaluation.evaluate(probe, loader)
        assert np.allclose(evaluate(probe, loader), theirs) and not probe.training
    assert all(parameter.grad is None for parameter in probe.parameters())
    grads = []
    probe.register_forward_hook(lambda *_: grads.append(torch.is_grad_enabled()))
    evaluate(probe, make_few(10, 10))
    assert grads == [False]


def test_fit_is_the_packages():
    found = []
    for function in (fit, training.fit):
        probe = make_untrained()
        optimizer = torch.optim.SGD(probe.parameters(), lr=0.1)
        with contextlib.redirect_stdout(io.StringIO()) as text:
            kept = function(probe, make_few(640), make_few(300, 200, shuffle=False), optimizer, 3)
        table = kept.epochs.drop(columns="seconds")
        found.append((table, np.array(kept.batch_losses), probe, text.getvalue()))
    (own, own_losses, model_, printed), (theirs, their_losses, other, reference) = found
    assert list(own.columns) == list(theirs.columns) and np.allclose(own, theirs)
    assert np.allclose(own_losses, their_losses) and own_losses.shape == (3, 10)
    assert have_equal_weights(model_, other)
    for mine, line in zip(printed.splitlines(), reference.splitlines(), strict=True):
        assert mine.split("  ", 1)[1] == line.split("  ", 1)[1].rsplit("   ", 1)[0]


def test_fit_scores_the_training_set_on_its_first_10_000():
    seen = []
    original = globals()["evaluate"]

    def spy(network, loader):
        seen.append(loader.dataset.tensors)
        return original(network, loader)

    globals()["evaluate"] = spy
    try:
        probe = make_untrained()
        loader = data.make_loader(train_images, train_labels, 2_000, shuffle=True, seed=0)
        with contextlib.redirect_stdout(io.StringIO()):
            fit(probe, loader, test_loader, torch.optim.SGD(probe.parameters(), lr=0.0), 1)
    finally:
        globals()["evaluate"] = original
    assert torch.equal(seen[0][0], train_images[:10_000]) and torch.equal(seen[0][1], train_labels[:10_000])
    assert torch.equal(seen[1][0], test_images) and torch.equal(seen[1][1], test_labels)


def test_the_stop_button_keeps_the_whole_epochs():
    probe, count = make_untrained(), []
    optimizer = torch.optim.SGD(probe.parameters(), lr=0.1)

    def interrupt(*_):
        count.append(1)
        if len(count) in (25, 30):  # in the third epoch of ten batches; then in the first of the next try
            raise KeyboardInterrupt

    optimizer.register_step_pre_hook(interrupt)
    with contextlib.redirect_stdout(io.StringIO()) as text:
        kept = fit(probe, make_few(640), make_few(300, 200, shuffle=False), optimizer, 5)
    assert len(kept) == len(kept.epochs) == len(kept.batch_losses) == 2
    assert text.getvalue().splitlines()[-1] == "Stopped. Whole epochs done: 2."
    try:
        fit(probe, make_few(640), make_few(300, 200, shuffle=False), optimizer, 5)
    except training.Stopped as stopped:
        assert str(stopped) == "Stopped before the first epoch was done: run the cell again."
    else:
        raise AssertionError("nothing was stopped")


def test_learning_rates():
    expected = data.split_train_validation(DIGITS, 5_000, seed=SEED)
    assert torch.equal(train_part, expected[0]) and torch.equal(validation_part, expected[1])
    aside = OWN[0][validation_part]
    assert torch.allclose(validation_loader.dataset.tensors[0], aside, atol=1e-5)
    assert torch.equal(validation_loader.dataset.tensors[1], DIGITS[validation_part])
    assert isinstance(validation_loader.sampler.sampler, SequentialSampler)
    assert list(curves) == list(validation_accuracies) == list(RATES) == [0.003, 0.03, 0.3, 1.0]
    ax = find_axes("The first epoch at four learning rates")
    assert axis_labels(ax) == ("batch", "loss (mean of 20 batches)") and ax.get_yscale() == "log"
    for rate in RATES:
        assert len(curves[rate]) == math.ceil(55_000 / 64) and np.isfinite(curves[rate]).all()
        where, height = find_line(ax, f"learning rate {rate}")
        means = np.convolve(curves[rate], np.ones(20) / 20, mode="valid")
        assert np.allclose(height, means[::10], rtol=1e-4) and np.array_equal(where, np.arange(19, 860, 10))
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [f"learning rate {rate}" for rate in RATES]
    trial_again = make_untrained()
    loader = data.make_loader(OWN[0][train_part], DIGITS[train_part], 64, shuffle=True, seed=SEED)
    losses = training.train_one_epoch(trial_again, loader, torch.optim.SGD(trial_again.parameters(), lr=0.03))
    assert np.allclose(losses, curves[0.03], rtol=1e-3)
    right = evaluation.predict_logits(trial_again, aside).argmax(dim=1) == DIGITS[validation_part]
    assert abs(100 * right.double().mean() - validation_accuracies[0.03]) < 0.2
    small, slides, large, largest = validation_accuracies.values()
    assert slides > 85 and large > slides and 60 < small < slides and largest < 50
    assert np.mean(curves[0.003][-20:]) > 2 * np.mean(curves[0.03][-20:])  # still far up
    assert max(curves[1.0][:40]) > 2 * math.log(10) and min(np.convolve(curves[1.0], np.ones(20) / 20, "valid")) > 0.7


def test_training():
    assert isinstance(train_loader.sampler.sampler, RandomSampler)
    assert torch.equal(train_loader.dataset.tensors[0], train_images) and train_loader.sampler.batch_size == BATCH_SIZE
    assert torch.equal(train_loader.dataset.tensors[1], train_labels)
    assert torch.equal(test_loader.dataset.tensors[0], test_images) and torch.equal(
        test_loader.dataset.tensors[1], test_labels
    )
    orders = [torch.cat([labels for _, labels in train_loader]) for _ in range(2)]
    assert not torch.equal(*orders)
    assert isinstance(optimizer, torch.optim.SGD) and optimizer.param_groups[0]["lr"] in (LEARNING_RATE, *RATES)
    assert len(history) == EPOCHS and np.array(history.batch_losses).shape == (EPOCHS, 938)
    loss, accuracy = evaluation.evaluate(model, data.make_loader(OWN[1], TEST_DIGITS, 200, shuffle=False))
    assert np.allclose([last.test_loss, last.test_accuracy], [loss, accuracy], rtol=1e-3)
    loss, accuracy = evaluation.evaluate(model, data.make_loader(OWN[0][:10_000], DIGITS[:10_000], 200, shuffle=False))
    assert np.allclose([last.train_loss, last.train_accuracy], [loss, accuracy], rtol=1e-3)
    assert last.epoch == EPOCHS and last.test_accuracy > (91 if EPOCHS == 1 else 97)
    assert last.train_loss < history.batch_losses[0][0]
    assert f"train {last.train_accuracy:.2f} %, test {last.test_accuracy:.2f} %" in print_again(
        "after {done} epochs: train"
    )


def test_first_epoch_is_the_packages():
    """The same network, images and order, trained by the package."""
    again = make_untrained()
    loader = data.make_loader(OWN[0], DIGITS, 64, shuffle=True, seed=SEED)
    losses = training.train_one_epoch(again, loader, torch.optim.SGD(again.parameters(), lr=0.03))
    assert np.allclose(losses, history.batch_losses[0], rtol=1e-2)
    _, accuracy = evaluation.evaluate(again, data.make_loader(OWN[1], TEST_DIGITS, 200, shuffle=False))
    assert abs(accuracy - history.epochs.test_accuracy[0]) < 0.1


def test_trained_network_on_the_first_image():
    shares = evaluation.predict_logits(model, OWN[1][:1]).softmax(dim=1)[0]
    assert torch.allclose(probabilities, shares, atol=1e-5) and probabilities.argmax() == TEST_DIGITS[0] == 7
    check_probabilities(find_figure("read as 7"), shares)


def test_curves():
    figure = find_figure("Accuracy")
    assert [ax.get_title() for ax in figure.axes] == ["Loss", "Accuracy"]
    for ax, quantity in zip(figure.axes, ("loss", "accuracy")):
        for name in ("train", "test"):
            where, height = find_line(ax, name)
            assert np.array_equal(where, np.arange(1, EPOCHS + 1))
            assert np.allclose(height, history.epochs[f"{name}_{quantity}"])
    assert [axis_labels(ax) for ax in figure.axes] == [("epoch", "mean cross-entropy"), ("epoch", "accuracy (%)")]
    assert abs(gap - (last.train_accuracy - last.test_accuracy)) < 1e-9


def read_stored():
    """Test accuracies (5, 15) of the stored runs, from their files."""
    folder = data.find_data_root() / "runs"
    return np.stack([pd.read_csv(folder / f"mlp-{seed}" / "history.csv").test_accuracy for seed in range(5)])


def check_band(ax, stored):
    (band,) = ax.collections
    corners = band.get_paths()[0].vertices
    for epoch in (1, 8, 15):
        heights = corners[corners[:, 0] == epoch, 1]
        assert np.isclose(heights.min(), stored[:, epoch - 1].min()) and np.isclose(
            heights.max(), stored[:, epoch - 1].max()
        )
    assert axis_labels(ax) == ("epoch", "test accuracy (%)")


def test_band_and_stored_runs():
    stored = read_stored()
    ax = find_axes("This run among others of its recipe")
    check_band(ax, stored)
    where, height = find_line(ax, "this run")
    assert np.array_equal(where, np.arange(1, EPOCHS + 1)) and np.allclose(height, history.epochs.test_accuracy)
    assert np.allclose(sorted(finals), sorted(stored[:, -1])) and stored.shape == (5, 15)
    assert stored[:, -1].min() > RECIPE.published == 97.4 and stored[:, -1].mean() > RECIPE.published
    text = print_again("after epoch 8:")
    assert f"from {stored[:, -1].min():.2f} to {stored[:, -1].max():.2f} %" in text
    assert f"mean {stored[:, -1].mean():.2f} %, standard deviation {stored[:, -1].std(ddof=1):.2f}" in text
    dip = sorted(stored[:, 7])
    assert ", ".join(f"{value:.2f} %" for value in dip) in text
    assert dip[0] < dip[1] - 0.5  # one run is to blame,
    assert abs(stored[stored[:, 7].argmin(), 8] - np.median(stored[:, 8])) < 0.3  # and has recovered
    assert np.allclose(sorted(same_epoch), sorted(stored[:, EPOCHS - 1]))
    assert stored[:, EPOCHS - 1].min() - 0.5 < last.test_accuracy < stored[:, EPOCHS - 1].max() + 0.5


def try_again(**changed):
    settings = {"hidden": (128, 64), "activation": nn.ReLU, "learning_rate": 0.03, "epochs": 1, "seed": SEED}
    with contextlib.redirect_stdout(io.StringIO()):
        result = try_network(**settings | changed).epochs
    ax = plt.gca()
    plt.close("all")
    return result, ax


def test_your_network():
    ax = find_axes("Your network and the stored runs of the recipe")
    check_band(ax, read_stored())
    where, height = find_line(ax, "your run")
    assert np.array_equal(where, yours.epochs.epoch) and np.allclose(height, yours.epochs.test_accuracy)
    recipe, _ = try_again()
    assert np.allclose(recipe.drop(columns="seconds"), history.epochs.iloc[:1].drop(columns="seconds"), rtol=1e-3)
    narrow, _ = try_again(hidden=(32, 16))
    assert np.isclose(narrow.test_accuracy[0], yours.epochs.test_accuracy[0], atol=0.05)
    straight, ax = try_again(activation=nn.Identity)
    assert np.allclose(find_line(ax, "your run")[1], straight.test_accuracy)
    low = read_stored()[:, 0].min()
    assert straight.test_accuracy[0] < low and narrow.test_accuracy[0] < recipe.test_accuracy[0]
    assert len(inspect.signature(try_network).parameters) == 5


def test_batch_losses():
    ax = find_axes("Loss of every batch")
    losses = np.array(history.batch_losses)
    assert np.allclose(find_line(ax, "every batch")[1], losses.ravel())
    assert np.allclose(find_line(ax, "last batch of the epoch")[1], losses[:, -1])
    assert np.allclose(find_line(ax, "mean of 50 batches")[1][-1], losses.ravel()[-50:].mean())
    assert axis_labels(ax) == ("epoch", "cross-entropy") and ax.get_yscale() == "log"
    ordered = np.sort(losses[-1])
    assert abs((losses[-1] < low).mean() - 0.05) < 0.002 and abs((losses[-1] > high).mean() - 0.05) < 0.002
    assert ordered[0] < low < high < ordered[-1] and high > 2 * low
    text = print_again("nine batches in ten lie")
    assert f"mean loss {losses[-1].mean():.4f}, last batch {losses[-1][-1]:.4f}" in text
    assert f"between {low:.4f} and {high:.4f}" in text


def learn_again(count, epochs):
    """The same as the notebook's learn_few, by the package's functions."""
    network = make_untrained()
    loader = data.make_loader(OWN[0][:count], DIGITS[:count], 10, shuffle=True, seed=SEED)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.03)
    test = data.make_loader(OWN[1], TEST_DIGITS, 200, shuffle=False)
    for _ in range(epochs):
        training.train_one_epoch(network, loader, optimizer)
        yield [*evaluation.evaluate(network, loader), *evaluation.evaluate(network, test)]


def test_overfitting():
    names = ["train_loss", "train_accuracy", "test_loss", "test_accuracy"]
    assert list(small.columns) == names and list(small.index) == list(range(1, 61)) and SMALL == 500
    assert np.allclose(small.iloc[:3], list(learn_again(500, 3)), rtol=0.03)
    figure = find_figure("The same network on 500 images")
    for ax, quantity, label in zip(figure.axes, ("loss", "accuracy"), ("loss", "accuracy (%)"), strict=True):
        assert axis_labels(ax) == ("epoch", label)
        for name, text in (("train", "train (500 images)"), ("test", "test")):
            where, height = find_line(ax, text)
            assert np.array_equal(where, range(1, 61)) and np.allclose(height, small[f"{name}_{quantity}"])
    table = small.to_numpy()
    assert table[-1, 1] == 100 and table[-1, 3] < 90 and table[-1, 2] > 1.1 * table[:, 2].min()
    text = print_again("test loss: lowest")
    assert f"train accuracy {table[-1, 1]:.1f} %, test accuracy {table[-1, 3]:.1f} %" in text
    assert f"lowest {table[:, 2].min():.3f} (epoch {1 + table[:, 2].argmin()}), at the end {table[-1, 2]:.3f}" in text


def test_few_images():
    ax = find_axes("Test loss, learning from few images")
    assert axis_labels(ax) == ("epoch", "test loss")
    where, height = find_line(ax, "2,000 images")
    assert np.array_equal(where, few.index) and np.allclose(height, few.test_loss)
    assert np.allclose(few.iloc[:1], list(learn_again(2_000, 1)), rtol=0.03)
    assert np.allclose(find_line(ax, "500 images")[1], small.test_loss)
    assert few.test_loss.iloc[-1] < small.test_loss.min() or len(few) == 1


def test_summary():
    text = print_again("s of training")
    assert (
        "network: 784-128-64-10, ReLU, SGD 0.03, batches of 64" in text
        and "as published: 97.4 % after 15 epochs" in text
    )
    assert f"here: {last.test_accuracy:.2f} % after {EPOCHS}, seed {SEED}" in text
    wide = nn.Module()
    wide.layers = nn.Sequential(nn.Linear(784, 300), nn.Tanh(), nn.Linear(300, 10))
    assert "network: 784-300-10, Tanh, SGD" in print_again("s of training", model=wide)
    assert f"109,386 parameters, {history.epochs.seconds.sum():.0f} s of training" in text
