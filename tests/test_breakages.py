"""The tests are able to fail: each breakage below, put into a copy of the package, turns them red.

A floor under an accuracy would let most of these pass: a network learns from images that are normalised wrongly
or never shuffled, too.
"""

import re
import shutil
import subprocess
import sys

import pytest
from notebooks_as_data import ROOT

pytestmark = pytest.mark.slow

BREAKAGES = {
    "normalisation": ("data.py", '"mnist": (0.1307, 0.3081)', '"mnist": (0.1307, 0.5)', "test_normalised_training_set"),
    "order of the labels": (
        "data.py",
        "    dataset = TensorDataset(images, labels)",
        "    dataset = TensorDataset(images, labels.flip(0))",
        "test_images_keep_their_labels",
    ),
    "labels of the dataset": (
        "data.py",
        "    return MNIST(root, train=train, transform=transform, download=True)",
        "    dataset = MNIST(root, train=train, transform=transform, download=True)\n"
        "    dataset.targets = dataset.targets.roll(1)\n    return dataset",
        "test_the_dataset_is_mnist",
    ),
    "test set that is a training set": (
        "data.py",
        "MNIST(root, train=train",
        "MNIST(root, train=True",
        "test_the_dataset",
    ),
    "eval() forgotten": ("evaluation.py", "    model.eval()\n", "", "test_two_evaluations_of_a_dropout_network"),
    "train() forgotten": ("training.py", "    model.train()\n", "", "test_training_switches_dropout_on"),
    "no shuffling": (
        "data.py",
        "RandomSampler(dataset, generator=generator) if shuffle else",
        "SequentialSampler(dataset) if shuffle else",
        "test_two_epochs_come_in_different_orders",
    ),
    "the same order every epoch": (
        "data.py",
        "    order = RandomSampler(dataset, generator=generator) if shuffle",
        "    order = torch.randperm(len(dataset)).tolist() if shuffle",
        "test_two_epochs_come_in_different_orders",
    ),
    "size of a layer": (
        "models.py",
        "self.f6 = nn.Linear(120, 84)",
        "self.f6 = nn.Linear(120, 85)",
        "test_parameters_and_output",
    ),
    "gradients never set to zero": ("training.py", "        optimizer.zero_grad()\n", "", "test_one_epoch_equals"),
    "accuracy averaged over batches": (
        "evaluation.py",
        "return loss_sum / count, 100 * right / count",
        "return loss_sum / count, 100 * (logits.argmax(dim=1) == labels).float().mean().item()",
        "test_batches_of_unequal_size",
    ),
    # What others got wrong when they built the network of 1998.
    "subsampling by the mean": (
        "lenet1998/network.py",
        "sums = 4 * nn.functional.avg_pool2d(maps, 2)",
        "sums = nn.functional.avg_pool2d(maps, 2)",
        "test_forward_pass_is_that_of_a_slow_reference",
    ),
    "no squashing after a layer": (
        "lenet1998/network.py",
        "            x = self.squash(layer(x))",
        "            x = layer(x) if layer is self.c3 else self.squash(layer(x))",
        "test_forward_pass_is_that_of_a_slow_reference",
    ),
    "curvature by the chain rule of the gradient": (
        "lenet1998/layers.py",
        "return x if power == 1 else x.square()",
        "return x",
        "test_curvature_is_the_diagonal",
    ),
    "rubbish class left out": (
        "lenet1998/network.py",
        "torch.cat([logits, rubbish_logits], dim=1)",
        "logits",
        "test_losses_are_the_formulas",
    ),
}
TESTS = [
    "test_data.py", "test_models.py", "test_evaluation.py", "test_training.py", "test_lenet1998.py",
]  # fmt: skip


@pytest.fixture(scope="module")
def copy_of_course(tmp_path_factory):
    folder = tmp_path_factory.mktemp("copy")
    for name in ("lenet_utils", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "data" / "MNIST", folder / "data" / "MNIST")
    return folder


def run_tests(folder, names, select):
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-k", select, "-p", "no:cacheprovider"]
    return subprocess.run(
        [*command, *(str(folder / "tests" / name) for name in names)], cwd=folder, capture_output=True, text=True
    )


@pytest.mark.parametrize("breakage", BREAKAGES)
def test_breakage_turns_the_tests_red(breakage, copy_of_course):
    file, right, wrong, test = BREAKAGES[breakage]
    module = copy_of_course / "lenet_utils" / file
    source = module.read_text("utf-8")
    assert right in source, "this test no longer fits the package"
    module.write_text(source.replace(right, wrong), "utf-8")
    try:
        result = run_tests(copy_of_course, TESTS, test)
    finally:
        module.write_text(source, "utf-8")
    assert result.returncode == 1, result.stdout
    assert re.search(rf"^FAILED .*{test}", result.stdout, re.M), result.stdout


def test_without_a_breakage_the_same_tests_are_green(copy_of_course):
    select = " or ".join({test for *_, test in BREAKAGES.values()})
    result = run_tests(copy_of_course, TESTS, select)
    assert result.returncode == 0, result.stdout
    assert int(re.search(r"(\d+) passed", result.stdout)[1]) >= len({test for *_, test in BREAKAGES.values()})
