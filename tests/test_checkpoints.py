"""Models on disk: the same back, or a clear error; whole files, or none."""

import pickle

import pytest
import torch

from lenet_utils.checkpoints import find_checkpoint, load_checkpoint, save_checkpoint
from lenet_utils.data import load_mnist, make_loader, prepare_images
from lenet_utils.evaluation import evaluate
from lenet_utils.models import LeNet5, SimpleCNN

INPUTS = {"size": 32, "method": "pad", "normalisation": "half"}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "new folder" / "lenet5.pt"
    save_checkpoint(path, LeNet5(), INPUTS)
    return path


def test_round_trip(tmp_path):
    model = SimpleCNN(kernel_size=5, channels=(4, 8), dropout=0.5)
    settings = {"kernel_size": 5, "channels": [4, 8], "dropout": 0.5}
    save_checkpoint(tmp_path / "cnn.pt", model, {"normalisation": "mnist"}, settings)
    loaded, inputs = load_checkpoint(tmp_path / "cnn.pt")
    images = torch.randn(3, 1, 28, 28)
    assert torch.equal(loaded(images), model.eval()(images))
    assert not loaded.training and inputs == {"normalisation": "mnist"}
    assert sorted(file.name for file in tmp_path.iterdir()) == ["cnn.pt"]


def test_files_are_read_onto_the_cpu_and_without_code(path, monkeypatch):
    given = {}
    load = torch.load
    monkeypatch.setattr(torch, "load", lambda *a, **options: given.update(options) or load(*a, **options))
    load_checkpoint(path)
    assert given == {"map_location": "cpu", "weights_only": True}


def test_shipped_checkpoint_is_the_recipe_of_notebook_04():
    model, inputs = load_checkpoint(find_checkpoint("lenet5.pt"))
    assert type(model) is LeNet5
    assert inputs == {"size": 32, "method": "resize", "normalisation": "mnist"}
    test_set = load_mnist(train=False)
    loader = make_loader(prepare_images(test_set.data, **inputs), test_set.targets, 200, shuffle=False)
    assert 98.3 < evaluate(model, loader)[1] < 99.5


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no checkpoint .*lenet6.pt"):
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
    with pytest.raises(ValueError, match="weights in lenet5.pt do not fit the model LeNet28"):
        load_checkpoint(path)
    for wrong in ({"settings": {"dropout": 0.5}}, {"state": [1]}):
        torch.save(content | wrong, path)
        with pytest.raises(ValueError, match="weights in lenet5.pt do not fit the model LeNet5"):
            load_checkpoint(path)
    torch.save({"format": content["format"]}, path)
    with pytest.raises(ValueError, match="lacks inputs, model, settings, state"):
        load_checkpoint(path)
    torch.save(content | {"model": "LeNet6"}, path)
    with pytest.raises(ValueError, match="unknown model 'LeNet6'"):
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
    with pytest.raises(ValueError, match="unknown model 'Linear'"):
        save_checkpoint(tmp_path / "linear.pt", torch.nn.Linear(2, 2), INPUTS)
    with pytest.raises(ValueError, match="weights in cnn.pt do not fit"):  # settings forgotten
        save_checkpoint(tmp_path / "cnn.pt", SimpleCNN(kernel_size=5), INPUTS)
    assert not list(tmp_path.iterdir())


def test_forgotten_settings_are_noticed(tmp_path):
    model = SimpleCNN(dropout=0.5)  # its weights would fit a model without this setting
    with pytest.raises(ValueError, match="needs all of its arguments"):
        save_checkpoint(tmp_path / "cnn.pt", model, {})
    assert not (tmp_path / "cnn.pt").exists()
    save_checkpoint(tmp_path / "cnn.pt", model, {}, {"dropout": 0.5})
    assert load_checkpoint(tmp_path / "cnn.pt").model.classifier[0].p == 0.5
