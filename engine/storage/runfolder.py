"""The folder of a finished run: what `main.py run` writes, and the window opens again."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from engine.core.ensemble import Ensemble
from engine.core.errors import InputError, LabError
from engine.core.outcome import Outcome
from engine.core.versions import versions
from engine.run.session import Session
from engine.run.spec import RunSpec
from engine.run.trace import TraceView
from engine.storage.columns import TABLES, write_rows
from engine.storage.files import (
    FileError,
    entries,
    is_file,
    is_stale,
    is_temporary,
    make_folder,
    parse_json,
    plain,
    read_text,
    sync_folder,
    temporary_name,
    user_path,
    write_json,
)
from engine.storage.learned import ANEW
from engine.storage.recording import Recorder, load_trace, save_trace
from engine.storage.runfile import START, from_result, home_of, save, to_table

RESULT = "run.json"
_SIZE_LIMIT = 64 * 2**20
_OWN_FILES = (
    "run.toml",
    START,
    "trace.npz",
    *(f"{name}{ending}" for name in ("trace", "ensemble") for ending in (*TABLES, ".tex")),
    "learned.npz",
    "learned.safetensors",
)
_FIGURES = (".svg", ".png", ".pdf")
Written = TypeVar("Written")


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A run read back: what was run, what came out (all of `run.json`), and the recorded trace."""

    run: RunSpec
    result: Mapping[str, Any]
    trace: TraceView


def prepare(folder: Path) -> Path:
    """Make the folder of a new run; what a former run left stays until the new one is written.

    What killed programs left in it does not count as something that it holds.

    Raises
    ------
    InputError
        If it cannot be written to, or holds something and is not a former run's folder.
    """
    folder = make_folder(user_path(folder, "--out"))
    held = [path for path in entries(folder, "--out") if not is_temporary(path)]
    if held and not is_file(folder / RESULT, "--out") and not _was_cut_off(folder, held):
        raise InputError("--out", str(folder), "give an empty folder or that of a former run")
    return folder


def _was_cut_off(folder: Path, held: Collection[Path]) -> bool:
    """Whether a program was killed while it put a run's files in their places here."""
    own = {folder / name for name in (*_OWN_FILES, "figures")}
    return own.issuperset(held) and any(path.is_dir() for path in _stages(folder))


def _stages(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if is_temporary(path) and path.is_dir()]


def kept_somewhere(folder: Path, write: Callable[[Path], Written]) -> Written:
    """Write a finished run into its folder, or else into a temporary one, so that it is not lost.

    A folder that was removed while the run went on is made again.

    Raises
    ------
    FileError
        If neither takes it.
    LabError
        If only the temporary one does; the sentence says where it is.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return write(folder)
    except OSError as error:
        failure = FileError(folder, "written", error)
    except FileError as error:
        failure = error
    other = Path(tempfile.mkdtemp(prefix="lyapunov-lab-"))
    try:
        write(other)
    except (OSError, LabError):
        shutil.rmtree(other, ignore_errors=True)
        raise failure from None
    raise LabError(f"{failure} The run is in {other} instead.")


@contextlib.contextmanager
def all_or_nothing(folder: Path) -> Iterator[Path]:
    """Yield a folder to write a run into, which takes a former run's place when all is there.

    If the block raises, or the program is killed in it, the former run stays as it was. While the
    files take their places there is no `run.json`, so that two runs are never taken for one.

    Raises
    ------
    FileError
        If a file cannot take its place.
    """
    for old in _stages(folder):
        if is_stale(old):
            shutil.rmtree(old, ignore_errors=True)
    stage = folder / temporary_name()
    try:
        stage.mkdir()
    except OSError as error:
        raise FileError(folder / RESULT, "written", error) from None
    try:
        yield stage
        _publish(stage, folder)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _publish(stage: Path, folder: Path) -> None:
    """Move a whole run to its place, `run.json` first away and last there."""
    made = sorted(path.relative_to(stage) for path in stage.rglob("*") if path.is_file())
    path = folder / RESULT
    try:
        path.unlink(missing_ok=True)
        for name in sorted(made, key=lambda name: name.as_posix() == RESULT):
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            os.replace(stage / name, path)
    except OSError as error:
        raise FileError(path, "written", error) from None
    sync_folder(folder)
    clear_former(folder, [name.as_posix() for name in made])


def clear_former(folder: Path, kept: Collection[str]) -> None:
    """Remove the files of a former run that the new one did not write, and no others.

    Raises
    ------
    FileError
        If a file cannot be removed.
    """
    figures = folder / "figures"
    former = [folder / name for name in _OWN_FILES if name not in kept]
    if figures.is_dir():
        former += [path for path in figures.iterdir() if path.suffix in _FIGURES]
    for path in former:
        if path.relative_to(folder).as_posix() not in kept:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise FileError(path, "removed", error) from None


def write(
    folder: Path,
    run: RunSpec,
    recorder: Recorder,
    outcome: Outcome,
    ensemble: Ensemble | None = None,
    others: Sequence[str] = (),
    tables: Sequence[str] = (".csv",),
) -> dict[str, Any]:
    """Write a run into a folder of `all_or_nothing`, and return what its `run.json` holds.

    `others` are names, relative to the folder, of figures and more that are already there;
    `tables` are the endings of the tables, of `columns.TABLES`.

    Raises
    ------
    FileError
        If a file cannot be written.
    """
    save(folder / "run.toml", run)
    trace = save_trace(folder, recorder, tables)
    files = [RESULT, "run.toml", *trace.pop("files"), *others]
    if run.start is not None:
        files.append(START)
    if ensemble is not None:
        for ending in tables:
            files += save_table(folder / f"ensemble{ending}", ensemble.columns)
    result = result_of(run, recorder.session, outcome, ensemble, home_of(folder / RESULT))
    result |= {"trace": trace, "files": files, "notes": [ANEW] if run.start is not None else []}
    write_json(folder / RESULT, result)
    return result


def result_of(
    run: RunSpec,
    session: Session,
    outcome: Outcome,
    ensemble: Ensemble | None = None,
    folder: Path | None = None,
) -> dict[str, Any]:
    """Return the content of a `run.json` in `folder`; its key names are a public contract.

    `steps` is the number asked for; ``outcome.step`` is where the run stands.
    """
    experiment, state, recent = session.experiment, session.state, session.recent()
    claims = {claim.id: claim for claim in experiment.claims(session.params, state, recent)}
    final = dict(experiment.final(state, recent))
    if ensemble is not None:
        claims |= {claim.id: claim for claim in ensemble.claims}
        final["ensemble"] = ensemble.summary
    theory = experiment.theory(session.params, state)
    result = {
        **to_table(run, folder=folder),
        "outcome": fields_of(outcome),
        "final": final,
        "theory": [fields_of(bound) for bound in theory],
        "claims": [fields_of(claim) for claim in claims.values()],
        "versions": versions(),
    }
    plain_result: dict[str, Any] = plain(result)
    return plain_result


def fields_of(item: Any) -> dict[str, Any]:
    """Return the fields of an outcome, a bound or a claim as `run.json` holds them."""
    return {field.name: _value(getattr(item, field.name)) for field in dataclasses.fields(item)}


def _value(value: Any) -> Any:
    if isinstance(value, tuple):
        return [fields_of(part) if dataclasses.is_dataclass(part) else part for part in value]
    return value


def save_table(path: Path, columns: Mapping[str, list[Any]]) -> list[str]:
    """Write a table with one entry per row and heading, and return the names of its files.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    return write_rows(path, (tuple(columns), *zip(*columns.values(), strict=True)))


def read(folder: Path) -> RunFolder:
    """Read a run's folder.

    Raises
    ------
    InputError
        If it holds no run, or a file in it is damaged.
    """
    folder = user_path(folder, "run folder")
    if not is_file(folder / RESULT, "run folder"):
        raise InputError("run folder", folder.name, f"give a folder that holds a {RESULT}")
    result = parse_json(read_text(folder / RESULT, _SIZE_LIMIT, RESULT), RESULT)
    run = from_result(result, RESULT, folder)
    return RunFolder(run, result, load_trace(folder / "trace.npz"))
