"""A run without a window: carried out, recorded, judged and written to its folder."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.core.ensemble import Ensemble, Progress, Share
from engine.core.errors import InputError, LabError
from engine.core.outcome import Outcome, OutcomeKind
from engine.core.registry import get
from engine.executors.choice import pool
from engine.executors.executor import Executor
from engine.executors.together import pool_in_force
from engine.figures.album import save_sheets
from engine.figures.data import FigureData
from engine.figures.formats import formats
from engine.figures.painters import Painters
from engine.figures.sheets import Look, ensemble_sheets, sheets_of
from engine.run import replay
from engine.run.analyst import complete
from engine.run.pace import Chunks
from engine.run.session import Session
from engine.run.spec import RunSpec
from engine.storage import runfile, runfolder
from engine.storage.learned import save_model
from engine.storage.recording import Recorder
from engine.text.mathtext import to_plain
from engine.text.numbers import short, whole

MODEL = "learned"
MOST_POINTS = 16
"""Points of an orbit that are printed at a terminal."""
MOST_SETTINGS = 5
"""Settings of an ensemble that are printed there; all are in the files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What `main.py run` was asked for: formats of figures, ending of the file of parameters.

    With `svg_text` the letters of SVG figures stay text. `tables` are the endings of those of the
    recorded numbers. `scheduler` is the address of a Dask
    cluster on which the ensemble is made.
    """

    run: RunSpec
    folder: Path
    figures: tuple[str, ...] = ()
    model: str = ""
    svg_text: bool = False
    tables: tuple[str, ...] = (".csv",)
    scheduler: str = ""


def execute(job: Job, progress: Progress, painters: Painters | None = None) -> dict[str, Any]:
    """Carry out a job and return the content of its `run.json`.

    Cancelling by `progress` or an error in the engine ends the run; its outcome says so and what
    there is gets written. The figures are drawn by `painters` that were started before, if any.

    Raises
    ------
    InputError
        Before anything is written, for parameters that cannot be used together or a folder that
        cannot be used.
    LabError
        If a file cannot be written into the folder; the run is then kept elsewhere where it can.
    """
    with _pool(job) as workers, pool_in_force(workers):
        return _execute(job, progress) if painters is None else _run(job, progress, painters)


def _pool(job: Job) -> contextlib.AbstractContextManager[Executor | None]:
    """Connect to the cluster of an ensemble; nothing where the cores of this machine serve."""
    if not job.scheduler:
        return contextlib.nullcontext()
    if not _has_ensemble(job.run):
        rule = "give it with an ensemble, as in --set ensemble=50; a single run is made here"
        raise InputError("--scheduler", job.scheduler, rule)
    return pool(has_threads=True, scheduler=job.scheduler)


def _execute(job: Job, progress: Progress) -> dict[str, Any]:
    views = get(job.run.experiment).views(job.run.params) if job.figures else ()
    with Painters.for_sheets(len(views)) as painters:
        painters.start()  # they load while the run goes on
        return _run(job, progress, painters)


def _run(job: Job, progress: Progress, painters: Painters) -> dict[str, Any]:
    session = replay.begin(job.run)
    try:
        folder = runfolder.prepare(job.folder)
        runfile.check_writable(job.run, folder)
        recorder = Recorder(session)
        ensemble = None
        outcome = _carry_out(job.run, recorder, progress)
        if outcome.kind not in _ENDED_EARLY:
            complete(session.experiment, session.params, session.state, progress)
            ensemble = _ensemble(job.run, session, progress)
            if ensemble is not None and ensemble.cancelled:
                outcome = _cancelled(session, job.run)
        result = _Result(job, recorder, outcome, ensemble, progress, painters)
        return runfolder.kept_somewhere(folder, result.write)
    finally:
        session.close()


@dataclass(frozen=True, slots=True)
class _Result:
    """What came out of a job."""

    job: Job
    recorder: Recorder
    outcome: Outcome
    ensemble: Ensemble | None
    progress: Progress
    painters: Painters

    def write(self, folder: Path) -> dict[str, Any]:
        """Write everything into a folder and return the content of `run.json`."""
        job, session = self.job, self.recorder.session
        with runfolder.all_or_nothing(folder) as new:
            failed = self.outcome.kind is OutcomeKind.FAILED
            names = [] if failed or not job.figures else self._figures(new)
            if job.model:
                names.append(f"{MODEL}{job.model}")
                save_model(session, new / names[-1])
            done = _done(job.run, session, self.outcome)
            return runfolder.write(
                new, done, self.recorder, self.outcome, self.ensemble, names, job.tables
            )

    def _figures(self, folder: Path) -> list[str]:
        """Draw the figures and return the names of their files.

        Cancelling leaves out those not drawn yet, unless it had ended the run already.
        """
        job, session = self.job, self.recorder.session
        data = FigureData.of(session)
        sheets = sheets_of(data, session.experiment)
        if self.ensemble is not None:
            sheets += ensemble_sheets(data, self.ensemble)

        def progress(done: float, text: str) -> bool:
            go_on = self.progress(done, text)
            return go_on or self.outcome.kind is OutcomeKind.CANCELLED

        look = Look(formats(job.figures), svg_text=job.svg_text)
        names = save_sheets(folder / "figures", sheets, look, progress, self.painters)
        return [f"figures/{name}" for name in names]


_ENDED_EARLY = (OutcomeKind.CANCELLED, OutcomeKind.FAILED)


def _done(run: RunSpec, session: Session, outcome: Outcome) -> RunSpec:
    """Describe the run so that replaying it ends where it ended."""
    steps = outcome.step if outcome.kind in _ENDED_EARLY else replay.target_of(run)
    return dataclasses.replace(run.until(steps), sha256=session.inputs)


def _carry_out(run: RunSpec, recorder: Recorder, progress: Progress) -> Outcome:
    session, target = recorder.session, replay.target_of(run)
    most = session.experiment.listing.steps_per_call

    def report(inside: str) -> bool:
        text = f"{whole(session.step)} of {whole(target)} steps"
        return progress(session.step / max(target, 1), f"{text}: {inside}" if inside else text)

    chunks = Chunks(recorder.advance, report, most)
    try:
        replay.carry_out(run, session, chunks.advance)
        return _cancelled(session, run) if chunks.cancelled else session.outcome()
    except LabError as error:
        message = str(error)
    except Exception as error:  # an outcome that run.json records, not a lost run
        message = f"{type(error).__name__}: {' '.join(str(error).split())}"
    return Outcome(kind=OutcomeKind.FAILED, step=session.step, message=message, phase="failed")


def _cancelled(session: Session, run: RunSpec) -> Outcome:
    step, target = session.step, replay.target_of(run)
    message = f"cancelled after {whole(step)} of {whole(target)} steps"
    return Outcome(kind=OutcomeKind.CANCELLED, step=step, message=message, phase="cancelled")


def _ensemble(run: RunSpec, session: Session, progress: Progress) -> Ensemble | None:
    if not _has_ensemble(run):
        return None
    return session.experiment.ensemble(run.params, run.seed, replay.target_of(run), progress)


def _has_ensemble(run: RunSpec) -> bool:
    return get(run.experiment).has_ensemble and getattr(run.params, "ensemble", 1) > 1


def describe(result: Mapping[str, Any]) -> str:
    """Sum up `run.json` for a person at a terminal."""
    outcome = result["outcome"]
    lines = [f"{result['experiment']}: {outcome['kind']} at step {whole(outcome['step'])}"]
    lines[0] += f": {outcome['message']}" if outcome["message"] else ""
    if outcome.get("period"):
        points = ", ".join(short(point, 6) for point in outcome["orbit"][:MOST_POINTS])
        more = ", …" if len(outcome["orbit"]) > MOST_POINTS else ""
        orbit = f", orbit of {outcome['orbit_of']}: {points}{more}" if points else ""
        lines.append(f"  period {outcome['period']}{orbit}")
    lines += [f"  {note}" for note in result.get("notes", ())]
    for bound in result["theory"]:
        if bound["value"] is not None:
            value, measured = short(bound["value"], 6), bound["measured"]
            value += "" if measured is None else f", measured {short(measured, 6)}"
            lines.append(f"  {bound['name']}: {value} ({bound['source']})")
    lines += [f"  {claim['title']}: {claim['verdict']}" for claim in result["claims"]]
    lines += _of_ensemble(result["final"].get("ensemble") or {})
    return to_plain("\n".join(lines))


def _of_ensemble(summary: Mapping[str, Any]) -> list[str]:
    """Sum up the numbers of an ensemble, those of several settings side by side."""
    tables = [value for value in summary.values() if _is_table(value)]
    rows = [[_readable(k), _text(v)] for k, v in summary.items() if not _is_table(v)]
    lines = ["  Ensemble:", *_aligned(rows)] if summary else []
    for table in tables:
        shown = table[:MOST_SETTINGS]
        lines += _aligned(
            [[_readable(key), *(_text(row[key]) for row in shown)] for key in table[0]]
        )
        if len(table) > len(shown):
            lines.append(f"    and {len(table) - len(shown)} more in {runfolder.RESULT}")
    return lines


def _is_table(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def _readable(key: str) -> str:
    return key.replace("_", " ")


def _text(value: Any) -> str:
    if isinstance(value, Share):
        return value.words
    if isinstance(value, float):
        return short(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{_readable(key)} {_text(item)}" for key, item in value.items())
    return "none" if value is None else str(value)


def _aligned(rows: list[list[str]]) -> list[str]:
    """Set texts in columns, names to the left and values to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "    "
        + row[0].ljust(widths[0])
        + "".join("  " + text.rjust(width) for text, width in zip(row[1:], widths[1:], strict=True))
        for row in rows
    ]
