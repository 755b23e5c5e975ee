r"""The log of a training run of yours, played step by step against its optimiser's limit.

Nothing is computed but what the log says: the sharpness over the limit, :math:`2/\delta` for
gradient descent, and with it where the edge of stability or a catapult begins. Symbols:
:math:`\delta` ``step_size``, :math:`\beta` ``momentum``.

Recorded series: ``loss``, ``sharpness``, ``limit``, ``stability`` (the one over the other) and
``eigenvalues``, where the log has them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from engine.analysis.edge import place
from engine.core.arrays import FloatArray, checked
from engine.core.chunk import Chunk
from engine.core.claims import Bound, Claim, Lamp
from engine.core.ensemble import Observation
from engine.core.errors import InputError
from engine.core.experiment import AbstractExperiment, Recent, State
from engine.core.outcome import Outcome, OutcomeKind
from engine.core.views import View
from engine.experiments.trace import views as plots
from engine.experiments.trace.listing import LISTING
from engine.experiments.trace.params import EXAMPLE, EXAMPLE_LOG, TraceParams
from engine.experiments.trace.recording import Recording, may_grow, recording_of
from engine.families.edges import edge_claim
from engine.text.numbers import short, whole
from engine.theory.optimisers import Setting


class Feed:
    """The recording of a run as far as it is known, which all its states go on in.

    Parameters
    ----------
    recording : Recording
        As it was when the run began; a later one has all its rows.
    """

    def __init__(self, recording: Recording) -> None:
        self.recording = recording


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceState(State[TraceParams]):
    """A step of a recorded run.

    Attributes
    ----------
    recording : Recording
        As far as it was read; shared by the states up to its end.
    feed : Feed
        Shared by all states of a run.
    trouble : str
        Why no more rows are waited for; empty while they are.
    """

    recording: Recording
    feed: Feed
    trouble: str = ""


@final
class Trace(AbstractExperiment[TraceParams, TraceState]):
    """A recorded run against the limit of its optimiser."""

    listing = LISTING
    parameters = TraceParams
    default_steps = 10_000_000
    why_no_nudge = "it was recorded, and is not computed"

    def steps(self, params: TraceParams) -> int:
        """Return the last step of the recording."""
        return recording_of(params).last

    def init(self, params: TraceParams, seed: int) -> TraceState:
        """Read the recording; the seed has no effect."""
        found = recording_of(params)
        return TraceState(params=params, seed=seed, recording=found, feed=Feed(found))

    def advance(self, state: TraceState, n: int, stride: int = 1) -> tuple[TraceState, Chunk]:
        """Go on in the recording, up to its end, which may have moved on."""
        if state.step + n > state.recording.last:
            state = dataclasses.replace(state, recording=state.feed.recording)
        if state.step >= state.recording.last and self.waits(state):
            state = _read_on(state)
        last = min(state.step + n, state.recording.last)
        if last <= state.step:
            return state, Chunk(state.step + 1, 0, 1, {}, {})
        rows = state.recording.rows(state.step + 1, last)
        chunk = Chunk.exact(state.step + 1, rows).bucketed(stride)
        return dataclasses.replace(state, step=last), chunk

    def waits(self, state: TraceState) -> bool:
        """Return whether the log may grow."""
        return may_grow(state.params) and not state.trouble

    def record(self, state: TraceState) -> Mapping[str, FloatArray]:
        """Return the row of a step."""
        rows = state.recording.rows(state.step, state.step)
        return {key: values[0] for key, values in rows.items()}

    def observe(self, state: TraceState, recent: Recent) -> Observation:
        """Return the rows of the table about the recording."""
        recording, edge = state.recording, state.recording.edge_at(state.step)
        rows = [
            ["Log", EXAMPLE_LOG if state.params.file == EXAMPLE else Path(state.params.file).name],
            ["Rows", whole(len(recording.steps))],
            ["Steps", f"{whole(int(recording.steps[0]))} to {whole(recording.last)}"],
            ["Eigenvalues a row", whole(recording.eigenvalues.shape[1])],
        ]
        began = {
            "Edge of stability since k": edge.onset,
            "Catapult since k": edge.catapult,
            "Landed at k": edge.landed,
        }
        rows += [[name, whole(step)] for name, step in began.items() if step is not None]
        if edge.mean is not None:
            rows.append(["Mean over the limit since the onset", short(edge.mean, 5)])
        return {"status": rows}

    def outcome(self, state: TraceState, recent: Recent) -> Outcome:
        """Name where the run is against the limit."""
        edge = state.recording.edge_at(state.step)
        ratios = recent["stability"]
        text, message = place(edge, ratios[np.isfinite(ratios)][-max(edge.looks, 1) :])
        done = state.step >= state.recording.last
        if done and (state.trouble or self.waits(state)):
            so_far = state.trouble or "The log ends here so far."
            message = " ".join(filter(None, (message, so_far)))
        return Outcome(
            kind=OutcomeKind.MAX_STEPS if done else OutcomeKind.CONVERGING,
            step=state.step,
            message=_with_source(
                message or "The log says nothing of the sharpness so far.", state.params
            ),
            phase=text or ("end of the log" if done else "playing"),
        )

    def theory(self, params: TraceParams, state: TraceState | None) -> tuple[Bound, ...]:
        """List the limit of the sharpness, and what the log has last."""
        measured, size = None, params.step_size
        if state is not None:
            steps = state.recording.steps
            rows = (steps <= state.step) & np.isfinite(state.recording.sharpness)
            known = state.recording.sharpness[rows]
            measured = float(known[-1]) if known.size else None
            place_of = max(int(np.searchsorted(steps, state.step, side="right")) - 1, 0)
            size = float(state.recording.step_size[place_of])
        described = params.described
        return (
            Bound(
                id="sharpness",
                name="Largest stable sharpness",
                symbol=r"S_{\max}",
                value=params.limit / size,
                source=described.source.text,
                formula=described.sharpness_formula,
                measured=measured,
                measured_symbol=params.symbol,
                note=described.sentence,
            ),
        )

    def claims(self, params: TraceParams, state: TraceState, recent: Recent) -> tuple[Claim, ...]:
        """Confront the edge of stability with the log."""
        known = bool(np.isfinite(state.recording.sharpness).any())
        setting = Setting(optimiser=params.optimiser, momentum=params.momentum)
        lamps = (
            Lamp("the log has the sharpness", known),
            Lamp("full batch", True, "taken for granted of the log"),
        )
        edge = state.recording.edge_at(state.step)
        return (edge_claim(setting, edge, lamps, knows_decay=False),)

    def views(self, params: TraceParams) -> tuple[View, ...]:
        """Describe the plots."""
        return plots.views(params)

    def final(self, state: TraceState, recent: Recent) -> Mapping[str, Any]:
        """Return the last numbers of the log and the phases with their steps."""
        edge = state.recording.edge_at(state.step)
        row = self.record(state)
        values = {key: float(row[key]) for key in ("loss", "sharpness", "limit", "stability")}
        return {
            **{key: value if np.isfinite(value) else None for key, value in values.items()},
            "edge_since": edge.onset,
            "edge_mean_over_limit": edge.mean,
            "catapult_since": edge.catapult,
            "landed": edge.landed,
        }

    def arrays(self, state: TraceState) -> Mapping[str, NDArray[Any]]:
        """Return the steps of the recording, by which it is known again."""
        return {"steps": state.recording.steps.astype(np.float64)}

    def with_arrays(self, state: TraceState, arrays: Mapping[str, NDArray[Any]]) -> TraceState:
        """Check that a file belongs to this recording."""
        own = self.arrays(state)["steps"]
        if not np.array_equal(checked(arrays, {"steps": own.shape})["steps"], own):
            raise InputError("model", self.id, "give what was written of the same recording")
        return state

    def input_files(self, params: TraceParams) -> Mapping[str, tuple[Path, ...]]:
        """List the log, unless it is the bundled one, or one that may be longer the next time."""
        is_kept = params.file != EXAMPLE and not may_grow(params)
        return {"file": (Path(params.file),)} if is_kept else {}


def _with_source(message: str, params: TraceParams) -> str:
    """Return a message that also says if the log is the bundled one."""
    return f"{message} This is {EXAMPLE_LOG}." if params.file == EXAMPLE else message


def _read_on(state: TraceState) -> TraceState:
    """Return the state with what the log has by now, or with why it is not read any more."""
    try:
        found = recording_of(state.params)
    except InputError as error:
        if not Path(state.params.file).expanduser().is_file():
            return state  # it may come back
        return dataclasses.replace(state, trouble=f"The log is not read on: {error}")
    if not found.goes_on(state.recording):
        rule = "The log was written anew, or has other columns: begin again to read it."
        return dataclasses.replace(state, trouble=rule)
    if len(found.steps) == len(state.recording.steps):
        return state
    state.feed.recording = found
    return dataclasses.replace(state, recording=found)
