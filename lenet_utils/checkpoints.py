"""A trained model on disk and back, with everything that is needed to use it."""

import os
import pickle
import tempfile
import zipfile
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from lenet_utils.data import find_data_root
from lenet_utils.models import build_model

FORMAT = "lenet_utils checkpoint 1"


class Checkpoint(NamedTuple):
    """A model and how to feed it.

    Attributes:
        model: in evaluation mode.
        inputs: the arguments for ``prepare_images``, as in training: ``prepare_images(images, **inputs)``.
    """

    model: nn.Module
    inputs: dict


def find_checkpoint(name: str) -> Path:
    """Return the path of a checkpoint that comes with the course, such as ``lenet5.pt``."""
    return find_data_root() / "checkpoints" / name


def save_checkpoint(
    path: Path | str, model: nn.Module, inputs: dict, settings: dict | None = None
) -> None:
    """Write a model to ``path``: whole, or not at all.

    First used in notebooks/04_lenet5.ipynb, «Save and load».

    Args:
        path: the file to write, such as ``runs/lenet5.pt``; its folder is made where it is missing.
        model: a model of ``lenet_utils.models``.
        inputs: the arguments of ``prepare_images`` with which its images were made.
        settings: the arguments with which the model was built, where there were any.
    """
    path = Path(path)
    settings = settings or {}
    state = {name: value.cpu() for name, value in model.state_dict().items()}
    name = type(model).__name__
    build_model(name, **settings).load_state_dict(
        state
    )  # what cannot be loaded again is not written
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name + ".part-")
    try:
        with os.fdopen(handle, "wb") as file:
            torch.save(
                {
                    "format": FORMAT,
                    "model": name,
                    "settings": settings,
                    "inputs": dict(inputs),
                    "state": state,
                },
                file,
            )
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def load_checkpoint(path: Path | str, device: torch.device | str = "cpu") -> Checkpoint:
    """Read a model that :func:`save_checkpoint` wrote.

    Args:
        path: the file.
        device: where the model goes.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is truncated, is no checkpoint of this course, or holds weights that do not fit.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"there is no checkpoint {path.name} in {path.parent.name or 'this folder'}."
        )
    problem = f"{path.name} cannot be read as a checkpoint: it is truncated or of another kind."
    if not zipfile.is_zipfile(path):  # torch.save writes zip files
        raise ValueError(problem)
    try:
        content = torch.load(path, map_location=device, weights_only=True)
    except (pickle.UnpicklingError, RuntimeError) as error:
        raise ValueError(problem) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f"{path.name} was not written by save_checkpoint of this course.")
    model = build_model(content["model"], **content["settings"])
    try:
        model.load_state_dict(content["state"])
    except RuntimeError as error:
        raise ValueError(
            f"the weights in {path.name} do not fit the model {content['model']}."
        ) from error
    return Checkpoint(model.to(device).eval(), content["inputs"])
