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
    """A model and how to feed it.

    Attributes:
        model: in evaluation mode.
        inputs: the arguments for ``prepare_images``, as in training: ``prepare_images(images, **inputs)``.
    """

    model: nn.Module
    inputs: dict


def build_model(name: str, **settings) -> nn.Module:
    """Return a new model with random weights.

    Args:
        name: a key of ``MODELS``, which is the name of the class.
        settings: the class's arguments, where it takes any.

    Raises:
        ValueError: an unknown name.
    """
    if name not in MODELS:
        raise ValueError(f"unknown model {name!r}: choose one of {sorted(MODELS)}.")
    return MODELS[name](**settings)


def find_checkpoint(name: str) -> Path:
    """Return the path of a checkpoint that comes with the course, such as ``lenet5.pt``."""
    return find_data_root() / "checkpoints" / name


def save_checkpoint(path: Path | str, model: nn.Module, inputs: dict, settings: dict | None = None) -> None:
    """Write a model to ``path``: whole, or not at all.

    First used in notebooks/04_lenet5.ipynb, «Save and load».

    Args:
        path: the file to write, such as ``runs/lenet5.pt``; its folder is made where it is missing.
        model: a model of ``lenet_utils.models``.
        inputs: the arguments of ``prepare_images`` with which its images were made.
        settings: the arguments with which the model was built, where there were any.
    """
    content = {
        "format": FORMAT,
        "model": type(model).__name__,
        "settings": settings or {},
        "inputs": dict(inputs),
        "state": {name: value.cpu() for name, value in model.state_dict().items()},
    }
    with torch.random.fork_rng(devices=[]):  # building a model draws random numbers
        built = _build(content, Path(path).name)  # what cannot be loaded again is not written
    if repr(built) != repr(model):
        raise ValueError(
            f"the model was not built with the settings {settings or {}}: a checkpoint needs all of its arguments."
        )
    save_atomically(path, content)


def load_checkpoint(path: Path | str, device: torch.device | str = "cpu") -> Checkpoint:
    """Read a model that :func:`save_checkpoint` wrote.

    Args:
        path: the file.
        device: where the model goes.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is truncated, is no checkpoint of this course, or holds weights that do not fit.
    """
    content = load_verified(path, FORMAT, "checkpoint")
    return Checkpoint(_build(content, Path(path).name).to(device).eval(), content["inputs"])


def save_atomically(path: Path | str, content: dict) -> None:
    """Write what ``torch.save`` can write, whole or not at all; the folder is made where it is missing."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    write_atomically(Path(path), buffer.getvalue())


def load_verified(path: Path | str, file_format: str, kind: str) -> dict:
    """Read what :func:`save_atomically` wrote, onto the CPU and without running any code from the file.

    Args:
        path: the file.
        file_format: the value of "format" that the file must have.
        kind: what to call such a file in a message.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is truncated or of another kind.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no {kind} {path}.")
    problem = f"{path.name} cannot be read as a {kind}: it is truncated or of another kind."
    try:  # torch.save writes zip files, whose checksums torch.load does not look at
        with zipfile.ZipFile(path) as file:
            if file.testzip() is not None:
                raise ValueError(problem)
    except zipfile.BadZipFile as error:
        raise ValueError(problem) from error
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError) as error:
        raise ValueError(problem) from error
    if not isinstance(content, dict) or content.get("format") != file_format:
        raise ValueError(f"{path.name} is no {kind} of this course, or one of an older version.")
    return content


def _build(content: dict, name: str) -> nn.Module:
    """The model of a checkpoint's content, with its weights."""
    if missing := {"model", "settings", "inputs", "state"} - content.keys():
        raise ValueError(f"{name} is no whole checkpoint: it lacks {', '.join(sorted(missing))}.")
    try:
        model = build_model(content["model"], **content["settings"])
        model.load_state_dict(content["state"])
    except (RuntimeError, TypeError) as error:
        raise ValueError(
            f"the weights in {name} do not fit the model {content['model']} with the settings {content['settings']}."
        ) from error
    return model
