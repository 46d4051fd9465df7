"""MNIST: the files on disk, the images as tensors, the batches.

Throughout: N images, C channels, H rows, W columns, K = 10 classes.
"""

import gzip
import hashlib
import tempfile
from collections.abc import Collection
from pathlib import Path

import numpy as np
import torch
from sklearn.model_selection import train_test_split
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, SequentialSampler, TensorDataset
from torchvision.datasets import MNIST
from torchvision.datasets.utils import download_url
from torchvision.transforms.functional import resize

from lenet_utils.files import find_data_root, shorten, write_atomically

NUM_CLASSES = 10
IMAGE_SIZE = 28  # rows and columns of an MNIST image

# Each name: (mean, standard deviation) of x -> (x / 255 - mean) / standard deviation, x a grey value 0..255.
NORMALISATIONS = {
    "unit": (0.0, 1.0),  # grey values from 0 to 1
    "half": (0.5, 0.5),  # from -1 to 1
    "mnist": (0.1307, 0.3081),  # mean 0 and standard deviation 1 over the training set
    "1998": (0.1 / 1.275, 1 / 1.275),  # from -0.1 to 1.175
}

# The unpacked files' md5. torchvision knows those of the .gz files (MNIST.resources), not these.
UNPACKED_MD5 = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}


def prepare_files(root: Path | str | None = None) -> None:
    """Verify the four MNIST files in ``root/MNIST/raw`` and unpack them; ``root`` is the course's ``data`` by default.

    A missing file is downloaded from torchvision's mirrors. Existing files are never overwritten: an altered or
    truncated one is a ValueError. New files are renamed into place when they are whole, so that two processes may do
    this at once.
    """
    raw = Path(root or find_data_root()) / "MNIST" / "raw"
    for packed_name, packed_md5 in MNIST.resources:
        packed = raw / packed_name
        unpacked = packed.with_suffix("")
        if packed.exists():
            _check_md5(packed, packed_md5, f"Delete it and it will be downloaded again, or {_restore(packed)}.")
        if unpacked.exists():
            _check_md5(unpacked, UNPACKED_MD5[unpacked.name], "Delete it and it will be unpacked again.")
            continue
        if not packed.exists():
            _download(packed, packed_md5)
        write_atomically(unpacked, gzip.decompress(packed.read_bytes()))


def load_mnist(train: bool, transform=None, root: Path | str | None = None) -> MNIST:
    """Return torchvision's MNIST, the 60,000 training or the 10,000 test images, from files that are verified first.

    ``transform`` is torchvision's, applied to each PIL image when it is asked for; ``root`` as for
    :func:`prepare_files`.
    """
    root = Path(root or find_data_root())
    prepare_files(root)
    return MNIST(root, train=train, transform=transform, download=True)


def prepare_images(
    images: torch.Tensor, normalisation: str = "mnist", size: int = 28, method: str = "pad"
) -> torch.Tensor:
    """Turn grey values into the numbers a network reads: (N, 1, size, size) float32.

    Built step by step in notebooks/01_dataset_exploration.ipynb, «From 28 to 32: pad or resize?».

    Args:
        images: (N, 28, 28) uint8, 0 (background) to 255 (ink).
        normalisation: a key of ``NORMALISATIONS``.
        size: rows and columns of the result, 28 or more.
        method: how to get there: "pad" adds a border of background, "resize" stretches the image (bilinear,
            as ``torchvision.transforms.Resize`` does).
    """
    images = torch.as_tensor(images)
    check_raw_images(images)
    check_choice("normalisation", normalisation, NORMALISATIONS)
    check_choice("method", method, ("pad", "resize"))
    border, odd = divmod(size - IMAGE_SIZE, 2)
    if border < 0 or (odd and method == "pad"):
        raise ValueError(f"size must be 28 or more, and even when padding, not {size}.")
    mean, std = NORMALISATIONS[normalisation]
    images = images.unsqueeze(1)  # (N, 1, 28, 28)
    if size != IMAGE_SIZE and method == "pad":
        images = torch.nn.functional.pad(images, [border] * 4)
    elif size != IMAGE_SIZE:
        parts = images.split(5_000)  # resizing takes many times the memory of its images
        images = torch.cat([resize(part, [size, size], antialias=True) for part in parts])
    return images.to(torch.float32).div_(255).sub_(mean).div_(std)


def make_loader(
    images: torch.Tensor, labels: torch.Tensor, batch_size: int, shuffle: bool, seed: int | None = None
) -> DataLoader:
    """Return a DataLoader of (images (B, C, H, W), labels (B,)) that cuts whole batches out of tensors in memory.

    Set beside a plain DataLoader in notebooks/02_mlp_baseline.ipynb, «Batches».

    Args:
        images: (N, C, H, W) float32, as :func:`prepare_images` returns them.
        labels: (N,) int64, 0 to 9.
        batch_size: images per batch; the last batch may be smaller.
        shuffle: a new random order each epoch if true; true for training, false for scoring.
        seed: makes the orders repeatable; without it they follow torch's global random state.
    """
    if images.ndim != 4 or not images.is_floating_point() or len(images) == 0:
        raise ValueError(
            f"images must be floating-point of shape (N, C, H, W) with N of 1 or more, not {describe(images)}: "
            f"call prepare_images."
        )
    check_labels(labels, len(images))
    dataset = TensorDataset(images, labels)
    generator = None if seed is None else torch.Generator().manual_seed(seed)
    order = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
    return DataLoader(dataset, sampler=BatchSampler(order, batch_size, drop_last=False), batch_size=None)


def split_train_validation(
    labels: torch.Tensor, validation_size: int = 5_000, seed: int = 0
) -> tuple[torch.Tensor, torch.Tensor]:
    """Split the training set in two, with every digit's share the same in both (stratified).

    Returns the indices of the training part (N - validation_size,) and of the validation part (validation_size,),
    int64, sorted, without an overlap; each part has 10 or more. ``labels`` are (N,) int64, 0 to 9.
    """
    check_labels(labels, len(labels))
    train, validation = train_test_split(
        np.arange(len(labels)), test_size=validation_size, random_state=seed, stratify=labels.numpy()
    )
    return torch.from_numpy(train).sort().values, torch.from_numpy(validation).sort().values


def check_raw_images(images: torch.Tensor) -> None:
    """A ValueError unless ``images`` are (N, 28, 28) uint8, one or more."""
    if images.dtype != torch.uint8 or images.shape[1:] != (IMAGE_SIZE, IMAGE_SIZE) or len(images) == 0:
        raise ValueError(
            f"images must be uint8 of shape (N, 28, 28) with N of 1 or more, not {describe(images)}. "
            f"A dataset's raw images are in its attribute 'data'."
        )


def check_labels(labels: torch.Tensor, count: int, name: str = "labels") -> None:
    """A ValueError unless ``labels``, called ``name`` in the message, are (count,) int64 with values 0 to 9."""
    if labels.dtype != torch.int64 or labels.shape != (count,) or count == 0:
        shape = f"({count},), one per image" if count else "(N,) with N of 1 or more"
        raise ValueError(f"{name} must be int64 of shape {shape}, not {describe(labels)}.")
    if wrong := labels[(labels < 0) | (labels >= NUM_CLASSES)].tolist():
        raise ValueError(f"{name} must lie between 0 and 9, but one of them is {wrong[0]}.")


def check_choice(kind: str, name: str, choices: Collection[str]) -> None:
    """A ValueError, which names them all, unless ``name`` is one of ``choices``."""
    if name not in choices:
        raise ValueError(f"unknown {kind} {name!r}: choose one of {', '.join(choices)}.")


def describe(array: torch.Tensor | np.ndarray) -> str:
    """Type and shape in words, such as "float32 of shape (5, 28, 28)"."""
    return f"{str(array.dtype).removeprefix('torch.')} of shape {tuple(array.shape)}"


def _check_md5(file: Path, md5: str, advice: str) -> None:
    if hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest() != md5:
        raise ValueError(f"{shorten(file)} is altered or truncated: it is not MNIST's (its md5 differs). {advice}")


def _restore(packed: Path) -> str:
    return f"get it back with 'git checkout -- {shorten(packed)}'"


def _download(packed: Path, md5: str) -> None:
    errors = []
    with tempfile.TemporaryDirectory() as folder:
        for mirror in MNIST.mirrors:
            try:
                download_url(mirror + packed.name, folder, packed.name, md5)
                break
            except (OSError, RuntimeError) as error:  # unreachable, or not the original file
                errors.append(f"{mirror}: {error}")
        else:
            raise OSError(
                f"{shorten(packed)} is missing and could not be downloaded ({'; '.join(errors)}). Connect to "
                f"the internet and try again, or {_restore(packed)}."
            )
        write_atomically(packed, (Path(folder) / packed.name).read_bytes())
