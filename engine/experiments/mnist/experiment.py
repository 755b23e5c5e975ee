r"""Ten pairs of residual networks on handwritten digits (Section 5, Figure 5).

A convolution with ReLU and pooling gives features h_0. For class k two networks of the form
(7a)-(7c), :math:`h_i=h_{i-1}+W_i[V_i^\top h_{i-1}-b_i]_+`, give :math:`r_k=c^\top h_L` and
:math:`s_k`; the score is :math:`r_k-s_k+d_k`. Symbols: step size :math:`\delta` ``step_size``,
momentum :math:`\beta` ``momentum``, layers L ``depth``, columns m of V and W ``width``.

Recorded series: ``loss``, ``batch_accuracy``, ``train_accuracy``, ``test_accuracy``, ``gap`` (in
percent), ``test_subset_accuracy`` (of the first 1,000 test images, where there are more),
``step_size``, ``gradient_norms``, ``parameter_norms`` and ``displacement`` (per kind of parameter:
filters, V, W, b, c, d), ``active`` (per layer), ``hessian`` (largest eigenvalues),
``spectral_norms`` (of V and W), ``lipschitz`` (two bounds). Most are not measured at every step.

The network changes in place, so there is no step back; a run goes on from its checkpoints.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import NDArray

from engine.core.arrays import FloatArray
from engine.core.chunk import Chunk
from engine.core.claims import Bound, Claim
from engine.core.ensemble import Observation, Progress
from engine.core.errors import InputError
from engine.core.experiment import AbstractExperiment, Recent, State
from engine.core.outcome import Outcome, OutcomeKind
from engine.core.packages import require
from engine.core.views import View
from engine.experiments.mnist import claims as statements
from engine.experiments.mnist import views as plots
from engine.experiments.mnist.collapse import trouble
from engine.experiments.mnist.listing import LISTING
from engine.experiments.mnist.params import TEN_MILLION, MnistParams
from engine.text.numbers import whole

if TYPE_CHECKING:
    from engine.experiments.mnist.judging import Answer
    from engine.experiments.mnist.pictures import Pictures
    from engine.experiments.mnist.training import Training


@dataclass(frozen=True, slots=True, kw_only=True)
class MnistState(State[MnistParams]):
    """A step of a training run; `training` is shared by all states of the run."""

    training: Training
    pictures: Pictures


@final
class Mnist(AbstractExperiment[MnistParams, MnistState]):
    """The network of Section 5, its training, and what is inside it."""

    listing = LISTING
    parameters = MnistParams
    rewindable = False
    why_no_nudge = "its training keeps no earlier states, so that a push could not be made again"
    default_steps = TEN_MILLION

    def steps(self, params: MnistParams) -> int:
        """Return the steps of all epochs."""
        from engine.experiments.mnist.datasets import load

        return params.epochs * -(-len(load(params.data).train_images) // params.batch_size)

    def init(self, params: MnistParams, seed: int) -> MnistState:
        """Load the data and draw the start, or go on from a checkpoint."""
        require(*LISTING.needs, what=LISTING.title)
        from engine.experiments.mnist.pictures import Pictures
        from engine.experiments.mnist.training import Training

        training = Training(params, seed)
        return MnistState(params=params, seed=seed, training=training, pictures=Pictures(training))

    def advance(self, state: MnistState, n: int, stride: int = 1) -> tuple[MnistState, Chunk]:
        """Make steps until the last epoch is over; steps made before a checkpoint come from it."""
        training, params = state.training, state.params
        target = min(state.step + n, training.last_step(params))
        if state.diverged_at is not None:
            target = state.step
        while training.step < target and training.diverged_at is None:
            training.advance(params)
        step = max(state.step, min(target, training.step))
        chunk = Chunk.exact(state.step + 1, training.history.rows(state.step + 1, step))
        if training.was_resumed_at == step:
            params = training.params
        new = dataclasses.replace(state, params=params, step=step, diverged_at=training.diverged_at)
        return new, chunk.bucketed(stride)

    def record(self, state: MnistState) -> Mapping[str, FloatArray]:
        """Return the row of a step."""
        rows = state.training.history.rows(state.step, state.step)
        return {key: values[0] for key, values in rows.items()}

    def observe(self, state: MnistState, recent: Recent) -> Observation:
        """Return the curve of Figure 5, filters, confusion, hard images, one image's parts."""
        return state.pictures.observe(state.params)

    def outcome(self, state: MnistState, recent: Recent) -> Outcome:
        """Describe how far the training is, and how good."""
        training, step = state.training, state.step
        if state.diverged_at is not None:
            return Outcome(
                kind=OutcomeKind.DIVERGED,
                step=state.diverged_at,
                message="the loss left the range of useful numbers at step "
                f"{whole(state.diverged_at)}",
                phase=f"diverged at k = {whole(state.diverged_at)}",
            )
        done = step >= training.last_step(state.params)
        phase, wrong = trouble(training.history) if step == training.step else ("", "")
        epoch = step / training.steps_per_epoch
        found = {
            key: training.history.latest(key) for key in ("test_accuracy", "train_accuracy", "gap")
        }
        parts = [f"epoch {epoch:.4g} of {state.params.epochs}"]
        names = {"test_accuracy": "test", "train_accuracy": "train", "gap": "gap"}
        for key, value in found.items():
            if value is not None:
                unit = "points" if key == "gap" else "%"
                parts.append(f"{names[key]} {float(value):.2f} {unit}")
        moving = OutcomeKind.APERIODIC if wrong else OutcomeKind.CONVERGING
        return Outcome(
            kind=OutcomeKind.MAX_STEPS if done else moving,
            step=step,
            message="; ".join(filter(None, (", ".join(parts), wrong))),
            phase=phase or ("trained" if done else f"epoch {int(epoch) + 1}"),
        )

    def theory(self, params: MnistParams, state: MnistState | None) -> tuple[Bound, ...]:
        """List the limit of the sharpness, the paper's accuracies and the Lipschitz bounds."""
        return statements.theory(params, None if state is None else state.training)

    def claims(self, params: MnistParams, state: MnistState, recent: Recent) -> tuple[Claim, ...]:
        """Judge the paper's statements on the gap, the biases, convexity and the sharpness."""
        return statements.claims(params, state.training)

    def views(self, params: MnistParams) -> tuple[View, ...]:
        """Describe the plots."""
        return plots.views(params)

    def input_files(self, params: MnistParams) -> Mapping[str, tuple[Path, ...]]:
        """List the four files of the data, none for the bundled digits."""
        from engine.experiments.mnist.datasets import BUNDLED, files

        return {} if params.data == BUNDLED else {"data": files(params.data)}

    def final(self, state: MnistState, recent: Recent) -> Mapping[str, Any]:
        """Return accuracies, the curve of Figure 5, displacement, speed and sizes."""
        from engine.experiments.mnist.final import final

        return final(state.params, state.training)

    def arrays(self, state: MnistState) -> Mapping[str, NDArray[Any]]:
        """Return the parameters by the names of `engine.experiments.mnist.network.model`."""
        tensors = state.training.core.parameters().tensors()
        return {name: np.ascontiguousarray(values.numpy()) for name, values in tensors.items()}

    def with_arrays(self, state: MnistState, arrays: Mapping[str, NDArray[Any]]) -> MnistState:
        """Begin from learned parameters."""
        if state.training.step:
            raise InputError("model", self.id, "a run takes parameters only before its first step")
        state.training.load_parameters(arrays)
        return state

    def predict(self, state: MnistState, image: NDArray[np.floating[Any]]) -> Answer:
        """Classify an image (28, 28) with values 0 to 1 by the networks as they are now.

        May be called from any thread while a run goes on.
        """
        return state.training.answer(image)

    def answer_drawing(
        self, state: MnistState, ink: NDArray[np.floating[Any]]
    ) -> Mapping[str, NDArray[np.floating[Any]]]:
        """Return what the networks make of a drawing (see `engine.core.drawing`)."""
        from engine.experiments.mnist.drawn_digit import as_digit

        answer = self.predict(state, as_digit(ink))
        return {
            "convex": answer.r,
            "concave": answer.s,
            "probabilities": answer.probabilities,
        }

    def download(self, name: str, progress: Progress) -> None:
        """Fetch MNIST or Fashion-MNIST into the user's folder."""
        from engine.experiments.mnist import datasets

        datasets.download(name, progress=progress)

    def warm_picture(self) -> bool:
        """Call the kernels of a first picture, without torch, which takes seconds to load."""
        from engine.experiments.mnist import first_kernels

        first_kernels.call()
        return True

    def warm_up(self) -> None:
        """Compile the kernels on a tiny run."""
        params = MnistParams(
            filters=1, width=1, depth=1, epochs=1, batch_size=720, checkpoints="off", device="cpu"
        )
        self.advance(self.init(params, 0), 2)
