"""Checks of notebooks/07_backpropagation.ipynb: its autograd and layers against PyTorch, its numbers and figures."""
# ruff: noqa: F821  (the names are the notebook's)

import math

import numpy as np
import torch
from matplotlib.colors import to_hex
from torch import nn
from torch.nn.functional import avg_pool2d, conv2d, cross_entropy, max_pool2d

from lenet_utils import data, models
from lenet_utils.exercises import backpropagation as answers
from lenet_utils.plotting import BLUE, GREEN, ORANGE

PIXELS, DIGITS = train_set.data, train_set.targets
OWN = ((PIXELS[:, None].double() / 255 - 0.1307) / 0.3081).float()  # (60000, 1, 28, 28)
FORWARD_BLUE, BACKWARD_ORANGE = BLUE.upper(), ORANGE.upper()


def make_random(*shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape)


def test_images_and_settings():
    assert (SEED, BATCH_SIZE, LEARNING_RATE) == (0, 64, 0.1) and EPOCHS in (1, 3)
    assert np.allclose(train_images, OWN, atol=1e-5) and train_images.dtype == np.float32
    assert np.array_equal(train_labels, DIGITS) and len(test_images) == len(test_labels) == 10_000
    assert np.allclose(test_images, data.prepare_images(test_set.data, "mnist"), atol=1e-6)
    assert images.dtype == np.float64 and np.array_equal(images, train_images[:64])
    assert torch.equal(few_images, torch.tensor(train_images[:10_000])) and torch.equal(few_labels, DIGITS[:10_000])


def slopes_of_the_small_network(w=1.5, bias=-0.3, x=0.8, target=1.0):
    """Loss, and what each number in it gets, by PyTorch in double precision."""
    leaves = {"w": w, "bias": bias, "x": x, "target": target}
    tensors = {name: torch.tensor(number, dtype=torch.float64, requires_grad=True) for name, number in leaves.items()}
    tensors["product"] = tensors["w"] * tensors["x"]
    tensors["total"] = tensors["product"] + tensors["bias"]
    tensors["output"] = tensors["total"].tanh()
    tensors["error"] = tensors["output"] - tensors["target"]
    tensors["loss"] = tensors["error"] ** 2
    for tensor in tensors.values():
        tensor.retain_grad()
    tensors["loss"].backward()
    return {name: (tensor.item(), tensor.grad.item()) for name, tensor in tensors.items()}


def test_nudge_and_chain_rule():
    expected = slopes_of_the_small_network()
    assert abs(compute_loss_at(1.5) - expected["loss"][0]) < 1e-12
    assert abs(compute_loss_at(0.2, 3.0, 0.1, -1.0) - (math.tanh(0.7) + 1) ** 2) < 1e-12
    text = print_again("def compute_loss_at")
    assert find_numbers(text)[-1] == round(expected["w"][1], 6) and "on a way of 0.002" in text
    for name in ("error", "output", "total", "bias", "product", "w"):
        assert abs(globals()[f"by_{name}"] - expected[name][1]) < 1e-12, name
    names = {"w": 1.5, "change": compute_loss_at(1.501) - compute_loss_at(1.499), "nudge": 0.001}
    text = print_again("by_error = error + error", **names)
    assert f"{expected['bias'][1]:.6f} for the bias, {expected['w'][1]:.6f} for w" in text and "holds: " in text
    to_one_side = (compute_loss_at(1.501) - compute_loss_at(1.5)) / 0.001
    to_both = names["change"] / 0.002
    assert abs(to_both - by_w) < abs(to_one_side - by_w) / 100  # as the text says, both sides are much better


def apply_everything(a, b, c):
    """A calculation with every operation, in which values are used more than once; of tensors or of values."""
    d = a * b + c - a
    e = (d * d + b).tanh() * d
    return (e.exp() + (a * a + b * b).log() * e - c * d).tanh() * (d + e * a)


def test_every_operation_of_the_autograd():
    for numbers in make_random(20, 3):
        mine, theirs = [Value(n) for n in numbers], [torch.tensor(n, requires_grad=True) for n in numbers]
        result, expected = apply_everything(*mine), apply_everything(*theirs)
        backward(result)
        expected.backward()
        assert abs(result.data - expected.item()) < 1e-12
        assert np.allclose([value.grad for value in mine], [tensor.grad for tensor in theirs], rtol=1e-9)
    one, other = Value(0.7), Value(-1.3)
    for operation in (
        lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b, lambda a, b: a.tanh(), lambda a, b: a.exp(),
        lambda a, b: a.log(),
    ):  # fmt: skip
        result = operation(one, other)
        tensors = [torch.tensor(v.data, dtype=torch.float64, requires_grad=True) for v in (one, other)]
        operation(*tensors).backward()
        assert [parent for parent, _ in result.parents] == [one, other][: len(result.parents)] and result.grad == 0
        for (_, slope), tensor in zip(result.parents, tensors):
            assert abs(slope - tensor.grad.item()) < 1e-12


def test_order_puts_parents_first_and_the_passes_add_up():
    a, b = Value(0.3), Value(0.5)
    result = apply_everything(a, b, Value(2.0))
    order = find_order(result, [])
    assert order[-1] is result and len(order) == len(set(order)) > 15
    assert all(order.index(parent) < order.index(value) for value in order for parent, _ in value.parents)
    Value(7.0) * a  # has no part in the result
    assert len(find_order(result, [])) == len(order)
    backward(result)
    once = a.grad
    backward(apply_everything(a, Value(0.5), Value(2.0)))
    assert abs(a.grad - 2 * once) < 1e-12 and once != 0
    parent = Value(3.0)
    child = Value(6.0, [(parent, 2.0), (parent, 5.0)])
    child.grad, parent.grad = 10.0, 1.0
    hand_back(child)
    assert parent.grad == 71 and child.grad == 10
    assert print_again("backward(v * v + v)") == "gradient after pass 1: 7\ngradient after pass 2: 14\n"
    tensor = torch.tensor(3.0, requires_grad=True)
    for expected in (7, 14):
        (tensor * tensor + tensor).backward()
        assert tensor.grad.item() == expected  # PyTorch adds, too, as the text says
    assert type(tensor.tanh().grad_fn).__name__ == "TanhBackward0"
    assert type((tensor * tensor).grad_fn).__name__ == "MulBackward0"


def test_three_pictures_of_the_calculation():
    expected = slopes_of_the_small_network()
    stages = {
        f"Forwards, to a loss of {expected['loss'][0]:.3f}": (),
        f"Halfway back: the total has {expected['total'][1]:.3f}": ("loss", "error", "output", "target", "total"),
        f"All the way back: w has the slope {expected['w'][1]:.3f}": tuple(expected),
    }
    for title, known in stages.items():
        (ax,) = find_figure(title).axes
        drawn = [(text.get_text(), to_hex(text.get_color()).upper(), text) for text in ax.texts if text.get_text()]
        names = [text for text, colour, _ in drawn if text in expected]
        forwards = [text for text, colour, _ in drawn if colour == FORWARD_BLUE]
        backwards = [text for text, colour, _ in drawn if colour == BACKWARD_ORANGE]
        assert sorted(names) == sorted(expected)
        assert sorted(forwards) == sorted(f"{number:.3f}" for number, _ in expected.values())
        assert sorted(backwards) == sorted(f"{expected[name][1]:.3f}" for name in known), title
    for name in ("w", "bias", "product", "total", "output", "error", "loss"):
        value = values[name]
        assert abs(value.grad - expected[name][1]) < 1e-12
    assert [parent for parent, _ in values["loss"].parents] == [values["error"]] * 2  # two threads, as the text says


def test_our_autograd_learns():
    w_, bias_, lines = 1.5, -0.3, []
    for step in range(1, 6):
        numbers = slopes_of_the_small_network(w_, bias_)
        lines.append(f"step {step}: loss {numbers['loss'][0]:.4f}, w {w_:.3f} with the slope {numbers['w'][1]:.6f}")
        w_, bias_ = w_ - 0.5 * numbers["w"][1], bias_ - 0.5 * numbers["bias"][1]
    assert print_again("with the slope").splitlines() == lines
    assert abs(w.data - w_) < 1e-12 and abs(bias.data - bias_) < 1e-12
    assert f"{by_w:.6f}" in lines[0]  # the one that you know
    flat = slopes_of_the_small_network(w=4.0)["w"][1]
    assert abs(flat) < 0.02 < abs(by_w)  # what «Your turn» will find


def test_cross_entropy_by_our_autograd():
    tensors = torch.tensor([2.0, 1.0, -1.0], dtype=torch.float64, requires_grad=True)
    loss = cross_entropy(tensors[None], torch.tensor([0]))
    loss.backward()
    shares = tensors.softmax(dim=0).tolist()
    assert np.allclose([logit.grad for logit in logits], tensors.grad)
    assert np.allclose(tensors.grad, np.array(shares) - [1, 0, 0])  # probability minus truth
    first_line, second = print_again("exponentials[0] + exponentials[1]").splitlines()
    assert first_line == f"softmax:   {[round(share, 4) for share in shares]}"
    assert second == f"gradients: {[round(number, 4) for number in tensors.grad.tolist()]}"


def pass_by_pytorch(function, *arrays, gradient=None):
    tensors = [torch.tensor(array, requires_grad=True) for array in arrays]
    result = function(*tensors)
    result.backward(torch.tensor(gradient))
    return result.detach().numpy(), [tensor.grad.numpy() for tensor in tensors]


def test_linear_layer():
    for shape in ((7, 12), (5, 3, 2, 2)):
        x, weight, bias_ = make_random(*shape), make_random(4, 12, seed=2), make_random(4, seed=3)
        layer, back = Linear(weight, bias_), make_random(shape[0], 4, seed=4)
        expected, gradients = pass_by_pytorch(
            lambda x, w, b: nn.functional.linear(x.flatten(1), w, b), x, weight, bias_, gradient=back
        )
        assert np.allclose(layer.forward(x), expected)
        assert np.allclose(layer.backward(back), gradients[0]) and layer.backward(back).shape == shape
        assert np.allclose(layer.weight_gradient, gradients[1]) and np.allclose(layer.bias_gradient, gradients[2])
    assert weight.shape == layer.weight_gradient.shape and bias_.shape == layer.bias_gradient.shape


def test_bends():
    for layer, function in ((ReLU(), torch.relu), (Tanh(), torch.tanh)):
        for shape in ((6, 5), (2, 3, 4, 5)):
            x, back = make_random(*shape), make_random(*shape, seed=2)
            expected, (gradient_,) = pass_by_pytorch(function, x, gradient=back)
            assert np.allclose(layer.forward(x), expected) and np.allclose(layer.backward(back), gradient_)
            assert np.allclose(layer.slope * back, gradient_)


def test_convolution():
    for n, c, o, k, height, width in ((3, 2, 4, 3, 7, 9), (2, 1, 3, 5, 6, 5), (1, 3, 2, 1, 4, 4)):
        x, weight, bias_ = make_random(n, c, height, width), make_random(o, c, k, k, seed=2), make_random(o, seed=3)
        back = make_random(n, o, height - k + 1, width - k + 1, seed=4)
        layer = Convolution(weight, bias_)
        expected, gradients = pass_by_pytorch(conv2d, x, weight, bias_, gradient=back)
        assert np.allclose(layer.forward(x), expected) and np.allclose(layer.backward(back), gradients[0])
        assert np.allclose(layer.weight_gradient, gradients[1]) and np.allclose(layer.bias_gradient, gradients[2])


def test_poolings():
    for layer, function in ((AveragePooling(), avg_pool2d), (MaxPooling(), max_pool2d)):
        for shape in ((3, 2, 6, 4), (1, 5, 2, 8)):
            x, back = make_random(*shape), make_random(shape[0], shape[1], shape[2] // 2, shape[3] // 2, seed=2)
            expected, (gradient_,) = pass_by_pytorch(lambda x, pool=function: pool(x, 2), x, gradient=back)
            assert np.allclose(layer.forward(x), expected) and np.allclose(layer.backward(back), gradient_)
    ties = np.array([[[[2.0, 2.0], [1.0, 2.0]]]])
    assert layer.forward(ties) == 2 and np.allclose(layer.backward(np.full((1, 1, 1, 1), 6.0)), [[[[2, 2], [0, 2]]]])


def test_loss():
    scores, classes = 5 * make_random(9, 10), np.random.default_rng(2).integers(10, size=9)
    scores[0] = 1000 * scores[0]  # no overflow
    tensor = torch.tensor(scores, requires_grad=True)
    expected = cross_entropy(tensor, torch.tensor(classes))
    expected.backward()
    loss_, gradient_ = compute_loss(scores[1:], classes[1:])
    assert np.isclose(loss_, cross_entropy(tensor[1:], torch.tensor(classes[1:])).item())
    with np.errstate(divide="ignore"):
        assert np.allclose(compute_loss(scores, classes)[1], tensor.grad)
    truth = np.eye(10)[classes[1:]]
    assert np.allclose(gradient_, (tensor[1:].detach().softmax(dim=1).numpy() - truth) / 8)


def make_pair(seed=3):
    torch.manual_seed(seed)
    theirs = models.MLP().double()
    return theirs, [translate(layer) for layer in theirs.layers]


def test_passes_keep_outputs_and_gradients():
    theirs, mine = make_pair()
    loss_ = pass_both_ways(mine, images[:8], labels[:8])
    x, kept = torch.tensor(images[:8]).flatten(1), []
    for layer in theirs.layers:
        x = layer(x)
        x.retain_grad()
        kept.append(x)
    expected = cross_entropy(x, torch.tensor(labels[:8]))
    expected.backward()
    assert np.isclose(loss_, expected.item()) and np.allclose(forward(mine, images[:8]), x.detach())
    for layer, tensor in zip(mine, kept, strict=True):
        assert np.allclose(layer.output, tensor.detach()) and np.allclose(layer.output_gradient, tensor.grad)
    weights = [layer.weight for layer in mine[::2]]
    assert all(np.array_equal(w_, p.detach()) for w_, p in zip(weights, list(theirs.parameters())[::2]))
    assert not any(np.shares_memory(w_, p.detach().numpy()) for w_, p in zip(weights, list(theirs.parameters())[::2]))


def test_first_weights():
    layer = linear(400, 300, np.random.default_rng(5))
    assert layer.weight.shape == (300, 400) and layer.weight.dtype == np.float32 and not layer.bias.any()
    assert abs(layer.weight.std() * (400 / 2) ** 0.5 - 1) < 0.01 and abs(layer.weight.mean()) < 0.001


def test_training_is_plain_gradient_descent():
    """PyTorch, from the same first weights and in the same order, comes to the same network."""
    rng_ = np.random.default_rng(SEED)
    first_weights = [linear(a, b, rng_).weight for a, b in ((784, 128), (128, 64), (64, 10))]
    network = models.MLP()
    with torch.no_grad():
        for layer, weight in zip(network.layers[::2], first_weights):
            layer.weight.copy_(torch.tensor(weight))
            layer.bias.zero_()
    optimizer, inputs = torch.optim.SGD(network.parameters(), lr=0.1), torch.from_numpy(train_images)
    for _ in range(EPOCHS):
        for chosen in torch.tensor(rng_.permutation(60_000)).split(64):
            optimizer.zero_grad()
            cross_entropy(network(inputs[chosen]), DIGITS[chosen]).backward()
            optimizer.step()
    trained = [array for layer in layers[::2] for array in (layer.weight, layer.bias)]
    for mine, theirs in zip(trained, network.parameters(), strict=True):
        assert np.abs(mine - theirs.detach().numpy()).max() < 0.02
    with torch.no_grad():
        hits = network(torch.from_numpy(test_images)).argmax(dim=1) == test_set.targets
    assert abs(accuracy - 100 * hits.double().mean().item()) < 0.3 and accuracy > 93 and 0 < seconds < 60


def test_judges_see_what_is_right_and_what_is_wrong():
    theirs, mine = make_pair()
    assert ask_pytorch(mine, theirs, images, labels) < 1e-12
    assert max(ask_nudges(mine, images, labels)) < 1e-5
    for layer, forget in ((mine[2], "weight_gradient"), (mine[4], "bias_gradient")):
        theirs.zero_grad()
        right = type(layer).backward

        def wrong(gradient, layer=layer, forget=forget, right=right):
            handed_back = right(layer, gradient)
            setattr(layer, forget, 1.01 * getattr(layer, forget))
            return handed_back

        layer.backward = wrong
        assert ask_pytorch(mine, theirs, images, labels) > 1e-6
        if forget == "weight_gradient":
            verdict_ = ask_nudges(mine, images, labels)
            assert verdict_[1] > 1e-3 > 1e-5 > max(verdict_[0], verdict_[2])
        del layer.backward
    weight = np.array([[1.0, 2.0], [3.0, -1.5]])
    before = weight.copy()
    slope, curvature = nudge_weight(weight, (1, 1), 1e-4, lambda: (weight**3).sum())
    assert np.isclose(slope, 3 * 1.5**2, atol=1e-6) and np.isclose(curvature, 6 * -1.5, atol=1e-4)
    assert np.allclose(weight, before, atol=1e-12)


def test_verdicts_on_the_mlp_and_lenet():
    assert difference < 1e-12 and max(verdict) < 1e-6
    text = print_again("# the mistake")
    rows = [find_numbers(line.replace("e-", "e -")) for line in text.splitlines() if line.startswith("layer ")]
    shares = [[float(part) for part in re_floats(line)] for line in text.splitlines() if line.startswith("layer ")]
    assert len(rows) == 3 and all(right < 1e-6 for right, _ in shares)  # a millionth or better
    assert [wrong > 0.05 for _, wrong in shares] == [True, True, False]  # before the mistake wrong, behind it right
    text = print_again("OURS |= ").splitlines()
    assert [line.split(":")[0] for line in text[:2]] == ["AvgPool2d", "MaxPool2d"]
    assert all(max(re_floats(line)) < 1e-6 for line in text[:2])
    assert type(lenet.s2) is type(lenet.s4) is nn.MaxPool2d and digits.shape == (16, 1, 32, 32)
    assert [type(layer) for layer in ours] == [
        Convolution, Tanh, MaxPooling, Convolution, Tanh, MaxPooling, Convolution, Tanh, Linear, Tanh, Linear
    ]  # fmt: skip
    with torch.no_grad():
        assert np.allclose(forward(ours, digits), lenet(torch.tensor(digits)))
    assert np.array_equal(digits[:, :, 2:-2, 2:-2], images[:16]) and digits.sum() == images[:16].sum()


def re_floats(line):
    import re

    return [float(part) for part in re.findall(r"\d+e[-+]\d+", line)]


def test_build():
    model = build(784, 50, 10, scale=0.5, activation=nn.Tanh)
    assert [type(layer) for layer in model] == [nn.Flatten, nn.Linear, nn.Tanh, nn.Linear]
    assert abs(model[1].weight.std().item() * 28 - 0.5) < 0.01 and not model[1].bias.any() and not model[3].bias.any()
    again = build(784, 50, 10, scale=0.5, activation=nn.ReLU)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters()))
    assert models.count_parameters(build(784, 16, 10)) == 12_730


def walk_by_hand(method, steps=40):
    """The 41 places of a path, by formulas: SGD, momentum (0.9), Adam (rate 0.003)."""
    model = build(784, 16, 10)
    place = nn.utils.parameters_to_vector(model.parameters()).detach().double()
    path, velocity, mean, square = [place.numpy()], 0, 0, 0
    for t in range(1, steps + 1):
        nn.utils.vector_to_parameters(place.float(), model.parameters())
        model.zero_grad()
        cross_entropy(model(few_images[:1000]), few_labels[:1000]).backward()
        slope = torch.cat([p.grad.flatten() for p in model.parameters()]).double()
        if method == "Adam":
            mean, square = 0.9 * mean + 0.1 * slope, 0.999 * square + 0.001 * slope**2
            step = 0.003 * (mean / (1 - 0.9**t)) / ((square / (1 - 0.999**t)).sqrt() + 1e-8)
        else:
            velocity = (0.9 if method == "momentum" else 0) * velocity + slope
            step = 0.1 * velocity
        place = place - step
        path.append(place.numpy())
    return np.array(path)


def test_landscape():
    own = {name: walk_by_hand(name) for name in paths}
    assert list(own) == ["SGD", "Adam", "momentum"]
    for name, path in own.items():
        assert np.shape(paths[name]) == (41, 12_730) and np.abs(np.array(paths[name]) - path).max() < 0.02, name
    losses = {name: compute_height(np.float32(path[-1])) for name, path in own.items()}
    assert all(abs(losses[name] - ends_of_paths()[name]) < 0.01 for name in own)
    ax = find_axes(f"{min(losses, key=losses.get)} is lowest in the end")
    assert losses["momentum"] < losses["Adam"] < losses["SGD"]
    start = own["SGD"][0]
    together = np.concatenate([path - start for path in own.values()])
    lengths, directions = np.linalg.svd(together, full_matrices=False)[1:]
    share = 100 * (lengths[:2] ** 2).sum() / (lengths**2).sum()
    assert f"the plane holds {share:.0f} % of the spread" in ax.get_xlabel() and ax.get_ylabel()
    for line, (name, path) in zip(ax.lines, own.items()):
        assert line.get_label() == f"{name}, to a loss of {losses[name]:.2f}"
        drawn, expected = np.array(line.get_data()).T, (path - start) @ directions[:2].T
        assert np.abs(np.abs(drawn) - np.abs(expected)).max() < 0.05  # a direction may be turned round
    assert len({line.get_marker() for line in ax.lines[:3]}) == 3


def ends_of_paths():
    return {name: compute_height(path[-1]) for name, path in paths.items()}


def test_all_zero():
    counts = np.bincount(few_labels[:64], minlength=10) / 64
    for name, parameter in zero.named_parameters():
        expected = 0.1 - counts if name == "layers.4.bias" else np.zeros(1)
        assert np.allclose(parameter.grad, expected, atol=1e-6) and not parameter.any()
    text = print_again("constant_(parameter, 0)")
    last_line = f"{'layers.4.bias':16} {np.abs(0.1 - counts).max():.4f}  {np.std(0.1 - counts, ddof=1):.4f}"
    assert text.splitlines()[-1] == last_line and text.count("0.0000  0.0000") == 5
    constant = models.MLP()
    for parameter in constant.parameters():
        nn.init.constant_(parameter, 0.01)
    cross_entropy(constant(few_images[:64]), few_labels[:64]).backward()
    slopes = constant.layers[0].weight.grad
    assert slopes.std(dim=0).max() < 1e-5 * slopes.abs().max()


def look_inside(scale):
    """Outputs and gradients of each of six tanh, by PyTorch."""
    x, kept = torch.tensor(images).flatten(1), []
    for layer in build(784, *[100] * 6, 10, scale=scale, activation=nn.Tanh).double()[1:]:
        x = layer(x)
        x.retain_grad()
        kept.append(x)
    cross_entropy(x, torch.tensor(labels)).backward()
    return [(x.detach().numpy(), x.grad.numpy()) for x in kept[1::2]]


def test_histograms_of_outputs_and_gradients():
    own = {scale: look_inside(scale) for scale in (0.33, 1.0, 3.0)}
    ratios = {s: np.median(np.abs(tables[0][1])) / np.median(np.abs(tables[5][1])) for s, tables in own.items()}
    assert list(part) == list(ratios) and np.allclose(list(part.values()), list(ratios.values()), rtol=0.02)
    assert ratios[0.33] < 0.02 and 0.2 < ratios[1.0] < 1 < ratios[3.0]
    figure = find_figure(f"Layer 1's gradient: {', '.join(f'{ratio:.2g}' for ratio in part.values())} of layer 6's")
    for column, (scale, tables) in enumerate(own.items()):
        for row, (low, high) in enumerate(((-1, 1), (-9, 0))):
            ax = figure.axes[3 * row + column]
            assert ax.get_title() == (f"scale {scale}" if row == 0 else "")
            assert ax.get_ylabel() == ("output of tanh", "gradient (power of ten)")[row]
            assert ax.get_xlabel() == ("", "layer")[row]
            for number, table in enumerate(tables, 1):
                values_ = table[0] if row == 0 else np.log10(np.abs(table[1]).clip(1e-9))
                counts, edges = np.histogram(values_, 40, (low, high))
                bars = ax.patches[40 * (number - 1) : 40 * number]
                widths = np.array([bar.get_width() for bar in bars])
                assert np.allclose(widths, 0.9 * counts / counts.max(), atol=0.01)
                assert np.allclose([bar.get_x() + bar.get_width() / 2 for bar in bars], number)
                assert np.allclose([bar.get_y() for bar in bars], edges[:-1])
    spread = {scale: np.abs(tables[5][0]) for scale, tables in own.items()}
    assert np.median(spread[0.33]) < 0.01 < 0.1 < np.median(spread[1.0]) < 0.5 < (spread[3.0] > 0.9).mean()


def learn_by_hand(model, learning_rate, zero_grad, steps):
    """Plain gradient descent without an optimizer; the slopes of all steps add up where nothing sets them to zero."""
    torch.manual_seed(SEED)
    losses, kept = [], None
    for _ in range(steps):
        chosen = torch.randint(0, 10_000, (32,))
        loss_ = cross_entropy(model(few_images[chosen]), few_labels[chosen])
        slopes = torch.autograd.grad(loss_, list(model.parameters()))
        kept = slopes if zero_grad or kept is None else [a + b for a, b in zip(kept, slopes)]
        with torch.no_grad():
            for parameter, slope in zip(model.parameters(), kept):
                parameter -= learning_rate * slope
        losses.append(loss_.item())
    return np.array(losses)


def check_curves(ax, runs):
    looks = [(BLUE, "-"), (ORANGE, "--"), (GREEN, ":")]
    for (name, losses), (colour, style) in zip(runs.items(), looks):
        (line,) = (line for line in ax.lines if line.get_label() == name)
        steps, means = np.asarray(line.get_xdata()), np.asarray(line.get_ydata(), dtype=float)
        expected = [np.mean(losses[max(0, i - 9) : i + 1]) for i in range(len(losses))]
        assert np.array_equal(steps, np.arange(len(losses))) and np.allclose(means[9:], expected[9:], rtol=1e-6)
        assert (line.get_color(), line.get_linestyle()) == (colour, style)
    assert ax.get_xlabel() == "step" and ax.get_ylabel() == "cross-entropy, mean of 10" and ax.get_yscale() == "log"
    assert np.isclose(ax.lines[-1].get_ydata()[0], math.log(10))


def test_starts_and_bends():
    builders = {
        f"scale {s}": build(784, *[100] * 6, 10, scale=s, activation=nn.Tanh) for s in (0.33, 1.0, 3.0)
    } | {name: build(784, 100, 100, 10, activation=getattr(nn, name)) for name in ("ReLU", "Identity")}  # fmt: skip
    assert list(starts | bends) == list(builders)
    for name, losses in (starts | bends).items():
        own = learn_by_hand(builders[name], 0.05, True, 20)
        steps = 3 if name == "scale 3.0" else 20  # at the ends of tanh rounding soon tells
        assert len(losses) == 600 and np.allclose(losses[:steps], own[:steps], rtol=0.01), name
    late = {name: losses[-200:].mean() for name, losses in (starts | bends).items()}
    figure = find_figure("tanh: best from scale 1.0")
    assert [ax.get_title() for ax in figure.axes] == ["tanh: best from scale 1.0", "two hidden layers: best with ReLU"]
    for ax, runs in zip(figure.axes, (starts, bends)):
        check_curves(ax, runs)
    assert late["scale 0.33"] > 2.2 > 0.6 > late["scale 3.0"] > late["scale 1.0"]
    assert late["ReLU"] < 0.7 * late["Identity"]
    assert bends["Identity"][20:100].mean() < 1 and bends["ReLU"][20:100].mean() < 1  # both fall quickly at first
    assert "mean of the last 200" in "".join(CELL_SOURCES) and ends == late
    text = print_again("mean of the last 200")
    assert text.splitlines()[0] == f"mean of the last 200: { ({name: round(float(v), 2) for name, v in late.items()}) }"


def test_curves_of_the_exercise():
    causes = {"right": (0.01, True), "too small": (0.0005, True), "zero_grad": (0.01, False), "too large": (0.7, True)}
    assert sorted(causes.values()) == sorted(cases) and list(curves) == list("ABCD")
    figure = find_figure("One of these is right: which?")
    assert [ax.get_title() for ax in figure.axes] == list("ABCD")
    for ax, (letter, losses) in zip(figure.axes, curves.items()):
        own = learn_by_hand(build(784, 100, 100, 10), *causes[answers.CURVES[letter]], 20)
        assert len(losses) == 300 and np.allclose(losses[:5], own[:5], rtol=0.01), letter
        check_curves(ax, {"loss": losses})
    by_cause = {answers.CURVES[letter]: losses for letter, losses in curves.items()}
    right, small, large, forgotten = (by_cause[name] for name in ("right", "too small", "too large", "zero_grad"))
    assert right[-50:].mean() < 0.6 and 1.5 < small[-50:].mean() < small[:50].mean() - 0.5
    assert large[:10].max() > 20 and 2.1 < np.median(large[-100:]) < 2.5
    assert forgotten[:40].mean() < right[:40].mean() and forgotten[-50:].mean() > 2 > 1 > forgotten[70:90].mean()
    broken = learn(build(784, 100, 100, 10), 1e6, steps=20)
    assert np.isnan(broken).any()  # as the text says of a still larger rate
    (listing,) = (source for source in CELL_SOURCES if "cases = [" in source)
    assert "CURVES" not in listing and "too" not in listing and "lot" in listing


def exact_curvatures(network, x, target, unit_count, pixel):
    """Second derivatives of the squared distance for the weights of layer 1 at one pixel, by PyTorch."""
    tensors = [(torch.tensor(layer.weight).double(), torch.tensor(layer.bias).double()) for layer in network[::2]]
    bends_ = [torch.tanh if isinstance(layer, Tanh) else torch.relu for layer in network[1::2]]

    def compute(column):
        weight = tensors[0][0].clone()
        weight[:, pixel] = column
        y = torch.tensor(x).flatten(1) @ weight.T + tensors[0][1]
        for bend, (weight, bias_) in zip(bends_, tensors[1:]):
            y = bend(y) @ weight.T + bias_
        return ((y - torch.tensor(target)) ** 2).sum()

    return torch.autograd.functional.hessian(compute, tensors[0][0][:, pixel].clone()).diagonal().numpy()


def test_squared_pass():
    assert pixel == images[0].argmax() and images[0].flatten()[pixel] > 2
    target = np.eye(10)[labels[:1]]
    assert np.isclose(compute_distance(networks["tanh"]), ((forward(networks["tanh"], images[:1]) - target) ** 2).sum())
    for name, network in networks.items():
        exact = exact_curvatures(network, images[:1], target, 128, pixel)
        forward(network, images[:1])
        backward_squared(network, np.full((1, 10), 2.0))
        squared = network[0].weight_curvature[:, pixel]
        slopes, weights = [layer.slope for layer in network[1::2]], [layer.weight for layer in network[::2]]
        back = np.full((1, 10), 2.0)
        for slope, weight in zip(slopes[::-1], weights[:0:-1]):
            back = (back @ weight**2) * np.square(slope.astype(float))
        assert np.allclose(squared, back[0] * images[0].flatten()[pixel] ** 2)
        correlation = np.corrcoef(squared, exact)[0, 1]
        assert abs(agreement[name] - correlation) < 0.005, name
        if name == "ReLU":
            assert np.allclose(squared, exact, rtol=1e-5)
        if name == "tanh":  # what is left out goes with the error
            near = forward(network, images[:1])
            assert np.allclose(squared, exact_curvatures(network, images[:1], near, 128, pixel), rtol=1e-5)
    assert networks["two hidden layers"][2].weight.shape == (64, 128)
    assert agreement["ReLU"] > 0.99999 and agreement["tanh"] < 0.7 < agreement["two hidden layers"] < 0.95
    text = print_again("networks = {")
    assert [find_numbers(line)[-1] for line in text.splitlines()[:3]] == [round(c, 3) for c in agreement.values()]


def test_every_figure_can_be_read():
    assert len(SHOWN) == 7
    for figure in SHOWN:
        titles = [figure.get_suptitle(), *(ax.get_title() for ax in figure.axes)]
        assert any(titles)
        texts = [text for ax in figure.axes for text in (*ax.texts, *ax.get_xticklabels(), *ax.get_yticklabels())]
        legends = [t for ax in figure.axes if ax.get_legend() for t in ax.get_legend().get_texts()]
        assert min(text.get_size() for text in texts + legends if text.get_text()) >= 9
