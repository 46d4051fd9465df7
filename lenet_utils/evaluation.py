"""How good a model is: predictions, accuracy, the digits one by one, the confusions.

Accuracies are in percent, and always counts of right answers over counts of images. Labels and predictions are tensors
or arrays.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from sklearn import metrics
from torch import nn
from torch.utils.data import DataLoader

from lenet_utils.data import NUM_CLASSES, check_labels


@contextmanager
def evaluating(model: nn.Module) -> Iterator[torch.device]:
    """Put a model into evaluation mode, without gradients, and back into its mode at the end; give its device."""
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    finally:
        model.train(was_training)


def predict_logits(model: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """Return the logits of all images, (N, 10) float32 on the CPU, computed in evaluation mode.

    ``images`` are (N, C, H, W) float32, prepared as the model's training images were. The model is left in the mode
    it was in.
    """
    with evaluating(model) as device:
        # 200 images at a time: about the fastest on a CPU, whose caches a larger batch outgrows.
        return torch.cat([model(batch.to(device)).cpu() for batch in images.split(200)])


def predict_with_confidence(model: nn.Module, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the digit that the model reads in each image, and the probability it gives to it.

    First built in notebooks/06_confusion_matrix.ipynb, «How sure is the network?». Digits (N,) int64, 0 to 9, and
    confidences (N,) float32, 0.1 to 1: the largest softmax output.
    """
    confidences, digits = predict_logits(model, images).softmax(dim=1).max(dim=1)
    return digits, confidences


def evaluate(model: nn.Module, loader: DataLoader) -> tuple[float, float]:
    """Return the mean cross-entropy and the accuracy in percent over all images of ``loader``.

    First built in notebooks/02_mlp_baseline.ipynb, «Score a network». The model is left in the mode it was in.
    """
    loss_sum, right, count = 0.0, 0.0, 0
    with evaluating(model) as device:
        for images, labels in loader:
            images, labels = images.to(device), labels.to(device)
            logits = model(images)
            loss_sum += nn.functional.cross_entropy(logits, labels, reduction="sum").item()
            right += (logits.argmax(dim=1) == labels).sum().item()
            count += len(labels)
    if count == 0:
        raise ValueError("the loader is empty: there is nothing to score.")
    return loss_sum / count, 100 * right / count


def compute_accuracy(labels, predictions) -> float:
    """Return the share of right predictions in percent; both arguments are (N,) integers 0 to 9."""
    labels, predictions = _as_digits(labels, predictions)
    return 100 * float((labels == predictions).mean())


def compute_per_digit_accuracy(labels, predictions) -> np.ndarray:
    """Return, for each digit, the share of its images that are classified correctly, in percent: the recall.

    First built in notebooks/06_confusion_matrix.ipynb, «Digit by digit». (10,) float64; nan for a digit that does not
    occur in ``labels``.
    """
    matrix = compute_confusion_matrix(labels, predictions)
    totals = matrix.sum(axis=1)
    return 100 * np.divide(matrix.diagonal(), totals, out=np.full(NUM_CLASSES, np.nan), where=totals > 0)


def compute_confusion_matrix(labels, predictions) -> np.ndarray:
    """Return how often each digit (row) is read as each digit (column): (10, 10) int64, scikit-learn's layout.

    First built in notebooks/06_confusion_matrix.ipynb, «The confusion matrix».
    """
    labels, predictions = _as_digits(labels, predictions)
    return metrics.confusion_matrix(labels, predictions, labels=range(NUM_CLASSES))


def compute_report(labels, predictions) -> str:
    """Return scikit-learn's classification report: precision, recall, F1 and count of each digit, as text."""
    labels, predictions = _as_digits(labels, predictions)
    return metrics.classification_report(labels, predictions, labels=range(NUM_CLASSES), digits=4, zero_division=np.nan)


def _as_digits(labels, predictions) -> tuple[np.ndarray, np.ndarray]:
    labels, predictions = (np.asarray(values) for values in (labels, predictions))
    for name, values in (("labels", labels), ("predictions", predictions)):
        whole = values.astype(np.int64) if values.dtype.kind in "iu" else values
        check_labels(torch.as_tensor(whole), labels.size, name)
    return labels, predictions
