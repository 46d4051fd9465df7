"""The network of 1998 and its loss (LeCun, Bottou, Bengio, Haffner 1998), and the rungs from there to today."""

import torch
from torch import nn

from lenet_utils.models import C3_TABLE, SelectiveConv2d, check_input

# The digits as F6 should show them: 12 rows of 7, # for +1 (LeCun et al. 1998, figure 3).
CODES = (
    ".#####./......./..###../.##.##./##...##/##...##/##...##/##...##/.##.##./..###../......./.......",
    "...##../..###../.####../...##../...##../...##../...##../...##../...##../.######/......./.......",
    ".#####./......./.#####./##...##/#....##/....##./..###../.##..../##...../#######/......./.......",
    "#######/.....##/....##./...##../..####./.....##/.....##/.....##/##...##/.#####./......./.......",
    ".#####./......./......./.##..##/.##..##/###..##/##...##/##...##/##..###/.######/.....##/.....##",
    ".#####./......./#######/##...../##...../.####../..####./.....##/##...##/.#####./......./.......",
    "..####./.##..../##...../##...../######./###..##/##...##/##...##/###..##/.#####./......./.......",
    "#######/.....##/.....##/....##./...##../...##../..##.../..##.../..##.../..##.../......./.......",
    ".#####./##...##/##...##/##...##/.#####./##...##/##...##/##...##/##...##/.#####./......./.......",
    ".#####./##..###/##...##/##...##/##..###/.######/.....##/.....##/....##./.####../......./.......",
)  # fmt: skip


class ScaledTanh(nn.Module):
    """The squashing function of 1998: f(a) = 1.7159 tanh(2a / 3), so that f(1) = 1 and f(-1) = -1."""

    def forward(self, sums: torch.Tensor) -> torch.Tensor:
        return 1.7159 * torch.tanh(sums * (2 / 3))


class TrainedSubsampling(nn.Module):
    """Add each 2x2 square of a map, multiply by the map's coefficient, add the map's bias.

    First built in notebooks/08_lenet5_1998.ipynb, «Subsampling that learns».
    """

    def __init__(self, maps: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(maps))
        self.bias = nn.Parameter(torch.empty(maps))

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        sums = 4 * nn.functional.avg_pool2d(maps, 2)
        return sums * self.weight[:, None, None] + self.bias[:, None, None]


class RBFOutput(nn.Module):
    """Radial basis functions: minus the squared Euclidean distance of F6 to the code of each digit, as logits.

    First built in notebooks/08_lenet5_1998.ipynb, «Ten codes for an answer». Nothing here is trained.
    """

    codes: torch.Tensor

    def __init__(self):
        super().__init__()
        self.register_buffer("codes", draw_digit_codes(), persistent=False)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return -(features[:, None, :] - self.codes).square().sum(dim=2)  # (N, 84) -> (N, 10)


class LeNet1998(nn.Module):
    """LeNet-5 as published: selective C3, trained subsampling, scaled tanh, and an answer by distance.

    First built in notebooks/08_lenet5_1998.ipynb, «The network». Input (N, 1, 32, 32) float32 from -0.1
    (background) to 1.175 (ink); 60,000 parameters. The logits it returns are the distances of F6 to the ten codes
    with a minus sign: the largest is the nearest code.

    Weights and biases start uniform between -1 / sqrt(F) and 1 / sqrt(F), where F is the number of inputs of their
    unit. The paper has 2.4 / F (appendix A), with which learning starts far more slowly here.

    Args:
        published_start: start with 2.4 / F. ``settings`` holds it, for checkpoints.
    """

    def __init__(self, published_start: bool = False):
        super().__init__()
        self.settings: dict[str, bool | str] = {"published_start": published_start}
        self.c1 = nn.Conv2d(1, 6, kernel_size=5)  # (N, 6, 28, 28)
        self.s2: nn.Module = TrainedSubsampling(6)  # (N, 6, 14, 14)
        self.c3: nn.Module = SelectiveConv2d(C3_TABLE, kernel_size=5)  # (N, 16, 10, 10)
        self.s4: nn.Module = TrainedSubsampling(16)  # (N, 16, 5, 5)
        self.c5 = nn.Conv2d(16, 120, kernel_size=5)  # (N, 120, 1, 1)
        self.f6 = nn.Linear(120, 84)
        self.squash: nn.Module = ScaledTanh()
        self.output: nn.Module = RBFOutput()

        def find_bound(inputs: list[int] | int) -> torch.Tensor:
            count = torch.tensor(inputs, dtype=torch.float32)
            return 2.4 / count if published_start else count**-0.5

        c3_bound = find_bound([25 * len(sources) for sources in C3_TABLE])  # (16,)
        _draw_uniform(self.c1, find_bound(25))
        _draw_uniform(self.s2, find_bound(4))
        _draw_uniform(self.c3, c3_bound, c3_bound[self.c3.targets, None, None])  # the same for all kernels of a map
        _draw_uniform(self.s4, find_bound(4))
        _draw_uniform(self.c5, find_bound(400))
        _draw_uniform(self.f6, find_bound(120))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        check_input(type(self).__name__, images, 32)
        return self.output(self.compute_features(images))

    def compute_features(self, images: torch.Tensor) -> torch.Tensor:
        """Return what F6 makes of the images: (N, 84), -1.7159 to 1.7159."""
        x = images
        for layer in (self.c1, self.s2, self.c3, self.s4, self.c5):
            x = self.squash(layer(x))
        return self.squash(self.f6(x.flatten(1)))


class LadderNet(LeNet1998):
    """LeNet-5 on a rung between 1998 and today; without arguments it is the network of 1998.

    First used in notebooks/08_lenet5_1998.ipynb, «From 1998 to today».

    Args:
        dense_c3: every map of C3 reads every map of S2.
        softmax: ten weighted sums instead of ten distances.
        pooling: "trained" subsampling, the "mean" of 2x2 pixels, or their "max".
        squash_pooled: squash what was pooled.
        relu: ReLU for the scaled tanh.
    """

    def __init__(
        self, dense_c3: bool = False, softmax: bool = False, pooling: str = "trained", squash_pooled: bool = True,
        relu: bool = False,
    ):  # fmt: skip
        super().__init__()
        self.settings = {
            "dense_c3": dense_c3, "softmax": softmax, "pooling": pooling, "squash_pooled": squash_pooled, "relu": relu
        }  # fmt: skip
        if dense_c3:
            self.c3 = nn.Conv2d(6, 16, kernel_size=5)
        if softmax:
            self.output = nn.Linear(84, 10)
        if relu:
            self.squash = nn.ReLU()
        if pooling != "trained":
            self.s2 = self.s4 = {"mean": nn.AvgPool2d, "max": nn.MaxPool2d}[pooling](2)
        self.squash_pooled = self.squash if squash_pooled else nn.Identity()

    def compute_features(self, images: torch.Tensor) -> torch.Tensor:
        x = self.squash_pooled(self.s2(self.squash(self.c1(images))))
        x = self.squash_pooled(self.s4(self.squash(self.c3(x))))
        x = self.squash(self.c5(x)).flatten(1)
        return self.squash(self.f6(x))


def _draw_uniform(layer, bound: torch.Tensor, weight_bound: torch.Tensor | None = None) -> None:
    """Draw a layer's weights and biases uniformly between minus and plus ``bound`` (weights: ``weight_bound``)."""
    with torch.no_grad():
        layer.weight.uniform_(-1, 1).mul_(bound if weight_bound is None else weight_bound)
        layer.bias.uniform_(-1, 1).mul_(bound)


def draw_digit_codes() -> torch.Tensor:
    """Return the codes of the ten digits: (10, 84) float32, +1 for ink and -1 for background."""
    return torch.tensor([[1.0 if c == "#" else -1.0 for c in code.replace("/", "")] for code in CODES])


def count_connections(layer: nn.Module, images: torch.Tensor) -> int:
    """Return the number of links into a layer's units, those from the bias included, as LeCun et al. (1998) count.

    A unit is linked to an input if it changes with it, so the derivatives of all units by all inputs are computed.

    Args:
        layer: a layer without a squashing function.
        images: (1, ...) float32, an input of the layer, without zeros.
    """
    derivatives = torch.func.jacrev(layer)(images)
    units = layer(images).numel()
    has_bias = getattr(layer, "bias", None) is not None
    return int((derivatives != 0).sum()) + (units if has_bias else 0)


def compute_loss_1998(
    logits: torch.Tensor, labels: torch.Tensor, rubbish_distance: float | None = None
) -> torch.Tensor:
    """Return the mean loss of 1998.

    Args:
        logits: (N, 10), distances to the ten codes with a minus sign, as ``LeNet1998`` returns them.
        labels: (N,) int64, 0 to 9.
        rubbish_distance: None for equation 8, the mean distance y to the code of the right digit; a positive j for
            equation 9, the mean of y_right + log(exp(-j) + sum over all digits i of exp(-y_i)).

    Returns:
        A scalar. Equation 9 is the cross-entropy with an eleventh class, whose distance is always j.
    """
    check_rubbish_distance(rubbish_distance)
    if rubbish_distance is None:
        return -logits.gather(1, labels[:, None]).mean()
    rubbish_logits = logits.new_full((len(logits), 1), -rubbish_distance)
    return nn.functional.cross_entropy(torch.cat([logits, rubbish_logits], dim=1), labels)


def check_rubbish_distance(rubbish_distance: float | None) -> None:
    """A ValueError unless it is None or positive."""
    if rubbish_distance is not None and rubbish_distance <= 0:
        raise ValueError(f"rubbish_distance, the j of equation 9, must be positive or None, not {rubbish_distance}.")
