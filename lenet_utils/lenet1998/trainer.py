"""The training of 1998: one digit at a time, and for every weight a step of its own.

LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document recognition", 1998, section III and
appendix C: stochastic diagonal Levenberg-Marquardt.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import cast

import torch
from torch import nn
from tqdm import tqdm

from lenet_utils.data import check_raw_images
from lenet_utils.lenet1998.layers import Convolution, Layer, Linear, ScaledTanh, Subsampling
from lenet_utils.lenet1998.network import LeNet1998, check_rubbish_distance, draw_digit_codes
from lenet_utils.models import SelectiveConv2d
from lenet_utils.training import is_interactive

MU = 0.02  # keeps the steps finite where the curvature is zero
CURVATURE_IMAGES = 500  # digits for the estimate of the curvature before each pass


@contextmanager
def _on_one_thread() -> Iterator[None]:
    """One thread: more do not speed up such small operations, and they change the rounding."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def distort_images(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Return each image moved, scaled, squeezed and sheared at random.

    The paper names these four and gives no amounts. Here: up to 2 pixels either way, larger or smaller by up to a
    tenth, rows stretched by up to 1.1 against columns or the other way, and a slant of up to 0.2 columns a row.

    Args:
        images: (N, 28, 28) uint8.
        generator: draws the distortions.

    Returns:
        (N, 28, 28) uint8, bilinear.
    """
    check_raw_images(images)
    u = torch.rand(len(images), 5, generator=generator) * 2 - 1  # (N, 5), from -1 to 1
    size, squeeze, slant = 1 + 0.1 * u[:, 0], 1.1 ** (u[:, 1] / 2), 0.2 * u[:, 2]
    shift = u[:, 3:] * 2 / 14  # affine_grid counts from -1 to 1
    columns = torch.stack([size * squeeze, slant, shift[:, 0]], dim=1)
    rows = torch.stack([torch.zeros_like(size), size / squeeze, shift[:, 1]], dim=1)
    parts = []
    for part, matrices in zip(images.split(5_000), torch.stack([columns, rows], dim=1).split(5_000)):
        grid = nn.functional.affine_grid(matrices, [len(part), 1, 28, 28], align_corners=False)
        moved = nn.functional.grid_sample(part[:, None].float(), grid, align_corners=False)
        parts.append(moved[:, 0].round().to(torch.uint8))
    return torch.cat(parts)


class Trainer1998:
    """Stochastic diagonal Levenberg-Marquardt for S networks in parallel.

    First used in notebooks/08_lenet5_1998.ipynb, «A step for every weight».

    Args:
        models: the networks; they change when :meth:`copy_to` is called.
        rubbish_distance: which loss to descend, as in :func:`network.compute_loss_1998`.
        curved: False for plain gradient descent: the same step for every weight, whatever the curvature.
    """

    def __init__(self, models: Sequence[LeNet1998], rubbish_distance: float | None = None, curved: bool = True):
        def stack(name: str) -> list[torch.Tensor]:
            layers = [getattr(model, name) for model in models]
            return [torch.stack([getattr(layer, kind).detach() for layer in layers]) for kind in ("weight", "bias")]

        check_rubbish_distance(rubbish_distance)
        self.rubbish_distance, self.curved = rubbish_distance, curved
        c3, c3_bias = stack("c3")
        selective = cast(SelectiveConv2d, models[0].c3)
        self.targets, self.sources = selective.targets, selective.sources
        c3_dense = c3.new_zeros(len(models), *selective.dense_shape)
        c3_dense[:, self.targets, self.sources] = c3
        c5, c5_bias = stack("c5")
        self.trained: dict[str, Layer] = {
            "c1": Convolution(*stack("c1")),
            "s2": Subsampling(*stack("s2")),
            "c3": Convolution(c3_dense, c3_bias),
            "s4": Subsampling(*stack("s4")),
            "c5": Linear(c5.flatten(2), c5_bias),  # 5x5 kernels on 5x5 maps: the same as a full layer
            "f6": Linear(*stack("f6")),
        }
        self.layers: list[Layer | ScaledTanh] = [
            step for layer in self.trained.values() for step in (layer, ScaledTanh())
        ]
        self.codes = draw_digit_codes().to(c3)
        self.curvature: dict[str, list[torch.Tensor]] = {}

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return F6 of S networks, each looking at an image of its own: (S, 1, 32, 32) -> (S, 84)."""
        x = images
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, features: torch.Tensor, labels: torch.Tensor, power: int) -> None:
        """Leave in each layer the derivatives of the loss by its values: first (power 1) or second (power 2)."""
        d = self.derive_loss(features, labels, power)
        for layer in reversed(self.layers):
            d = layer.backward(d, power)

    def derive_loss(self, features: torch.Tensor, labels: torch.Tensor, power: int) -> torch.Tensor:
        """Return the derivatives of the loss by the 84 features: (S, 84), first or second.

        The second is 2, that of the distance to the right code, for both losses: the second term of equation 9
        is left out. With it the curvature vanishes where a digit is learnt, and the steps grow to rate / MU.
        """
        if power == 2:
            return torch.full_like(features, 2)
        right = features - self.codes[labels]
        if self.rubbish_distance is None:
            return 2 * right
        differences = features[:, None] - self.codes  # (S, 10, 84)
        logits = -differences.square().sum(2)
        logits = torch.cat([logits, logits.new_full((len(logits), 1), -self.rubbish_distance)], dim=1)
        p = logits.softmax(1)[:, :10, None]  # of the ten digits; the rubbish class has the rest
        return 2 * (right - (p * differences).sum(1))

    @_on_one_thread()
    @torch.inference_mode()
    def estimate_curvature(self, images: torch.Tensor, labels: torch.Tensor) -> None:
        """Measure the mean second derivative of the loss by every weight.

        Args:
            images: (P, 1, 32, 32) float32, prepared with the normalisation "1998".
            labels: (P,) int64.
        """
        if not len(images):
            raise ValueError("the curvature is a mean over digits: give it 1 or more.")
        networks = len(self.trained["c1"].values[0])
        self.curvature = {
            name: [torch.zeros_like(value) for value in layer.values] for name, layer in self.trained.items()
        }
        for image, label in zip(images, labels):
            self.backward(self.forward(image.expand(networks, 1, 32, 32)), label.expand(networks), 2)
            for name, layer in self.trained.items():
                for value, derivative in zip(self.curvature[name], layer.derivatives):
                    value += derivative / len(images)

    def compute_steps(self, rate: float | torch.Tensor) -> dict[str, list[torch.Tensor]]:
        """Return rate / (MU + curvature), the step of every weight, by layer; the rate itself if not ``curved``."""
        if not self.curved:
            return {name: [torch.zeros_like(v) + rate for v in layer.values] for name, layer in self.trained.items()}
        if not self.curvature:
            raise ValueError("estimate the curvature first: estimate_curvature(images, labels).")
        return {name: [rate / (MU + value) for value in values] for name, values in self.curvature.items()}

    @_on_one_thread()
    @torch.inference_mode()
    def train(
        self, images: torch.Tensor, labels: torch.Tensor, orders: torch.Tensor, rate: float | torch.Tensor
    ) -> None:
        """Learn from one digit after the other.

        Args:
            images: (N, 1, 32, 32) float32, prepared with the normalisation "1998".
            labels: (N,) int64.
            orders: (S, T) int64: for each network the T images to learn from, in this order.
            rate: the global learning rate; in ``trials`` one for each network.
        """
        steps = self.compute_steps(rate)
        for indices in tqdm(orders.T, file=sys.stdout, leave=False, disable=not is_interactive()):
            self.backward(self.forward(images[indices]), labels[indices], 1)
            for name, layer in self.trained.items():
                for value, derivative, step in zip(layer.values, layer.derivatives, steps[name]):
                    value.addcmul_(derivative, step, value=-1)

    def copy_to(self, models: Sequence[LeNet1998]) -> None:
        """Write what was learnt into the networks."""
        with torch.no_grad():
            for name, layer in self.trained.items():
                weights, biases = layer.values
                if name == "c3":
                    weights = weights[:, self.targets, self.sources]
                for model, weight, bias in zip(models, weights, biases):
                    own = getattr(model, name)
                    own.weight.copy_(weight.view_as(own.weight))
                    own.bias.copy_(bias)
