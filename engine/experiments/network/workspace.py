"""The weights of a run on its device while steps are made, with their gradient."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from engine.experiments.network.look import Numbers
from engine.experiments.network.nets import losses
from engine.experiments.network.nets.functional import FunctionalTrainer, outputs_at, trainer_of
from engine.experiments.network.nets.network import Trainer
from engine.experiments.network.problem import Problem, Samples


class Workspace:
    """Weights and what the optimiser carries, which steps change in place.

    Parameters
    ----------
    problem : Problem
    weights, moments : ndarray, shape (n,) and (m, n)
        Copied.
    """

    def __init__(self, problem: Problem, weights: Numbers, moments: Numbers) -> None:
        self.problem = problem
        self.w, self.moments = problem.tensor(weights), problem.tensor(moments)
        self.g = torch.zeros_like(self.w)
        self._trainer = trainer_of(problem.architecture, problem.loss, self.w, self.g)
        self._before = torch.empty_like(self.w), torch.empty_like(self.moments)
        self._elsewhere: tuple[Tensor, Tensor, Trainer | FunctionalTrainer] | None = None

    def look(self, batch: Tensor | None) -> tuple[float, float, float]:
        """Compute the gradient on a batch, and return loss, accuracy in percent, and its norm.

        The accuracy is NaN without classes.
        """
        samples = self.problem.train
        x, y, classes = samples.x, samples.y, samples.classes
        if batch is not None:
            x, y = x[batch], y[batch]
            classes = None if classes is None else classes[batch]
        loss, made = self._trainer.step(x, y)
        accuracy = math.nan
        if classes is not None:
            accuracy = 100.0 * int(losses.right(made, classes)) / len(x)
        return float(loss), accuracy, float(torch.linalg.vector_norm(self.g))

    def gradient(self, batch: Tensor | None, weights: Tensor) -> Tensor:
        """Compute the gradient on a batch at other weights, until the next call."""
        if self._elsewhere is None:
            there, slope = torch.empty_like(self.w), torch.zeros_like(self.w)
            trainer = trainer_of(self.problem.architecture, self.problem.loss, there, slope)
            self._elsewhere = there, slope, trainer
        there, slope, trainer = self._elsewhere
        there.copy_(weights)
        samples = self.problem.train
        x, y = (samples.x, samples.y) if batch is None else (samples.x[batch], samples.y[batch])
        trainer.step(x, y)
        return slope

    def loss_of(self, weights: Tensor) -> float:
        """Compute the loss over all training samples at other weights."""
        made = outputs_at(self.problem.architecture, weights, self.problem.train.x)
        return float(losses.value(self.problem.loss, made, self.problem.train.y))

    def judge(self, samples: Samples) -> tuple[float, float]:
        """Return loss and accuracy in percent over samples; NaN where there are none."""
        if not samples.count:
            return math.nan, math.nan
        made = self._trainer.outputs(samples.x)
        loss = float(losses.value(self.problem.loss, made, samples.y))
        if samples.classes is None:
            return loss, math.nan
        return loss, 100.0 * int(losses.right(made, samples.classes)) / samples.count

    def keep(self) -> None:
        """Remember the weights and what is carried."""
        for kept, values in zip(self._before, (self.w, self.moments), strict=True):
            kept.copy_(values)

    def restore(self) -> None:
        """Go back to what was remembered."""
        for kept, values in zip(self._before, (self.w, self.moments), strict=True):
            values.copy_(kept)

    def weights(self) -> Numbers:
        """Copy the weights, shape (n,)."""
        return self.w.cpu().numpy().copy()

    def carried(self) -> Numbers:
        """Copy what the optimiser carries, shape (m, n)."""
        return self.moments.cpu().numpy().copy()
