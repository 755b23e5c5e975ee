"""What the views of the MNIST experiment draw."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from engine.experiments.mnist.params import MnistParams
from engine.experiments.mnist.training import Training
from engine.kernels.network.images import KERNEL
from engine.text.numbers import whole

GALLERY = 30
"""Images in the gallery of hard ones."""
REST = 100.0
"""A picture that took t seconds is not made again within this many t."""


class Pictures:
    """Pictures of one run; the costly ones are kept while they are fresh enough."""

    def __init__(self, training: Training) -> None:
        self._training = training
        self._parts: dict[str, Any] = {}
        self._parts_of: tuple[int, int] = (-1, -1)
        self._parts_due = 0.0
        self._hard: dict[str, Any] = {}
        self._hard_at = -1

    def observe(self, params: MnistParams) -> dict[str, Any]:
        """Return everything that the views name."""
        training = self._training
        weight = training.core.live().parts["conv.weight"].detach().cpu()
        return {
            "labels": list(training.data.labels),
            "filters": _finite(weight.view(-1, KERNEL, KERNEL).numpy()),
            "status": self._status(params),
            **self._curves(),
            **self._shown(params.shown),
            **self._hardest(),
        }

    def _curves(self) -> dict[str, Any]:
        training = self._training
        steps, train = training.history.measured("train_accuracy")
        tested, test = training.history.measured("test_accuracy")
        return {
            "epochs": steps / training.steps_per_epoch,
            "train_curve": train,
            "test_curve": test[np.isin(tested, steps)],
        }

    def _shown(self, shown: int) -> dict[str, Any]:
        training = self._training
        shown = min(shown, len(training.data.test_images) - 1)
        key = (training.step, shown)
        changed = shown != self._parts_of[1]
        if changed or (key != self._parts_of and time.monotonic() >= self._parts_due):
            begin = time.monotonic()
            self._parts = self._answer(shown)
            self._parts_of = key
            end = time.monotonic()
            self._parts_due = end + REST * (end - begin)
        return self._parts

    def _answer(self, shown: int) -> dict[str, Any]:
        data = self._training.data
        image = data.test_images[shown]
        answer = self._training.answer(image / np.float32(255))
        truth, found = (
            data.labels[data.test_labels[shown]],
            data.labels[int(answer.scores.argmax())],
        )
        return {
            "r": _finite(answer.r),
            "s": _finite(answer.s),
            "scores": _finite(answer.scores),
            "shown_image": image[None] / 255.0,
            "shown_caption": [f"{truth}, answer {found}"],
        }

    def _hardest(self) -> dict[str, Any]:
        training = self._training
        look = training.look
        if look is None or look.step == self._hard_at:
            return self._hard
        data = training.data
        lead = look.test.lead
        order = np.argsort(-lead, kind="stable")[:GALLERY]
        truth, answer = data.test_labels[order], look.test.predicted[order]
        self._hard = {
            "confusion": look.test.confusion.astype(np.float64),
            "gallery": data.test_images[order] / 255.0,
            "gallery_captions": [
                f"{data.labels[t]} → {data.labels[a]}" if t != a else data.labels[t]
                for t, a in zip(truth, answer, strict=True)
            ],
        }
        self._hard_at = look.step
        return self._hard

    def _status(self, params: MnistParams) -> list[list[str]]:
        training = self._training
        data, last = training.data, training.last_step(params)
        rate = training.images_per_second
        rows = [
            [
                "data",
                f"{data.name}: {whole(len(data.train_images))} + "
                f"{whole(len(data.test_images))} images",
            ],
            ["network", f"{whole(training.architecture.size)} parameters"],
            ["device", training.describe()],
            ["epoch", f"{training.epochs_done:.2f} of {params.epochs}"],
        ]
        if rate is not None:
            left = max(0, last - training.step) * params.batch_size / rate
            rows.append(["images per second", whole(round(rate))])
            rows.append(["time left", f"{duration(left)} of steps, besides measurements"])
        if training.sharpness is not None:
            found = training.sharpness
            rows.append(
                [
                    "Hessian",
                    f"{found.products} products in {found.seconds:.1f} s, "
                    f"eigenvalues within {found.error:.2g}",
                ]
            )
        if training.reached_paper is not None:
            rows.append(["97.58 % test after", f"{training.reached_paper:.1f} s of steps"])
        folder = training.checkpoints.folder
        rows.append(
            ["checkpoints", "off" if folder is None else training.checkpoints.last or "none yet"]
        )
        return rows


def duration(seconds: float) -> str:
    """Write a time for people."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def _finite(values: Any) -> Any:
    """Replace what a diverged run left by NaN, which is not drawn."""
    numbers = np.asarray(values, np.float64)
    return np.where(np.isfinite(numbers), numbers, np.nan)
