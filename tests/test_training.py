"""The training loop, against the same steps written out; the device; the shortened runs."""

import re
import sys

import numpy as np
import pytest
import torch
from torch import nn

from lenet_utils.data import make_loader
from lenet_utils.evaluation import evaluate
from lenet_utils.training import History, Stopped, choose_epochs, find_device, fit, train_one_epoch


def make_model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 10))


@pytest.fixture
def images_and_labels():
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(60) % 10
    images = torch.randn(60, 1, 4, 4, generator=generator) * 0.1
    images.view(60, 16)[torch.arange(60), labels] += 2  # each class has its pixel
    return images, labels


def test_one_epoch_equals_the_four_steps_written_out(images_and_labels):
    ours, theirs = make_model(), make_model()
    losses = train_one_epoch(
        ours, make_loader(*images_and_labels, 16, shuffle=False), torch.optim.SGD(ours.parameters(), 0.1)
    )
    optimizer = torch.optim.SGD(theirs.parameters(), 0.1)
    expected = []
    for images, labels in zip(*(tensor.split(16) for tensor in images_and_labels)):
        loss = nn.functional.cross_entropy(theirs(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        expected.append(loss.item())
    assert losses == expected
    assert torch.equal(ours[1].weight, theirs[1].weight)


def test_training_switches_dropout_on():
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 10), nn.Dropout(0.5))
    model.eval()
    loader = make_loader(torch.randn(10, 1, 4, 4), torch.arange(10), 10, shuffle=False)
    train_one_epoch(model, loader, torch.optim.SGD(model.parameters(), 0.1))
    assert model.training


def test_history_and_lines(images_and_labels, capsys):
    model = make_model()
    loader = make_loader(*images_and_labels, 16, shuffle=True, seed=0)
    history = fit(model, loader, loader, torch.optim.SGD(model.parameters(), 0.5), 5, History("validation"))
    assert list(history.epochs.columns) == [
        "epoch", "train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "seconds",
    ]  # fmt: skip
    assert history.epochs.epoch.tolist() == [1, 2, 3, 4, 5]
    assert np.array(history.batch_losses).shape == (5, 4) and len(history) == 5
    assert history.epochs.train_accuracy.iloc[-1] == 100
    assert (history.epochs.seconds > 0).all()
    assert history.epochs.train_loss.is_monotonic_decreasing
    assert np.allclose(history.epochs.train_loss, history.epochs.validation_loss)  # the same images here
    output = capsys.readouterr()
    lines = output.out.splitlines()
    pattern = (
        r"\d\d:\d\d:\d\d  epoch  \d/5   loss: train \d\.\d{4}, validation \d\.\d{4}"
        r"   accuracy: train \d+\.\d\d %, validation \d+\.\d\d %   \d+\.\d s"
    )
    assert len(lines) == 5 and all(re.fullmatch(pattern, line) for line in lines)
    assert output.err == ""  # no progress bar where nobody is watching


def test_history_scores_both_sets_in_full(images_and_labels):
    images, labels = images_and_labels
    many = make_loader(images.repeat(5, 1, 1, 1), labels.repeat(5), 50, shuffle=True, seed=0)
    other = make_loader(images.flip(0) + 0.1, labels, 60, shuffle=False)
    model = make_model()
    last = fit(model, many, other, torch.optim.SGD(model.parameters(), 0.1), 1).epochs.iloc[-1]
    assert (last.test_loss, last.test_accuracy) == pytest.approx(evaluate(model, other), rel=1e-5)
    assert (last.train_loss, last.train_accuracy) == pytest.approx(evaluate(model, many), rel=1e-5)


def test_progress_is_shown_where_somebody_watches(images_and_labels, monkeypatch, capsys):
    model = make_model()
    loader = make_loader(*images_and_labels, 16, shuffle=True)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    train_one_epoch(model, loader, optimizer)
    assert "0/4 [" in capsys.readouterr().out
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False)
    train_one_epoch(model, loader, optimizer)
    assert capsys.readouterr().out == ""


def test_training_in_two_parts_is_the_same_as_at_once(images_and_labels):
    histories, weights = [], []
    for parts in ((4,), (2, 4)):
        model, history = make_model(), None
        loader = make_loader(*images_and_labels, 16, shuffle=True, seed=0)
        optimizer = torch.optim.Adam(model.parameters(), 0.01)
        for epochs in parts:
            history = fit(model, loader, loader, optimizer, epochs, history=history)
        histories.append(history)
        weights.append(model[1].weight)
    assert torch.equal(*weights)
    assert histories[0].batch_losses == histories[1].batch_losses
    once, twice = (history.epochs.drop(columns="seconds") for history in histories)
    assert once.equals(twice) and len(twice) == 4


def test_the_other_set_changes_nothing(images_and_labels):
    images, labels = images_and_labels
    weights = []
    for other_labels in (labels, (labels + 1) % 10):
        model = make_model()
        loader = make_loader(images, labels, 16, shuffle=True, seed=0)
        fit(
            model,
            loader,
            make_loader(images, other_labels, 60, shuffle=False),
            torch.optim.SGD(model.parameters(), 0.5),
            2,
        )
        weights.append(model[1].weight)
    assert torch.equal(*weights)


def test_no_epochs_are_refused(images_and_labels):
    model = make_model()
    loader = make_loader(*images_and_labels, 16, shuffle=True)
    with pytest.raises(ValueError, match="epochs.*not 0"):
        fit(model, loader, loader, torch.optim.SGD(model.parameters(), 0.1), 0)


@pytest.mark.parametrize("value, expected", [("1", 1), ("0", 15), ("", 15)])
def test_shortened_runs_say_so(monkeypatch, capsys, value, expected):
    monkeypatch.setenv("LENET_FAST", value)
    assert choose_epochs(15) == expected
    assert ("LENET_FAST=1: 1 epoch instead of 15" in capsys.readouterr().out) == (expected == 1)


def test_unknown_speed_is_refused(monkeypatch):
    monkeypatch.setenv("LENET_FAST", "yes")
    with pytest.raises(ValueError, match="LENET_FAST must be 0 or 1, not 'yes'"):
        choose_epochs(15)


def test_device_is_named(monkeypatch, capsys):
    monkeypatch.setenv("LENET_DEVICE", "cpu")
    assert find_device() == torch.device("cpu")
    assert re.fullmatch(r"Device: cpu \(threads: 1\)\n", capsys.readouterr().out)


@pytest.mark.parametrize("cuda, mps, expected", [(True, False, "cuda"), (False, True, "mps"), (False, False, "cpu")])
def test_the_fastest_device_is_chosen(monkeypatch, capsys, cuda, mps, expected):
    monkeypatch.delenv("LENET_DEVICE")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "some card")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert find_device().type == expected
    assert f"Device: {expected}" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["cuda", "tpu"])
def test_missing_device_is_refused(monkeypatch, name):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setenv("LENET_DEVICE", name)
    with pytest.raises(ValueError, match=f"no device '{name}' here: the devices found are .*cpu"):
        find_device()


class StopButton:
    """A loss function that works as cross-entropy until the button is pressed: at the n-th batch."""

    def __init__(self, batch):
        self.batches_left = batch

    def __call__(self, logits, labels):
        self.batches_left -= 1
        if self.batches_left == 0:
            raise KeyboardInterrupt
        return nn.functional.cross_entropy(logits, labels)


def train_with_adam(images_and_labels, epochs, history=None, after_epoch=None, **arguments):
    model = make_model()
    loader = make_loader(*images_and_labels, 16, shuffle=True, seed=0)
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    history = fit(model, loader, loader, optimizer, epochs, history, after_epoch, **arguments)
    return model, loader, optimizer, history


def test_stopped_training_keeps_its_whole_epochs(images_and_labels, capsys):
    model, _, optimizer, history = train_with_adam(images_and_labels, 5, compute_loss=StopButton(4 + 4 + 3))
    assert "Stopped. The model is as it was after epoch 2 of 5; so is the history." in capsys.readouterr().out
    expected, _, expected_optimizer, expected_history = train_with_adam(images_and_labels, 2)
    assert torch.equal(model[1].weight, expected[1].weight)
    assert history.batch_losses == expected_history.batch_losses and len(history) == 2
    states = [o.state_dict()["state"][0] for o in (optimizer, expected_optimizer)]
    assert states[0]["step"] == states[1]["step"] == 8
    assert torch.equal(states[0]["exp_avg_sq"], states[1]["exp_avg_sq"])


def test_stopped_training_goes_on_where_it_was(images_and_labels):
    model, loader, optimizer, history = train_with_adam(images_and_labels, 5, compute_loss=StopButton(4 + 2))
    assert len(history) == 1
    fit(model, loader, loader, optimizer, 5, history)
    assert history.epochs.epoch.tolist() == [1, 2, 3, 4, 5]
    assert history.epochs.train_loss.is_monotonic_decreasing


def test_a_stop_between_two_epochs_loses_none(images_and_labels):
    def press():
        raise KeyboardInterrupt

    model, *_, history = train_with_adam(images_and_labels, 5, after_epoch=press)
    expected, *_ = train_with_adam(images_and_labels, 1)
    assert len(history) == 1 and torch.equal(model[1].weight, expected[1].weight)


def test_a_stop_in_the_first_epoch_is_one_sentence(images_and_labels):
    with pytest.raises(Stopped, match="Stopped before the first epoch was done") as stopped:
        train_with_adam(images_and_labels, 5, compute_loss=StopButton(3))
    assert isinstance(stopped.value, KeyboardInterrupt)
    assert stopped.value._render_traceback_() == [str(stopped.value)]  # what IPython shows for the traceback


def test_the_loss_given_is_the_loss_descended(images_and_labels):
    model = make_model()
    before = model[1].weight.clone()

    def compute_nothing(logits, labels):
        return 0 * nn.functional.cross_entropy(logits, labels) + 7

    loader = make_loader(*images_and_labels, 16, shuffle=True, seed=0)
    history = fit(model, loader, loader, torch.optim.SGD(model.parameters(), 0.1), 1, compute_loss=compute_nothing)
    assert (np.array(history.batch_losses) == 7).all() and torch.equal(model[1].weight, before)
    assert history.epochs.train_loss[0] < 7  # the scores are cross-entropies all the same
