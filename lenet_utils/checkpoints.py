"""A trained model on disk and back, with everything that is needed to use it."""

import io
import pickle
import zipfile
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from lenet_utils.files import find_data_root, write_atomically
from lenet_utils.lenet1998.network import LadderNet, LeNet1998
from lenet_utils.models import MLP, LeNet5, LeNet5Selective, LeNet28, SigmoidConvNet, SimpleCNN

FORMAT = "lenet_utils checkpoint 1"
MODELS: dict[str, type[nn.Module]] = {
    model.__name__: model
    for model in (MLP, SigmoidConvNet, SimpleCNN, LeNet5, LeNet5Selective, LeNet28, LeNet1998, LadderNet)
}


class Checkpoint(NamedTuple):
    """A model, in evaluation mode, and how to feed it: ``prepare_images(images, **inputs)``, as in training."""

    model: nn.Module
    inputs: dict


def find_checkpoint(name: str) -> Path:
    """Return the path of a checkpoint that comes with the course, such as ``lenet5.pt``."""
    return find_data_root() / "checkpoints" / name


def save_checkpoint(path: Path | str, model: nn.Module, inputs: dict) -> None:
    """Write a model to ``path``: whole, or not at all.

    First built in notebooks/04_lenet5.ipynb, «Save and load».

    Args:
        path: such as ``runs/lenet5.pt``; the folder is made where it is missing.
        model: one of ``MODELS``, with the layers that it was built with.
        inputs: the arguments of ``prepare_images`` with which its images were made.
    """
    name = type(model).__name__
    if type(model) is not MODELS.get(name):
        raise ValueError(f"a {name} cannot be loaded again: only the course's own models can, {', '.join(MODELS)}.")
    content = {
        "format": FORMAT,
        "model": name,
        "settings": getattr(model, "settings", {}),
        "inputs": dict(inputs),
        "state": {name: value.cpu() for name, value in model.state_dict().items()},
    }
    save_atomically(path, content)


def load_checkpoint(path: Path | str, device: torch.device | str = "cpu") -> Checkpoint:
    """Read a model that :func:`save_checkpoint` wrote, onto ``device``.

    A file that is truncated, is no checkpoint of this course, or holds weights that do not fit is a ValueError.
    """
    content = load_verified(path, FORMAT, "checkpoint")
    try:
        model = MODELS[content["model"]](**content["settings"])
        model.load_state_dict(content["state"])
        return Checkpoint(model.to(device).eval(), content["inputs"])
    except (KeyError, RuntimeError, TypeError) as error:
        raise ValueError(
            f"{Path(path).name} is incomplete, or its weights do not fit the model {content.get('model')} "
            f"with the settings {content.get('settings')}."
        ) from error


def save_atomically(path: Path | str, content: dict) -> None:
    """Write what ``torch.save`` can write, whole or not at all; the folder is made where it is missing."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    write_atomically(Path(path), buffer.getvalue())


def load_verified(path: Path | str, file_format: str, kind: str) -> dict:
    """Read what :func:`save_atomically` wrote, onto the CPU and without running any code from the file.

    Its "format" must be ``file_format``; ``kind`` is what messages call such a file.
    """
    path = Path(path)
    try:  # torch.save writes zip files: reading their members checks the checksums, which torch.load does not
        with zipfile.ZipFile(path) as file:
            for name in file.namelist():
                file.read(name)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (zipfile.BadZipFile, pickle.UnpicklingError, RuntimeError) as error:
        raise ValueError(f"{path.name} cannot be read as a {kind}: it is truncated or of another kind.") from error
    if not isinstance(content, dict) or content.get("format") != file_format:
        raise ValueError(f"{path.name} is no {kind} of this course, or one of an older version.")
    return content
