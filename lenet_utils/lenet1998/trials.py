"""What was tried for the recipe of 1998, and what became of other readings of the paper.

    python -m lenet_utils.lenet1998.trials [GROUP ...]

Learns from 55,000 of the training images and scores the other 5,000; the test images are not looked at. The trials
of a group are trained in parallel, each with settings of its own, on one thread, in 15 to 30 minutes. Then
``data/trials_1998.csv`` has one more row for each pass of each trial. A group that it already holds is not repeated.
"""

import sys

import pandas as pd
import torch

from lenet_utils.data import load_mnist, prepare_images
from lenet_utils.evaluation import compute_accuracy, predict_logits
from lenet_utils.files import find_data_root, write_atomically
from lenet_utils.lenet1998.network import LeNet1998, compute_loss_1998
from lenet_utils.lenet1998.trainer import CURVATURE_IMAGES, MU, Trainer1998

FILE = find_data_root() / "trials_1998.csv"
PUBLISHED = (0.0005, 0.0002, 0.0002, 0.0001, 0.00005) + (0.00001,) * 5  # in half the passes
BETWEEN = (0.0002, 0.0001, 0.0001, 0.00005, 0.00005) + (0.00001,) * 5
CAPPED = (0.00005,) * 5 + (0.00001,) * 5
PUBLISHED_20 = (0.0005,) * 2 + (0.0002,) * 3 + (0.0001,) * 3 + (0.00005,) * 4 + (0.00001,) * 8  # in all passes
CAPPED_20 = (0.00005,) * 12 + (0.00001,) * 8  # in all passes
DEFAULTS = {
    "seed": 0,
    "start": "1 / sqrt(F)",  # limit of the first weights; or "2.4 / F", or another number for the 1
    "zero_biases": False,
    "loss": 9,  # or 8: the equation
    "rubbish": 20.0,  # j of equation 9
    "curvature": "own",  # of the loss at F6; or "constant": 2 for equation 9, too, as for equation 8
    "distance": "sum",  # of the squared differences over the 84 units of F6; or their "mean"
    "mu": MU,
    "curved": True,  # False: the same step for every weight
    "batch": 1,  # digits a step
    "rates": CAPPED,
}
READ_AS_MEAN = {"distance": "mean", "start": "2.4 / F", "rates": PUBLISHED_20}


def describe(name: str, **changed) -> dict:
    return {"trial": name, **DEFAULTS, **changed}


GROUPS = {
    "A": [
        describe("own curvature"),
        describe("constant curvature", curvature="constant"),
        describe("published rates", curvature="constant", rates=PUBLISHED),
        describe("no rate above 0.0002", curvature="constant", rates=BETWEEN),
        describe("own curvature, mu 0.1, rates x 5", mu=0.1, rates=tuple(5 * r for r in CAPPED)),
        describe("equation 8", loss=8),
    ],
    "B": [
        describe("own curvature, last rate 0.000002", rates=CAPPED[:5] + (0.000002,) * 5),
        describe("one step for all", curved=False, mu=1.0, rates=(0.002,) * 5 + (0.0005,) * 5),
        describe("own curvature", seed=1),
        describe("constant curvature", curvature="constant", seed=1),
        describe("own curvature, first weights 2.4 / sqrt(F)", start="2.4 / sqrt(F)"),
    ],
    "C": [
        describe("own curvature", rates=CAPPED_20),
        describe("own curvature", rates=CAPPED_20, seed=1),
        describe("constant curvature", curvature="constant", rates=CAPPED_20),
        describe("constant curvature", curvature="constant", rates=CAPPED_20, seed=1),
        describe("equation 8", loss=8, rates=CAPPED_20),
        describe("equation 8", loss=8, rates=CAPPED_20, seed=1),
    ],
    "D": [
        describe("as published", curvature="constant", start="2.4 / F", rates=PUBLISHED),
        describe("as published, equation 8", loss=8, start="2.4 / F", rates=PUBLISHED),
        describe("published rates, equation 8", loss=8, rates=PUBLISHED),
        describe("constant curvature, j = 8", curvature="constant", rubbish=8.0),
        describe("constant curvature, j = 50", curvature="constant", rubbish=50.0),
        describe("constant curvature, biases 0", curvature="constant", zero_biases=True),
    ],
    "E": [
        describe("mu 0.1", curvature="constant", mu=0.1),
        describe("first weights 0.5 / sqrt(F)", curvature="constant", start="0.5 / sqrt(F)"),
        describe("first weights 0.7 / sqrt(F)", curvature="constant", start="0.7 / sqrt(F)"),
        describe("rates x 0.4", curvature="constant", rates=tuple(0.4 * r for r in CAPPED)),
        describe("mu 0.1, rates x 2", curvature="constant", mu=0.1, rates=tuple(2 * r for r in CAPPED)),
        describe("mu 0.1, first weights 0.5 / sqrt(F)", curvature="constant", mu=0.1, start="0.5 / sqrt(F)"),
    ],
    "F": [
        describe("as published, equation 8, mean distance", loss=8, **READ_AS_MEAN),
        describe("as published, equation 8, mean distance", loss=8, seed=1, **READ_AS_MEAN),
        describe("as published, mean distance", curvature="constant", **READ_AS_MEAN),
        describe("as published, mean distance, j = 1", curvature="constant", rubbish=1.0, **READ_AS_MEAN),
        describe("published rates, equation 8, mean distance", loss=8, **READ_AS_MEAN | {"start": "1 / sqrt(F)"}),
    ],
    "G": [
        describe(f"one step for all, {rate:g}", curved=False, mu=1.0, rates=(rate,) * 6 + (rate / 5,) * 4)
        for rate in (0.00005, 0.0001, 0.0002, 0.0005)
    ],
    "H": [
        describe(f"64 digits a step, {rate:g}", curved=False, mu=1.0, batch=64, rates=(rate,) * 4 + (rate / 5,) * 2)
        for rate in (0.001, 0.002, 0.004, 0.008)
    ],
}


class Trials(Trainer1998):
    """Trainer1998 with settings of its own for each network; ``settings`` as in ``DEFAULTS``."""

    def __init__(self, models: list[LeNet1998], settings: list[dict]):
        super().__init__(models, rubbish_distance=1.0)
        self.settings = settings
        self.rubbish_distances = self.stack(lambda s: s["rubbish"])
        self.discriminates = self.stack(lambda s: s["loss"] == 9)
        self.constant = self.stack(lambda s: s["curvature"] == "constant")
        self.scale = self.stack(lambda s: 1 if s["distance"] == "sum" else 1 / 84)[:, None]
        self.mu = self.stack(lambda s: s["mu"])
        self.weighs_curvature = self.stack(lambda s: s["curved"])

    def stack(self, choose) -> torch.Tensor:
        return torch.tensor([float(choose(settings)) for settings in self.settings])

    def derive_loss(self, features, labels, power):
        right = features - self.codes[labels]
        differences = features[:, None] - self.codes
        logits = torch.cat([-self.scale * differences.square().sum(2), -self.rubbish_distances[:, None]], dim=1)
        p = logits.softmax(1)[:, :10, None] * self.discriminates[:, None, None]
        mean = (p * differences).sum(1)
        if power == 1:
            return 2 * self.scale * (right - mean)
        spread = (p * differences.square()).sum(1) - mean.square()
        second = 2 * self.scale * (1 - p.sum(1)) + 4 * self.scale.square() * spread
        return second + self.constant[:, None] * (2 * self.scale - second)

    def compute_steps(self, rate):
        def compute(value):
            shape = (-1,) + (1,) * (value.ndim - 1)
            curvature = value * self.weighs_curvature.view(shape)
            return rate.view(shape) / (self.mu.view(shape) + curvature)

        return {name: [compute(value) for value in values] for name, values in self.curvature.items()}


class BatchTrials:
    """Plain gradient descent on the mean loss of a batch, called like a :class:`Trainer1998`."""

    def __init__(self, models: list[LeNet1998], settings: list[dict]):
        self.models, self.settings = models, settings

    def estimate_curvature(self, images, labels):
        pass

    def train(self, images, labels, orders, rates):
        for model, one, order, rate in zip(self.models, self.settings, orders, rates.tolist()):
            optimizer = torch.optim.SGD(model.parameters(), lr=rate)
            for batch in order.split(one["batch"]):
                loss = compute_loss_1998(model(images[batch]), labels[batch], one["rubbish"])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()

    def copy_to(self, models):
        pass


def build_network(settings: dict) -> LeNet1998:
    torch.manual_seed(settings["seed"])
    model = LeNet1998(published_start=settings["start"] == "2.4 / F")
    with torch.no_grad():
        for name, value in model.named_parameters():
            if settings["start"].endswith("sqrt(F)"):
                value.mul_(float(settings["start"].split(" / ")[0]))
            if settings["zero_biases"] and name.endswith("bias"):
                value.zero_()
    return model


def run_group(group: str) -> list[dict]:
    settings = GROUPS[group]
    dataset = load_mnist(train=True)
    images = prepare_images(dataset.data, normalisation="1998", size=32)
    order = torch.randperm(60_000, generator=torch.Generator().manual_seed(0))
    train, validation = ((images[part], dataset.targets[part]) for part in (order[:55_000], order[55_000:]))
    models = [build_network(one) for one in settings]
    trainer = (BatchTrials if settings[0]["batch"] > 1 else Trials)(models, settings)
    orders = torch.stack(
        [torch.randperm(55_000, generator=torch.Generator().manual_seed(one["seed"])) for one in settings]
    )
    rows = []
    for epoch, rates in enumerate(zip(*(one["rates"] for one in settings)), start=1):
        generator = torch.Generator().manual_seed(epoch)
        chosen = torch.randperm(55_000, generator=generator)[:CURVATURE_IMAGES]
        trainer.estimate_curvature(train[0][chosen], train[1][chosen])
        trainer.train(*train, orders, torch.tensor(rates))
        trainer.copy_to(models)
        for one, model, rate in zip(settings, models, rates):
            errors = [
                100 - compute_accuracy(labels, predict_logits(model, images).argmax(dim=1))
                for images, labels in (validation, (train[0][:10_000], train[1][:10_000]))
            ]
            rows.append(
                {"group": group, "trial": one["trial"], "pass": epoch, "rate": rate}
                | {"validation_error": round(errors[0], 2), "training_error": round(errors[1], 2)}
                | {key: one[key] for key in DEFAULTS if key != "rates"}
            )
        print(group, epoch, [row["validation_error"] for row in rows[-len(models) :]], flush=True)
    return rows


if __name__ == "__main__":
    torch.set_num_threads(1)
    groups = sys.argv[1:] or list(GROUPS)
    if unknown := set(groups) - GROUPS.keys():
        sys.exit(f"error: no group {', '.join(unknown)}: choose of {', '.join(GROUPS)}.")
    for wanted in groups:
        if not FILE.exists() or wanted not in set(pd.read_csv(FILE).group):
            rows = pd.DataFrame(run_group(wanted))
            table = pd.concat([pd.read_csv(FILE), rows]) if FILE.exists() else rows
            table = table.sort_values("group", kind="stable")
            write_atomically(FILE, table.to_csv(index=False, lineterminator="\n").encode())
