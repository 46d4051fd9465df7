"""The layers of 1998 with their backward pass written out, for S networks in parallel.

A step for a single digit computes so little that autograd would take most of the time. And an operation on S small
matrices costs little more than on one, so S networks are trained at once, each with its own weights.

Every backward pass knows two powers. With 1 it carries back first derivatives: the gradient. With 2 it carries
back second derivatives: the curvature, by the same chain rule with every factor squared.
"""

import torch
from torch import nn


class Convolution:
    """Every kernel at every position: (S, C, H, W) -> (S, M, H - K + 1, W - K + 1).

    Args:
        weight: (S, M, C, K, K), exactly zero where a map does not read another.
        bias: (S, M).
    """

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor):
        self.values = [weight, bias]
        self.connected = (weight != 0).to(weight.dtype)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weight, bias = self.values
        self.size = x.shape[2:]
        rows, columns = (n - weight.shape[-1] + 1 for n in self.size)
        # For each element of the kernel, all the pixels that it meets: (S, C * K * K, rows * columns).
        patches = x.unfold(2, rows, 1).unfold(3, columns, 1)
        self.patches = patches.reshape(len(x), -1, rows * columns)
        sums = torch.baddbmm(bias[:, :, None], weight.flatten(2), self.patches)
        return sums.view(len(x), -1, rows, columns)

    def backward(self, d: torch.Tensor, power: int) -> torch.Tensor:
        weight, d = self.values[0], d.flatten(2)
        # A weight is used at many positions, and the derivatives at all of them are added.
        at_weight = d @ _to_power(self.patches, power).mT
        self.derivatives = [at_weight.view_as(weight) * self.connected, d.sum(2)]
        if weight.shape[2] == 1:
            return d.new_empty(0)  # C1, the first layer: the derivatives by the pixels are not needed
        return nn.functional.fold(_to_power(weight.flatten(2), power).mT @ d, self.size, weight.shape[-1])


class Subsampling:
    """Add 2x2 pixels, times a coefficient, plus a bias: (S, C, H, W) -> (S, C, H / 2, W / 2).

    Args:
        weight: (S, C), the coefficients.
        bias: (S, C).
    """

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor):
        self.values = [weight, bias]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.x = x
        weight, bias = (value[:, :, None, None] for value in self.values)
        return _add_squares(x) * weight + bias

    def backward(self, d: torch.Tensor, power: int) -> torch.Tensor:
        weight = self.values[0][:, :, None, None]
        at_weight = _add_squares(_to_power(self.x, power)) * d
        self.derivatives = [at_weight.sum((2, 3)), d.sum((2, 3))]
        return nn.functional.interpolate(d * _to_power(weight, power), scale_factor=2)


class Linear:
    """Every unit reads every input: (S, ...) -> (S, M).

    Args:
        weight: (S, M, C), where C is the number of inputs.
        bias: (S, M).
    """

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor):
        self.values = [weight, bias]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weight, bias = self.values
        self.shape, self.x = x.shape, x.flatten(1)[:, None]
        return torch.baddbmm(bias[:, None], self.x, weight.mT)[:, 0]

    def backward(self, d: torch.Tensor, power: int) -> torch.Tensor:
        self.derivatives = [d[:, :, None] * _to_power(self.x, power), d]
        return (d[:, None] @ _to_power(self.values[0], power)).view(self.shape)


class ScaledTanh:
    """f(a) = 1.7159 tanh(2a / 3), by way of the logistic function, which is computed three times as fast."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.y = 2 * 1.7159 * torch.sigmoid(x * (4 / 3)) - 1.7159
        return self.y

    def backward(self, d: torch.Tensor, power: int) -> torch.Tensor:
        slope = 2 / 3 * 1.7159 - 2 / 3 / 1.7159 * self.y.square()  # f'(a), from y = f(a)
        return d * _to_power(slope, power)


Layer = Convolution | Subsampling | Linear  # the layers that learn: ``values``, and after backward ``derivatives``


def _add_squares(x: torch.Tensor) -> torch.Tensor:
    top, bottom = x[:, :, ::2], x[:, :, 1::2]
    return top[..., ::2] + top[..., 1::2] + bottom[..., ::2] + bottom[..., 1::2]


def _to_power(x: torch.Tensor, power: int) -> torch.Tensor:
    return x if power == 1 else x.square()
