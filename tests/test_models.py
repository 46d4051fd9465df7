"""The networks: their sizes, their connections, what they refuse."""

from dataclasses import fields

import pytest
import torch
from torch import nn
from torchvision.models.feature_extraction import create_feature_extractor

from lenet_utils.checkpoints import MODELS
from lenet_utils.lenet1998.network import LadderNet, LeNet1998
from lenet_utils.models import (
    C3_TABLE,
    MLP,
    LeNet5,
    LeNet5Selective,
    LeNet28,
    SelectiveConv2d,
    SigmoidConvNet,
    SimpleCNN,
    compute_output_size,
    count_parameters,
)
from lenet_utils.recipes import LADDER, RECIPES_1998

PARAMETERS = {
    "MLP": 109_386,
    "SigmoidConvNet": 34_768,
    "SimpleCNN": 108_618,
    "LeNet5": 61_706,
    "LeNet5Selective": 60_806,
    "LeNet28": 44_426,
    "LeNet1998": 60_000,
    "LadderNet": 60_000,
}
SIZES = {name: 28 if name in ("MLP", "SigmoidConvNet", "SimpleCNN", "LeNet28") else 32 for name in MODELS}


@pytest.mark.parametrize("name", MODELS)
def test_parameters_and_output(name):
    model = MODELS[name]()
    assert count_parameters(model) == PARAMETERS[name]
    logits = model(torch.randn(3, 1, SIZES[name], SIZES[name]))
    assert logits.shape == (3, 10) and logits.dtype == torch.float32
    assert (logits.sum(dim=1) != 1).all() and (logits < 0).any()  # logits, not probabilities


@pytest.mark.parametrize("name", MODELS)
def test_every_parameter_learns(name):
    model = MODELS[name]()
    model(torch.randn(8, 1, SIZES[name], SIZES[name])).logsumexp(dim=1).sum().backward()
    for parameter_name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, parameter_name


@pytest.mark.parametrize("name", MODELS)
def test_images_of_another_size_are_refused(name):
    size = SIZES[name]
    with pytest.raises(ValueError, match=rf"{name} reads .*\(N, 1, {size}, {size}\).*size={size}"):
        MODELS[name]()(torch.zeros(3, 1, 30, 30))


@pytest.mark.parametrize("shape", [(3, 28, 28), (3, 3, 28, 28)])
def test_images_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"MLP reads .*\(N, 1, 28, 28\), not float32 of shape "):
        MLP()(torch.zeros(shape))


def test_grey_values_are_refused():
    with pytest.raises(ValueError, match="floating-point .* not uint8"):
        LeNet5()(torch.zeros(3, 1, 32, 32, dtype=torch.uint8))


@pytest.mark.parametrize(
    "settings, message", [({"dropout": 20}, "between 0 and 1"), ({"kernel_size": 30}, "30 does not fit")]
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        SimpleCNN(**settings)


def test_models_remember_their_settings():
    assert SimpleCNN(5, hidden=64).settings == {"kernel_size": 5, "channels": (16, 32), "hidden": 64, "dropout": 0.2}
    assert LeNet1998(published_start=True).settings == {"published_start": True}
    for model in (SimpleCNN(5, (4, 8), 16, 0.3), LadderNet(dense_c3=True, relu=True), LeNet1998(True)):
        assert repr(type(model)(**model.settings)) == repr(model)
        assert type(model)(**model.settings).settings == model.settings


def test_lenet5_layer_by_layer():
    shapes = {
        "c1": (6, 28, 28), "s2": (6, 14, 14), "c3": (16, 10, 10), "s4": (16, 5, 5),
        "c5": (120, 1, 1), "f6": (84,), "output": (10,),
    }  # fmt: skip
    outputs = create_feature_extractor(LeNet5(), list(shapes))(torch.randn(2, 1, 32, 32))
    assert {name: tuple(value.shape[1:]) for name, value in outputs.items()} == shapes


def test_networks_compute_what_they_say():
    """Each forward pass, written out with functions."""
    f = nn.functional
    small, large = torch.randn(3, 1, 28, 28), torch.randn(3, 1, 32, 32)
    with torch.no_grad():
        m = MLP()
        x = f.relu(m.layers[2](f.relu(m.layers[0](small.reshape(3, 784)))))
        assert torch.allclose(m(small), m.layers[4](x), atol=1e-5)

        m = SigmoidConvNet()
        x = f.conv2d(small, m.conv1.weight, m.conv1.bias).sigmoid()
        x = f.conv2d(x, m.conv2.weight, m.conv2.bias).sigmoid()
        assert torch.allclose(m(small), m.linear(x.flatten(1)), atol=1e-5)

        m = SimpleCNN().eval()
        x = f.max_pool2d(f.relu(m.features[0](small)), 2)
        x = f.max_pool2d(f.relu(m.features[3](x)), 2).flatten(1)
        assert torch.allclose(m(small), m.classifier[4](f.relu(m.classifier[1](x))), atol=1e-5)

        for m, images in ((LeNet5(), large), (LeNet5Selective(), large), (LeNet28(), small)):
            x = f.avg_pool2d(m.c3(f.avg_pool2d(m.c1(images).tanh(), 2)).tanh(), 2)
            x = m.f6(m.c5(x).tanh().flatten(1)).tanh()
            assert torch.allclose(m(images), m.output(x), atol=1e-5)


def test_simple_cnn_has_dropout_before_both_linear_layers():
    kinds = [type(layer).__name__ for layer in SimpleCNN(dropout=0.3).classifier]
    assert kinds == ["Dropout", "Linear", "ReLU", "Dropout", "Linear"]
    assert [m.p for m in SimpleCNN(dropout=0.3).modules() if isinstance(m, nn.Dropout)] == [0.3, 0.3]


def test_c3_table_is_that_of_the_paper():
    table = "012 123 234 345 045 015 0123 1234 2345 0345 0145 0125 0134 1245 0235 012345"
    assert ["".join(map(str, sources)) for sources in C3_TABLE] == table.split()
    assert sorted(map(len, C3_TABLE)) == [3] * 6 + [4] * 9 + [6]
    assert sum(map(len, C3_TABLE)) == 60 and len(set(C3_TABLE)) == 16
    assert all(sum(source in sources for sources in C3_TABLE) == 10 for source in range(6))


def test_selective_convolution_equals_one_small_convolution_per_map():
    layer = SelectiveConv2d(C3_TABLE, kernel_size=5)
    images = torch.randn(4, 6, 14, 14)
    result = layer(images)
    start = 0
    for target, sources in enumerate(C3_TABLE):
        weight = layer.weight[start : start + len(sources)].unsqueeze(0)
        start += len(sources)
        expected = nn.functional.conv2d(images[:, list(sources)], weight, layer.bias[target : target + 1])
        assert torch.allclose(result[:, target : target + 1], expected, atol=1e-5)
    assert count_parameters(layer) == 1_516


def test_dropout_works_in_training_only():
    torch.manual_seed(0)
    model, images = SimpleCNN(dropout=0.5), torch.randn(4, 1, 28, 28)
    assert not torch.equal(model(images), model(images))
    model.eval()
    assert torch.equal(model(images), model(images))


def test_output_size_agrees_with_torch():
    for size in (5, 14, 28, 33):
        for kernel in (1, 2, 3, 5):
            for padding in (0, 1, 2):
                for stride in (1, 2, 3):
                    expected = nn.Conv2d(1, 1, kernel, stride, padding)(torch.zeros(1, 1, size, size)).shape[-1]
                    assert compute_output_size(size, kernel, padding, stride) == expected


@pytest.mark.parametrize("arguments", [(0, 1), (28, 0), (28, 5, -1), (28, 5, 0, 0), (3, 5)])
def test_impossible_sizes_are_refused(arguments):
    with pytest.raises(ValueError, match=str(arguments[0])):
        compute_output_size(*arguments)


def test_the_ladder_begins_in_1998_and_ends_today():
    torch.manual_seed(0)
    first = LadderNet()
    original = LeNet1998()
    original.load_state_dict(first.state_dict())
    images = torch.randn(2, 1, 32, 32)
    assert torch.equal(first(images), original(images))
    today = LadderNet(dense_c3=True, softmax=True, pooling="mean", squash_pooled=False)
    usual = LeNet5()  # the same but for the constants of the scaled tanh
    assert [p.shape for p in today.parameters()] == [p.shape for p in usual.parameters()]
    usual.load_state_dict(today.state_dict())
    for name in ("c1_tanh", "c3_tanh", "c5_tanh", "f6_tanh"):
        setattr(usual, name, today.squash)
    assert torch.allclose(today(images), usual(images), atol=1e-6)


def test_each_rung_is_one_step_from_the_one_before():
    rungs = list(LADDER.values())
    assert len(rungs) == 10 and {rung.epochs for rung in rungs} == {20}
    assert all(rung.settings == {} for rung in rungs[:3])
    for before, after in zip(rungs[1:], rungs[2:]):
        changed = {f.name for f in fields(before) if getattr(before, f.name) != getattr(after, f.name)}
        assert changed in (
            {"optimizer", "optimizer_settings"}, {"settings"}, {"settings", "compute_loss"}, {"inputs"},
        ), changed  # fmt: skip
        assert len(after.settings) - len(before.settings) <= ("settings" in changed)
        assert {**after.settings, **before.settings}.keys() == after.settings.keys()


def test_the_first_rungs_change_the_method_and_the_batch_alone():
    published, one_rate, batches = RECIPES_1998["lenet5-1998"], *list(LADDER.values())[:2]
    for name in ("inputs", "batch_size", "epochs", "compute_loss", "rubbish_distance", "distorted"):
        assert getattr(published, name) == getattr(one_rate, name)
    assert published.curved and not one_rate.curved
    factors = [rate / published.rates[0] for rate in published.rates]
    assert list(batches.schedule) == pytest.approx(factors)
    assert list(one_rate.rates) == pytest.approx([0.0002 * factor for factor in factors])
    for name in ("inputs", "epochs", "compute_loss"):
        assert getattr(batches, name) == getattr(one_rate, name)
    assert batches.batch_size == 64 and batches.optimizer is torch.optim.SGD
    assert batches.optimizer_settings == {"lr": 0.008}


@pytest.mark.parametrize("squash", [True, False])
@pytest.mark.parametrize("pooling, pool", [("mean", nn.AvgPool2d(2)), ("max", nn.MaxPool2d(2))])
def test_a_rung_pools_as_it_says_and_squashes_after_it_or_not(pooling, pool, squash):
    torch.manual_seed(0)
    net, images = LadderNet(pooling=pooling, squash_pooled=squash), torch.randn(2, 1, 32, 32)
    maps = pool(net.squash(net.c1(images)))
    maps = pool(net.squash(net.c3(net.squash(maps) if squash else maps)))
    features = net.f6(net.squash(net.c5(net.squash(maps) if squash else maps)).flatten(1))
    assert torch.allclose(net.compute_features(images), net.squash(features), atol=1e-6)
