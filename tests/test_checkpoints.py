"""Models on disk: the same back, or a clear error; whole files, or none."""

import pickle

import pytest
import torch

from lenet_utils.checkpoints import MODELS, find_checkpoint, load_checkpoint, save_checkpoint
from lenet_utils.data import load_mnist, make_loader, prepare_images
from lenet_utils.evaluation import evaluate
from lenet_utils.files import find_data_root
from lenet_utils.lenet1998.network import LadderNet, LeNet1998
from lenet_utils.models import MLP, LeNet5, LeNet28, SigmoidConvNet, SimpleCNN

INPUTS = {"size": 32, "method": "pad", "normalisation": "half"}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "new folder" / "lenet5.pt"
    save_checkpoint(path, LeNet5(), INPUTS)
    return path


def test_round_trip(tmp_path):
    model = SimpleCNN(kernel_size=5, channels=(4, 8), dropout=0.5)
    save_checkpoint(tmp_path / "cnn.pt", model, {"normalisation": "mnist"})
    loaded, inputs = load_checkpoint(tmp_path / "cnn.pt")
    images = torch.randn(3, 1, 28, 28)
    assert torch.equal(loaded(images), model.eval()(images))
    assert repr(loaded) == repr(model)
    assert not loaded.training and inputs == {"normalisation": "mnist"}
    assert sorted(file.name for file in tmp_path.iterdir()) == ["cnn.pt"]


def test_every_model_comes_back(tmp_path):
    for build in (
        *MODELS.values(),
        lambda: LadderNet(softmax=True, relu=True),
        lambda: LeNet1998(published_start=True),
    ):
        model = build().eval()
        save_checkpoint(tmp_path / "model.pt", model, {})
        loaded, _ = load_checkpoint(tmp_path / "model.pt")
        size = 28 if isinstance(model, (MLP, SigmoidConvNet, SimpleCNN, LeNet28)) else 32
        images = torch.randn(2, 1, size, size)
        assert type(loaded) is type(model) and torch.equal(loaded(images), model(images))


def test_stored_networks_are_still_read():
    paths = sorted((find_data_root() / "runs").glob("*/model.pt"))
    assert paths
    for path in paths:
        load_checkpoint(path)


def test_shipped_checkpoint_is_the_recipe_of_notebook_04():
    model, inputs = load_checkpoint(find_checkpoint("lenet5.pt"))
    assert type(model) is LeNet5
    assert inputs == {"size": 32, "method": "resize", "normalisation": "mnist"}
    mnist_test = load_mnist(train=False)
    loader = make_loader(prepare_images(mnist_test.data, **inputs), mnist_test.targets, 200, shuffle=False)
    assert 98.3 < evaluate(model, loader)[1] < 99.5


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="lenet6.pt"):
        load_checkpoint(tmp_path / "lenet6.pt")


@pytest.mark.parametrize("keep", [0, 10, 1_000, 100_000])
def test_truncated_file_is_named(path, keep):
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match="lenet5.pt cannot be read as a checkpoint: it is truncated or"):
        load_checkpoint(path)


def test_altered_file_is_named(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match="lenet5.pt cannot be read as a checkpoint"):
        load_checkpoint(path)


def test_foreign_files_are_named(tmp_path):
    (tmp_path / "text.pt").write_text("not a checkpoint")
    (tmp_path / "pickle.pt").write_bytes(pickle.dumps({"model": print}))
    for name in ("text.pt", "pickle.pt"):
        with pytest.raises(ValueError, match=f"{name} cannot be read as a checkpoint"):
            load_checkpoint(tmp_path / name)
    torch.save(LeNet5().state_dict(), tmp_path / "weights.pt")
    torch.save([1, 2, 3], tmp_path / "list.pt")
    for name in ("weights.pt", "list.pt"):
        with pytest.raises(ValueError, match=f"{name} is no checkpoint of this course"):
            load_checkpoint(tmp_path / name)


def test_weights_of_another_model_are_named(path):
    content = torch.load(path, weights_only=True)
    torch.save(content | {"model": "LeNet28"}, path)
    with pytest.raises(ValueError, match="lenet5.pt is incomplete, or its weights do not fit the model LeNet28"):
        load_checkpoint(path)
    for wrong in ({"settings": {"dropout": 0.5}}, {"state": [1]}):
        torch.save(content | wrong, path)
        with pytest.raises(ValueError, match="lenet5.pt .* do not fit the model LeNet5"):
            load_checkpoint(path)
    torch.save({"format": content["format"]}, path)
    with pytest.raises(ValueError, match="lenet5.pt is incomplete"):
        load_checkpoint(path)
    torch.save(content | {"model": "LeNet6"}, path)
    with pytest.raises(ValueError, match="do not fit the model LeNet6"):
        load_checkpoint(path)


def test_no_code_is_run_by_loading(tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    torch.save({"format": Trap()}, tmp_path / "trap.pt")
    with pytest.raises(ValueError, match="trap.pt cannot be read"):
        load_checkpoint(tmp_path / "trap.pt")
    assert not (tmp_path / "sprung").exists()


def test_a_failed_write_keeps_the_old_file(path, monkeypatch):
    before = path.read_bytes()

    def fail(_, file):
        file.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(torch, "save", fail)
    with pytest.raises(OSError, match="disk full"):
        save_checkpoint(path, LeNet5(), INPUTS)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["lenet5.pt"]


def test_what_could_not_be_loaded_again_is_not_written(tmp_path):
    class LeNet5(torch.nn.Linear):  # a namesake
        pass

    for model in (torch.nn.Linear(2, 2), LeNet5(2, 2)):
        with pytest.raises(ValueError, match=f"a {type(model).__name__} cannot be loaded again.*LeNet1998"):
            save_checkpoint(tmp_path / "linear.pt", model, INPUTS)
    assert not list(tmp_path.iterdir())
