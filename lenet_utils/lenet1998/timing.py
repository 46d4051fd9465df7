"""How long a pass takes: any recipe, of 1998 or since, on one clock."""

import time
from typing import cast

import torch

from lenet_utils.data import make_loader
from lenet_utils.lenet1998.network import LeNet1998
from lenet_utils.lenet1998.trainer import Trainer1998
from lenet_utils.recipes import Recipe, Recipe1998
from lenet_utils.training import train_one_epoch

TRIES = 3


def time_pass(recipe: Recipe, images: torch.Tensor, labels: torch.Tensor) -> float:
    """Return the seconds of a pass over 60,000 digits, worked out from the digits given: the best of three tries.

    One thread, and processor time: what else the computer does meanwhile hardly counts.

    Args:
        recipe: how to learn; a ``Recipe1998`` learns one digit a step, any other in batches.
        images: (N, 1, H, W) float32, prepared with ``recipe.inputs``.
        labels: (N,) int64.
    """
    model, threads, tries = recipe.build_model(), torch.get_num_threads(), []
    torch.set_num_threads(1)
    for _ in range(TRIES):
        if isinstance(recipe, Recipe1998):
            trainer = Trainer1998([cast(LeNet1998, model)], recipe.rubbish_distance, recipe.curved)
            trainer.estimate_curvature(images[:50], labels[:50])  # the steps need one; it is not timed
            start = time.process_time()
            trainer.train(images, labels, torch.arange(len(images))[None], recipe.rates[0])
        else:
            loader, optimizer = make_loader(images, labels, recipe.batch_size, True), recipe.build_optimizer(model)
            start = time.process_time()
            train_one_epoch(model, loader, optimizer, recipe.compute_loss)
        tries.append(time.process_time() - start)
    torch.set_num_threads(threads)
    return min(tries) * 60_000 / len(images)
