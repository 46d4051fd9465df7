"""The drawing pad in a notebook: JupyterLab, VS Code, Colab. The answers come from the models in the kernel."""

import base64
from collections.abc import Mapping
from pathlib import Path

import anywidget
import matplotlib.pyplot as plt
import numpy as np
import torch
import traitlets
from torch import nn

from lenet_utils.data import IMAGE_SIZE
from lenet_utils.drawings import draw_strokes, to_mnist
from lenet_utils.figures import encode_figure
from lenet_utils.pad.reading import EXAMPLE, Reading, describe_network, plot_reading, read


class DrawingPad(anywidget.AnyWidget):
    """A pad to draw a digit on; the models read it at each stroke, and the reader may choose among them.

    What a notebook stores is a still picture of the digit that was on the pad when its cell was run: at first a 2.

    Args:
        models: by name, each with the arguments of ``prepare_images`` that it was trained with: what
            ``load_checkpoint`` returns.

    Attributes:
        reading: what was made of the last digit that was drawn: its ``image``, (28, 28) uint8, ``digit``, ``logits``.
    """

    _esm = Path(__file__).with_name("pad.js")
    _css = Path(__file__).with_name("pad.css")
    networks: traitlets.List = traitlets.List().tag(sync=True)
    example: traitlets.List = traitlets.List().tag(sync=True)

    def __init__(self, models: Mapping[str, tuple[nn.Module, dict]]):
        self.models = dict(models)
        networks = [describe_network(name, *model) for name, model in self.models.items()]
        self._thresholds = [network["threshold"] for network in networks]
        self.name = ""
        self.reading = self._read(0, to_mnist(draw_strokes(EXAMPLE)))
        super().__init__(networks=networks, example=EXAMPLE)
        self.on_msg(self._answer)

    def _read(self, number: int, image: torch.Tensor) -> Reading:
        self.name, (model, inputs) = list(self.models.items())[number]
        return read(model, inputs, image, self._thresholds[number])

    def _answer(self, _, question: dict, buffers: list) -> None:
        """Send what each step of the network that was asked makes of an image, in one row of numbers."""
        image = torch.from_numpy(np.frombuffer(buffers[0], np.uint8).reshape(IMAGE_SIZE, IMAGE_SIZE).copy())
        self.reading = self._read(question["network"], image)
        numbers = torch.cat([step.output.flatten() for step in self.reading.steps])
        self.send({"id": question["id"]}, [numbers.numpy().astype("<f4").tobytes()])

    def __repr__(self) -> str:
        return f"A drawing pad. {self.name}: {self.reading}."

    def _repr_mimebundle_(self, **options) -> tuple[dict, dict]:
        """The widget, where one can live, and the still picture elsewhere."""
        figure = plot_reading(self.reading, self.name)
        picture, metadata = encode_figure(figure)
        plt.close(figure)  # or the notebook would show it once more
        view, settings = super()._repr_mimebundle_(**options)  # type: ignore[misc]  # None is of widgets without a view
        return view | {"image/png": base64.b64encode(picture).decode()}, settings | {"image/png": metadata}
