"""Checks of notebooks/02_mlp_baseline.ipynb: its functions against the package's, its numbers and figures."""
# ruff: noqa: F821  (the names are the notebook's)

import contextlib
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
    text = print_again('print("one image"')
    assert "training images (60000, 1, 28, 28)  test images (10000, 1, 28, 28)" in text
    assert "one image (1, 28, 28) -> (1, 784)" in text
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
    assert lines[0].split("[")[1] == lines[1].split("[")[1] and f"{expected[0]:.4f}, {expected[1]:7.4f}" in lines[0]
    assert torch.relu(values).tolist() == [0.0, 0.0, 0.0, 1.5]
    ends = [line.split("-> ")[1] for line in print_again("torch.relu(values)").splitlines()]
    assert ends == ["[0.0, 0.0, 0.0, 1.5]", str([abs(value) for value in values.tolist()])]


def test_two_layers_are_one_without_a_bend():
    weights = [part.weight.detach().numpy() for part in (first, second)]
    inner = weights[0] @ x.numpy() + first.bias.detach().numpy()
    straight, bent = (
        weights[1] @ between + second.bias.detach().numpy() for between in (inner, np.where(inner > 0, inner, 0))
    )
    assert (inner < -0.01).any() and not np.allclose(straight, bent, atol=0.01)
    assert weight.shape == (2, 3) and np.allclose(one.detach().numpy(), straight, atol=1e-6)
    other = torch.randn(3)
    assert torch.allclose(weight @ other + bias, second(first(other)), atol=1e-6)
    torch.manual_seed(SEED)
    nn.Linear(3, 2)  # as in the cell before it
    expected = {"two layers": straight, "one layer": straight, "two with ReLU between": bent}
    for line, (name, numbers) in zip(print_again("two with ReLU between").splitlines(), expected.items()):
        assert line.startswith(f"{name} ")
        assert np.allclose([float(part) for part in line.split("[")[1].rstrip("])").split(",")], numbers, atol=1e-4)


def test_classes():
    assert Scale(7).forward(6) == 42 and Scale(7).factor == 7 and Scale.__bases__ == (object,)
    assert print_again("double, triple = ").split() == ["10", "15", "3"]
    assert issubclass(Forgetful, nn.Module) and issubclass(MLP, nn.Module)
    text = print_again("class Forgetful")
    assert text == "AttributeError: cannot assign module before Module.__init__() call\n"


def test_network_is_the_packages():
    own, theirs = make_untrained(MLP), make_untrained()
    assert [type(layer) for layer in own.layers] == [nn.Linear, nn.ReLU, nn.Linear, nn.ReLU, nn.Linear]
    assert have_equal_weights(own, theirs)
    assert torch.equal(own(OWN[1][:50]), theirs(OWN[1][:50]))
    chain = nn.Sequential(nn.Flatten(), *own.layers)  # as the text says
    assert torch.equal(chain(OWN[1][:50]), own(OWN[1][:50]))
    assert parameters == models.count_parameters(theirs) == 109_386
    text = " ".join(print_again("'together':29").split())
    for name, weights in theirs.named_parameters():
        assert f"{name} {tuple(weights.shape)} {weights.numel():,} " in text
    assert text.endswith("together 109,386")


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
    check_probabilities(find_figure(f"no digit gets more than {100 * shares.max():.1f} %"), shares)


def test_printed_numbers():
    """Logits and losses before training, sure answers after it, and the gap."""
    untrained = make_untrained()
    first = evaluation.predict_logits(untrained, OWN[1][:1])[0]
    shares = first.softmax(dim=0)
    rounded = [round(value, 2) for value in logits[0].tolist()]
    assert f"from {shares.min():.3f} to {shares.max():.3f}, sum 1.000" in print_again("{guess.min():.3f}")
    text = print_again('print("logits:"', model=untrained)
    assert text.split() == f"logits: {rounded}".split()
    text = print_again("of a shrug", model=untrained)
    assert f"loss of the untrained network: {untrained_loss:.3f};  of a shrug: {math.log(10):.3f}" in text
    text = print_again("untrained: loss", model=untrained)
    assert f"loss {untrained_loss:.3f}, accuracy {untrained_accuracy:.2f} %" in text
    sure = evaluation.predict_logits(model, OWN[1][:1]).softmax(dim=1).max().item()
    assert f"the first: read as 7, {100 * sure:.2f} % sure" in print_again("the first: read as")
    assert f"= {last.train_accuracy - last.test_accuracy:.2f} points" in print_again("gap:.2f")


def check_probabilities(figure, shares, index=0):
    """A test image and ten bars: lengths in percent, the longest in blue."""
    picture, bars = figure.axes
    assert np.array_equal(images_of(picture)[0], TEST_PIXELS[index])
    assert picture.get_title() == f"true digit: {int(TEST_DIGITS[index])}"
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
    text = print_again('print("by hand:", softmax')
    assert text.count("[0.7054, 0.2595, 0.0351]") == 2


def test_losses_of_three_answers():
    numbers = [math.exp(5) / (math.exp(5) + 2), 1 / 3, 1 / (math.exp(5) + 2)]
    assert np.allclose(answer_losses, [-math.log(p) for p in numbers], atol=1e-5)
    assert np.allclose(right_shares, numbers, atol=1e-6)
    text = print_again("probability of the right class")
    for name, p in zip(("sure, right", "undecided", "sure, wrong"), numbers):
        (line,) = (line for line in text.splitlines() if line.startswith(name))
        assert f"{p:.3f}   loss {-math.log(p):.3f}" in line
    own = -some_logits.double().log_softmax(dim=1)[range(64), some_labels].mean()
    assert torch.allclose(in_two_parts, at_once) and abs(own - at_once) < 1e-5 and some_logits.shape == (64, 10)
    assert torch.allclose(nn.LogSoftmax(dim=1)(some_logits).exp(), some_logits.softmax(dim=1))  # as the text says
    text = print_again("LogSoftmax + NLLLoss", torch=Replay(some_logits, some_labels))
    assert text == f"LogSoftmax + NLLLoss {own:.6f}   CrossEntropyLoss {own:.6f}\n"


class Replay:
    """In torch's place: gives the two random tensors of the notebook again."""

    def __init__(self, numbers, labels):
        self.randn, self.randint = (lambda *_: numbers), (lambda *_: labels)


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
            figure = find_figure(f"Learning rate {rate}:")
        assert np.allclose(shown, own)
        (ax,) = figure.axes
        assert ax.get_title() == f"Learning rate {rate}: 10 steps lead to w = {own[-1]:.2f}"
        (note,) = ax.texts
        assert note.get_text() == "start" and note.xy == (0, 9)
        assert axis_labels(ax) == ("w", "loss $(w - 3)^2$")
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


def test_batches():
    assert isinstance(plain_loader.sampler, RandomSampler) and plain_loader.batch_size == 64
    assert dataset.tensors[0] is train_images and dataset.tensors[1] is train_labels
    text = print_again("one is enough to look at")
    assert "a batch: images (64, 1, 28, 28)  labels (64,)" in text
    assert f"{math.ceil(60_000 / 64)} batches; the last of them has {60_000 - 937 * 64} images" in text
    in_order = torch.utils.data.DataLoader(dataset, batch_size=1_000)  # the same kind of batches
    for own, theirs in zip(in_order, data.make_loader(OWN[0], DIGITS, 1_000, shuffle=False), strict=True):
        assert torch.allclose(own[0], theirs[0], atol=1e-5) and torch.equal(own[1], theirs[1])
    orders = [torch.cat([labels for _, labels in loader]) for loader in (fast_loader, fast_loader, plain_loader)]
    assert not torch.equal(orders[0], orders[1]) and not torch.equal(orders[1], orders[2])
    assert all(torch.equal(order.bincount(), DIGITS.bincount()) for order in (*orders, plain, fast))
    assert print_again("ratio = (middle", time=Clock(1.0, 3.5, 4.5)).startswith(
        "DataLoader 2.50 s, make_loader 1.00 s: 2.5 times"
    )
    assert np.isclose(ratio, (middle - start) / (end - middle)) and ratio > 1.1  # they come sooner


class Clock:
    """In time's place: tells the given times, one after the other."""

    def __init__(self, *times):
        self.process_time = iter(times).__next__


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
    assert list(curves) == list(validation_accuracies) == list(RATES) == [0.003, 0.03, 0.3, 1.0, 3.0]
    assert all(len(losses) == math.ceil(55_000 / 64) for losses in curves.values())
    trial_again = make_untrained()
    loader = data.make_loader(OWN[0][train_part], DIGITS[train_part], 64, shuffle=True, seed=SEED)
    losses = training.train_one_epoch(trial_again, loader, torch.optim.SGD(trial_again.parameters(), lr=0.03))
    assert np.allclose(losses, curves[0.03], rtol=1e-3)
    right = evaluation.predict_logits(trial_again, aside).argmax(dim=1) == DIGITS[validation_part]
    assert abs(100 * right.double().mean() - validation_accuracies[0.03]) < 0.2
    small, slides, large, wild, lost = validation_accuracies.values()
    assert slides > 85 and large > slides and 60 < small < slides and wild < 50 and best_rate == 0.3
    assert np.isclose(lost, 100 * (DIGITS[validation_part] == 0).double().mean())  # somebody who says 0 to every image
    assert np.mean(curves[0.003][-20:]) > 2 * np.mean(curves[0.03][-20:])  # still far up
    assert max(curves[1.0][:40]) > 2 * math.log(10) and min(np.convolve(curves[1.0], np.ones(20) / 20, "valid")) > 0.7
    assert np.sum(np.abs(np.diff(curves[1.0][:40])) > 1) > 5  # to and fro
    assert np.isnan(curves[3.0][-1]) and np.nanmax(curves[3.0]) > 1e6
    accuracies = iter(validation_accuracies.values())
    stubs = {"train_one_epoch": lambda *_: [1.0], "evaluate": lambda _, loader: (0.0, next(accuracies))}
    text = print_again("the best rate is neither", **stubs)
    assert text.startswith("55000 to train on, 5000 to choose with")
    for rate, accuracy in validation_accuracies.items():
        assert f"learning rate {rate:5}: {accuracy:5.2f} % of the validation set" in text


def test_curves_of_the_rates():
    figure = find_figure("The epoch: 0.3 gets furthest")
    start, whole = figure.axes
    assert start.get_title() == "The start: 3.0 overflows"
    assert [axis_labels(ax) for ax in figure.axes] == [
        ("batch", "loss of the batch"),
        ("batch", "loss (mean of 20 batches)"),
    ]
    assert start.get_yscale() == whole.get_yscale() == "log"
    assert [text.get_text() for text in start.get_legend().get_texts()] == [f"learning rate {rate}" for rate in RATES]
    assert [tick.get_text() for tick in whole.get_yticklabels()] == ["0.1", "0.3", "1", "3"]
    assert np.allclose(whole.get_yticks(), [0.1, 0.3, 1, 3])
    for rate, below, above in zip(RATES, start.lines, whole.lines):
        losses = np.array(curves[rate])
        good = len(losses) if np.isfinite(losses).all() else int(np.argmin(np.isfinite(losses)))
        assert (good < len(losses)) == (rate == 3.0)
        where, height = find_line(start, f"learning rate {rate}")
        assert np.array_equal(where, 1 + np.arange(min(good, 40))) and np.allclose(height, losses[:40][:good])
        assert to_hex(below.get_color()) == to_hex(above.get_color()) and below.get_linestyle() == above.get_linestyle()
        means = np.convolve(losses[:good], np.ones(20) / 20, mode="valid")[::10] if good >= 20 else []
        assert np.allclose(above.get_ydata(), means, rtol=1e-4)
        assert np.array_equal(above.get_xdata(), 20 + 10 * np.arange(len(means)))
        low, high = whole.get_ylim()
        assert all(low < mean < high for mean in means)
    assert len({(to_hex(line.get_color()), line.get_linestyle()) for line in whole.lines}) == 5
    good = int(np.argmin(np.isfinite(curves[3.0])))
    cross, (note,) = start.lines[-1], start.texts
    assert cross.get_marker() == "X" and (cross.get_xdata()[0], cross.get_ydata()[0]) == (good, curves[3.0][good - 1])
    assert note.get_text() == f"no numbers after batch {good}" and note.xy == (good + 1, curves[3.0][good - 1])
    assert all(np.isfinite(line.get_ydata()).all() for ax in figure.axes for line in ax.lines)  # nothing made up


def test_training():
    assert isinstance(train_loader.sampler.sampler, RandomSampler)
    assert torch.equal(train_loader.dataset.tensors[0], train_images) and train_loader.sampler.batch_size == BATCH_SIZE
    assert torch.equal(train_loader.dataset.tensors[1], train_labels)
    assert torch.equal(test_loader.dataset.tensors[0], test_images) and torch.equal(
        test_loader.dataset.tensors[1], test_labels
    )
    orders = [torch.cat([labels for _, labels in train_loader]) for _ in range(2)]
    assert not torch.equal(*orders)
    assert isinstance(optimizer, torch.optim.SGD) and optimizer.param_groups[0]["lr"] == LEARNING_RATE
    assert len(history) == EPOCHS and np.array(history.batch_losses).shape == (EPOCHS, 938)
    loss, accuracy = evaluation.evaluate(model, data.make_loader(OWN[1], TEST_DIGITS, 200, shuffle=False))
    assert np.allclose([last.test_loss, last.test_accuracy], [loss, accuracy], rtol=1e-3)
    loss, accuracy = evaluation.evaluate(model, data.make_loader(OWN[0][:10_000], DIGITS[:10_000], 200, shuffle=False))
    assert np.allclose([last.train_loss, last.train_accuracy], [loss, accuracy], rtol=1e-3)
    assert last.epoch == EPOCHS and last.test_accuracy > (91 if EPOCHS == 1 else 97)
    assert last.train_loss < history.batch_losses[0][0]
    text = print_again("after {done} epochs: train", fit=lambda *_: history)
    assert f"train {last.train_accuracy:.2f} %, test {last.test_accuracy:.2f} %" in text


def test_first_epoch_is_the_packages():
    """The same network, images and order, trained by the package."""
    again = make_untrained()
    loader = data.make_loader(OWN[0], DIGITS, 64, shuffle=True, seed=SEED)
    losses = training.train_one_epoch(again, loader, torch.optim.SGD(again.parameters(), lr=0.03))
    assert np.allclose(losses, history.batch_losses[0], rtol=1e-2)
    _, accuracy = evaluation.evaluate(again, data.make_loader(OWN[1], TEST_DIGITS, 200, shuffle=False))
    assert abs(accuracy - history.epochs.test_accuracy[0]) < 0.1


def test_trained_network_on_two_images():
    shares = evaluation.predict_logits(model, OWN[1]).softmax(dim=1)
    assert torch.allclose(probabilities, shares, atol=1e-4) and probabilities[0].argmax() == TEST_DIGITS[0] == 7
    largest = shares.max(dim=1).values
    assert largest[hardest] < largest.min() + 1e-4 and largest[hardest] < 0.5  # none gets half of it,
    assert (shares[hardest] > 0.1).sum() >= 2  # several share it
    figure = find_figure(f"Test image {hardest}: of no other is the network less sure")
    check_probabilities(figure, shares[hardest], hardest)


def test_curves():
    figure = find_figure(f"Epoch {EPOCHS}: train and test are {gap:.1f} points apart")
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
    ax = find_axes(f"All stored runs end between {stored[:, -1].min():.2f} and {stored[:, -1].max():.2f} %")
    check_band(ax, stored)
    where, height = find_line(ax, "this run")
    assert np.array_equal(where, np.arange(1, EPOCHS + 1)) and np.allclose(height, history.epochs.test_accuracy)
    assert np.allclose(sorted(finals), sorted(stored[:, -1])) and stored.shape == (5, 15)
    assert stored[:, -1].min() > RECIPE.published == 97.4 and stored[:, -1].mean() > RECIPE.published
    text = print_again("runs of {RECIPE.epochs} epochs, published")
    assert "5 runs of 15 epochs, published: 97.4 %" in text
    assert f"mean {stored[:, -1].mean():.2f} %, standard deviation {stored[:, -1].std(ddof=1):.2f}" in text
    ordered = sorted(stored[:, 7])
    assert dip == 8 and ordered[0] < ordered[1] - 0.5  # one run is to blame,
    assert abs(stored[stored[:, 7].argmin(), 8] - np.median(stored[:, 8])) < 0.3  # and has recovered
    (note,) = ax.texts
    assert note.get_text() == "one run dips" and np.allclose(note.xy, (8, ordered[0]))
    assert stored[:, EPOCHS - 1].min() - 0.5 < last.test_accuracy < stored[:, EPOCHS - 1].max() + 0.5


def learn_again(
    hidden=(128, 64), activation=nn.ReLU, rate=0.03, epochs=1, seed=None, count=55_000, batch_size=64
):  # fmt: skip
    """The same as the notebook's learn, by the package's functions; four columns."""
    seed = SEED if seed is None else seed
    torch.manual_seed(seed)
    widths, parts = [784, *hidden, 10], [nn.Flatten()]
    for inputs, outputs in zip(widths, widths[1:]):
        parts += [nn.Linear(inputs, outputs), activation()]
    network = nn.Sequential(*parts[:-1])
    part, aside = data.split_train_validation(DIGITS, 5_000, seed=SEED)
    part = part[torch.randperm(55_000)[:count]]  # drawn at random
    loader = data.make_loader(OWN[0][part], DIGITS[part], batch_size, shuffle=True, seed=seed)
    optimizer = torch.optim.SGD(network.parameters(), lr=rate)
    rows = []
    for _ in range(epochs):
        training.train_one_epoch(network, loader, optimizer)
        scored = (data.make_loader(OWN[0][some], DIGITS[some], 200, shuffle=False) for some in (part[:5_000], aside))
        rows.append([number for loader_ in scored for number in evaluation.evaluate(network, loader_)])
    return np.array(rows)


NAMES_OF_SCORES = ["train_loss", "train_accuracy", "validation_loss", "validation_accuracy"]


def test_learn_scores_the_validation_set():
    assert list(yours.columns) == NAMES_OF_SCORES and list(yours.index) == list(range(1, len(yours) + 1))
    for own, other in (
        (learn(epochs=1, count=3_000, seed=4), learn_again(count=3_000, seed=4)),
        (
            learn((20,), nn.Tanh, learning_rate=0.1, epochs=2, count=700, batch_size=10),
            learn_again((20,), nn.Tanh, rate=0.1, epochs=2, count=700, batch_size=10),
        ),
        (learn((), nn.Identity, epochs=1, count=6_000), learn_again((), nn.Identity, count=6_000)),
    ):
        assert np.allclose(own, other, rtol=1e-3)
    again = learn_again()
    assert np.isclose(again[0, 3], recipe[0].iloc[0], atol=0.1) and list(recipe) == [0, 1, 2]
    assert recipe.nunique(axis=1).min() > 1  # three seeds, three results


def test_your_network():
    ax = find_axes(f"Yours ends at {yours.validation_accuracy.iloc[-1]:.1f} %")
    assert ax.get_title().endswith(f"the recipe at {np.mean(recipe.to_numpy()[-1]):.1f} %")
    assert axis_labels(ax) == ("epoch", "validation accuracy (%)")
    where, height = find_line(ax, "yours")
    assert np.array_equal(where, yours.index) and np.allclose(height, yours.validation_accuracy)
    (drawn,) = ax.collections
    corners = drawn.get_paths()[0].vertices
    for epoch, row in recipe.iterrows():
        heights = corners[corners[:, 0] == epoch, 1]
        assert np.isclose(heights.min(), min(row)) and np.isclose(heights.max(), max(row))
    assert drawn.get_label() == "the recipe, three seeds"
    ends_ = f"yours {yours.validation_accuracy.iloc[-1]:.2f} %, the recipe {np.mean(recipe.to_numpy()[-1]):.2f} %"
    text = print_again("epochs: yours", learn=lambda **_: yours)
    assert f"after {len(yours)} epochs: {ends_}" in text
    narrow = learn_again((32, 16), epochs=3)[:, 3]
    assert np.allclose(narrow[: len(yours)], yours.validation_accuracy, atol=0.1)
    whole, straight = (learn_again(activation=kind, epochs=3)[-1, 3] for kind in (nn.ReLU, nn.Identity))
    assert 0.5 < whole - narrow[-1] < 1.6 and straight < narrow[-1] - 1  # about one point behind; further behind
    assert narrow[-1] > narrow[-2] + 0.3  # still learning


def test_batch_losses():
    ax = find_axes(f"Epoch {EPOCHS}: nine batches in ten lie between {low:.4f} and {high:.4f}")
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


def test_underfitting_and_overfitting():
    assert (UNITS, IMAGES) == (4, 500)
    assert np.allclose(few_units.iloc[:1], learn_again((4,)), rtol=0.03)
    assert np.allclose(few_images.iloc[:3], learn_again(count=500, batch_size=10, epochs=3), rtol=0.03)
    figure = find_figure(f"4 units: both losses end near {few_units.train_loss.iloc[-1]:.1f}")
    lowest_ = few_images.validation_loss.to_numpy().argmin()
    assert figure.axes[1].get_title() == f"500 images: validation turns at epoch {lowest_ + 1}"
    for ax, run, epochs in zip(figure.axes, (few_units, few_images), (10 if EPOCHS > 1 else 1, 60), strict=True):
        assert list(run.columns) == NAMES_OF_SCORES and list(run.index) == list(range(1, epochs + 1))
        assert axis_labels(ax) == ("epoch", "mean cross-entropy") and ax.get_yscale() == "log"
        for name in ("train", "validation"):
            where, height = find_line(ax, name)
            assert np.array_equal(where, run.index) and np.allclose(height, run[f"{name}_loss"])
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()
    (note,) = figure.axes[1].texts
    assert note.get_text() == "lowest" and np.allclose(note.xy, (lowest_ + 1, few_images.validation_loss.min()))
    under, over = few_units.iloc[-1], few_images.iloc[-1]
    assert under.train_accuracy < 90 and abs(under.train_loss - under.validation_loss) < 0.1  # high, and together
    assert over.train_accuracy == 100 and over.validation_accuracy < 90 and over.train_loss < 0.01
    table = few_images.validation_loss.to_numpy()
    assert over.validation_loss == table[-1] >= 1.1 * table.min()
    text = print_again("Both are trained.", learn=lambda **how: few_units if "hidden" in how else few_images)
    for name in NAMES_OF_SCORES:
        (line,) = (line.split() for line in text.splitlines() if line.startswith(name))
        assert np.allclose([float(number) for number in line[1:]], [under[name], over[name]], atol=6e-4)
    assert f"500 images: lowest {table.min():.3f} (epoch {1 + lowest_}), in the end {table[-1]:.3f}" in text
    assert "few units  few images" in text and "\nBoth are trained. After" in f"\n{text}"  # no answer before it


def test_summary():
    text = print_again("s of training")
    assert "as published: 97.4 % after 15 epochs" in text
    assert f"here: {last.test_accuracy:.2f} % after {EPOCHS}, seed {SEED}" in text
    assert f"109,386 parameters, {history.epochs.seconds.sum():.0f} s of training" in text
