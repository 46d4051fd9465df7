"""How good a model is: predictions, accuracy, the digits one by one, the confusions.

Accuracies are in percent, and always counts of right answers over counts of images.
"""

import numpy as np
import torch
from sklearn import metrics
from torch import nn
from torch.utils.data import DataLoader

from lenet_utils.data import NUM_CLASSES, check_labels


def predict_logits(model: nn.Module, images: torch.Tensor, batch_size: int = 200) -> torch.Tensor:
    """Return the logits of all ``images``, computed in evaluation mode and without gradients.

    Args:
        model: any model of this course; it is left in the mode it was in.
        images: (N, C, H, W) float32, prepared as the model's training images were.
        batch_size: images at a time: 200 is about the fastest on a CPU, whose caches a larger batch outgrows.

    Returns:
        (N, 10) float32, on the CPU.
    """
    if len(images) == 0:
        raise ValueError("images is an empty batch: there is nothing to predict.")
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            return torch.cat([model(batch.to(device)).cpu() for batch in images.split(batch_size)])
    finally:
        model.train(was_training)


def predict_with_confidence(model: nn.Module, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the digit that the model reads in each image, and the probability it gives to it.

    First built in notebooks/06_confusion_matrix.ipynb, «How sure is the network?».

    Args:
        model, images: as for :func:`predict_logits`.

    Returns:
        Digits (N,) int64, 0 to 9, and confidences (N,) float32, 0.1 to 1: the largest softmax output.
    """
    confidences, digits = predict_logits(model, images).softmax(dim=1).max(dim=1)
    return digits, confidences


def evaluate(model: nn.Module, loader: DataLoader) -> tuple[float, float]:
    """Return the mean cross-entropy and the accuracy in percent over all images of ``loader``.

    First built in notebooks/02_mlp_baseline.ipynb, «Score a network». The model is left in the mode it was in.
    """
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    loss_sum, right, count = 0.0, 0, 0
    try:
        with torch.no_grad():
            for images, labels in loader:
                check_labels(labels, len(images))
                images, labels = images.to(device), labels.to(device)
                logits = model(images)
                loss_sum += nn.functional.cross_entropy(logits, labels, reduction="sum").item()
                right += (logits.argmax(dim=1) == labels).sum().item()
                count += len(labels)
    finally:
        model.train(was_training)
    if count == 0:
        raise ValueError("the loader is empty: there is nothing to score.")
    return loss_sum / count, 100 * right / count


def compute_accuracy(labels, predictions) -> float:
    """Return the share of right predictions in percent.

    Args:
        labels, predictions: (N,) integers 0 to 9, tensors or arrays.
    """
    labels, predictions = _as_digits(labels, predictions)
    return 100 * float((labels == predictions).mean())


def compute_per_digit_accuracy(labels, predictions) -> np.ndarray:
    """Return, for each digit, the share of its images that are read rightly, in percent: the recall.

    First built in notebooks/06_confusion_matrix.ipynb, «Digit by digit».

    Returns:
        (10,) float64; nan for a digit that does not occur in ``labels``.
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
    arrays = []
    for name, values in (("labels", labels), ("predictions", predictions)):
        array = np.asarray(values)
        if array.ndim != 1 or array.dtype.kind not in "iu":
            raise ValueError(f"{name} must be integers of shape (N,), not {array.dtype} of shape {array.shape}.")
        if len(array) == 0:
            raise ValueError(f"{name} is empty: there is nothing to score.")
        if array.min() < 0 or array.max() >= NUM_CLASSES:
            wrong = array[(array < 0) | (array >= NUM_CLASSES)][0]
            raise ValueError(f"{name} must lie between 0 and 9, but one of them is {wrong}.")
        arrays.append(array)
    if len(arrays[0]) != len(arrays[1]):
        raise ValueError(f"there are {len(arrays[0])} labels but {len(arrays[1])} predictions.")
    return arrays[0], arrays[1]
