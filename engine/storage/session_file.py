"""A whole session in one file: all runs, what is pinned, the story and the layout of the window.

The file is a ZIP archive with nothing in it that could run::

    session.json          what is open, and what belongs to which run
    runs/scalar-product.toml
    runs/mnist.toml       each run as a run file, replayed to the same bits, with its notes
    runs/mnist.start.npz  learned parameters that it began from
    pins/1.toml           settings of a pinned run
    pins/1.npz            and what was recorded of it
    story.toml            the story that is played

Paths among the parameters are meant from the folder of the session file, as in run files.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import Field

from engine.core.errors import InputError, LabError
from engine.core.params import Params
from engine.core.versions import VERSION
from engine.run.run import Run
from engine.run.spec import RunSpec
from engine.run.trace import TraceView
from engine.storage import documents, runfile
from engine.storage.archive import read_archive, write_archive
from engine.storage.arrays import load_numbers, save_npz
from engine.storage.comparison import Result
from engine.storage.documents import Document
from engine.storage.files import encoded, first_line, parse_json, to_json
from engine.storage.recording import load_trace, save_view
from engine.storage.runfile import STEPS_LIMIT, home_of
from engine.storage.story import Story, check_story
from engine.storage.toml import parse_toml

SUFFIX = ".lyapunov"
FORMAT = 1
"""Version of the session file; a newer one is refused by name."""
LAYOUT_LIMIT = 2**17
"""Bytes of the layout of a window or of an experiment's plots."""
RUNS, PINS = 100, 1000
MANIFEST, STORY = "session.json", "story.toml"
_WHAT = "session file"
_TEXT_LIMIT = runfile.SIZE_LIMIT


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRun:
    """A run as it is left.

    Attributes
    ----------
    run : RunSpec
    cursor : int
        The step that is shown.
    finished : bool
        The run has ended by itself.
    layout : bytes
        Where its plots are, which are chosen, and how they are set.
    """

    run: RunSpec
    cursor: int
    finished: bool = False
    layout: bytes = b""

    @classmethod
    def of(cls, run: Run) -> KeptRun:
        """Describe a run that is watched; called on the engine thread."""
        session = run.session
        return cls(run=RunSpec.of(session), cursor=run.shown_step, finished=session.finished)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPin:
    """A pinned run: its settings, what was recorded of it, and how it is shown."""

    experiment: str
    params: Params
    seed: int
    trace: TraceView
    color: str
    visible: bool = True
    name: str = ""
    changes: int = 0
    result: Result | None = None


@dataclass(frozen=True, slots=True)
class KeptStory:
    """A story, the number of the scene that is shown, and whether its answer is."""

    story: Story
    place: int = 0
    revealed: bool = False


class Look(Document):
    """How the window is set, beside the plots."""

    docks: str = Field("", max_length=LAYOUT_LIMIT, description="give bytes in base64")
    page: str = Field("", max_length=40, description="give the name of a tab")
    scaled_axis: bool = Field(False, description="give true or false")
    speed: float | None = Field(
        None, gt=0, le=1e6, description="give steps per drawn frame, a number > 0, or null"
    )


_PLAIN = Look()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSession:
    """All that a session is: which experiment is open, its runs, pins, story and layout.

    Notes on plots are those of the runs.
    """

    experiment: str
    runs: tuple[KeptRun, ...]
    pins: tuple[KeptPin, ...] = ()
    story: KeptStory | None = None
    look: Look = _PLAIN

    @property
    def experiments(self) -> set[str]:
        """The experiments of which it holds anything."""
        return {kept.run.experiment for kept in self.runs} | {pin.experiment for pin in self.pins}


_STEP = Field(ge=0, le=STEPS_LIMIT, description=f"give a whole number from 0 to {STEPS_LIMIT}")
_FILE = Field(max_length=100, description="give the name of a part of the file")


class _Run(Document):
    file: str = _FILE
    cursor: int = _STEP
    finished: bool = Field(False, description="give true or false")
    layout: str = Field("", max_length=LAYOUT_LIMIT, description="give bytes in base64")


class _Pin(Document):
    file: str = _FILE
    color: str = Field(pattern="^pin[1-8]$", description="give pin1 to pin8")
    visible: bool = Field(True, description="give true or false")
    name: str = Field("", max_length=80, description="give a name of at most 80 characters")
    changes: int = Field(0, ge=0, le=STEPS_LIMIT, description="give a whole number from 0")
    result: dict[str, Any] | None = Field(None, description="give a table or null")


class _Place(Document):
    place: int = Field(ge=0, lt=200, description="give the number of a scene, counted from 0")
    revealed: bool = Field(False, description="give true or false")


class _Manifest(Document):
    format: int = Field(description=f"give {FORMAT}")
    program: str = Field("", max_length=40, description="give a version")
    experiment: str = Field("", max_length=60, description="give the id of an experiment")
    runs: tuple[_Run, ...] = Field((), max_length=RUNS, description=f"give at most {RUNS} runs")
    pins: tuple[_Pin, ...] = Field((), max_length=PINS, description=f"give at most {PINS} pins")
    story: _Place | None = Field(None, description="give a table or null")
    look: Look = Field(_PLAIN, description="give a table")


# Writing.


def save(path: Path, session: KeptSession) -> None:
    """Write a session, aside first: an older file stays as it was until all is on the disk.

    Raises
    ------
    LabError
        If the file cannot be written, or there is no room for temporary ones.
    InputError
        If a text among the parameters holds half a character, which no file can hold.
    """
    path, home = Path(path), home_of(Path(path))
    members: dict[str, bytes] = {MANIFEST: b""}
    with _folder() as folder:
        runs = tuple(_written_run(members, kept, path, home, folder) for kept in session.runs)
        pins = tuple(
            _written_pin(members, number, pin, path, home, folder)
            for number, pin in enumerate(session.pins, start=1)
        )
    place = None
    if session.story is not None:
        place = _Place(place=session.story.place, revealed=session.story.revealed)
        members[STORY] = encoded(documents.dumps(session.story.story), path)
    manifest = _Manifest(
        format=FORMAT,
        program=VERSION,
        experiment=session.experiment,
        runs=runs,
        pins=pins,
        story=place,
        look=session.look,
    )
    members[MANIFEST] = encoded(to_json(manifest.model_dump(mode="json")) + "\n", path)
    write_archive(path, members)


def _written_run(
    members: dict[str, bytes], kept: KeptRun, path: Path, home: Path, folder: Path
) -> _Run:
    runfile.check_writable(kept.run, home)
    stem = f"runs/{kept.run.experiment}"
    start = f"{kept.run.experiment}.start.npz"
    if kept.run.start is not None:
        save_npz(folder / "start.npz", kept.run.start)
        members[f"runs/{start}"] = (folder / "start.npz").read_bytes()
    members[f"{stem}.toml"] = encoded(runfile.dumps(kept.run, start, home), path)
    return _Run(
        file=f"{stem}.toml",
        cursor=kept.cursor,
        finished=kept.finished,
        layout=base64.b64encode(kept.layout).decode("ascii"),
    )


def _written_pin(
    members: dict[str, bytes], number: int, pin: KeptPin, path: Path, home: Path, folder: Path
) -> _Pin:
    settings = RunSpec(experiment=pin.experiment, params=pin.params, seed=pin.seed)
    runfile.check_writable(settings, home)
    members[f"pins/{number}.toml"] = encoded(runfile.dumps(settings, folder=home), path)
    save_view(folder / "trace.npz", pin.trace)
    members[f"pins/{number}.npz"] = (folder / "trace.npz").read_bytes()
    return _Pin(
        file=f"pins/{number}.toml",
        color=pin.color,
        visible=pin.visible,
        name=pin.name,
        changes=pin.changes,
        result=None if pin.result is None else pin.result.to_table(),
    )


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """Yield a folder for parts that are on their way; one that is full is one sentence."""
    try:
        with tempfile.TemporaryDirectory(prefix="lyapunov-") as name:
            yield Path(name)
    except OSError as error:
        reason = error.strerror or str(error)
        raise LabError(f"The folder for temporary files could not be used: {reason}.") from None


# Reading.


def load(path: Path) -> KeptSession:
    """Read and check a session.

    Raises
    ------
    InputError
        If there is no such file, it is damaged, of a newer format, or something in it is not
        allowed; one sentence that names the part.
    FileError
        If it cannot be read.
    """
    path = Path(path)
    return _Parts(path, read_archive(path, _WHAT)).session()


class _Parts:
    """The parts of a session file; none is unknown, and none is read twice."""

    def __init__(self, path: Path, members: Mapping[str, bytes]) -> None:
        self._path = path
        self._members = dict(members)

    def session(self) -> KeptSession:
        table = parse_json(self._text(MANIFEST), self._where(MANIFEST))
        _check_format(table.get("format"))
        manifest = documents.read(_Manifest, table, self._where(MANIFEST))
        session = KeptSession(
            experiment=manifest.experiment,
            runs=tuple(self._run(run) for run in manifest.runs),
            pins=tuple(self._pin(pin) for pin in manifest.pins),
            story=None if manifest.story is None else self._story(manifest.story),
            look=manifest.look,
        )
        if self._members:
            raise InputError(_WHAT, min(self._members), "its parts are those that it names")
        names = [kept.run.experiment for kept in session.runs]
        if len(set(names)) < len(names):
            raise InputError(_WHAT, self._path.name, "it has one run of an experiment at most")
        if names and session.experiment not in names:
            rule = f"give the experiment of one of the runs: {', '.join(names)}"
            raise InputError(f"{self._where(MANIFEST)}, experiment", session.experiment, rule)
        return session

    def _run(self, entry: _Run) -> KeptRun:
        run = self._spec(entry.file, with_start=True)
        if run.steps is None or entry.cursor > run.steps:
            rule = "give a step that the run has come to"
            raise InputError(f"{self._where(MANIFEST)}, cursor", entry.cursor, rule)
        layout = _bytes(entry.layout, f"{self._where(MANIFEST)}, layout")
        return KeptRun(run=run, cursor=entry.cursor, finished=entry.finished, layout=layout)

    def _spec(self, name: str, with_start: bool = False) -> RunSpec:
        where = self._where(name)
        table = parse_toml(self._text(name), where)
        start = table.pop("start", None) if with_start else None
        run = runfile.from_table(table, where, self._path.parent)
        if start is None:
            return run
        arrays = self._through_file(f"runs/{start}", lambda path: load_numbers(path, "start")[0])
        return replace(run, start=arrays)

    def _pin(self, entry: _Pin) -> KeptPin:
        settings = self._spec(entry.file)
        trace = self._through_file(f"{entry.file.removesuffix('.toml')}.npz", load_trace)
        where = f"{self._where(MANIFEST)}, result"
        return KeptPin(
            experiment=settings.experiment,
            params=settings.params,
            seed=settings.seed,
            trace=trace,
            color=entry.color,
            visible=entry.visible,
            name=entry.name,
            changes=entry.changes,
            result=None if entry.result is None else Result.of(entry.result, where),
        )

    def _story(self, entry: _Place) -> KeptStory:
        where = self._where(STORY)
        story = documents.loads(Story, self._text(STORY), where)
        check_story(story, where)
        if entry.place >= len(story.scene):
            rule = f"the story has {len(story.scene)} scenes, counted from 0"
            raise InputError(f"{self._where(MANIFEST)}, place", entry.place, rule)
        return KeptStory(story, entry.place, entry.revealed)

    def _through_file(self, name: str, reader: Callable[[Path], Any]) -> Any:
        """Read a part by what reads files."""
        data = self._take(name)
        with _folder() as folder:
            path = folder / Path(name).name
            path.write_bytes(data)
            return reader(path)

    def _text(self, name: str) -> str:
        data = self._take(name)
        if len(data) > _TEXT_LIMIT:
            raise InputError(_WHAT, self._where(name), "give a text of at most 16 MB")
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            raise InputError(_WHAT, self._where(name), "give a text in UTF-8") from None

    def _take(self, name: str) -> bytes:
        if name not in self._members:
            rule = f"give a session that this program saved; this one lacks {first_line(name)}"
            raise InputError(_WHAT, self._path.name, rule)
        return self._members.pop(name)

    def _where(self, name: str) -> str:
        return f"{self._path.name}, {name}"


def _check_format(number: Any) -> None:
    if type(number) is int and number > FORMAT:
        rule = f"this version reads format {FORMAT}; a newer program wrote the session"
        raise InputError("format", number, rule)
    if type(number) is not int or number < 1:
        raise InputError("format", number, f"give {FORMAT}")


def _bytes(text: str, where: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InputError(where, first_line(text), "give bytes in base64") from None
