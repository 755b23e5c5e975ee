"""Many runs of one law at once, from Python: where they end, and how their orbits grow."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from engine.core.arrays import FloatArray
from engine.kernels.maps import growth, orbits, outcomes
from engine.kernels.maps.advance import CHUNK, HYPERPARAMETERS, Motion, Pack, Room
from engine.kernels.maps.code import PackCode, can_be_compiled, compiled, has_edges, width_of
from engine.kernels.maps.early import Early
from engine.kernels.maps.loss import TapeLoss
from engine.kernels.maps.outcomes import Found
from engine.kernels.maps.traps import traps
from engine.kernels.optimisers.descent import LIMIT
from engine.kernels.optimisers.steps import rule_of
from engine.kernels.tape import native, program
from engine.kernels.tape.program import Program
from engine.theory.optimisers.law import DescentLaw, SettingField

FIELDS: tuple[SettingField, ...] = (
    "momentum",
    "step_size",
    "alpha",
    "step_cap",
    "square_decay",
    "epsilon",
    "weight_decay",
    "radius",
    "lowest_loss",
)
"""Hyperparameters in the order in which kernels have them."""
_COPIES = {"heavy-ball": 2, "nesterov": 2, "rmsprop": 3, "adam": 3, "adamw": 3}
GENERAL_WIDTH = 4
"""Lanes of a pack whose runs are followed one by one."""


@dataclass(frozen=True, eq=False)
class Cells:
    """What differs from run to run.

    Attributes
    ----------
    starts : ndarray, shape (m, n)
    constants : ndarray, shape (m, c)
    settings : ndarray, shape (m, 9)
        Hyperparameters in the order of `FIELDS`.
    """

    starts: FloatArray
    constants: FloatArray
    settings: FloatArray

    @classmethod
    def of(cls, law: DescentLaw, count: int) -> Cells:
        """Return so many copies of the law's own run, to be changed."""
        own = [float(getattr(law.setting, name)) for name in FIELDS]
        return cls(
            np.tile(law.start, (count, 1)),
            np.tile(law.constants, (count, 1)),
            np.tile(own, (count, 1)),
        )

    def __getitem__(self, rows: slice | NDArray[np.int64]) -> Cells:
        """Return some of the runs."""
        return Cells(self.starts[rows], self.constants[rows], self.settings[rows])

    def put(self, law: DescentLaw, name: str, values: FloatArray) -> None:
        """Set a dial of all runs."""
        place = law.places[name]
        if place.constant is not None:
            self.constants[:, place.constant] = values
        elif place.field is not None:
            self.settings[:, FIELDS.index(place.field)] = values
        for variable in place.variables:
            self.starts[:, variable] = values


@dataclass(frozen=True, eq=False)
class Growth:
    """How displacements grow along runs.

    Attributes
    ----------
    exponents, errors : ndarray, shape (m,)
        Mean log growth per step, with its standard error; nan where a run left.
    is_aperiodic : ndarray of bool, shape (m,)
        Whether neighbouring runs part exponentially beyond doubt and nothing repeats.
    left : ndarray, shape (m,)
        Step up to which a run has diverged; nan where it has not.
    """

    exponents: FloatArray
    errors: FloatArray
    is_aperiodic: NDArray[np.bool_]
    left: FloatArray


@dataclass(frozen=True, eq=False)
class Orbits:
    """Where runs go after a transient.

    Attributes
    ----------
    points : ndarray, shape (m, kept, n)
        Weights; nan of a run that left.
    laps : ndarray, shape (m,)
        Exponent of a run that repeats, from the derivative of its lap; nan for others.
    periods : ndarray of int64, shape (m,)
        Of those; 1 at an equilibrium, 0 where there is none, -1 where the run left.
    ends : ndarray, shape (m, copies * n)
        The last states.
    """

    points: FloatArray
    laps: FloatArray
    periods: NDArray[np.int64]
    ends: FloatArray


class Runs:
    """Runs of a law, each alone in its lane; safe to be used from several threads at once.

    Parameters
    ----------
    law : DescentLaw
    compile_packs : bool
        Whether packs get machine code of their own where they can; the bits are the same.
    width : int, optional
        Lanes of a pack.

    Attributes
    ----------
    law : DescentLaw
    copies : int
        Numbers that a weight has in the state of a run, itself included.
    is_packed : bool
        Whether packs have machine code of their own.
    width : int
    program : Program
        The loss.
    """

    def __init__(
        self, law: DescentLaw, *, compile_packs: bool = True, width: int | None = None
    ) -> None:
        self.law = law
        self.copies = _COPIES.get(law.setting.optimiser, 1)
        optimiser = law.setting.optimiser
        can = can_be_compiled(law.tape, optimiser) and law.is_smooth
        self.is_packed = can and compile_packs
        self._code: PackCode | None = None
        self._alone: native.Code | None = None
        program_of = program.program(law.tape, law.data)
        if self.is_packed:
            self._code = compiled(law.tape, optimiser, width=width)
        elif compile_packs:
            self._alone = native.compiled(law.tape)
        if self._alone is not None:
            program_of = program_of._replace(address=self._alone.address)
        self.program: Program = program_of
        lanes = width_of(law.tape) if self.is_packed else GENERAL_WIDTH
        self.width = lanes if width is None else width
        self._motion = Motion(
            program_of,
            0 if self._code is None else self._code.address,
            self.copies,
            rule_of(law.setting),
            self._scales,
            bool(len(law.tape.rows)) or has_edges(law.tape),
            *self._whole,
        )

    @property
    def size(self) -> int:
        """Numbers n of variables."""
        return len(self.law.start)

    @cached_property
    def _budget(self) -> int:
        """Chunks of steps between two looks whether to stop, some 20 ms."""
        tape, data = self.law.tape, self.law.data
        rows = 1 if data is None else data.shape[1]
        operations = self.width * CHUNK * (6 + len(tape.shared) + len(tape.rows) * rows)
        return max(1, int((2e7 if self.is_packed else 2e6) / operations))

    @cached_property
    def _scales(self) -> FloatArray:
        scales = self.law.setting.scales
        return np.array(scales, np.float64) if scales else np.ones(self.size)

    @cached_property
    def _whole(self) -> tuple[Program, NDArray[np.int64], FloatArray]:
        """The loss in all weights, the variables of its coordinates and their units."""
        whole = self.law.whole
        if whole is None:
            return self.program, np.empty(0, np.int64), np.empty(0)
        powers = np.array(whole.powers, np.float64)
        variables = np.array(whole.variables, np.int64)
        return program.program(whole.tape), variables, np.asarray(1.0 / np.sqrt(powers))

    @cached_property
    def _pushed(self) -> PackCode | None:
        """Machine code for packs with displacements, compiled when it is first needed."""
        if not self.is_packed:
            return None
        return compiled(self.law.tape, self.law.setting.optimiser, tangent=True, width=self.width)

    def loss(self, constants: FloatArray | None = None) -> TapeLoss:
        """Return the loss at values of its constants, by default the law's own."""
        fixed = self.law.constants if constants is None else constants
        return TapeLoss(self.program, fixed, None if self.law.whole is None else self._whole)

    def fixed(self, cells: Cells) -> FloatArray:
        """Return what is fixed along each run, as kernels take it, shape (m, c + n + 9)."""
        steps = cells.settings[:, [FIELDS.index("step_size")]]
        rates = steps * self._scales
        made = np.hstack([cells.constants, rates, cells.settings])
        return np.ascontiguousarray(made, np.float64)

    def limits(self, starts: FloatArray) -> FloatArray:
        """Return the weight beyond which each run has diverged, as for a single run."""
        return np.asarray(LIMIT * np.maximum(1.0, np.abs(starts).max(axis=1)))

    def follow(
        self,
        cells: Cells,
        most: int,
        known: FloatArray | None = None,
        stop: threading.Event | None = None,
    ) -> Found:
        """Follow runs until it is decided what they do, or for some steps.

        Parameters
        ----------
        cells : Cells
        most : int
        known : ndarray, shape (r, n + 1), optional
            Isolated minima that attract whatever differs between the runs, with their sharpness.
        stop : threading.Event, optional
            Once it is set no more runs are decided.
        """
        count = len(cells.starts)
        found = self._nothing(count)
        if count:
            lanes = [np.zeros(self.width, np.int64) for _ in range(3)]
            minima = np.empty((0, self.size + 1)) if known is None else known
            fixed, limits = self.fixed(cells), self.limits(cells.starts)
            pack, room, progress = self._pack(), self._room(), np.array([-1, 0])
            while progress[0] != count or progress[1]:
                outcomes.follow(
                    self._motion,
                    np.ascontiguousarray(cells.starts),
                    fixed,
                    limits,
                    minima,
                    int(most),
                    pack,
                    (lanes[0], lanes[1], lanes[2]),
                    found,
                    room,
                    progress,
                    self._budget,
                )
                if stop is not None and stop.is_set():
                    break
        return found

    def early(self, known: FloatArray) -> Early | None:
        """Return what decides early what runs do that differ in their starts alone.

        None where packs have no machine code, or the loss may be no number where its gradient is.

        Parameters
        ----------
        known : ndarray, shape (r, n + 1)
            Isolated minima that attract, each with its sharpness.
        """
        if not self.is_packed or self._motion.has_edges:
            return None
        setting, fixed = self.law.setting, self.fixed(Cells.of(self.law, 1))[0]
        rates = setting.step_size * self._scales
        found = traps(self.loss(), known, rates, setting.optimiser, setting.momentum)
        return Early(self.law.tape, setting.optimiser, self.program, fixed, found)

    def part(self, cells: Cells, states: FloatArray) -> Growth:
        """Find which runs that go on from states are aperiodic, and measure the exponents of those.

        Displacements that shrink over some steps are not looked at for longer.
        """
        first = self.grow(cells, states, growth.BATCHES)
        rows = np.flatnonzero(first.exponents > 0.0)
        again = self.grow(cells[rows], states[rows])
        for ours, theirs in (
            (first.exponents, again.exponents),
            (first.errors, again.errors),
            (first.left, again.left),
        ):
            ours[rows] = theirs
        first.is_aperiodic[:] = False
        first.is_aperiodic[rows] = again.is_aperiodic
        return first

    def grow(self, cells: Cells, states: FloatArray, chunks: int = 32) -> Growth:
        """Measure how displacements grow along runs that go on from states.

        Parameters
        ----------
        cells : Cells
        states : ndarray, shape (m, copies * n)
        chunks : int
            Of 48 steps each, a multiple of 16.
        """
        count = len(states)
        numbers = [np.full(count, np.nan) for _ in range(3)]
        parted = np.zeros(count, np.bool_)
        if count and self.law.is_smooth:
            push = np.random.default_rng(0).normal(size=states.shape[1])
            growth.grow(
                self._motion,
                0 if self._pushed is None else self._pushed.address,
                np.array(states),
                self.fixed(cells),
                self.limits(cells.starts),
                np.asarray(push / np.linalg.norm(push)),
                chunks,
                self._pack(),
                np.empty((4, growth.LAG, self.width)),
                np.empty((chunks, self.width)),
                numbers[0],
                numbers[1],
                parted,
                numbers[2],
                self._room(),
            )
        return Growth(numbers[0], numbers[1], parted, numbers[2])

    def orbits(self, cells: Cells, transient: int, kept: int) -> Orbits:
        """Follow runs through a transient and keep what they do after it.

        Parameters
        ----------
        cells : Cells
        transient, kept : int
            Steps, of which whole chunks of 48 are made.
        """
        count = len(cells.starts)
        rows = -(-kept // CHUNK) * CHUNK
        points = np.empty((count, rows, self.size))
        laps, periods = np.empty(count), np.zeros(count, np.int64)
        ends = np.empty((count, self.copies * self.size))
        if count:
            orbits.settle(
                self._motion,
                np.ascontiguousarray(cells.starts),
                self.fixed(cells),
                self.limits(cells.starts),
                -(-transient // CHUNK) * CHUNK,
                self._pack(),
                points,
                laps,
                periods,
                ends,
                self._room(),
            )
        return Orbits(points, laps, periods, ends)

    def _nothing(self, count: int) -> Found:
        """Return what is found of so many runs before they are followed."""
        numbers = np.full((2, count), np.nan)
        ends = np.full((count, self.copies * self.size), np.nan)
        return Found(np.zeros(count, np.uint8), numbers[0], numbers[1], ends)

    def _pack(self) -> Pack:
        states, lanes = self.copies * self.size, self.width
        fixed = len(self.law.constants) + self.size + HYPERPARAMETERS
        return Pack(
            np.zeros((states, lanes)),
            np.zeros((states, lanes)),
            np.zeros((fixed, lanes)),
            np.zeros((1 + CHUNK, states, lanes)),
            np.zeros(lanes),
            np.zeros(lanes, np.int64),
        )

    def _room(self) -> Room:
        n, m = self.size, self.copies * self.size
        vectors: Sequence[FloatArray] = [np.zeros(n) for _ in range(5)]
        whole, parts = self._whole[0], len(self._whole[1])
        return Room(
            program.workspace(self.program, 2),
            np.zeros(len(self.law.constants)),
            vectors[0],
            vectors[1],
            vectors[2],
            vectors[3],
            vectors[4],
            np.zeros(2 * n),
            np.zeros((2, n)),
            np.zeros((n, n)),
            np.zeros((n, n)),
            np.zeros((m, m)),
            np.zeros((m, m)),
            np.zeros((m, m)),
            program.workspace(whole, 2),
            np.zeros(parts),
            np.zeros(parts),
            np.zeros(2 * parts),
            np.zeros((parts, parts)),
        )
