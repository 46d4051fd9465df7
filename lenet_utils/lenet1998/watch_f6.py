"""Watch F6 while the network of 1998 learns: what it shows for ten digits before the first pass and after each.

    python -m lenet_utils.lenet1998.watch_f6

Trains seed 0 of the recipe ``lenet5-1998``, alone and on one thread, in eight minutes, and writes ``data/f6_1998.npz``:
``features`` (21, 10, 84) float16, F6 for the first test image of each digit, after 0 to 20 passes; ``errors`` (21,)
float32, the test error in percent. Notebook 08 draws them; nothing is chosen by them.
"""

import io
from typing import cast

import numpy as np
import torch

from lenet_utils.data import load_mnist, prepare_images
from lenet_utils.evaluation import compute_accuracy, predict_logits
from lenet_utils.files import find_data_root, write_atomically
from lenet_utils.lenet1998.network import LeNet1998
from lenet_utils.lenet1998.trainer import CURVATURE_IMAGES, Trainer1998
from lenet_utils.recipes import Recipe1998, find_recipe

FILE = find_data_root() / "f6_1998.npz"
SEED = 0


def watch(passes: int, images: int = 60_000) -> dict[str, np.ndarray]:
    """Return ``features`` and ``errors`` as in the file, of a training of so many passes over so many images."""
    recipe = find_recipe("lenet5-1998")
    assert isinstance(recipe, Recipe1998)
    (train, train_labels), (test, test_labels) = (
        (prepare_images(mnist.data, **recipe.inputs), mnist.targets)
        for mnist in (load_mnist(train=True), load_mnist(train=False))
    )
    first = [int((test_labels == digit).nonzero()[0]) for digit in range(10)]
    torch.manual_seed(SEED)
    model = cast(LeNet1998, recipe.build_model())
    trainer = Trainer1998([model], recipe.rubbish_distance)
    order = torch.randperm(len(train), generator=torch.Generator().manual_seed(SEED))[None, :images]
    features, errors = [], []
    for done in range(passes + 1):
        if done:
            chosen = torch.randperm(len(train), generator=torch.Generator().manual_seed(done))[:CURVATURE_IMAGES]
            trainer.estimate_curvature(train[chosen], train_labels[chosen])
            trainer.train(train, train_labels, order, recipe.rates[done - 1])
            trainer.copy_to([model])
        with torch.no_grad():
            features.append(model.compute_features(test[first]).numpy())
        errors.append(100 - compute_accuracy(test_labels, predict_logits(model, test).argmax(dim=1)))
        print(f"after {done:2} passes: test error {errors[-1]:.2f} %", flush=True)
    return {"features": np.stack(features).astype(np.float16), "errors": np.array(errors, dtype=np.float32)}


if __name__ == "__main__":
    torch.set_num_threads(1)
    content = io.BytesIO()
    watched = watch(passes=20)
    np.savez_compressed(content, features=watched["features"], errors=watched["errors"])
    write_atomically(FILE, content.getvalue())
