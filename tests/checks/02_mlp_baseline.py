"""Checks of notebooks/02_mlp_baseline.ipynb: its functions against the package's, its numbers and figures."""
# ruff: noqa: F821  (the names are the notebook's)

import contextlib
import io
import math
from collections import Counter
from functools import partial

import numpy as np
import torch
from matplotlib.colors import to_hex
from torch import nn
from torch.utils.data import RandomSampler, SequentialSampler

from lenet_utils import data, evaluation, models, training
from lenet_utils.plotting import BLUE, ORANGE
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


def run_again(words, **changed):
    """Run the one cell that holds these words again, apart from the notebook; return its names."""
    (source,) = (source for source in CELL_SOURCES if words in source)
    names_ = globals() | changed
    with contextlib.redirect_stdout(io.StringIO()):
        exec(source, names_)
    plt.close("all")
    return names_


def read_diagram(title):
    """Every text in a diagram, with its colour, and how often it stands there."""
    (ax,) = find_figure(title).axes
    return Counter((text.get_text(), to_hex(text.get_color()).upper()) for text in ax.texts)


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


def test_a_unit_is_drawn_with_its_numbers():
    weights_, bias_ = layer.weight[0].tolist(), layer.bias[0].item()
    products = sum(w_ * v for w_, v in zip(weights_, (1, 2, 3)))
    end = max(products + bias_, 0)
    texts = [
        text for text, _ in read_diagram(f"One unit: a weighted sum of {products + bias_:.2f}, after ReLU {end:.2f}")
    ]
    assert {"1.00", "2.00", "3.00", "relu", f"{end:.2f}"} <= set(texts)
    assert {f"x {weight_:.2f}" for weight_ in weights_} <= set(texts)
    assert f"sum + bias\n{products:.2f} + {bias_:.2f}\n= {products + bias_:.2f}" in texts


def test_two_layers_are_one_without_a_bend():
    """As the text says, and as the straight border between the moons shows."""
    first_, second_ = nn.Linear(3, 4), nn.Linear(4, 2)
    some = torch.randn(9, 3)
    weight_, bias_ = second_.weight @ first_.weight, second_.weight @ first_.bias + second_.bias
    assert torch.allclose(second_(first_(some)), some @ weight_.T + bias_, atol=1e-5)


def test_classes():
    assert Scale(7).forward(6) == 42 and Scale(7).factor == 7 and Scale.__bases__ == (object,)
    assert print_again("double, triple = ").split() == ["10", "15", "3"]
    assert issubclass(MLP, nn.Module)

    class Forgetful(nn.Module):
        def __init__(self):
            self.layer = nn.Linear(3, 2)

    try:
        Forgetful()
    except AttributeError as error:  # as the text says
        assert str(error) == "cannot assign module before Module.__init__() call"
    else:
        raise AssertionError("no error")


def test_network_is_the_packages():
    own, theirs = make_untrained(MLP), make_untrained()
    assert [type(layer) for layer in own.layers] == [nn.Linear, nn.ReLU, nn.Linear, nn.ReLU, nn.Linear]
    assert have_equal_weights(own, theirs)
    assert torch.equal(own(OWN[1][:50]), theirs(OWN[1][:50]))
    chain = nn.Sequential(nn.Flatten(), *own.layers)  # as the text says
    assert torch.equal(chain(OWN[1][:50]), own(OWN[1][:50]))
    assert parameters == models.count_parameters(theirs) == 109_386
    texts = [text for text, _ in read_diagram("The MLP: 109,386 numbers to learn")]
    for inputs_, units, learnt in ((784, 128, "100,480"), (128, 64, "8,256"), (64, 10, "650")):
        assert f"{inputs_} x {units} weights\n+ {units} biases\n= {learnt}" in texts
    assert {"784\ninputs", "128\nReLU", "64\nReLU", "10\noutputs"} <= set(texts)
    assert (
        100_480
        > 0.9 * parameters
        == 0.9 * sum(units * (1 + inputs_) for inputs_, units in ((784, 128), (128, 64), (64, 10)))
    )


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


def test_printed_numbers():
    """Logits and losses before training."""
    untrained = make_untrained()
    first_logits = evaluation.predict_logits(untrained, OWN[1][:1])[0]
    shares = first_logits.softmax(dim=0)
    rounded = [round(value, 2) for value in logits[0].tolist()]
    text = print_again('print("logits:"', model=untrained)
    assert f"from {shares.min():.3f} to {shares.max():.3f}, sum 1.000" in text
    assert f"logits: {rounded}" in text
    text = print_again("of a shrug", model=untrained)
    assert f"loss of the untrained network: {untrained_loss:.3f};  of a shrug: {math.log(10):.3f}" in text
    text = print_again("untrained: loss", model=untrained)
    assert f"loss {untrained_loss:.3f}, accuracy {untrained_accuracy:.2f} %" in text


def test_softmax():
    some = torch.randn(7, 10, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(softmax(some), some.softmax(dim=1))
    assert torch.allclose(softmax(some[0]), some[0].softmax(dim=0))
    text = print_again('print("by hand:", softmax')
    assert text.count("[0.7054, 0.2595, 0.0351]") == 2


def test_losses_of_three_answers():
    numbers = [math.exp(5) / (math.exp(5) + 2), 1 / 3, 1 / (math.exp(5) + 2)]
    assert np.allclose(answer_losses, [-math.log(p_) for p_ in numbers], atol=1e-5)
    assert np.allclose(right_shares, numbers, atol=1e-6)
    ax = find_axes("A shrug costs 1.1, to be sure and wrong 5.0")
    curve_, dots = ax.lines
    assert np.allclose(curve_.get_ydata(), -np.log(curve_.get_xdata()), atol=1e-5) and len(curve_.get_xdata()) > 100
    assert min(curve_.get_xdata()) < numbers[2] and max(curve_.get_xdata()) == 1
    assert np.allclose(dots.get_xdata(), numbers) and np.allclose(
        dots.get_ydata(), [-math.log(p_) for p_ in numbers], atol=1e-5
    )
    assert axis_labels(ax) == ("probability p of the right class", r"loss $-\ln p$")
    for name, p_, note in zip(("sure, right", "undecided", "sure, wrong"), numbers, ax.texts, strict=True):
        assert note.get_text() == f"{name}: {-math.log(p_):.3f}"
        assert np.allclose(note.xy, (p_, -math.log(p_) + 0.3), atol=1e-5)  # a little above its dot
    some_logits, some_digits = torch.randn(64, 10), torch.randint(0, 10, (64,))
    in_two_parts = nn.NLLLoss()(nn.LogSoftmax(dim=1)(some_logits), some_digits)  # as the text says
    assert torch.allclose(in_two_parts, nn.functional.cross_entropy(some_logits, some_digits))


def make_double():
    """The untrained network with twice the digits, and the images of the nudge."""
    return make_untrained().double(), OWN[0][:1_000].double(), DIGITS[:1_000]


def test_a_nudged_weight_finds_the_gradient():
    network, images_, digits_ = make_double()
    nudged = network.layers[0].weight
    assert (UNIT, PIXEL, NUDGE) == (5, 406, 0.01) and PIXEL == 14 * 28 + 14  # in the middle of the image
    nn.functional.cross_entropy(network(images_), digits_).backward()
    exact = nudged.grad[5, 406].item()
    assert abs(gradient - exact) < 1e-5 and gradient > 0.01  # it rises
    losses = []
    for place in (old - 0.01, old + 0.01):
        nudged.data[5, 406] = place
        losses.append(nn.functional.cross_entropy(network(images_), digits_).item())
    assert np.allclose((below, above), losses, atol=2e-6) and abs(slope - (losses[1] - losses[0]) / 0.02) < 1e-4
    assert torch.equal(weights, make_untrained().layers[0].weight)  # the old value is back
    text = print_again("times as much as the weight", model=make_untrained())
    assert f"from {below:.5f} to {above:.5f}: the loss changes {slope:.4f} times" in text
    untrained = make_untrained()
    text = print_again("gradient by PyTorch", model=untrained, weights=untrained.layers[0].weight)
    assert f"slope by nudging: {slope:.4f}   gradient by PyTorch: {exact:.4f}" in text


def test_the_curve_of_one_weight():
    ax = find_axes(f"At the dot the loss has a slope of {gradient:.4f}")
    assert axis_labels(ax) == ("weight of unit 5 at pixel 406", "mean loss of 1,000 images")
    where, height = find_line(ax, "loss")
    assert np.allclose(where, old + np.linspace(-2, 2, 41))
    network, images_, digits_ = make_double()
    for place, loss_ in list(zip(where, height))[::8]:
        network.layers[0].weight.data[5, 406] = place
        assert abs(nn.functional.cross_entropy(network(images_), digits_).item() - loss_) < 1e-5
    where, straight = find_line(ax, "slope: PyTorch's gradient")
    assert np.allclose(np.diff(straight) / np.diff(where), gradient, rtol=1e-3)
    (drawn,) = (drawn for drawn in ax.lines if drawn.get_marker() == "o")
    (dot,) = drawn.get_markevery()
    assert np.isclose(where[dot], old) and np.isclose(straight[dot], height[dot], atol=1e-6)
    apart = np.abs(straight - height)
    assert apart[18:23].max() < 0.001 and min(apart[0], apart[-1]) > 0.005  # they agree close by, and part further away


def test_the_small_network_forward_and_backward():
    """The chain rule by hand, in NumPy."""
    first_, second_ = np.array([[0.5, 1.0], [1.0, -0.25]]), np.array([[1.0, -2.0]])
    given = np.array([1.0, 2.0])
    hidden_ = np.maximum(first_ @ given, 0)
    output_ = second_ @ hidden_
    from_output = 2 * (output_ - 0.5)
    from_hidden = (second_.T @ from_output) * (hidden_ > 0)
    assert TARGET == 0.5 and np.isclose(small_loss.item(), ((output_ - 0.5) ** 2).item())
    expected = (
        (inputs, given, first_.T @ from_hidden),
        (hidden, hidden_, from_hidden),
        (output, output_, from_output),
        (first, first_, np.outer(from_hidden, given)),
        (second, second_, np.outer(from_output, hidden_)),
    )
    drawn = Counter()
    for numbers, own, slopes in expected:
        assert np.allclose(numbers.detach(), own) and np.allclose(numbers.grad, slopes)
        for forward_, backward_ in zip(own.ravel(), slopes.ravel()):
            drawn.update([(f"{forward_:.2f}", BLUE), (f"{backward_:.2f}", ORANGE)])
    drawn.update((name, "#000000") for name in ("input 1", "input 2", "hidden 1", "hidden 2", "output"))
    assert drawn == read_diagram("Blue runs forward to a loss of 1.00, orange comes back as gradients")
    # The numbers of the text.
    assert hidden.tolist() == [2.5, 0.5] and output.tolist() == [1.5] and output.grad.tolist() == [2.0]
    assert hidden.grad.tolist() == [2.0, -4.0] and second.grad[0, 0] == 5.0 and inputs.grad.tolist() == [-3.0, 3.0]


def test_steps_downhill():
    assert abs(w.item() - 3 * (1 - 0.5**5)) < 1e-6
    text = print_again("puts the gradient 2 (w - 3)")
    assert [f"step {n}: w = {3 * (1 - 0.5**n):.3f}" for n in range(1, 6)] == [
        line.replace("2.8125", "2.812") for line in text.splitlines()[:5]
    ]
    assert find_numbers(print_again("never set to zero")) == [-6.0, -12.0, -18.0]


def test_descent_in_a_valley_moves():
    own = {rate: [3 - 3 * (1 - 2 * rate) ** n for n in range(11)] for rate in (0.02, 0.5, 0.9, 1.1)}
    assert RATES_IN_VALLEY == tuple(paths) == tuple(own)
    assert all(np.allclose(paths[rate], path_) for rate, path_ in own.items())
    played = []
    names_ = run_again("def draw_steps", play=lambda *how, **settings: played.append((how, settings)))
    (((figure_, draw), settings),) = played
    assert settings == {"frames": 11, "still": 0} and figure_ is names_["figure"] and draw is names_["draw_steps"]
    for step_ in (10, 0, 3, 5):
        draw(step_)
        near = [rate for rate, path_ in own.items() if abs(path_[step_] - 3) < 0.5]
        assert figure_.get_suptitle() == f"Step {step_}: within 0.5 of the bottom with {near or 'no rate'}"
        for ax, (rate, path_) in zip(figure_.axes, own.items(), strict=True):
            valley, walked = ax.lines
            assert np.allclose(valley.get_ydata(), (valley.get_xdata() - 3) ** 2)
            ends_ = np.sort(valley.get_xdata())[[0, -1]]
            assert ends_[0] <= min(path_) + 1e-9 and ends_[1] >= max(path_) - 1e-9
            assert np.allclose(walked.get_xdata(), path_[: step_ + 1])
            assert np.allclose(walked.get_ydata(), (np.array(path_[: step_ + 1]) - 3) ** 2)
            assert ax.get_title() == f"rate {rate}:\nw = {path_[step_]:.2f}"
            assert axis_labels(ax) == ("w", "loss $(w - 3)^2$" if rate == 0.02 else "")
    # What the text says of the four, and of rates that a reader may try.
    ends_ = {rate: path_[-1] for rate, path_ in own.items()}
    assert ends_[0.02] < 1.1 and own[0.5][1] == 3 and 2.5 < ends_[0.9] < 3.5 and abs(ends_[1.1] - 3) > 10
    assert own[0.9][1] > 3 > own[0.9][2] and all(np.diff(np.abs(np.array(own[1.1]) - 3)) > 0)


def test_batches():
    assert isinstance(plain_loader.sampler, RandomSampler) and plain_loader.batch_size == 64
    assert dataset.tensors[0] is train_images and dataset.tensors[1] is train_labels
    text = print_again("# the first batch")
    assert "a batch: images (64, 1, 28, 28)  labels (64,)" in text
    assert f"{math.ceil(60_000 / 64)} batches; the last of them has {60_000 - 937 * 64} images" in text
    in_order = torch.utils.data.DataLoader(dataset, batch_size=1_000)  # the same kind of batches
    for own, theirs in zip(in_order, data.make_loader(OWN[0], DIGITS, 1_000, shuffle=False), strict=True):
        assert torch.allclose(own[0], theirs[0], atol=1e-5) and torch.equal(own[1], theirs[1])
    orders, seconds = [], []
    for loader in (data.make_loader(train_images, train_labels, 64, shuffle=True, seed=SEED), plain_loader):
        start = time.process_time()
        orders += [torch.cat([labels for _, labels in loader]) for _ in range(2)]
        seconds.append(time.process_time() - start)
    assert not any(torch.equal(one, other) for one, other in zip(orders, orders[1:]))
    assert all(torch.equal(order.bincount(), DIGITS.bincount()) for order in orders)
    assert seconds[1] > 1.1 * seconds[0]  # make_loader's batches come sooner
    texts = [text for text, _ in read_diagram("An epoch has 938 steps").elements()]
    assert Counter(text for text in texts if text.endswith(" images")) == {"64 images": 3, "32 images": 1}
    assert {"step 1", "step 2", "step 3", "step 938"} <= set(texts)
    assert "one epoch: all 60,000 images once, 938 steps; the next one has a new order" in texts


def test_the_training_step_is_drawn():
    texts = [text for text, _ in read_diagram("The training step: once around for each batch")]
    assert {
        "batch\n64 images", "1. forward pass\nthrough 109,386 numbers", "2. loss\none number",
        "3. backward pass\n109,386 gradients", "4. step\nSGD, rate 0.03", "the gradients\nback to zero",
    } <= set(texts)  # fmt: skip


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
        probe, called = make_untrained(), []
        optimizer = torch.optim.SGD(probe.parameters(), lr=0.1)
        loaders = make_few(640), make_few(300, 200, shuffle=False)
        with contextlib.redirect_stdout(io.StringIO()) as text:
            result = function(probe, *loaders, optimizer, 3, after_epoch=partial(called.append, 1))
        assert len(called) == 3
        table = result.epochs.drop(columns="seconds")
        found.append((table, np.array(result.batch_losses), probe, text.getvalue()))
    (own, own_losses, model_, printed), (theirs, their_losses, other, reference) = found
    assert list(own.columns) == list(theirs.columns) and np.allclose(own, theirs)
    assert np.allclose(own_losses, their_losses) and own_losses.shape == (3, 10)
    assert have_equal_weights(model_, other)
    for mine, line in zip(printed.splitlines(), reference.splitlines(), strict=True):
        assert mine == line.split("  ", 1)[1].rsplit("   ", 1)[0]  # without the clock


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


def test_two_moons():
    """The same training, written anew, and the borders that its networks draw."""
    spots, sides = make_moons(200, noise=0.15, random_state=SEED)
    assert np.array_equal(points, spots) and np.array_equal(moons, sides)
    spots_, sides_, rights = torch.tensor(spots, dtype=torch.float32), torch.tensor(sides), []
    for number, (kind, name) in enumerate(((nn.ReLU, "ReLU"), (nn.Identity, "Identity"))):
        torch.manual_seed(SEED)
        parter = nn.Sequential(nn.Linear(2, 16), kind(), nn.Linear(16, 2))
        descent = torch.optim.SGD(parter.parameters(), lr=1.0)
        for _ in range(500):
            descent.zero_grad()
            nn.functional.cross_entropy(parter(spots_), sides_).backward()
            descent.step()
        rights.append(100 * (parter(spots_).argmax(dim=1) == sides_).double().mean().item())
        ax = find_axes(f"{name}: {rights[-1]:.1f} % right")
        assert ax is find_figure("ReLU: ").axes[number] and ax.get_xlabel() == "first number"
        for moon, line in enumerate(ax.lines):
            assert line.get_label() == f"moon {moon}" and np.allclose(line.get_xydata(), spots[sides == moon])
            assert line.get_marker() == "o^"[moon] and to_hex(line.get_color()).upper() == (BLUE, ORANGE)[moon]
        grid = np.random.default_rng(0).uniform((-1.5, -1.1), (2.5, 1.6), (400, 2))
        gap = (parter(torch.tensor(grid).float()) @ torch.tensor([-1.0, 1.0])).detach().numpy()
        (border,) = ax.collections
        grounds = border.get_paths()
        clear = np.abs(gap) > np.quantile(np.abs(gap), 0.15)  # away from the border
        assert len(grounds) == 2
        for moon, ground_ in enumerate(grounds):
            assert np.array_equal(ground_.contains_points(grid[clear]), (gap[clear] > 0) == moon)
        plane = np.c_[grid, np.ones(400)]
        flat = plane @ np.linalg.lstsq(plane, gap, rcond=None)[0]
        assert np.allclose(gap, flat, atol=1e-3) == (kind is nn.Identity)  # a straight line, or a bent one
    assert find_figure("ReLU: ").axes[0].get_ylabel() == "second number"
    assert np.allclose(scores, rights) and rights[0] > 98 > 90 > rights[1]


def test_learning_rates():
    expected = data.split_train_validation(DIGITS, 5_000, seed=SEED)
    assert torch.equal(train_part, expected[0]) and torch.equal(validation_part, expected[1])
    aside = OWN[0][validation_part]
    assert torch.allclose(validation_loader.dataset.tensors[0], aside, atol=1e-5)
    assert torch.equal(validation_loader.dataset.tensors[1], DIGITS[validation_part])
    assert isinstance(validation_loader.sampler.sampler, SequentialSampler)
    assert list(curves) == list(validation_accuracies) == list(RATES) == [0.003, 0.03, 0.3, 1.0, 3.0]
    assert all(len(losses) == math.ceil(55_000 / 64) for losses in curves.values())
    losses = []
    rows = learn_again(losses=losses)
    assert np.allclose(losses, curves[0.03], rtol=1e-3)
    assert abs(rows[0, 3] - validation_accuracies[0.03]) < 0.2
    small, slides, large, wild, lost = validation_accuracies.values()
    assert slides > 85 and large > slides and 60 < small < slides and wild < 50 and best_rate == 0.3
    assert np.isclose(lost, 100 * (DIGITS[validation_part] == 0).double().mean())  # somebody who says 0 to every image
    assert np.mean(curves[0.003][-20:]) > 2 * np.mean(curves[0.03][-20:])  # still far up
    assert max(curves[1.0][:40]) > 2 * math.log(10) and min(np.convolve(curves[1.0], np.ones(20) / 20, "valid")) > 0.7
    assert np.sum(np.abs(np.diff(curves[1.0][:40])) > 1) > 5  # to and fro
    assert np.isnan(curves[3.0][-1]) and np.nanmax(curves[3.0]) > 1e6
    assert print_again("to choose with").startswith("55000 to train on, 5000 to choose with")

    def repeat(learning_rate, epochs):
        """In learn's place: the same score again."""
        assert epochs == 1
        repeated = training.History("validation")
        repeated.append((1, 0.0, 0.0, 0.0, validation_accuracies[learning_rate], 0.0), [1.0])
        return repeated

    text = print_again("the best rate is neither", learn=repeat)
    for rate, accuracy in validation_accuracies.items():
        assert f"learning rate {rate:5}: {accuracy:5.2f} % of the validation set" in text


def test_curves_of_the_rates():
    ax = find_axes("In one epoch a rate of 0.3 gets furthest")
    assert axis_labels(ax) == ("batch", "loss (mean of 20 batches)") and ax.get_yscale() == "log"
    assert ax.get_legend().get_title().get_text() == "learning rate"
    for rate, line in zip(RATES, ax.lines, strict=True):
        losses = np.array(curves[rate])
        good = len(losses) if np.isfinite(losses).all() else int(np.argmin(np.isfinite(losses)))
        assert (good < len(losses)) == (rate == 3.0)
        note = f": no numbers after batch {good}" if rate == 3.0 else ""
        assert line.get_label() == f"{rate}{note}"
        means = [losses[max(0, i - 19) : i + 1].mean() for i in range(good)]
        assert np.array_equal(line.get_xdata(), 1 + np.arange(good)) and np.allclose(line.get_ydata(), means, rtol=1e-4)
        low, high = ax.get_ylim()
        assert rate == 3.0 or all(low < mean < high for mean in means)
        assert np.isfinite(line.get_ydata()).all()  # nothing made up
    assert len({(to_hex(line.get_color()), line.get_linestyle()) for line in ax.lines}) == 5


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
    text = print_again("after {done} epochs: train", fit=lambda *_: history, keep_weights=lambda: None)
    assert f"train {last.train_accuracy:.2f} %, test {last.test_accuracy:.2f} %" in text


def test_first_epoch_is_the_packages():
    """The same network, images and order, trained by the package."""
    again = make_untrained()
    loader = data.make_loader(OWN[0], DIGITS, 64, shuffle=True, seed=SEED)
    losses = training.train_one_epoch(again, loader, torch.optim.SGD(again.parameters(), lr=0.03))
    assert np.allclose(losses, history.batch_losses[0], rtol=1e-2)
    _, accuracy = evaluation.evaluate(again, data.make_loader(OWN[1], TEST_DIGITS, 200, shuffle=False))
    assert abs(accuracy - history.epochs.test_accuracy[0]) < 0.1


def test_first_layer_over_the_epochs():
    assert len(kept) == EPOCHS + 1 and torch.equal(kept[0], make_untrained().layers[0].weight)
    assert torch.equal(kept[-1], model.layers[0].weight) and not torch.equal(kept[0], kept[1])
    again = make_untrained()
    loader = data.make_loader(OWN[0], DIGITS, 64, shuffle=True, seed=SEED)
    training.train_one_epoch(again, loader, torch.optim.SGD(again.parameters(), lr=0.03))
    assert torch.allclose(kept[1], again.layers[0].weight, atol=1e-3)
    order = np.argsort([-max(abs(row_)) for row_ in kept[-1].numpy()])[:8]
    assert strongest == order.tolist()
    played = []
    names_ = run_again("def draw_weights", play=lambda *how, **settings: played.append((how, settings)))
    (((figure_, draw), settings),) = played
    assert settings == {"frames": EPOCHS + 1, "seconds": 0.5} and draw is names_["draw_weights"]
    for epoch in (EPOCHS, 0, 1):
        draw(epoch)
        drawn, pictures = kept[epoch].numpy()[order], [ax for ax in figure_.axes if ax.images]
        assert figure_.get_suptitle() == f"Epoch {epoch}: the strongest weight of these is {abs(drawn).max():.2f}"
        for ax, unit_, row_ in zip(pictures, order, drawn, strict=True):
            assert ax.get_title() == f"unit {unit_}" and np.allclose(images_of(ax)[0], row_.reshape(28, 28))
            assert ax.images[0].get_clim()[1] == -ax.images[0].get_clim()[0] >= abs(kept[-1]).max() - 1e-6
    if EPOCHS == 15:  # to be seen after the first few epochs, and stronger to the end
        way = torch.stack(kept)[:, strongest].flatten(1)
        shares = ((way - way[0]) @ (way[-1] - way[0]) / (way[-1] - way[0]).square().sum()).tolist()
        assert 0.4 < shares[3] < 0.7 and shares == sorted(shares)
    # At the rim, where hardly an image has ink, the noise stays; elsewhere the weights have moved.
    ink = (PIXELS > 0).mean(axis=0).ravel()
    moved = (kept[-1] - kept[0]).abs().mean(dim=0).numpy()
    assert moved[ink > 0.2].mean() > 2 * moved[ink < 0.001].mean()
    assert EPOCHS == 1 or moved[ink < 0.001].mean() < 0.25 * kept[0].abs().mean()


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
    assert ordered[0] < ordered[1] - 0.5 and np.diff(stored.min(axis=0)).argmin() == 6  # one run is to blame,
    assert abs(stored[stored[:, 7].argmin(), 8] - np.median(stored[:, 8])) < 0.3  # and has recovered
    assert stored[:, EPOCHS - 1].min() - 0.5 < last.test_accuracy < stored[:, EPOCHS - 1].max() + 0.5


def learn_again(
    hidden=(128, 64), activation=nn.ReLU, rate=0.03, epochs=1, seed=None, count=55_000, batch_size=64, losses=None
):  # fmt: skip
    """The same as the notebook's learn, by the package's functions; four columns. ``losses`` gets every batch's."""
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
    rows, losses = [], [] if losses is None else losses
    for _ in range(epochs):
        losses += training.train_one_epoch(network, loader, optimizer)
        scored = (data.make_loader(OWN[0][some], DIGITS[some], 200, shuffle=False) for some in (part[:5_000], aside))
        rows.append([number for loader_ in scored for number in evaluation.evaluate(network, loader_)])
    return np.array(rows)


NAMES_OF_SCORES = ["train_loss", "train_accuracy", "validation_loss", "validation_accuracy"]


def test_learn_scores_the_validation_set():
    settings = (20,), nn.Tanh
    for own, other in (
        (learn(epochs=1, count=3_000, seed=4), learn_again(count=3_000, seed=4)),
        (
            learn(*settings, learning_rate=0.1, epochs=2, count=700, batch_size=10),
            learn_again(*settings, rate=0.1, epochs=2, count=700, batch_size=10),
        ),
        (learn((), nn.Identity, epochs=1, count=6_000), learn_again((), nn.Identity, count=6_000)),
    ):
        assert list(own.epochs.columns) == ["epoch", *NAMES_OF_SCORES, "seconds"]
        assert np.allclose(own.epochs[NAMES_OF_SCORES], other, rtol=1e-3)
        assert list(own.epochs.epoch) == list(range(1, len(other) + 1)) == list(range(1, len(own.batch_losses) + 1))
    losses = []
    learn_again(count=3_000, seed=4, losses=losses)
    assert np.allclose(learn(epochs=1, count=3_000, seed=4).batch_losses[0], losses, rtol=1e-3)


def test_your_network():
    table, other = yours.epochs.validation_accuracy, recipe.epochs.validation_accuracy
    assert len(table) == len(other) == (3 if EPOCHS > 1 else 1)
    text = print_again("yours {ends[0]", learn=lambda **how: yours if how["hidden"] == (32, 16) else recipe)
    assert f"yours {table.iloc[-1]:.2f} %, the recipe {other.iloc[-1]:.2f} %" in text
    narrow = learn_again((32, 16), epochs=3)[:, 3]
    assert np.allclose(narrow[: len(table)], table, atol=0.1)
    whole, straight = (learn_again(activation=kind, epochs=3)[:, 3] for kind in (nn.ReLU, nn.Identity))
    assert np.allclose(whole[: len(other)], other, atol=0.1)
    assert 0.5 < whole[-1] - narrow[-1] < 1.6 and straight[-1] < narrow[-1] - 1  # about one point; further behind
    assert narrow[-1] > narrow[-2] + 0.3  # still learning


def test_underfitting_and_overfitting():
    assert (UNITS, IMAGES) == (4, 500)
    assert np.allclose(few_units[NAMES_OF_SCORES].iloc[:1], learn_again((4,)), rtol=0.03)
    again = learn_again(count=500, batch_size=10, epochs=3)
    assert np.allclose(few_images[NAMES_OF_SCORES].iloc[:3], again, rtol=0.03)
    figure = find_figure(f"4 units: both losses end near {few_units.train_loss.iloc[-1]:.1f}")
    lowest_ = few_images.validation_loss.to_numpy().argmin()
    assert figure.axes[1].get_title() == f"500 images: validation turns at epoch {lowest_ + 1}"
    for ax, run, epochs in zip(figure.axes, (few_units, few_images), (10 if EPOCHS > 1 else 1, 60), strict=True):
        assert list(run.columns[1:5]) == NAMES_OF_SCORES and list(run.epoch) == list(range(1, epochs + 1))
        assert axis_labels(ax) == ("epoch", "mean cross-entropy") and ax.get_ylim()[0] == 0
        for name in ("train", "validation"):
            where, height = find_line(ax, name)
            assert np.array_equal(where, run.epoch) and np.allclose(height, run[f"{name}_loss"])
            assert height.max() < ax.get_ylim()[1]
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()
    under, over = few_units.iloc[-1], few_images.iloc[-1]
    assert under.train_accuracy < 90 and abs(under.train_loss - under.validation_loss) < 0.1  # high, and together
    assert over.train_accuracy == 100 and over.validation_accuracy < 90 and over.train_loss < 0.01
    table = few_images.validation_loss.to_numpy()
    assert over.validation_loss == table[-1] >= 1.1 * table.min()

    def repeat(**how):
        """In learn's place: the same run again."""
        repeated = training.History("validation")
        repeated.rows = list((few_units if "hidden" in how else few_images).itertuples(index=False, name=None))
        return repeated

    text = print_again("Few units, few images", learn=repeat)
    lines = text.splitlines()
    place = lines.index("Few units, few images, in the end:")
    assert lines[place + 1].split() == NAMES_OF_SCORES
    for line, run in zip(lines[place + 3 :], (under, over)):
        assert np.allclose(find_numbers(line), run[["epoch", *NAMES_OF_SCORES]].tolist(), atol=6e-4)
    assert f"validation loss: lowest {table.min():.3f} (epoch {1 + lowest_}), in the end {table[-1]:.3f}" in text
    assert not find_numbers("".join(lines[:place]).replace("10 epochs", "").replace("1 epoch", "")) or EPOCHS == 1
