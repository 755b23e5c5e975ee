"""What trained networks say of images, and how well they do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from engine.experiments.mnist.datasets import CLASSES, Bytes
from engine.experiments.mnist.network import model as models
from engine.experiments.mnist.network.cpu import loss_and_slopes
from engine.experiments.mnist.network.model import Parameters


@dataclass(frozen=True, slots=True)
class Answer:
    """What the networks say of one image; arrays of shape (10,).

    `r` and `s` are the convex part and what is taken from it (0 for single networks), `scores` is
    r - s + d, `probabilities` its softmax.
    """

    r: NDArray[np.float32]
    s: NDArray[np.float32]
    scores: NDArray[np.float32]
    probabilities: NDArray[np.float32]


def answer(parameters: Parameters, image: NDArray[np.floating[Any]]) -> Answer:
    """Classify one image (28, 28) with values 0 to 1; safe beside a training run."""
    architecture, tensors = parameters.architecture, parameters.tensors()
    with torch.inference_mode():
        picture = torch.from_numpy(np.asarray(image, np.float32))[None, None]
        h0 = models.features(tensors, picture.to(parameters.flat.device))
        answers = models.parts(architecture, tensors, h0)
        scores = models.scores(architecture, answers, tensors["d"])
        answers, scores = answers[0].cpu(), scores[0].cpu()
    single = architecture.per_class == 1
    r = answers if single else answers[0::2]
    s = torch.zeros(CLASSES) if single else answers[1::2]
    chances = torch.softmax(scores, 0)
    return Answer(r.numpy(), s.numpy(), scores.numpy(), chances.numpy())


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How a network does on some images.

    Attributes
    ----------
    accuracy : float
        Fraction that is right.
    loss : float
        Mean cross-entropy, or squared error.
    predicted : ndarray of int, shape (N,)
    lead : ndarray, shape (N,)
        Score of the best other class minus that of the true one; positive where it is wrong.
    confusion : ndarray of int, shape (10, 10)
        True classes in rows, predicted ones in columns.
    """

    accuracy: float
    loss: float
    predicted: NDArray[np.int64]
    lead: NDArray[np.float32]
    confusion: NDArray[np.int64]


def judge(scores: NDArray[np.float32], labels: Bytes, squared_error: bool = False) -> Evaluation:
    """Compare scores (N, 10) with labels (N,)."""
    truth = labels.astype(np.int64)
    predicted = scores.argmax(1)
    confusion = np.bincount(truth * CLASSES + predicted, minlength=CLASSES**2)
    loss, _ = loss_and_slopes(torch.from_numpy(scores), truth, squared_error)
    accuracy = float((predicted == truth).mean())
    own = np.take_along_axis(scores, truth[:, None], 1)
    others = np.where(np.arange(CLASSES) == truth[:, None], -np.inf, scores)
    lead = (others.max(1, keepdims=True) - own)[:, 0]
    return Evaluation(accuracy, loss, predicted, lead, confusion.reshape(CLASSES, CLASSES))
