"""The network that makes ``predict`` say "not sure": it has also seen letters and scribbles, and was taught to have no
opinion about them.

``python -m lenet_utils.studies.doubt`` trains it on digits, whose answers it must know, and on made letters and
scribbles, for which all ten answers should come out equally likely (outlier exposure: Hendrycks, Mazeika and Dietterich
2019). The letters are of other fonts than those of ``made_photographs``, the scribbles of another seed.
"""

import numpy as np
import torch
from torch import nn

from lenet_utils.checkpoints import find_checkpoint, save_checkpoint
from lenet_utils.data import NUM_CLASSES, load_mnist, prepare_images, split_train_validation
from lenet_utils.drawings import to_mnist
from lenet_utils.evaluation import compute_accuracy, predict_with_confidence
from lenet_utils.images import DOUBT
from lenet_utils.models import SimpleCNN
from lenet_utils.studies.made_photographs import LETTERS, draw_letter, draw_scribble

SEED, EPOCHS, COUNT, SIDE = 7, 8, 15_000, 84
SIGNS = LETTERS + "?!&%@#+=*$<>"
FONTS = (
    "DejaVuSans-Oblique", "DejaVuSans-BoldOblique", "DejaVuSerif-Bold", "DejaVuSansMono-Oblique", "STIXGeneralItalic",
    "STIXGeneralBol", "STIXGeneralBolIta", "cmr10", "cmss10", "cmtt10", "cmti10", "cmb10",
)  # fmt: skip
INPUTS: dict = {"normalisation": "mnist", "size": 28}
NO_OPINION = 10  # the label of what is no digit


def draw_examples(random: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Letters, scribbles and printed digits, (N, 28, 28) uint8, and their labels (N,) int64: 0 to 9, and 10."""
    images, labels = [], []
    for number in range(2 * COUNT + COUNT // 5):
        label = NO_OPINION
        if number >= 2 * COUNT:
            label = number % 10
            drawing = draw_letter(SIDE, random, str(label), FONTS)
        elif number % 2:
            drawing = draw_letter(SIDE, random, SIGNS, FONTS)
        else:
            drawing = draw_scribble(SIDE, random)
        images.append(to_mnist(drawing))
        labels.append(label)
    return torch.stack(images), torch.tensor(labels)


def compute_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Cross-entropy; for what is no digit the target is a tenth for each answer."""
    targets = torch.full((len(labels), NUM_CLASSES), 1 / NUM_CLASSES)
    digits = labels != NO_OPINION
    targets[digits] = nn.functional.one_hot(labels[digits], NUM_CLASSES).float()
    return nn.functional.cross_entropy(logits, targets)


def main() -> None:
    torch.manual_seed(SEED)
    mnist = load_mnist(train=True)
    train, validation = split_train_validation(mnist.targets)
    made, made_labels = draw_examples(np.random.default_rng(SEED))
    images = prepare_images(torch.cat([mnist.data[train], made]), **INPUTS)
    labels = torch.cat([mnist.targets[train], made_labels])
    model = SimpleCNN(kernel_size=5, channels=(8, 16), hidden=32, dropout=0.0)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    order = torch.Generator().manual_seed(SEED)
    steps = EPOCHS * (len(labels) // 64)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, steps)
    for epoch in range(EPOCHS):
        for batch in torch.randperm(len(labels), generator=order).split(64)[: steps // EPOCHS]:
            loss = compute_loss(model(images[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        digits, sure = predict_with_confidence(model, prepare_images(mnist.data[validation], **INPUTS))
        accuracy = compute_accuracy(mnist.targets[validation], digits)
        print(
            f"epoch {epoch + 1}: loss {loss:.3f}, validation {accuracy:.2f} %, sure of 98 %: {sure.quantile(0.02):.3f}",
            flush=True,
        )
    save_checkpoint(find_checkpoint(DOUBT), model, INPUTS)


if __name__ == "__main__":
    main()
