"""The files, the numbers made of them, and the batches."""

import gzip
import os
import shutil
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import torch
from torchvision import transforms
from torchvision.datasets import MNIST

from lenet_utils.data import (
    NORMALISATIONS,
    UNPACKED_MD5,
    find_data_root,
    load_mnist,
    make_loader,
    prepare_files,
    prepare_images,
    split_train_validation,
)


@pytest.fixture(scope="module")
def train_set():
    return load_mnist(train=True)


@pytest.fixture(scope="module")
def mnist_test():
    return load_mnist(train=False)


@pytest.fixture
def packed_root(tmp_path):
    """A data folder with the four .gz files and nothing unpacked."""
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name, _ in MNIST.resources:
        shutil.copy(find_data_root() / "MNIST" / "raw" / name, raw)
    return tmp_path


# ---- what the dataset is ----


def test_the_dataset_is_mnist(train_set, mnist_test):
    assert train_set.data.shape == (60_000, 28, 28) and mnist_test.data.shape == (10_000, 28, 28)
    assert train_set.data.dtype == torch.uint8
    assert train_set.targets[0] == 5 and mnist_test.targets[0] == 7
    assert train_set.targets.bincount().tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert mnist_test.targets.bincount().tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_images_and_labels_belong_together(train_set):
    """The mean image of a digit is closest to the images of that digit, for most of them."""
    images = train_set.data[:5_000].float().flatten(1)
    means = torch.stack([images[train_set.targets[:5_000] == digit].mean(dim=0) for digit in range(10)])
    nearest = torch.cdist(train_set.data[5_000:6_000].float().flatten(1), means).argmin(dim=1)
    assert (nearest == train_set.targets[5_000:6_000]).float().mean() > 0.7


def test_root_is_found_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert (find_data_root() / "MNIST" / "raw" / "t10k-labels-idx1-ubyte.gz").is_file()


# ---- the files on disk ----


def test_unpacks_once_and_leaves_no_other_files(packed_root):
    prepare_files(packed_root)
    raw = packed_root / "MNIST" / "raw"
    assert sorted(file.name for file in raw.iterdir()) == sorted([n for n, _ in MNIST.resources] + [*UNPACKED_MD5])
    before = {file: file.stat().st_mtime_ns for file in raw.iterdir()}
    prepare_files(packed_root)
    assert {file: file.stat().st_mtime_ns for file in raw.iterdir()} == before


def test_two_processes_may_unpack_at_once(packed_root):
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(prepare_files, [packed_root, packed_root]))
    prepare_files(packed_root)  # verifies every file
    assert len(list((packed_root / "MNIST" / "raw").iterdir())) == 8


@pytest.mark.parametrize("change", [lambda b: b[:-100], lambda b: b[:1_000] + b"?" + b[1_001:]])
@pytest.mark.parametrize("name", ["t10k-labels-idx1-ubyte", "t10k-labels-idx1-ubyte.gz"])
def test_altered_file_is_named_and_left_alone(packed_root, name, change):
    prepare_files(packed_root)
    file = packed_root / "MNIST" / "raw" / name
    file.write_bytes(change(file.read_bytes()))
    altered = file.read_bytes()
    with pytest.raises(ValueError, match=f"{name} is .*elete it"):
        load_mnist(train=True, root=packed_root)
    assert file.read_bytes() == altered


def test_messages_name_no_folder_of_the_machine(monkeypatch):
    monkeypatch.setattr(MNIST, "resources", [("t10k-labels-idx1-ubyte.gz", "0" * 32)])
    with pytest.raises(ValueError) as caught:
        prepare_files()
    assert "data/MNIST/raw/t10k-labels-idx1-ubyte.gz" in str(caught.value)
    assert str(Path.home()) not in str(caught.value) and str(find_data_root().parent) not in str(caught.value)


@pytest.fixture
def serve():
    """Returns a function that serves a folder on this computer and gives its address."""
    servers = []

    def start(folder):
        handler = partial(QuietHandler, directory=folder)
        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), handler))
        Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}/"

    yield start
    for server in servers:
        server.shutdown()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def test_missing_files_are_downloaded(packed_root, tmp_path, monkeypatch, serve):
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.setattr(MNIST, "mirrors", [serve(empty), serve(packed_root / "MNIST" / "raw")])
    dataset = load_mnist(train=False, root=tmp_path / "new")
    assert len(dataset) == 10_000 and dataset.targets[0] == 7


def test_unreachable_and_wrong_mirrors_end_in_one_error(tmp_path, monkeypatch, serve):
    wrong = tmp_path / "wrong"
    wrong.mkdir()
    for name, _ in MNIST.resources:
        (wrong / name).write_bytes(gzip.compress(b"something else"))
    monkeypatch.setattr(MNIST, "mirrors", ["http://127.0.0.1:9/", serve(wrong)])
    with pytest.raises(OSError, match="train-images-idx3-ubyte.gz is missing and could not be downloaded"):
        load_mnist(train=True, root=tmp_path / "new")
    assert not list((tmp_path / "new").rglob("*ubyte*"))


def test_nothing_half_written_stays(packed_root, monkeypatch):
    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        prepare_files(packed_root)
    assert len(list((packed_root / "MNIST" / "raw").iterdir())) == 4


# ---- images as numbers ----


def test_normalised_training_set_has_mean_0_and_standard_deviation_1(train_set):
    images = prepare_images(train_set.data, normalisation="mnist")
    assert images.shape == (60_000, 1, 28, 28) and images.dtype == torch.float32
    assert images.mean().abs() < 0.001
    assert (images.std() - 1).abs() < 0.001


@pytest.mark.parametrize(
    "name, low, high", [("unit", 0, 1), ("half", -1, 1), ("mnist", -0.4242, 2.8215), ("1998", -0.1, 1.175)]
)
def test_ranges(train_set, name, low, high):
    images = prepare_images(train_set.data[:100], normalisation=name)
    assert images.min() == pytest.approx(low, abs=1e-4) and images.max() == pytest.approx(high, abs=1e-4)


@pytest.mark.parametrize("size, method, step", [(28, "pad", None), (32, "pad", "Pad"), (32, "resize", "Resize")])
def test_equals_torchvisions_transforms_one_image_at_a_time(train_set, size, method, step):
    mean, std = NORMALISATIONS["mnist"]
    first = {None: [], "Pad": [transforms.Pad(2)], "Resize": [transforms.Resize((32, 32))]}[step]
    transform = transforms.Compose([*first, transforms.ToTensor(), transforms.Normalize((mean,), (std,))])
    dataset = load_mnist(train=True, transform=transform)
    expected = torch.stack([dataset[i][0] for i in range(50)])
    prepared = prepare_images(train_set.data[:50], "mnist", size, method)
    assert prepared.shape == expected.shape
    # Stretching rounds to whole grey values; PIL and torch may differ by one of 255.
    tolerance = 1.01 / 255 / std if method == "resize" else 1e-6
    assert (prepared - expected).abs().max() <= tolerance


def test_padding_adds_background(train_set):
    images = prepare_images(train_set.data[:10], "mnist", size=32)
    assert torch.equal(images[:, :, 2:-2, 2:-2], prepare_images(train_set.data[:10], "mnist"))
    border = torch.ones(32, 32, dtype=bool)
    border[2:-2, 2:-2] = False
    assert (images[:, 0, border] == images.min()).all()


def test_does_not_change_its_argument(train_set):
    before = train_set.data[:10].clone()
    prepare_images(train_set.data[:10])
    assert torch.equal(train_set.data[:10], before)


@pytest.mark.parametrize(
    "images, arguments, message",
    [
        (torch.zeros(5, 28, 28), {}, "must be uint8 .* not float32"),
        (torch.zeros(5, 1, 28, 28, dtype=torch.uint8), {}, r"\(N, 28, 28\) .*, not uint8 of shape \(5, 1, 28, 28\)"),
        (torch.zeros(5, 32, 32, dtype=torch.uint8), {}, r"\(5, 32, 32\)"),
        (torch.zeros(0, 28, 28, dtype=torch.uint8), {}, "N of 1 or more"),
        (
            torch.zeros(5, 28, 28, dtype=torch.uint8),
            {"normalisation": "minist"},
            "unknown normalisation 'minist': choose one of unit, half, mnist, 1998",
        ),
        (
            torch.zeros(5, 28, 28, dtype=torch.uint8),
            {"method": "stretch"},
            "unknown method 'stretch': choose one of pad, resize",
        ),
        (torch.zeros(5, 28, 28, dtype=torch.uint8), {"size": 20}, "28 or more.*20"),
        (torch.zeros(5, 28, 28, dtype=torch.uint8), {"size": 31}, "even when padding.*31"),
    ],
)
def test_bad_images_are_refused(images, arguments, message):
    with pytest.raises(ValueError, match=message):
        prepare_images(images, **arguments)


def test_arrays_are_taken_as_well(train_set):
    images = train_set.data[:3]
    assert torch.equal(prepare_images(images.numpy()), prepare_images(images))


# ---- batches ----


def numbered(count=100):
    """Images that carry their own number, so that one can see where they went."""
    return torch.arange(count).float().reshape(count, 1, 1, 1), torch.arange(count) % 10


def test_two_epochs_come_in_different_orders_and_hold_every_image_once():
    loader = make_loader(*numbered(), batch_size=32, shuffle=True, seed=0)
    first, second = (torch.cat([images.flatten() for images, _ in loader]) for _ in range(2))
    assert not torch.equal(first, second)
    assert not torch.equal(first, torch.arange(100.0))
    assert first.sort().values.tolist() == second.sort().values.tolist() == list(range(100))


def test_images_keep_their_labels():
    for images, labels in make_loader(*numbered(), batch_size=7, shuffle=True):
        assert torch.equal(images.flatten().long() % 10, labels)


def test_batches_have_the_size_asked_for():
    assert [len(labels) for _, labels in make_loader(*numbered(), 32, shuffle=False)] == [32, 32, 32, 4]
    assert len(make_loader(*numbered(), 32, shuffle=True)) == 4


def test_without_shuffling_the_order_stays():
    loader = make_loader(*numbered(), 32, shuffle=False)
    assert torch.cat([images.flatten() for images, _ in loader]).tolist() == list(range(100))


def test_a_seed_repeats_the_orders_whatever_the_global_state():
    orders = []
    for state in (1, 2):
        torch.manual_seed(state)
        loader = make_loader(*numbered(), 10, shuffle=True, seed=5)
        orders.append([labels.tolist() for _ in range(2) for _, labels in loader])
    assert orders[0] == orders[1]


@pytest.mark.parametrize(
    "images, labels, batch_size, message",
    [
        (
            torch.zeros(5, 28, 28),
            torch.zeros(5, dtype=int),
            2,
            r"\(N, C, H, W\) .*, not float32 of shape \(5, 28, 28\)",
        ),
        (torch.zeros(5, 1, 28, 28, dtype=torch.uint8), torch.zeros(5, dtype=int), 2, "call prepare_images"),
        (torch.zeros(0, 1, 28, 28), torch.zeros(0, dtype=int), 2, "N of 1 or more"),
        (torch.zeros(5, 1, 28, 28), torch.zeros(4, dtype=int), 2, r"shape \(5,\), one per image"),
        (torch.zeros(5, 1, 28, 28), torch.zeros(5), 2, "labels must be int64"),
        (torch.zeros(5, 1, 28, 28), torch.tensor([0, 1, 2, 10, 4]), 2, "between 0 and 9, but one of them is 10"),
        (torch.zeros(5, 1, 28, 28), torch.tensor([0, 1, 2, -1, 4]), 2, "between 0 and 9, but one of them is -1"),
        (torch.zeros(5, 1, 28, 28), torch.zeros(5, dtype=int), 0, "batch_size should be a positive integer"),
    ],
)
def test_bad_batches_are_refused(images, labels, batch_size, message):
    with pytest.raises(ValueError, match=message):
        make_loader(images, labels, batch_size, shuffle=True)


# ---- the split ----


def test_split_is_disjoint_complete_stratified_and_repeatable(train_set):
    train, validation = split_train_validation(train_set.targets)
    assert (len(train), len(validation)) == (55_000, 5_000)
    assert torch.equal(torch.cat([train, validation]).sort().values, torch.arange(60_000))
    shares = train_set.targets[validation].bincount() / 5_000
    assert (shares - train_set.targets.bincount() / 60_000).abs().max() < 0.001
    again, other = (split_train_validation(train_set.targets), split_train_validation(train_set.targets, seed=1))
    assert torch.equal(validation, again[1]) and not torch.equal(validation, other[1])


@pytest.mark.parametrize("size", [0, 59_999, 5])
def test_bad_split_is_refused(train_set, size):
    with pytest.raises(ValueError, match="test_size|train_size"):  # scikit-learn's message
        split_train_validation(train_set.targets, size)
