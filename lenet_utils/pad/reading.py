"""What a network makes of a digit, stage by stage; whether it is sure; and the network itself as data for a browser."""

import base64
from pathlib import Path
from typing import NamedTuple

import torch
from matplotlib.figure import Figure
from torch import nn

from lenet_utils.data import IMAGE_SIZE, NORMALISATIONS, load_mnist, prepare_images, split_train_validation
from lenet_utils.drawings import to_mnist
from lenet_utils.evaluation import predict_logits
from lenet_utils.images import read_digit
from lenet_utils.lenet1998.network import RBFOutput, ScaledTanh, TrainedSubsampling
from lenet_utils.models import SelectiveConv2d
from lenet_utils.pictures import plot_journey
from lenet_utils.plotting import say_percent

REFUSED = 0.02  # the share of validation digits of which a network may be "not sure"
# A 2, which stands on the pad until somebody draws: strokes of points (x, y), 0 to 1, y down.
EXAMPLE = [
    [(0.3, 0.32), (0.31, 0.29), (0.32, 0.25), (0.34, 0.22), (0.37, 0.2), (0.4, 0.17), (0.43, 0.16), (0.46, 0.15),
     (0.5, 0.15), (0.53, 0.15), (0.56, 0.16), (0.59, 0.17), (0.62, 0.19), (0.64, 0.22), (0.66, 0.25), (0.67, 0.28),
     (0.67, 0.31), (0.66, 0.35), (0.65, 0.39), (0.63, 0.43), (0.61, 0.48), (0.58, 0.52), (0.55, 0.57), (0.51, 0.62),
     (0.47, 0.66), (0.43, 0.7), (0.39, 0.74), (0.36, 0.77), (0.33, 0.8), (0.31, 0.82), (0.28, 0.84), (0.32, 0.84),
     (0.36, 0.83), (0.4, 0.83), (0.45, 0.83), (0.51, 0.84), (0.56, 0.84), (0.61, 0.84), (0.67, 0.83), (0.72, 0.83)],
]  # fmt: skip
LAYERS: dict[type[nn.Module], str] = {  # as pad.js calls them
    nn.Conv2d: "convolution", SelectiveConv2d: "convolution", nn.Linear: "linear",
    nn.AvgPool2d: "mean", nn.MaxPool2d: "max", TrainedSubsampling: "sum", RBFOutput: "distance",
}  # fmt: skip
SQUASHES: dict[type[nn.Module], str] = {
    nn.Tanh: "tanh", nn.ReLU: "relu", nn.Sigmoid: "sigmoid", ScaledTanh: "scaled tanh"
}  # fmt: skip


class Step(NamedTuple):
    """A layer, the squashing function behind it (or none), and what came out for the first image."""

    name: str
    layer: nn.Module
    squash: str
    output: torch.Tensor  # (M, h, w) or (K,) float32


class Reading(NamedTuple):
    """What a network made of a digit: (28, 28) uint8."""

    image: torch.Tensor
    steps: list[Step]
    score: float  # the largest probability; or minus the smallest distance
    threshold: float  # with a smaller score the network is not sure

    @property
    def logits(self) -> torch.Tensor:
        """(10,) float32; from a network of 1998, the distances to the ten codes with a minus sign."""
        return self.steps[-1].output

    @property
    def digit(self) -> int | None:
        """0 to 9, or None where the network is not sure."""
        return int(self.logits.argmax()) if self.score >= self.threshold else None

    def __str__(self) -> str:
        best, by_distance = int(self.logits.argmax()), isinstance(self.steps[-1].layer, RBFOutput)
        how_sure = f"distance {-self.score:.1f}" if by_distance else say_percent(self.score)
        if self.digit is not None:
            return f"a {best} ({how_sure})"
        return f"{'no digit, the nearest is' if by_distance else 'not sure, perhaps'} a {best} ({how_sure})"


def read(model: nn.Module, inputs: dict, image: torch.Tensor, threshold: float) -> Reading:
    """Return what a model makes of a digit, (28, 28) uint8; ``inputs`` and ``threshold`` belong to the model.

    The steps are the model's own modules, as they are called; what its ``forward`` does beside them is not among them.
    """
    names = {layer: name for name, layer in model.named_modules()}
    called: list[tuple[nn.Module, torch.Tensor]] = []
    hooks = [
        layer.register_forward_hook(lambda layer, _, output: called.append((layer, output[0].cpu())))
        for layer in names
        if type(layer) in LAYERS or type(layer) in SQUASHES
    ]
    try:
        logits = predict_logits(model, prepare_images(image[None], **inputs))
    finally:
        for hook in hooks:
            hook.remove()
    steps: list[Step] = []
    for layer, output in called:
        if type(layer) in SQUASHES:
            steps[-1] = steps[-1]._replace(squash=SQUASHES[type(layer)], output=output.view_as(steps[-1].output))
        else:
            output = output.flatten() if output.shape[-1] == 1 else output  # C5: 120 maps of one unit
            steps.append(Step(_name_step(names[layer], layer, steps), layer, "", output))
    steps = [
        step._replace(output=step.output.flatten() if step.output.shape[-1] == 1 else step.output) for step in steps
    ]
    steps[-1] = steps[-1]._replace(name="output")
    return Reading(image, steps, float(compute_scores(model, logits)), threshold)


def _name_step(name: str, layer: nn.Module, steps: list[Step]) -> str:
    """C1 of ``c1``, as in LeNet-5; otherwise the kind of layer and its number."""
    if len(name) == 2 and name.upper() not in [step.name for step in steps]:
        return name.upper()
    kind = LAYERS[type(layer)]
    return f"{kind} {1 + sum(LAYERS[type(step.layer)] == kind for step in steps)}"


def compute_scores(model: nn.Module, logits: torch.Tensor) -> torch.Tensor:
    """How sure a model is, (N,): the largest softmax, or minus the distance to the nearest of the codes of 1998."""
    by_distance = any(isinstance(layer, RBFOutput) for layer in model.modules())
    return (logits if by_distance else logits.softmax(dim=1)).max(dim=1).values


def choose_threshold(model: nn.Module, inputs: dict) -> float:
    """Return the score below which a model shall say "not sure": at most 2 % of the validation digits are below it."""
    train_set = load_mnist(train=True)
    _, validation = split_train_validation(train_set.targets)
    scores = compute_scores(model, predict_logits(model, prepare_images(train_set.data[validation], **inputs)))
    return float(scores.sort().values[int(REFUSED * len(scores))])


def show_reading(picture, model: nn.Module, inputs: dict) -> Figure:
    """Draw what a model makes of a picture, as the pad does: its way through the network, and the answer.

    ``picture`` is the path of an image file, a drawing (H, W) from 0, paper, to 1, ink, or a digit (28, 28) uint8.
    """
    if isinstance(picture, (str, Path)):
        picture = read_digit(picture)
    image = picture if getattr(picture, "dtype", None) == torch.uint8 else to_mnist(picture)
    return plot_reading(read(model, inputs, image, choose_threshold(model, inputs)), type(model).__name__)


def plot_reading(reading: Reading, name: str) -> Figure:
    """Draw a reading; what leaves -1 to 1 has the strongest colours."""
    stages = {step.name: step.output for step in reading.steps[:-1]}
    return plot_journey(reading.image, stages, reading.logits, title=f"{name}: {reading}")


def describe_network(name: str, model: nn.Module, inputs: dict) -> dict:
    """Return a model as data for pad.js: what it reads, its steps with their float32 weights, and when it is sure.

    A model that cannot read MNIST's digits, or whose inputs do not fit, is a ValueError of the model's own.
    """
    blank = torch.zeros(IMAGE_SIZE, IMAGE_SIZE, dtype=torch.uint8)
    mean, std = NORMALISATIONS[inputs.get("normalisation", "mnist")]
    steps = [
        {
            "name": step.name,
            "kind": LAYERS[type(step.layer)],
            "squash": step.squash,
            "shape": list(step.output.shape),
            "weight": _encode(find_weight(step.layer)),
            "bias": _encode(getattr(step.layer, "bias", None)),
        }
        for step in read(model, inputs, blank, 0.0).steps
    ]
    return {
        "name": name, "steps": steps, "threshold": choose_threshold(model, inputs), "mean": mean, "std": std,
        "size": inputs.get("size", IMAGE_SIZE), "method": inputs.get("method", "pad"),
    }  # fmt: skip


def find_weight(layer: nn.Module) -> torch.Tensor | None:
    """The weights of a layer with zeros where maps are not connected; the codes of 1998; None of a plain pooling."""
    if isinstance(layer, SelectiveConv2d):
        dense = torch.zeros(layer.dense_shape)
        dense[layer.targets, layer.sources] = layer.weight.detach().cpu()
        return dense
    return layer.codes if isinstance(layer, RBFOutput) else getattr(layer, "weight", None)


def _encode(values: torch.Tensor | None) -> dict | None:
    if values is None:
        return None
    numbers = values.detach().cpu().numpy().astype("<f4")
    return {"shape": list(numbers.shape), "base64": base64.b64encode(numbers.tobytes()).decode()}
