"""Checkers of notebooks/04_lenet5.ipynb."""

import copy
import itertools
import math

import pandas as pd
import torch
from torch import nn

from lenet_utils.data import prepare_images
from lenet_utils.evaluation import predict_logits
from lenet_utils.exercises.common import expects_function, match_letters, to_float
from lenet_utils.models import C3_TABLE, LeNet5, count_parameters

# What happened to each of five scores of one network: the letters of the rows, in the order of the list in 04.
WHAT_HAPPENED = "DBEAC"


@expects_function("a class or a model")
def check_mended(answer) -> str:
    """A LeNet-5 without the four mistakes of the listing, as a class, a model, or a function that builds one."""
    net = answer if isinstance(answer, nn.Module) else answer()
    if not isinstance(net, nn.Module):
        return f"Not yet: calling it should build a network, an nn.Module, not {type(net).__name__}."
    net = copy.deepcopy(net).cpu().float().eval()
    with torch.random.fork_rng():
        torch.manual_seed(1)
        wanted = LeNet5()
        for weights in wanted.parameters():
            nn.init.normal_(weights, std=1 / max(1, weights[0].numel()) ** 0.5)
        images = torch.randn(4, 1, 32, 32)
    if reply := _pour(wanted, net):
        return reply
    for part in (images[:1], images):
        given = part.clone()
        with torch.no_grad():
            found = net(given)
        if not isinstance(found, torch.Tensor):
            return f"Not yet: forward returns {type(found).__name__}; is there a return?"
        if found.shape != (len(part), 10):
            shapes = f"{tuple(part.shape)} become numbers of the shape {tuple(found.shape)}, not {(len(part), 10)}"
            return f"Not yet: images of the shape {shapes}."
        if not torch.equal(given, part):
            return "Not yet: forward changes the images that it was given."
    left = _find_mistakes(wanted, images, found)
    if left is None:
        return "Not yet: the layers are right, but forward computes something else with them."
    if left:
        count = "one mistake is" if len(left) == 1 else f"{len(left)} mistakes are"
        return f"Not yet: {count} left. {left[0]}"
    return "Yes: with the same weights it gives the same logits as LeNet-5."


def _pour(wanted: nn.Module, net: nn.Module) -> str:
    """Give ``net`` the weights of ``wanted``, found by their shapes; return what hinders it."""
    there = {(len(weights), weights.numel()): weights for weights in net.parameters()}  # linear, or a convolution
    for weights in wanted.parameters():
        fitting = there.get((len(weights), weights.numel()))
        if fitting is None:
            parts = {6: "C1", 16: "C3", 120: "C5", 84: "F6", 10: "the output"}
            return (
                f"Not yet: {parts[len(weights)]} needs weights of the shape {tuple(weights.shape)}, and has none. "
                f"Which sizes come out of the layer before it?"
            )
        with torch.no_grad():
            fitting.copy_(weights.reshape(fitting.shape))
    count = sum(weights.numel() for weights in net.parameters())
    if count != count_parameters(wanted):
        return f"Not yet: it has {count:,} parameters; LeNet-5 has {count_parameters(wanted):,}."
    return ""


def _find_mistakes(net: LeNet5, images: torch.Tensor, found: torch.Tensor) -> list[str] | None:
    """Return what must be changed in a network with the weights of ``net`` that answers so; None if nobody knows."""
    pools = {"": nn.AvgPool2d(2), "S2 and S4 take the mean of each square, not the largest.": nn.MaxPool2d(2)}
    ends = {
        "": nn.Identity(),
        "The network returns logits: the loss, cross_entropy, has the softmax in it.": nn.Softmax(dim=1),
        "The network returns logits, not their logarithms of a softmax.": nn.LogSoftmax(dim=1),
        "The output has no tanh: logits may be as large as they like.": nn.Tanh(),
    }
    bends = [{"": nn.Tanh(), f"After {name} there is no tanh.": nn.Identity()} for name in ("C1", "C3", "C5", "F6")]
    closest = None
    with torch.no_grad():
        for pool, end, *bent in itertools.product(pools, ends, *bends):
            c1, c3, c5, f6 = (options[name] for options, name in zip(bends, bent))
            x = pools[pool](c1(net.c1(images)))
            x = pools[pool](c3(net.c3(x)))
            x = f6(net.f6(c5(net.c5(x)).flatten(1)))
            if torch.allclose(ends[end](net.output(x)), found, rtol=1e-3, atol=1e-5):
                mistakes = [mistake for mistake in (*bent, pool, end) if mistake]
                closest = mistakes if closest is None or len(mistakes) < len(closest) else closest
    return closest


def score_five_ways(model: nn.Module, new: nn.Module, inputs: dict, train_set, test_set) -> pd.DataFrame:
    """Score a trained network on 2,000 digits, one way right and four wrong; the rows are A to E.

    What happened to which is the question of the exercise. ``new`` is a network of the same kind, not trained; images
    are prepared with ``inputs``. Columns: "right (%)", "mean confidence (%)", "called most often" (a digit), and
    "so often (%)".
    """
    generator = torch.Generator().manual_seed(0)
    train, test = (torch.randperm(len(images), generator=generator)[:2_000] for images in (train_set, test_set))
    right, labels = prepare_images(test_set.data[test], **inputs), test_set.targets[test]
    grey = prepare_images(test_set.data[test], **inputs | {"normalisation": "unit"})
    learnt = prepare_images(train_set.data[train], **inputs)
    ways = [
        (model, right, labels),
        (new, right, labels),
        (model, grey, labels),
        (model, right, labels.roll(1)),
        (model, learnt, train_set.targets[train]),
    ]
    rows = {}
    for letter, (network, images, answers) in sorted(zip(WHAT_HAPPENED, ways)):
        confidences, digits = predict_logits(network, images).softmax(dim=1).max(dim=1)
        called = digits.bincount(minlength=10)
        rows[letter] = {
            "right (%)": 100 * (digits == answers).double().mean().item(),
            "mean confidence (%)": 100 * confidences.double().mean().item(),
            "called most often": called.argmax().item(),
            "so often (%)": 100 * called.max().item() / len(digits),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def check_five_loads(answer) -> str:
    """The letters of the five rows of «Find the mistakes», in the order of the list: "ABCDE", or a list of letters."""
    hints = (
        "this notebook has measured what the network scores on new digits",
        "a network that knows nothing is sure of nothing",
        "what comes in is strange to the network, but some of it still looks like digits",
        "the network does its work, sure of itself and each digit about as often as it comes, yet is told that it errs",
        "there is one set of digits that it knows by heart",
    )
    return match_letters(answer, WHAT_HAPPENED, hints, "each row has the mark of its mistake.")


@expects_function("def count_c3(table)")
def check_count_c3(answer) -> str:
    """A function that counts the parameters of C3 from its table, tried on three tables."""
    dense = (tuple(range(6)),) * 16
    for name, table in (("1998", C3_TABLE), ("a dense C3", dense), ("three maps", ((0,), (0, 1), (2, 5)))):
        kernels, expected = sum(map(len, table)), sum(25 * len(sources) + 1 for sources in table)
        counted = to_float(answer(table))
        if counted == expected:
            continue
        hints: dict[float, str] = {
            kernels: "these are the kernels; each has 25 weights.",
            25 * kernels: "these are the weights; each map of C3 has a bias, too.",
            26 * kernels: "one bias for each map, not for each kernel.",
            25 * kernels + 6: "the biases belong to the maps of C3, not to those of S2.",
            25 * kernels + 1: "each map of C3 has a bias of its own.",
            26 * len(table): "a map has a kernel for each map that it reads.",
        }
        found = f"for the table of {name} it returned" + (f" {counted:g}" if counted == counted else " no number")
        return f"Not yet: {found}; " + hints.get(counted, f"{expected:,} would be right.")
    return "Yes: 1,516 for the table of 1998, 2,416 for the dense one."


@expects_function("def momentum_step(weight, velocity, gradient, learning_rate, momentum)")
def check_momentum_step(answer) -> str:
    """A step of SGD with momentum, taken four times with two settings and compared with torch's."""
    for rate, share in ((0.1, 0.9), (0.05, 0.6)):
        place = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
        sgd = torch.optim.SGD([place], lr=rate, momentum=share)
        weight, velocity, reached = 2.0, 0.0, []
        for step in range(4):
            before, old_velocity, gradient = weight, velocity, 3 * weight
            sgd.zero_grad()
            (3 * place.square() / 2).backward()
            sgd.step()
            weight, velocity = map(to_float, answer(weight, velocity, gradient, rate, share))
            reached.append(weight)
            if math.isclose(weight, place.item(), abs_tol=1e-4):
                continue
            hints: dict[float, str] = {
                before + rate * (share * old_velocity + gradient): "the weight moves against the velocity.",
                before - rate * old_velocity: "the new velocity is used at once, not the old one.",
                before - rate * (share * old_velocity + (1 - share) * gradient): "the gradient is added whole, "
                "without a factor.",
                before - rate * gradient: "the velocity keeps its share of what it was.",
                before - rate * (old_velocity + gradient): "only the share called momentum of the velocity is kept.",
                share * old_velocity + gradient: "the weight comes first, then the velocity.",
                before - 0.1 * (share * old_velocity + gradient): "the learning rate is the one that is given.",
                before - rate * (0.9 * old_velocity + gradient): "the momentum is the one that is given.",
            }
            near = [hint for wrong, hint in hints.items() if math.isclose(weight, wrong, abs_tol=1e-6)]
            hint = near[0] if near else f"it should be {place.item():.3f}."
            return f"Not yet: after step {step + 1} your weight is {weight:.3f}; {hint}"
    return f"Yes: four steps like torch.optim.SGD's, the last time to {reached[-1]:.3f}."


@expects_function("def adam_step(weight, mean, square, gradient, step, learning_rate)")
def check_adam_step(answer) -> str:
    """A step of Adam, taken eight times in two bowls and compared with torch's."""
    for slope, rate in ((3, 0.1), (0.02, 0.5)):
        place = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
        adam = torch.optim.Adam([place], lr=rate)
        weight, mean, square, reached = 2.0, 0.0, 0.0, []
        for step in range(1, 9):  # the second time, over the lowest place and back
            before, old_mean, old_square, gradient = weight, mean, square, slope * weight
            adam.zero_grad()
            (slope * place.square() / 2).backward()
            adam.step()
            weight, mean, square = map(to_float, answer(weight, mean, square, gradient, step, rate))
            reached.append(weight)
            new_mean, new_square = 0.9 * old_mean + 0.1 * gradient, 0.999 * old_square + 0.001 * gradient**2
            if math.isclose(weight, place.item(), abs_tol=1e-5):
                if math.isclose(mean, new_mean, rel_tol=1e-5) and math.isclose(square, new_square, rel_tol=1e-5):
                    continue
                return (
                    f"Not yet: the weight is right after step {step}; but the mean and the square to hand on are those "
                    f"before they are scaled up, in this order."
                )
            up_mean, up_square = new_mean / (1 - 0.9**step), new_square / (1 - 0.999**step)
            turned_mean = 0.1 * old_mean + 0.9 * gradient
            wrong_steps = {
                -up_mean / math.sqrt(up_square): "the weight moves against the mean, not with it.",
                new_mean
                / math.sqrt(new_square): "neither mean is scaled up: divide by 1 - 0.9**step, 1 - 0.999**step.",
                up_mean / math.sqrt(new_square): "the mean of the squares is scaled up, too.",
                new_mean / math.sqrt(up_square): "the mean of the gradient is scaled up, too.",
                up_mean / up_square: "divide by the root of the mean square.",
                turned_mean / math.sqrt(new_square): "nine tenths of the old mean are kept, one tenth is new.",
                turned_mean / (1 - 0.9**step) / math.sqrt(up_square): "nine tenths of the old mean are kept.",
                up_mean: "the step is divided by the root of the mean square.",
            }
            for wrong, hint in wrong_steps.items():
                if math.isclose(weight, before - rate * wrong, abs_tol=1e-6):
                    return f"Not yet: after step {step} your weight is {weight:.4f}; {hint}"
            if math.isclose(weight, new_mean, abs_tol=1e-6):
                return "Not yet: the weight comes first, then the mean, then the mean square."
            return f"Not yet: after step {step} your weight is {weight:.4f}; it should be {place.item():.4f}."
    return f"Yes: eight steps like torch.optim.Adam's, the last time to {reached[-1]:.4f}."
