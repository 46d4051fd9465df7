"""The recipes of the documents behind this course: which network, fed how, trained how, and what was published."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

import torch
from torch import nn

from lenet_utils.data import check_choice
from lenet_utils.lenet1998.network import LadderNet, LeNet1998, compute_loss_1998
from lenet_utils.models import MLP, LeNet5, LeNet5Selective, LeNet28, SigmoidConvNet, SimpleCNN
from lenet_utils.training import Loss


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that a training run depends on, but for its seed.

    Attributes:
        document: where it was published.
        model: the class of the network, and in ``settings`` its arguments.
        inputs: arguments of ``data.prepare_images``.
        batch_size: images per step.
        optimizer: its class, and in ``optimizer_settings`` its arguments.
        schedule: the factor of the learning rate in each epoch; none for a constant rate.
        published: the accuracy on the 10,000 test images in percent, if the document gives one.
        chosen: what the document leaves out and was chosen here, on a validation split.
        compute_loss: what is descended.
        save_weights: whether a study stores the trained networks.
    """

    document: str
    model: type[nn.Module]
    settings: dict = field(default_factory=dict)
    inputs: dict
    batch_size: int
    optimizer: type[torch.optim.Optimizer] = torch.optim.SGD
    optimizer_settings: dict = field(default_factory=dict)
    schedule: tuple[float, ...] = ()
    epochs: int
    published: float | None = None
    chosen: str = ""
    compute_loss: Loss = nn.functional.cross_entropy
    save_weights: bool = False

    def build_model(self) -> nn.Module:
        """Return the network with new random weights."""
        return self.model(**self.settings)

    def build_optimizer(self, model: nn.Module) -> torch.optim.Optimizer:
        """Return an optimiser that holds the parameters of ``model``."""
        build: Callable[..., torch.optim.Optimizer] = self.optimizer
        return build(model.parameters(), **self.optimizer_settings)


@dataclass(frozen=True, kw_only=True)
class Recipe1998(Recipe):
    """A recipe trained one digit a step by ``lenet1998.trainer.Trainer1998``, which takes the optimiser's place.

    Attributes:
        rates: the global learning rate of each pass.
        rubbish_distance: j of equation 9; None for equation 8.
        distorted: whether the digits are distorted anew before each pass.
        curved: whether each weight has its own step, by the curvature of the loss.
    """

    rates: tuple[float, ...]
    rubbish_distance: float | None
    distorted: bool
    curved: bool = True


SLIDES_PYTORCH = "slides Handwritten Digit Recognition on MNIST Data Using PyTorch"

# fmt: off
RECIPES: dict[str, Recipe] = {
    "mlp": Recipe(
        document=f"{SLIDES_PYTORCH}, architecture 1", published=97.4,
        model=MLP, inputs={"normalisation": "mnist"}, batch_size=64, epochs=15,
        optimizer=torch.optim.SGD, optimizer_settings={"lr": 0.03}, save_weights=True,
    ),
    "cnn3x3": Recipe(
        document=f"{SLIDES_PYTORCH}, architecture 2", published=98.7,
        model=SimpleCNN, settings={"kernel_size": 3, "channels": (16, 32), "hidden": 128, "dropout": 0.2},
        inputs={"normalisation": "mnist"}, batch_size=64, epochs=25,
        optimizer=torch.optim.SGD, optimizer_settings={"lr": 0.01},
        chosen="channels 16 and 32, 128 hidden units", save_weights=True,
    ),
    "cnn5x5": Recipe(
        document=f"{SLIDES_PYTORCH}, architecture 3", published=99.2,
        model=SimpleCNN, settings={"kernel_size": 5, "channels": (32, 64), "hidden": 512, "dropout": 0.5},
        inputs={"normalisation": "mnist"}, batch_size=100, epochs=15,
        optimizer=torch.optim.Adam, optimizer_settings={"lr": 0.0001, "fused": True},
        chosen="channels 32 and 64, 512 hidden units",
    ),
    "lenet5-adam": Recipe(
        document="slides MNIST Classifier", published=98.73,
        model=LeNet5, inputs={"normalisation": "mnist", "size": 32, "method": "resize"}, batch_size=32, epochs=15,
        optimizer=torch.optim.Adam, optimizer_settings={"lr": 0.0005, "fused": True},
        chosen="learning rate 0.0005, normalisation", save_weights=True,
    ),
    "lenet5-sgd": Recipe(
        document="LENET-5 report", published=98.80,
        model=LeNet5Selective, inputs={"normalisation": "mnist", "size": 32, "method": "pad"}, batch_size=32, epochs=15,
        optimizer=torch.optim.SGD, optimizer_settings={"lr": 0.01, "momentum": 0.9},
        chosen="batch 32, momentum 0.9, normalisation",
    ),
    "lenet-28": Recipe(
        document="LeNet study notes",
        model=LeNet28, inputs={"normalisation": "half"}, batch_size=128, epochs=16,
        optimizer=torch.optim.SGD, optimizer_settings={"lr": 0.01, "momentum": 0.9},
    ),
    "convnet-sigmoid": Recipe(
        document="CNN case study",
        model=SigmoidConvNet, inputs={"normalisation": "unit"}, batch_size=64, epochs=5,
        optimizer=torch.optim.Adam, optimizer_settings={"lr": 0.01, "fused": True},
    ),
}

# Documents taken at their word, where they leave something out that has a usual value.
AS_WRITTEN: dict[str, Recipe] = {
    "lenet5-adam-as-written": replace(
        RECIPES["lenet5-adam"], inputs={"normalisation": "unit", "size": 32, "method": "resize"},
        optimizer_settings={"lr": 0.001, "fused": True}, chosen="", save_weights=False,
    ),
    "lenet5-sgd-as-written": replace(
        RECIPES["lenet5-sgd"], optimizer_settings={"lr": 0.01}, chosen="batch 32, normalisation",
    ),
}

RUBBISH_DISTANCE = 20.0  # j of equation 9
MAX_RATE = 0.00005  # of 1998's schedule: with 0.0005 nothing is learnt here, and 0.0002 ends higher
SCHEDULE = ((0.0005, 2), (0.0002, 3), (0.0001, 3), (0.00005, 4), (0.00001, 8))  # rate, passes: as published

FALLING = (1.0,) * 12 + (0.2,) * 8  # 1998's schedule with that cap, as factors
ONE_RATE, BATCH_RATE = 0.0002, 0.008  # the best of groups G and H in trials_1998.csv

_1998 = Recipe1998(
    document="LeCun, Bottou, Bengio, Haffner 1998", published=99.05, save_weights=True,
    model=LeNet1998, inputs={"normalisation": "1998", "size": 32, "method": "pad"}, batch_size=1, epochs=20,
    rates=tuple(min(rate, MAX_RATE) for rate, passes in SCHEDULE for _ in range(passes)), distorted=False,
    compute_loss=partial(compute_loss_1998, rubbish_distance=RUBBISH_DISTANCE), rubbish_distance=RUBBISH_DISTANCE,
    chosen=f"no rate above {MAX_RATE}, first weights, j = {RUBBISH_DISTANCE:g}, how its curvature begins",
)
RECIPES_1998: dict[str, Recipe] = {
    "lenet5-1998": _1998,
    "lenet5-1998-eq8": replace(
        _1998, published=None, compute_loss=compute_loss_1998, rubbish_distance=None,
        chosen=f"no rate above {MAX_RATE}, first weights", save_weights=False,
    ),
    "lenet5-1998-distorted": replace(
        _1998, published=99.2, distorted=True, chosen=_1998.chosen + ", amounts of distortion", save_weights=False,
    ),
}

# From 1998 to today: each rung changes one thing of the rung before; the first follows on lenet5-1998.
_rung: Recipe = replace(
    _1998, document="from 1998 to today", published=None, save_weights=False, model=LadderNet,
    curved=False, rates=tuple(ONE_RATE * factor for factor in FALLING), chosen="learning rates",
)
_batches = Recipe(
    document="from 1998 to today", chosen="learning rates",
    model=LadderNet, inputs=_1998.inputs, batch_size=64, epochs=20, compute_loss=_1998.compute_loss,
    optimizer=torch.optim.SGD, optimizer_settings={"lr": BATCH_RATE}, schedule=FALLING,
)
# fmt: on
_changes: dict[str, dict] = {
    "rung-batches": {},
    "rung-adam": {"optimizer": torch.optim.Adam, "optimizer_settings": {"lr": 0.001, "fused": True}},
    "rung-dense-c3": {"settings": {"dense_c3": True}},
    "rung-softmax": {"settings": {"softmax": True}, "compute_loss": nn.functional.cross_entropy},
    "rung-mean": {"settings": {"pooling": "mean"}},
    "rung-unsquashed": {"settings": {"squash_pooled": False}},
    "rung-relu": {"settings": {"relu": True}},
    "rung-max": {"settings": {"pooling": "max"}},
    "rung-input": {"inputs": {"normalisation": "mnist", "size": 32, "method": "pad"}},
}
LADDER: dict[str, Recipe] = {"rung-one-rate": _rung}
_rung = _batches
for _name, _change in _changes.items():
    _settings = _rung.settings | _change.get("settings", {})
    LADDER[_name] = _rung = replace(_rung, **(_change | {"settings": _settings}))


def find_recipe(name: str) -> Recipe:
    """Return the recipe or rung of that name."""
    recipes = RECIPES | AS_WRITTEN | RECIPES_1998 | LADDER
    check_choice("recipe", name, recipes)
    return recipes[name]
