"""Runs read from files and folders, or made again, to be compared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from engine.core.ensemble import Progress
from engine.core.errors import InputError, LabError
from engine.core.interrupt import Interrupted
from engine.core.params import Params, update
from engine.run import replay
from engine.run.analyst import complete
from engine.run.labels import settings_text
from engine.run.spec import RunSpec
from engine.storage import runfile, runfolder
from engine.storage.comparison import Compared, Result
from engine.storage.files import entries, is_file, is_folder, user_path

MOST = 200
"""Runs that are compared at once."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file or a folder that holds a run, and its name."""

    path: Path
    name: str


def sources(paths: Iterable[Path | str]) -> list[Source]:
    """Find the runs in files, in folders of runs, and in folders of those.

    Raises
    ------
    InputError
        If there is none at a place, or there are too many in all.
    """
    found: list[Source] = []
    for given in paths:
        path = user_path(given, "RUN")
        here = _within(path) if is_folder(path, "RUN") else [path]
        if not here:
            raise InputError("RUN", str(given), "give a run's folder, a folder of them, or a file")
        found += [Source(each, _name(each, path)) for each in here]
    if len(found) > MOST:
        raise InputError("RUN", f"{len(found)} runs", f"give at most {MOST}")
    return found


def _within(folder: Path) -> list[Path]:
    """Return a folder itself if it is that of a run, else the runs in it."""
    if is_file(folder / runfolder.RESULT, "RUN"):
        return [folder]
    found = []
    for path in entries(folder, "RUN"):
        if is_folder(path, "RUN"):
            if is_file(path / runfolder.RESULT, "RUN"):
                found.append(path)
        elif path.suffix == ".toml":
            found.append(path)
    return found


def _name(path: Path, given: Path) -> str:
    if path.name in (runfolder.RESULT, "run.toml"):
        own = path.parent.name
    else:
        own = path.name.removesuffix(".toml").removesuffix(".json")
    return own or path.resolve().parent.name or given.name


def read(source: Source, progress: Progress) -> Compared:
    """Read a run with what was recorded of it; make it again where only its settings are there.

    Raises
    ------
    InputError
        If it is damaged, or cannot be made; the sentence begins with its path as it was given.
    LabError
        If it cannot be read, likewise.
    Interrupted
        If `progress` asked to stop.
    """
    try:
        return _read(source, progress)
    except InputError as error:
        raise _located(error, source) from error
    except LabError as error:
        raise LabError(f"{source.path}: {error}") from error


def _located(error: InputError, source: Source) -> InputError:
    """Return a refusal that says which of the runs it is about."""
    path = str(source.path)
    if error.value == source.path.name:
        return InputError("RUN", path, error.allowed)
    if error.field == source.path.name:
        return InputError(path, error.value, error.allowed)
    return InputError(f"{path}: {error.field}", error.value, error.allowed)


def _read(source: Source, progress: Progress) -> Compared:
    folder = source.path
    if folder.name == runfolder.RESULT:
        folder = folder.parent
    if is_folder(folder, "RUN") and is_file(folder / "trace.npz", "RUN"):
        kept = runfolder.read(folder)
        result = Result.of(kept.result)
        return Compared(
            label=source.name,
            experiment=kept.run.experiment,
            params=_at_the_end(kept.run),
            seed=kept.run.seed,
            result=result,
            trace=kept.trace,
            changes=len(kept.run.changes),
        )
    run, _ = replay.on_this_machine(runfile.load(source.path))
    return made(run, source.name, progress)


def made(run: RunSpec, label: str, progress: Progress) -> Compared:
    """Make a run again, to compare it.

    Raises
    ------
    InputError
        If its parameters cannot be used together.
    Interrupted
        If `progress` asked to stop.
    """
    session = replay.begin(run)
    try:
        if not replay.in_chunks(run, session, progress):
            raise Interrupted
        complete(session.experiment, session.params, session.state, progress)
        table = runfolder.result_of(run, session, session.outcome())
        return Compared(
            label=label,
            experiment=run.experiment,
            params=session.params,
            seed=run.seed,
            result=Result.of(table),
            trace=session.trace.view(),
            changes=len(session.changes),
        )
    finally:
        session.close()


def _at_the_end(run: RunSpec) -> Params:
    """Return the parameters in force after all changes of a run."""
    values = {name: value for change in run.changes for name, value in change.values.items()}
    return update(run.params, **values) if values else run.params


def labelled(runs: Sequence[Compared]) -> list[Compared]:
    """Return runs with names that differ: what distinguishes their settings, where that does.

    Names of files and folders stay where they differ already; equal ones are followed by the
    settings, or by a number where these are the same, too.
    """
    names = [run.label for run in runs]
    if len(set(names)) < len(names):
        names = [f"{run.label}: {_settings(run, runs)}".rstrip(": ") for run in runs]
    seen: dict[str, int] = {}
    found = []
    for run, name in zip(runs, names, strict=True):
        seen[name] = seen.get(name, 0) + 1
        own = name if names.count(name) == 1 else f"{name} ({seen[name]})"
        found.append(replace(run, label=own))
    return found


def _settings(run: Compared, runs: Sequence[Compared]) -> str:
    others = [
        (other.params, other.seed)
        for other in runs
        if other is not run and other.experiment == run.experiment
    ]
    return settings_text(run.params, run.seed, others) if others else ""
