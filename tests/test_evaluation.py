"""Scores, against scikit-learn and against counting by hand."""

import numpy as np
import pytest
import torch
from sklearn import metrics
from torch import nn

from lenet_utils.data import make_loader
from lenet_utils.evaluation import (
    compute_accuracy,
    compute_confusion_matrix,
    compute_per_digit_accuracy,
    compute_report,
    evaluate,
    predict_logits,
    predict_with_confidence,
)
from lenet_utils.models import SimpleCNN


@pytest.fixture
def answers():
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 10, 1_000)
    return labels, np.where(generator.random(1_000) < 0.8, labels, generator.integers(0, 10, 1_000))


@pytest.fixture
def model_and_images():
    torch.manual_seed(0)
    return SimpleCNN(dropout=0.5), torch.randn(50, 1, 28, 28)


def test_scores_agree_with_scikit_learn(answers):
    labels, predictions = answers
    assert compute_accuracy(labels, predictions) == pytest.approx(100 * metrics.accuracy_score(labels, predictions))
    matrix = compute_confusion_matrix(labels, predictions)
    assert matrix.sum() == 1_000 and matrix[3, 5] == ((labels == 3) & (predictions == 5)).sum()
    recalls = metrics.recall_score(labels, predictions, average=None)
    assert np.allclose(compute_per_digit_accuracy(labels, predictions), 100 * recalls)
    assert f"{metrics.f1_score(labels, predictions, average='macro'):.4f}" in compute_report(labels, predictions)


def test_a_digit_that_does_not_occur_has_no_accuracy():
    result = compute_per_digit_accuracy(torch.tensor([0, 0, 1]), torch.tensor([0, 1, 1]))
    assert result[:2].tolist() == [50, 100] and np.isnan(result[2:]).all()
    assert compute_confusion_matrix(torch.tensor([0]), torch.tensor([0])).shape == (10, 10)


@pytest.mark.parametrize(
    "labels, predictions, message",
    [
        ([1, 2], [1, 10], "predictions must lie between 0 and 9, but one of them is 10"),
        ([-1, 2], [1, 1], "labels must lie between 0 and 9, but one of them is -1"),
        ([1, 2], [1], r"predictions must be int64 of shape \(2,\), one per image, not int64 of shape \(1,\)"),
        ([], [], "labels must be int64"),
        (torch.zeros(0, dtype=int), torch.zeros(0, dtype=int), "labels must be int64 .* N of 1 or more"),
        ([0.5, 1.0], [0, 1], "labels must be int64"),
        ([[0], [1]], [0, 1], r"labels must be int64 of shape \(2,\)"),
    ],
)
def test_bad_answers_are_refused(labels, predictions, message):
    with pytest.raises(ValueError, match=message):
        compute_accuracy(labels, predictions)


@pytest.mark.parametrize("function", [compute_confusion_matrix, compute_report])
def test_every_score_refuses_bad_answers(function):
    with pytest.raises(ValueError, match="one of them is 10"):
        function([1, 2], [1, 10])


def test_answers_may_be_small_integers(answers):
    labels, predictions = answers
    assert compute_accuracy(labels.astype(np.uint8), torch.tensor(predictions)) == compute_accuracy(*answers)


def test_two_evaluations_of_a_dropout_network_are_equal(model_and_images):
    model, images = model_and_images
    model.train()
    assert torch.equal(predict_logits(model, images), predict_logits(model, images))
    loader = make_loader(images, torch.arange(50) % 10, 8, shuffle=False)
    assert evaluate(model, loader) == evaluate(model, loader)
    assert model.training  # left in the mode it was in
    model.eval()
    evaluate(model, loader)
    predict_logits(model, images)
    assert not model.training


def test_mode_comes_back_even_after_an_error(model_and_images):
    model, _ = model_and_images
    model.train()
    with pytest.raises(ValueError, match="SimpleCNN reads"):
        predict_logits(model, torch.zeros(2, 1, 32, 32))
    assert model.training
    with pytest.raises(ValueError, match="SimpleCNN reads"):
        evaluate(model, [(torch.zeros(2, 1, 32, 32), torch.zeros(2, dtype=int))])
    assert model.training


def test_predictions_need_no_gradients_and_do_not_depend_on_the_batches(model_and_images):
    model, images = model_and_images
    images = images.repeat(9, 1, 1, 1)  # 450: two batches and a half
    logits = predict_logits(model, images)
    assert not logits.requires_grad and logits.shape == (450, 10)
    assert torch.allclose(logits, model.eval()(images), atol=1e-6)


def test_batches_of_unequal_size_count_by_their_images(model_and_images):
    model, images = model_and_images
    labels = predict_logits(model, images).argmax(dim=1)
    labels[:5] = (labels[:5] + 1) % 10  # five wrong, all of them in the first batch
    loss, accuracy = evaluate(model, make_loader(images, labels, 32, shuffle=False))
    assert accuracy == 90
    assert loss == pytest.approx(nn.functional.cross_entropy(predict_logits(model, images), labels).item(), rel=1e-5)


def test_confidence_is_the_largest_probability(model_and_images):
    model, images = model_and_images
    digits, confidences = predict_with_confidence(model, images)
    probabilities = predict_logits(model, images).softmax(dim=1)
    assert torch.equal(digits, probabilities.argmax(dim=1))
    assert torch.equal(confidences, probabilities.gather(1, digits[:, None])[:, 0])
    assert confidences.min() >= 0.1 and confidences.max() <= 1


def test_nothing_to_score_is_refused(model_and_images):
    with pytest.raises(ValueError, match="loader is empty"):
        evaluate(model_and_images[0], [])


def test_a_model_without_parameters_is_scored():
    images = torch.randn(4, 1, 2, 5)
    assert torch.equal(predict_logits(nn.Flatten(), images), images.flatten(1))
    labels = images.flatten(1).argmax(dim=1)
    assert evaluate(nn.Flatten(), make_loader(images, labels, 4, shuffle=False))[1] == 100
