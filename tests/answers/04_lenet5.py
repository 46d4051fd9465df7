"""Answers to the exercises of this notebook: right ones, and wrong ones with a part of their hint."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from lenet_utils.models import LeNet5


class Listing(nn.Module):
    """The listing of the exercise, whose mistakes can be mended one by one."""

    def __init__(self, pool=nn.MaxPool2d, c5=4, c3_bend=nn.Identity, end=None, **more):
        super().__init__()
        self.c1, self.c3 = nn.Conv2d(1, 6, kernel_size=5), nn.Conv2d(6, 16, kernel_size=5)
        self.c5 = nn.Conv2d(16, 120, kernel_size=c5)
        self.pool, self.bend, self.end = pool(2), c3_bend(), end or nn.Softmax(dim=1)
        self.f6, self.output = nn.Linear(120, 84), nn.Linear(84, 10)
        self.c1_bend = more.get("c1_bend", nn.Tanh)()

    def forward(self, images):
        x = self.pool(self.c1_bend(self.c1(images)))
        x = self.pool(self.bend(self.c3(x)))
        x = self.c5(x).tanh().flatten(1)
        return self.end(self.output(self.f6(x).tanh()))


GOOD = {"pool": nn.AvgPool2d, "c5": 5, "c3_bend": nn.Tanh, "end": nn.Identity()}


class Mended(Listing):
    def __init__(self):
        super().__init__(**GOOD)


class WithoutReturn(Mended):
    def forward(self, images):
        super().forward(images)


class MinusOne(Mended):
    def forward(self, images):
        return super().forward(images) - 1


class Squeezed(Mended):
    def forward(self, images):
        return super().forward(images).squeeze()


class Darkened(Mended):
    def forward(self, images):
        return super().forward(images.sub_(0.1307))


class OneMore(Mended):
    def __init__(self):
        super().__init__()
        self.more, self.f6 = self.f6, nn.Linear(120, 84)


class OneRow(Mended):
    def forward(self, images):
        return super().forward(images).flatten()


def build_sequential():
    parts = [nn.Conv2d(1, 6, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2)]
    parts += [nn.Flatten(), nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10)]
    return nn.Sequential(*parts)


def build_of_convolutions():
    parts = [nn.Conv2d(1, 6, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2)]
    parts += [nn.Conv2d(16, 120, 5), nn.Tanh(), nn.Conv2d(120, 84, 1), nn.Tanh(), nn.Conv2d(84, 10, 1), nn.Flatten()]
    return nn.Sequential(*parts)


def leave(**mistakes):
    return lambda: Listing(**GOOD | mistakes)


def adam_step(w, m, s, g, step, rate, up=(1, 1), share=0.9, sign=1, root=0.5):
    """As torch does it, with parts that can be forgotten."""
    m, s = share * m + (1 - share) * g, 0.999 * s + 0.001 * g**2
    scaled = m / (1 - 0.9**step) ** up[0], s / (1 - 0.999**step) ** up[1]
    return w - sign * rate * scaled[0] / scaled[1] ** root, m, s


def adam_by_torch(weight, mean, square, gradient, step, learning_rate):
    place = torch.nn.Parameter(torch.tensor(float(weight), dtype=torch.float64))
    adam = torch.optim.Adam([place], lr=learning_rate)
    start = {"step": torch.tensor(float(step - 1)), "exp_avg": torch.tensor(float(mean), dtype=torch.float64)}
    adam.state[place] = start | {"exp_avg_sq": torch.tensor(float(square), dtype=torch.float64)}
    place.grad = torch.tensor(float(gradient), dtype=torch.float64)
    adam.step()
    return place.detach(), adam.state[place]["exp_avg"], adam.state[place]["exp_avg_sq"]


def adam_in_one_array(w, m, s, g, step, rate):
    m, s = np.array([0.9, 0.999]) * [m, s] + np.array([0.1, 0.001]) * [g, g**2]
    return [w - rate * m / (1 - 0.9**step) / (np.sqrt(s / (1 - 0.999**step)) + 1e-8), m, s]


def hand_on_scaled(w, m, s, g, step, rate):
    w, m, s = adam_step(w, m, s, g, step, rate)
    return w, m / (1 - 0.9**step), s / (1 - 0.999**step)


def momentum_by_torch(weight, velocity, gradient, learning_rate, momentum):
    velocity = momentum * torch.tensor(velocity) + gradient
    return torch.stack([weight - learning_rate * velocity, velocity])


def count_by_loop(table):
    count = 0
    for sources in table:
        for _ in sources:
            count += 25
        count += 1
    return count


# checker: (right answers, [(wrong answer, a part of the hint), ...])
ANSWERS = {
    "check_mended": (
        [
            Mended,
            Mended(),
            LeNet5,
            build_sequential,
            build_sequential(),
            leave(),
            build_of_convolutions,
            Mended().double(),
        ],
        [
            (Listing, "C5 needs weights of the shape (120, 16, 5, 5)"),
            (leave(c5=3), "Which sizes come out"),
            (leave(pool=nn.MaxPool2d), "one mistake is left. S2 and S4 take the mean"),
            (leave(c3_bend=nn.Identity), "one mistake is left. After C3 there is no tanh."),
            (leave(end=nn.Softmax(dim=1)), "one mistake is left. The network returns logits: the loss"),
            (leave(pool=nn.MaxPool2d, end=nn.Softmax(dim=1)), "2 mistakes are left"),
            (leave(pool=nn.MaxPool2d, c3_bend=nn.Identity, end=nn.Softmax(dim=1)), "3 mistakes are left"),
            (leave(end=nn.LogSoftmax(dim=1)), "logarithms"),
            (leave(end=nn.Tanh()), "The output has no tanh"),
            (leave(end=nn.Softmax(dim=0)), "something else"),
            (leave(c3_bend=nn.ReLU), "something else"),
            (leave(c1_bend=nn.Identity), "After C1"),
            (leave(pool=lambda size: nn.AvgPool2d(size, stride=1)), "RuntimeError"),
            (lambda: nn.Sequential(build_sequential(), nn.Linear(10, 10)), "it has 61,816 parameters"),
            (WithoutReturn, "returns NoneType"),
            (OneRow, "the shape (10,), not (1, 10)"),
            (Squeezed, "(1, 1, 32, 32) become numbers of the shape (10,), not (1, 10)"),
            (Darkened, "changes the images"),
            (OneMore, "it has 71,870 parameters"),
            (MinusOne, "something else"),
            (lambda: nn.Linear(120, 84), "C1 needs weights"),
            (lambda: 7, "should build a network"),
            (F.relu, "TypeError"),
        ],
    ),
    "check_five_loads": (
        [
            "DBEAC",
            ["D", "B", "E", "A", "C"],
            "d, b, e, a, c",
            ("D", "b", "E", "a", "C"),
            np.array([*"DBEAC"]),
            "D-B-E-A-C",
        ],
        [
            ("ABCDE", "1 of 5 are at their place. Number 1 is not A: this notebook"),
            ("DEBAC", "3 of 5 are at their place. Number 2 is not E: a network that knows nothing"),
            ("DBAEC", "3 of 5 are at their place. Number 3 is not A: what comes in is strange"),
            ("CBEAD", "3 of 5 are at their place. Number 1 is not C"),
            ("DBECA", "3 of 5 are at their place. Number 4 is not C: the network does its work"),
            ("DBEA", "each of them once"),
            ("DDDDD", "each of them once"),
            ([1, 2, 3, 4, 5], "each of them once"),
            (5, "each of them once"),
        ],
    ),
    "check_count_c3": (
        [
            lambda table: sum(25 * len(sources) + 1 for sources in table),
            count_by_loop,
            lambda table: torch.tensor([26 + 25 * (len(sources) - 1) for sources in table]).sum(),
            lambda table: sum(
                weights.numel() for sources in table for weights in nn.Conv2d(len(sources), 1, 5).parameters()
            ),
        ],
        [
            (lambda table: sum(map(len, table)), "each has 25 weights"),
            (lambda table: 25 * sum(map(len, table)), "a bias, too"),
            (lambda table: 26 * sum(map(len, table)), "not for each kernel"),
            (lambda table: 25 * sum(map(len, table)) + 6, "not to those of S2"),
            (lambda table: 25 * sum(map(len, table)) + 1, "of its own"),
            (lambda table: 26 * len(table), "for each map that it reads"),
            (lambda table: 25 * sum(map(len, table)) + 16, "three maps it returned 141"),
            (lambda table: 1516, "dense C3 it returned 1516; 2,416 would be right"),
            (lambda table: None, "no number"),
            (lambda: 1, "ends in TypeError"),
            (1516, "write a function"),
        ],
    ),
    "check_momentum_step": (
        [
            lambda w, v, g, rate, share: (w - rate * (share * v + g), share * v + g),
            lambda w, v, g, rate, share: list(np.array([w - rate * (share * v + g), share * v + g])),
            momentum_by_torch,
        ],
        [
            (lambda w, v, g, rate, share: (w + rate * (share * v + g), share * v + g), "against the velocity"),
            (lambda w, v, g, rate, share: (w - rate * v, share * v + g), "not the old one"),
            (lambda w, v, g, rate, share: (w - rate * (share * v + (1 - share) * g), v), "without a factor"),
            (lambda w, v, g, rate, share: (w - rate * g, g), "keeps its share"),
            (lambda w, v, g, rate, share: (w - rate * (v + g), v + g), "only the share"),
            (lambda w, v, g, rate, share: (share * v + g, w - rate * (share * v + g)), "comes first"),
            (lambda w, v, g, rate, share: (w - 0.1 * (share * v + g), share * v + g), "rate is the one that is given"),
            (lambda w, v, g, rate, share: (w - rate * (0.9 * v + g), 0.9 * v + g), "momentum is the one"),
            (lambda w, v, g, rate, share: (w - (1 - share) * (share * v + g), share * v + g), "should be 1.700"),
            (lambda w, v, g, rate, share: (w, v), "not the old one"),
            (lambda w, v, g, rate, share: (w / 2, v), "should be 1.400"),
            (lambda w, v, g, rate, share: w, "ends in TypeError"),
            (1.4, "write a function"),
        ],
    ),
    "check_adam_step": (
        [adam_step, adam_by_torch, adam_in_one_array],
        [
            (lambda w, m, s, g, *rest: adam_step(w, m, s, abs(g), *rest), "after step 6"),
            (lambda *given: adam_step(*given, sign=-1), "moves against the mean"),
            (lambda *given: adam_step(*given, up=(0, 0)), "neither mean is scaled up"),
            (lambda *given: adam_step(*given, up=(1, 0)), "the mean of the squares is scaled up"),
            (lambda *given: adam_step(*given, up=(0, 1)), "the mean of the gradient is scaled up"),
            (lambda *given: adam_step(*given, root=1), "the root of the mean square"),
            (lambda *given: adam_step(*given, root=0), "divided by the root"),
            (lambda *given: adam_step(*given, up=(0, 0), share=0.1), "nine tenths"),
            (lambda *given: adam_step(*given, share=0.1), "nine tenths"),
            (lambda w, m, s, g, *_: (w, 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * g**2), "should be 1.9000"),
            (lambda *given: (adam_step(*given)[0], *given[1:3]), "to hand on"),
            (hand_on_scaled, "to hand on"),
            (lambda *given: (adam_step(*given)[0], *adam_step(*given)[:0:-1]), "in this order"),
            (lambda *given: adam_step(*given)[1:] + adam_step(*given)[:1], "comes first"),
            (lambda *given: (1.9, 0.6, 0.036), "after step 2"),
            (lambda *given: adam_step(*given)[:2], "ValueError"),
            (lambda *given: None, "TypeError"),
            (1.9, "write a function"),
        ],
    ),
}
