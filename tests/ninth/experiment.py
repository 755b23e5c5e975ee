r"""The damped rotation :math:`z[k+1] = \rho\,Q(\theta)\,z[k]` in the plane, Q a rotation.

The origin attracts for :math:`\rho < 1`. Symbols: :math:`\rho` `damping`, :math:`\theta` `angle`.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.change import Nudge, pushed
from engine.core.chunk import Chunk
from engine.core.claims import Bound, Claim, Lamp, Verdict
from engine.core.ensemble import Observation
from engine.core.experiment import AbstractExperiment, Recent, State
from engine.core.outcome import Outcome, OutcomeKind
from engine.core.params import Params, param
from engine.core.system import System, varied
from engine.core.views import Curve, PlaneView, Points, Series, TimeView, View
from tests.ninth import LISTING

FARTHEST = 1e12
"""Distance at which a run has diverged."""


class RotationParams(Params):
    """Parameters of the damped rotation."""

    damping: float = param(
        0.95, "Factor per step.", symbol=r"\rho", ge=1e-3, le=10, log=True, live=True, bounds={}
    )
    angle: float = param(0.3, "Angle per step.", symbol=r"\theta", unit="rad", ge=-4, le=4)


@dataclass(frozen=True, slots=True, kw_only=True)
class RotationState(State[RotationParams]):
    """A point in the plane, shape (2,)."""

    point: FloatArray


@dataclass(frozen=True, eq=False, kw_only=True)
class RotationSystem(System[RotationState]):
    """The rotation as a map of the plane."""

    matrix: FloatArray

    def step(self, z: FloatArray) -> FloatArray:
        """Turn and shrink a point once."""
        return np.asarray(self.matrix @ z)

    def jacobian(self, z: FloatArray) -> FloatArray:
        """Return the matrix, everywhere."""
        return self.matrix

    def point(self, state: RotationState) -> FloatArray:
        """Return the point."""
        return state.point

    def start(self, seed: int) -> FloatArray:
        """Return a point at distance 1, in a direction that the seed chooses."""
        turn = np.random.default_rng(seed).uniform(0, 2 * math.pi)
        return np.array([np.cos(turn), np.sin(turn)])


@final
class DampedRotation(AbstractExperiment[RotationParams, RotationState]):
    """A linear map with a pair of complex eigenvalues."""

    listing = LISTING
    parameters = RotationParams
    default_steps = 200
    why_no_nudge = ""

    def init(self, params: RotationParams, seed: int) -> RotationState:
        """Place the point at distance 1, in a direction that the seed chooses."""
        return RotationState(params=params, seed=seed, point=self.system(params).start(seed))

    def advance(self, state: RotationState, n: int, stride: int = 1) -> tuple[RotationState, Chunk]:
        """Turn and shrink the point up to n times."""
        step = self.system(state.params).step
        rows, diverged_at = [state.point], state.diverged_at
        while diverged_at is None and len(rows) <= n:
            rows.append(step(rows[-1]))
            if float(np.abs(rows[-1]).max()) > FARTHEST:
                diverged_at = state.step + len(rows) - 1
        points = np.array(rows[1:]).reshape(-1, 2)
        new = dataclasses.replace(
            state, point=rows[-1], step=state.step + len(points), diverged_at=diverged_at
        )
        series = {"point": points, "distance": np.hypot(points[:, 0], points[:, 1])}
        return new, Chunk.exact(state.step + 1, series).bucketed(stride)

    def system(self, params: RotationParams, seed: int = 0) -> RotationSystem:
        """Describe the map."""
        c, s = math.cos(params.angle), math.sin(params.angle)
        return RotationSystem(
            coordinates=("x", "y"),
            varied=varied(params, "damping", "angle"),
            matrix=params.damping * np.array([[c, -s], [s, c]]),
        )

    def record(self, state: RotationState) -> Mapping[str, FloatArray]:
        """Return the point and its distance from the origin."""
        return {"point": state.point, "distance": np.asarray(np.hypot(*state.point))}

    def nudge(self, state: RotationState, nudge: Nudge) -> RotationState:
        """Push the point."""
        return dataclasses.replace(state, point=pushed(state.point, nudge))

    def observe(self, state: RotationState, recent: Recent) -> Observation:
        """Return the path of the point."""
        x, y = recent["point"].T
        return {"x": x, "y": y, "now_x": state.point[:1], "now_y": state.point[1:]}

    def outcome(self, state: RotationState, recent: Recent) -> Outcome:
        """Classify the run by its factor, which decides it."""
        if state.diverged_at is not None:
            kind, message = OutcomeKind.DIVERGED, f"beyond {FARTHEST:g}"
        elif state.params.damping < 1:
            kind, message = OutcomeKind.CONVERGING, "the origin attracts"
        else:
            kind, message = OutcomeKind.OSCILLATING, "the origin does not attract"
        return Outcome(kind=kind, step=state.step, message=message)

    def theory(self, params: RotationParams, state: RotationState | None) -> tuple[Bound, ...]:
        """Return the spectral radius."""
        rho, source = params.damping, "linear algebra"
        return (
            Bound(id="radius", name="Spectral radius", symbol=r"\rho", value=rho, source=source),
        )

    def claims(
        self, params: RotationParams, state: RotationState, recent: Recent
    ) -> tuple[Claim, ...]:
        """Compare the factor of the last step with the spectral radius."""
        before, now = recent["distance"][[-2, -1]] if state.step else (np.nan, np.nan)
        holds = math.isclose(now, params.damping * before, rel_tol=1e-9)
        return (
            Claim(
                id="rate",
                title="The distance shrinks by ρ per step",
                source="linear algebra",
                statement="|z[k+1]| = ρ |z[k]| at every step.",
                assumptions=(Lamp("a step was made", bool(state.step)),),
                predicted=f"{params.damping:.6g}",
                measured=f"{now / before:.6g}" if before > 0 else "nothing yet",
                verdict=Verdict.HOLDS if holds else Verdict.UNDECIDED,
            ),
        )

    def views(self, params: RotationParams) -> tuple[View, ...]:
        """Describe the path in the plane and the distance along the step."""
        path = Curve(x="x", y="y", label="path")
        now = Points(x="now_x", y="now_y", label="$z[k]$", color="2")
        plane = PlaneView(
            id="plane", title="Plane", help="The path.", x_label="x", y_label="y", items=(path, now)
        )
        series = (Series(key="distance", label="$|z|$"),)
        distance = TimeView(
            id="distance",
            title="Distance",
            help="From 0.",
            y_label="$|z|$",
            series=series,
            log_y=True,
        )
        return plane, distance
