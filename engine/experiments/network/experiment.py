r"""Training of the user's own networks, with the stability of gradient descent measured.

A network of L layers (``depth``) is plain, :math:`h_i=\varphi(W_ih_{i-1}+b_i)`, residual,
:math:`h_i=h_{i-1}+s\,\varphi(W_ih_{i-1}+b_i)`, or the difference of two residual ones as in the
paper's Section 3. Symbols: step size :math:`\delta` ``step_size``, momentum :math:`\beta`
``momentum``, :math:`\varphi` ``activation``, s ``branch_scale``.

Recorded series: ``loss``, ``held_loss``, ``accuracy`` and ``held_accuracy`` (in percent),
``batch_loss`` (of batches), ``gradient`` (norm); where the Hessian was looked at ``sharpness`` (the
largest eigenvalue of the curvature that counts for the optimiser), ``limit`` (its largest stable
value), ``stability`` (the one over the other), ``eigenvalues``, ``products`` (with the Hessian);
``layer_norms`` and ``alignments`` of the layers; ``flow_loss`` and ``flow_distance`` of the
gradient flow where it is integrated; of the central flow ``central_loss``, ``central_mean_loss``
(the mean of descent's loss as the flow has it), ``central_distance``, ``central_sharpness`` and
``central_variance``; of derivatives along the first eigenvector ``third`` (its magnitude),
``fourth``, ``sharpness_drift`` (a step's change of the sharpness to first order), ``flip`` with
``flip_error``, ``flip_line`` (on the line alone) and ``flat_share``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import NDArray

from engine.analysis.edge import Edge
from engine.core.arrays import FloatArray, checked
from engine.core.change import Nudge, pushed
from engine.core.chunk import Chunk
from engine.core.claims import Bound, Claim
from engine.core.ensemble import Ensemble, Observation, Progress
from engine.core.errors import InputError
from engine.core.experiment import AbstractExperiment, Recent
from engine.core.outcome import Outcome
from engine.core.packages import require
from engine.core.views import View
from engine.experiments.network import claims as statements
from engine.experiments.network import phase, theory
from engine.experiments.network import views as plots
from engine.experiments.network.listing import LISTING
from engine.experiments.network.params import NetworkParams
from engine.experiments.network.state import NetworkState

if TYPE_CHECKING:
    from engine.experiments.network.central import Central
    from engine.experiments.network.look import Numbers

LARGEST = {"float32": 3e38, "float64": np.inf}
"""Magnitude up to which learned numbers fit."""


@final
class Network(AbstractExperiment[NetworkParams, NetworkState]):
    """A network of the user's own, its training, and the sharpness on the way."""

    listing = LISTING
    parameters = NetworkParams
    default_steps = 1000
    has_ensemble = True
    model_endings = (".pt", ".onnx")
    endings = phase.ENDINGS
    why_no_nudge = ""

    def init(self, params: NetworkParams, seed: int) -> NetworkState:
        """Load or draw the data and draw the weights."""
        require(*LISTING.needs, what=LISTING.title)
        from engine.experiments.network.descent import first_state

        return first_state(params, seed)

    def advance(self, state: NetworkState, n: int, stride: int = 1) -> tuple[NetworkState, Chunk]:
        """Make up to `n` steps of the optimiser, fewer where the goal is reached."""
        if state.diverged_at is not None or n <= 0:
            return state, Chunk(state.step + 1, 0, 1, {}, {})
        from engine.experiments.network.descent import advance

        return advance(state, n, stride)

    def record(self, state: NetworkState) -> Mapping[str, FloatArray]:
        """Measure everything at one state."""
        from engine.experiments.network.descent import record

        return record(state)

    def observe(self, state: NetworkState, recent: Recent) -> Observation:
        """Compute the drawn function, the spectra of the layers and the table of the run."""
        from engine.experiments.network.pictures import observe

        return observe(state, recent)

    def outcome(self, state: NetworkState, recent: Recent) -> Outcome:
        """Name where the run is against the limit of its optimiser, and where its loss goes."""
        return phase.outcome_of(state, recent)

    def ending(self, state: NetworkState, recent: Recent) -> str:
        """Name how the run has ended: converged, at the edge, learning, stalled or diverged."""
        return phase.ending_of(state, recent)

    def step_limits(self, params: NetworkParams, seed: int) -> tuple[Bound, ...]:
        """Return the largest step of a linear network of this depth on these samples."""
        require(*LISTING.needs, what=LISTING.title)
        return theory.step_limits(params)

    def theory(self, params: NetworkParams, state: NetworkState | None) -> tuple[Bound, ...]:
        """List the limit of the sharpness and the step size that is critical here."""
        return theory.bounds(params, state)

    def claims(
        self, params: NetworkParams, state: NetworkState, recent: Recent
    ) -> tuple[Claim, ...]:
        """Confront the edge of stability, the threshold and the catapult with the run."""
        return statements.claims(params, state, recent)

    def views(self, params: NetworkParams) -> tuple[View, ...]:
        """Describe the plots."""
        return plots.views(params)

    def final(self, state: NetworkState, recent: Recent) -> Mapping[str, Any]:
        """Return what was measured last, the phases with their steps, and sizes."""
        row, edge = self.record(state), state.edge
        numbers = {
            key: float(value) if np.isfinite(value) else None
            for key, value in row.items()
            if np.ndim(value) == 0
        }
        values = row["eigenvalues"]
        return {
            **numbers,
            "eigenvalues": [float(each) if np.isfinite(each) else None for each in values],
            "weights": state.problem.architecture.count,
            "edge_since": edge.onset,
            "edge_mean_over_limit": edge.mean,
            "catapult_since": edge.catapult,
            "landed": edge.landed,
        }

    def arrays(self, state: NetworkState) -> Mapping[str, NDArray[Any]]:
        """Return the weights by layer: ``W1``, ``b1`` …, of a pair ``r.W1`` and so on."""
        return state.problem.parts(state.weights)

    def save_model(self, state: NetworkState, path: Path) -> str:
        """Write the weights as PyTorch's ``state_dict``, or the network as ONNX."""
        from engine.experiments.network import model_files

        return model_files.save(state, path)

    def with_arrays(self, state: NetworkState, arrays: Mapping[str, NDArray[Any]]) -> NetworkState:
        """Begin from given weights."""
        shapes = dict(state.problem.architecture.shapes)
        values = checked(arrays, shapes)
        largest = LARGEST[state.params.precision]
        for name, part in values.items():
            if np.abs(part).max(initial=0.0) > largest:
                raise InputError(name, float(np.abs(part).max()), f"give numbers up to {largest:g}")
        from engine.experiments.network.descent import started

        flat = np.concatenate([values[name].ravel() for name in shapes])
        weights = flat.astype(state.problem.numbers)
        return started(state.params, state.seed, state.problem, weights)

    def retune(self, state: NetworkState, params: NetworkParams) -> NetworkState:
        """Go on with other live parameters; the phases are looked for anew."""
        is_other = params.step_size != state.params.step_size
        central = _begun_again(state, state.weights) if is_other else state.central
        return dataclasses.replace(
            state, params=params, edge=Edge(begun=state.step), central=central
        )

    def nudge(self, state: NetworkState, nudge: Nudge) -> NetworkState:
        """Push the weights; what the optimiser carries stays."""
        from engine.experiments.network.descent import loss_at

        moved = pushed(state.weights.astype(np.float64), nudge).astype(state.weights.dtype)
        return dataclasses.replace(
            state,
            weights=moved,
            look=None,
            edge=Edge(begun=state.step),
            expansion=None,
            central=_begun_again(state, moved),
            first_loss=loss_at(state.problem, moved),
        )

    def input_files(self, params: NetworkParams) -> Mapping[str, tuple[Path, ...]]:
        """List the files of the samples, of a module, and of the weights at the start."""
        files = dict(super().input_files(params))
        if params.data == "idx":
            from engine.experiments.network.data.images import paths

            files["data_folder"] = paths(params)
        return files

    def code_files(self, params: NetworkParams) -> Mapping[str, Path]:
        """List the Python file of a module."""
        named = params.form == "module" and params.module_file.strip()
        return {"module_file": Path(params.module_file)} if named else {}

    def ensemble(
        self, params: NetworkParams, seed: int, steps: int, progress: Progress
    ) -> Ensemble:
        """Train the networks of many seeds at once, over step sizes, depths and forms."""
        require(*LISTING.needs, what=LISTING.title)
        from engine.experiments.network.ensemble import run

        return run(params, seed, steps, progress)

    def warm_up(self) -> None:
        """Load torch and make a few steps."""
        params = NetworkParams(data="line", points=16, width=4)
        self.advance(self.init(params, 0), 12)


def _begun_again(state: NetworkState, weights: Numbers) -> Central | None:
    """Begin the central flow from weights of the run, where there is one."""
    if not state.params.has_central_flow:
        return None
    from engine.experiments.network.central import Central

    return Central.at(weights, state.step)
