"""The recipes of the documents behind this course: which network, fed how, trained how, and what was claimed."""

from dataclasses import dataclass, field, replace
from functools import partial

import torch
from torch import nn

from lenet_utils.lenet1998 import compute_loss
from lenet_utils.models import build_model
from lenet_utils.training import Loss

MARQUARDT = "Levenberg-Marquardt"  # of 1998: trains by lenet1998.Trainer1998
OPTIMIZERS = {"SGD": torch.optim.SGD, "Adam": torch.optim.Adam}


@dataclass(frozen=True)
class Recipe:
    """Everything that a training run depends on, but for its seed.

    Attributes:
        document: where it was published.
        model: a key of ``models.MODELS``.
        inputs: arguments of ``data.prepare_images``.
        batch_size: images per step.
        optimizer: a key of ``OPTIMIZERS``, or ``MARQUARDT``.
        optimizer_settings: its arguments; for ``MARQUARDT`` the rate of each pass, j of equation 9 or None for
            equation 8, and whether the digits are distorted anew before each pass.
        epochs: passes through the 60,000 training images.
        claimed: the published accuracy on the 10,000 test images in percent, if there is one.
        settings: arguments of the model, where it takes any.
        chosen: what the document does not say and was chosen here, on a validation split.
        compute_loss: what is descended.
    """

    document: str
    model: str
    inputs: dict
    batch_size: int
    optimizer: str
    optimizer_settings: dict
    epochs: int
    claimed: float | None
    settings: dict = field(default_factory=dict)
    chosen: str = ""
    compute_loss: Loss = nn.functional.cross_entropy

    def build_model(self) -> nn.Module:
        """Return the network with new random weights."""
        return build_model(self.model, **self.settings)

    def build_optimizer(self, model: nn.Module) -> torch.optim.Optimizer:
        """Return an optimiser that holds the parameters of ``model``; ``MARQUARDT`` has none."""
        return OPTIMIZERS[self.optimizer](model.parameters(), **self.optimizer_settings)


RUBBISH = 20.0  # j of equation 9
# Of 1998's schedule: with 0.0005 nothing is learnt here, and 0.0002 ends higher.
HIGHEST_RATE = 0.00005

SLIDES_PYTORCH = "slides Handwritten Digit Recognition on MNIST Data Using PyTorch"

RECIPES = {
    "mlp": Recipe(
        document=f"{SLIDES_PYTORCH}, architecture 1",
        model="MLP",
        inputs={"normalisation": "mnist"},
        batch_size=64,
        optimizer="SGD",
        optimizer_settings={"lr": 0.03},
        epochs=15,
        claimed=97.4,
    ),
    "cnn3x3": Recipe(
        document=f"{SLIDES_PYTORCH}, architecture 2",
        model="SimpleCNN",
        settings={"kernel_size": 3, "channels": (16, 32), "hidden": 128, "dropout": 0.2},
        inputs={"normalisation": "mnist"},
        batch_size=64,
        optimizer="SGD",
        optimizer_settings={"lr": 0.01},
        epochs=25,
        claimed=98.7,
        chosen="channels 16 and 32, 128 hidden units",
    ),
    "cnn5x5": Recipe(
        document=f"{SLIDES_PYTORCH}, architecture 3",
        model="SimpleCNN",
        settings={"kernel_size": 5, "channels": (32, 64), "hidden": 512, "dropout": 0.5},
        inputs={"normalisation": "mnist"},
        batch_size=100,
        optimizer="Adam",
        optimizer_settings={"lr": 0.0001, "fused": True},
        epochs=15,
        claimed=99.2,
        chosen="channels 32 and 64, 512 hidden units",
    ),
    "lenet5-adam": Recipe(
        document="slides MNIST Classifier",
        model="LeNet5",
        inputs={"normalisation": "mnist", "size": 32, "method": "resize"},
        batch_size=32,
        optimizer="Adam",
        optimizer_settings={"lr": 0.0005, "fused": True},
        epochs=15,
        claimed=98.73,
        chosen="learning rate 0.0005, normalisation",
    ),
    "lenet5-sgd": Recipe(
        document="LENET-5 report",
        model="LeNet5Selective",
        inputs={"normalisation": "mnist", "size": 32, "method": "pad"},
        batch_size=32,
        optimizer="SGD",
        optimizer_settings={"lr": 0.01, "momentum": 0.9},
        epochs=15,
        claimed=98.80,
        chosen="batch 32, momentum 0.9, normalisation",
    ),
    "lenet-28": Recipe(
        document="LeNet study notes",
        model="LeNet28",
        inputs={"normalisation": "half"},
        batch_size=128,
        optimizer="SGD",
        optimizer_settings={"lr": 0.01, "momentum": 0.9},
        epochs=16,
        claimed=None,
    ),
    "convnet-sigmoid": Recipe(
        document="CNN case study",
        model="SigmoidConvNet",
        inputs={"normalisation": "unit"},
        batch_size=64,
        optimizer="Adam",
        optimizer_settings={"lr": 0.01, "fused": True},
        epochs=5,
        claimed=None,
    ),
}


def _build_recipe_of_1998(rubbish: float | None, distorted: bool = False, claimed: float | None = None) -> Recipe:
    schedule = ((0.0005, 2), (0.0002, 3), (0.0001, 3), (0.00005, 4), (0.00001, 8))  # rate, passes
    rates = tuple(min(rate, HIGHEST_RATE) for rate, passes in schedule for _ in range(passes))
    return Recipe(
        document="LeCun, Bottou, Bengio, Haffner 1998",
        model="LeNet1998",
        inputs={"normalisation": "1998", "size": 32, "method": "pad"},
        batch_size=1,
        optimizer=MARQUARDT,
        optimizer_settings={"rates": rates, "rubbish": rubbish, "distorted": distorted},
        epochs=20,
        claimed=claimed,
        chosen=f"no rate above {HIGHEST_RATE}, first weights"
        + (f", j = {rubbish:g}, how its curvature begins" if rubbish else "")
        + (", amounts of distortion" if distorted else ""),
        compute_loss=partial(compute_loss, rubbish=rubbish),
    )


RECIPES_1998 = {
    "lenet5-1998": _build_recipe_of_1998(RUBBISH, claimed=99.05),
    "lenet5-1998-eq8": _build_recipe_of_1998(None),
    "lenet5-1998-distorted": _build_recipe_of_1998(RUBBISH, distorted=True, claimed=99.2),
}


def _build_ladder() -> dict[str, Recipe]:
    rung = Recipe(
        document="from 1998 to today",
        model="LadderNet",
        inputs={"normalisation": "1998", "size": 32, "method": "pad"},
        batch_size=64,
        optimizer="SGD",
        optimizer_settings={"lr": 0.01},
        epochs=6,
        claimed=None,
        chosen="learning rate",
        compute_loss=partial(compute_loss, rubbish=RUBBISH),
    )
    rungs = {"ladder-batches": rung}

    def climb(name: str, **change) -> None:
        nonlocal rung
        rung = rungs[name] = replace(rung, **change)

    climb("ladder-adam", optimizer="Adam", optimizer_settings={"lr": 0.001, "fused": True})
    climb("ladder-dense-c3", settings={"dense_c3": True})
    climb("ladder-softmax", settings=rung.settings | {"softmax": True}, compute_loss=nn.functional.cross_entropy)
    climb("ladder-pooling", settings=rung.settings | {"plain_pooling": True})
    climb("ladder-relu", settings=rung.settings | {"relu": True})
    climb("ladder-input", inputs={"normalisation": "mnist", "size": 32, "method": "pad"})
    return rungs


# Each rung takes one step from the rung before; the first follows on lenet5-1998.
LADDER = _build_ladder()


def find_recipe(name: str) -> Recipe:
    """Return the recipe or rung of that name, or raise a ValueError that names them all."""
    recipes = RECIPES | RECIPES_1998 | LADDER
    if name not in recipes:
        raise ValueError(f"unknown recipe {name!r}: choose one of {', '.join(recipes)}.")
    return recipes[name]
