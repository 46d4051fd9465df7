"""The networks of the course. Each takes images and returns logits, one per class: (N, C, H, W) -> (N, 10).

Logits are real numbers, the largest for the digit the network favours; softmax turns them into probabilities.
"""

import torch
import torch.fx
from torch import nn

from lenet_utils.data import describe

# Which of the six maps of S2 feed each of the sixteen maps of C3 (LeCun et al. 1998, table I).
C3_TABLE = (
    (0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5),
    (0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5),
    (0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5), (0, 1, 2, 3, 4, 5),
)  # fmt: skip


class MLP(nn.Module):
    """A multilayer perceptron: 784 pixels, hidden layers of 128 and 64 with ReLU, 10 logits.

    First built in notebooks/02_mlp_baseline.ipynb, «The network».
    Input (N, 1, 28, 28) float32; 109,386 parameters.
    """

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(784, 128), nn.ReLU(),
            nn.Linear(128, 64), nn.ReLU(),
            nn.Linear(64, 10),
        )  # fmt: skip

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        check_input(type(self).__name__, images, 28)
        return self.layers(images.flatten(1))


class SigmoidConvNet(nn.Module):
    """The CNN case study's network: two 3x3 convolutions (3 and 6 maps) with sigmoid, one linear layer.

    First built in notebooks/03_simple_cnn.ipynb, «The case study's network».
    Input (N, 1, 28, 28) float32; 34,768 parameters.
    """

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 3, kernel_size=3)
        self.conv2 = nn.Conv2d(3, 6, kernel_size=3)
        self.linear = nn.Linear(3456, 10)  # 6 maps of 24x24

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        check_input(type(self).__name__, images, 28)
        x = torch.sigmoid(self.conv1(images))
        x = torch.sigmoid(self.conv2(x))
        return self.linear(x.flatten(1))


class SimpleCNN(nn.Module):
    """Two convolutions with ReLU, each followed by 2x2 max-pooling; two linear layers; dropout before each.

    First built in notebooks/03_simple_cnn.ipynb, «A network with pooling and dropout».
    Input (N, 1, 28, 28) float32. ``settings`` holds the arguments, for checkpoints.

    Args:
        channels: maps of the first and the second convolution.
        hidden: units of the first linear layer.
        dropout: share of units set to zero while training, 0 to 1 (0.2 is 20 %).
    """

    def __init__(
        self, kernel_size: int = 3, channels: tuple[int, int] = (16, 32), hidden: int = 128, dropout: float = 0.2
    ):
        super().__init__()
        self.settings = {"kernel_size": kernel_size, "channels": channels, "hidden": hidden, "dropout": dropout}
        pooled = compute_output_size(28, kernel_size) // 2
        size = compute_output_size(pooled, kernel_size) // 2  # rows and columns after the second pooling
        self.features = nn.Sequential(
            nn.Conv2d(1, channels[0], kernel_size), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(channels[0], channels[1], kernel_size), nn.ReLU(), nn.MaxPool2d(2),
        )  # fmt: skip
        self.classifier = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(channels[1] * size * size, hidden), nn.ReLU(),
            nn.Dropout(dropout), nn.Linear(hidden, 10),
        )  # fmt: skip

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        check_input(type(self).__name__, images, 28)
        return self.classifier(self.features(images).flatten(1))


class LeNet5(nn.Module):
    """LeNet-5 as it is usually built today: tanh, average pooling, every map of S2 feeding every map of C3.

    First built in notebooks/04_lenet5.ipynb, «The network». The layers carry the names of LeCun et al. 1998.
    Input (N, 1, 32, 32) float32; 61,706 parameters.
    """

    input_size = 32

    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(1, 6, kernel_size=5)  # (N, 6, 28, 28)
        self.c1_tanh = nn.Tanh()
        self.s2 = nn.AvgPool2d(kernel_size=2, stride=2)  # (N, 6, 14, 14)
        self.c3 = nn.Conv2d(6, 16, kernel_size=5)  # (N, 16, 10, 10)
        self.c3_tanh = nn.Tanh()
        self.s4 = nn.AvgPool2d(kernel_size=2, stride=2)  # (N, 16, 5, 5)
        self.c5 = nn.Conv2d(16, 120, kernel_size=5)  # (N, 120, 1, 1)
        self.c5_tanh = nn.Tanh()
        self.f6 = nn.Linear(120, 84)
        self.f6_tanh = nn.Tanh()
        self.output = nn.Linear(84, 10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        check_input(type(self).__name__, images, self.input_size)
        x = self.s2(self.c1_tanh(self.c1(images)))
        x = self.s4(self.c3_tanh(self.c3(x)))
        x = self.c5_tanh(self.c5(x)).flatten(1)  # (N, 120)
        x = self.f6_tanh(self.f6(x))
        return self.output(x)


class SelectiveConv2d(nn.Module):
    """A convolution in which each output map reads only some of the input maps.

    First used in notebooks/04_lenet5.ipynb, «Who feeds whom: C3». Only the kernels that exist are parameters;
    ``table`` tells for each output map the input maps it reads, such as ``C3_TABLE``.
    """

    targets: torch.Tensor  # of each kernel: the map it writes to
    sources: torch.Tensor  # and the map it reads

    def __init__(self, table: tuple[tuple[int, ...], ...], kernel_size: int):
        super().__init__()
        pairs = [(target, source) for target, sources in enumerate(table) for source in sources]
        targets, sources = torch.tensor(pairs).T
        self.register_buffer("targets", targets, persistent=False)
        self.register_buffer("sources", sources, persistent=False)
        dense = nn.Conv2d(int(sources.max()) + 1, len(table), kernel_size)  # for its initial values and its shape
        self.dense_shape = dense.weight.shape
        self.weight = nn.Parameter(dense.weight.detach()[targets, sources])  # (kernels, size, size)
        self.bias = dense.bias

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        dense = self.weight.new_zeros(self.dense_shape)
        dense[self.targets, self.sources] = self.weight  # absent kernels stay zero
        return nn.functional.conv2d(images, dense, self.bias)


class LeNet5Selective(LeNet5):
    """LeNet5 with the selective C3 of 1998: 60 of the 96 kernels.

    First used in notebooks/04_lenet5.ipynb, «Who feeds whom: C3». Input (N, 1, 32, 32) float32; 60,806 parameters.
    """

    def __init__(self):
        super().__init__()
        self.c3 = SelectiveConv2d(C3_TABLE, kernel_size=5)


class LeNet28(LeNet5):
    """LeNet5 on images of 28x28: S4 has 16 maps of 4x4, so C5 reads 256 features instead of 400.

    First used in notebooks/04_lenet5.ipynb, «Without the border: 28x28». Input (N, 1, 28, 28) float32;
    44,426 parameters.
    """

    input_size = 28

    def __init__(self):
        super().__init__()
        self.c5 = nn.Conv2d(16, 120, kernel_size=4)


def count_parameters(model: nn.Module) -> int:
    """Return the number of trainable parameters."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def compute_output_size(size: int, kernel_size: int, padding: int = 0, stride: int = 1) -> int:
    """Return the rows (or columns) that a convolution or pooling makes of ``size``: (n + 2p - f) / s + 1, rounded down.

    First built in notebooks/03_simple_cnn.ipynb, «How large is the result?».
    """
    if not 1 <= kernel_size <= size + 2 * padding or size < 1 or padding < 0 or stride < 1:
        raise ValueError(
            f"a kernel of {kernel_size} does not fit into {size} with a padding of {padding} and a stride of {stride}."
        )
    return (size + 2 * padding - kernel_size) // stride + 1


@torch.fx.wrap  # one step when torchvision's create_feature_extractor traces a model
def check_input(model_name: str, images: torch.Tensor, size: int) -> None:
    """A ValueError unless ``images`` are (N, 1, size, size) floating-point."""
    if images.ndim != 4 or images.shape[1:] != (1, size, size) or not images.is_floating_point():
        raise ValueError(
            f"{model_name} reads floating-point images of shape (N, 1, {size}, {size}), not {describe(images)}: "
            f"call prepare_images with size={size}."
        )
