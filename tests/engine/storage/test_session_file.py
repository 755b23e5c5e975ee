"""Session files: they come back as they were, and one sentence refuses what is none."""

from __future__ import annotations

import dataclasses
import errno
import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.core.change import Change, Nudge
from engine.core.errors import InputError, LabError
from engine.core.registry import get
from engine.run import replay
from engine.run.notes import Note
from engine.run.session import Session
from engine.run.spec import RunSpec
from engine.run.trace import TraceView
from engine.storage import archive, session_file
from engine.storage.archive import write_archive
from engine.storage.comparison import Result
from engine.storage.session_file import KeptPin, KeptRun, KeptSession, KeptStory, Look
from engine.storage.story import Scene, Story
from tests.engine.linear_map import LinearMap, LinearParams
from tests.registered import only


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, LinearMap())


def trace(steps: int) -> TraceView:
    session = Session(LinearMap(), LinearParams(step_size=0.3), 0)
    session.advance(steps)
    return session.trace.view()


TRACE = trace(7)
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)
NAME = st.from_regex("[a-z]{1,8}", fullmatch=True)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
PARAMS = st.builds(
    LinearParams,
    step_size=st.floats(1e-300, 10, exclude_min=True),
    target=NUMBERS,
    width=st.integers(1, 8),
)
SEEDS = st.integers(0, 2**63 - 1)
CHANGES = st.sampled_from(
    [
        (),
        (
            Change(3, {"step_size": 0.5}),
            Change(3, nudge=Nudge(1e-3, 7)),
            Change(5, nudge=Nudge(1)),
        ),
    ]
)
NOTES = st.builds(Note, view=NAME, text=NAME, x=NUMBERS, y=NUMBERS)
RUNS = st.builds(
    lambda params, seed, steps, share, changes, notes, finished, layout: KeptRun(
        run=RunSpec(
            experiment="linear-map",
            params=params,
            seed=seed,
            steps=steps,
            changes=changes,
            notes=notes,
        ),
        cursor=int(share * steps),
        finished=finished,
        layout=layout,
    ),
    PARAMS,
    SEEDS,
    st.integers(0, 10**12),
    st.floats(0, 1),
    CHANGES,
    st.lists(NOTES, max_size=2).map(tuple),
    st.booleans(),
    st.binary(max_size=40),
)
RESULTS = st.builds(
    Result,
    outcome=NAME,
    step=st.integers(0, 10**6),
    message=TEXT,
    period=st.none() | st.integers(1, 64),
    final=st.dictionaries(NAME, st.none() | st.booleans() | st.integers(0, 9) | NUMBERS | TEXT),
    verdicts=st.dictionaries(TEXT, TEXT, max_size=2),
)
PINNED = st.builds(
    KeptPin,
    experiment=st.just("linear-map"),
    params=PARAMS,
    seed=SEEDS,
    trace=st.just(TRACE),
    color=st.sampled_from(["pin1", "pin8"]),
    visible=st.booleans(),
    name=TEXT,
    changes=st.integers(0, 9),
    result=st.none() | RESULTS,
)
STORY = Story(
    title="A story",
    scene=tuple(Scene(title=f"{n}", experiment="linear-map", text="Look.") for n in range(3)),
)
LOOKS = st.builds(
    Look,
    docks=st.sampled_from(["", "AAAA"]),
    page=NAME,
    scaled_axis=st.booleans(),
    speed=st.none() | st.floats(1e-3, 1e6),
)
SESSIONS = st.builds(
    KeptSession,
    experiment=st.just("linear-map"),
    runs=st.tuples(RUNS),
    pins=st.lists(PINNED, max_size=3).map(tuple),
    story=st.none() | st.builds(KeptStory, st.just(STORY), st.integers(0, 2), st.booleans()),
    look=LOOKS,
)


def without_traces(session: KeptSession) -> KeptSession:
    pins = tuple(dataclasses.replace(pin, trace=TRACE) for pin in session.pins)
    return dataclasses.replace(session, pins=pins)


@given(SESSIONS)
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_session_comes_back(tmp_path: Path, drawn: KeptSession) -> None:
    path = tmp_path / "a.lyapunov"
    session_file.save(path, drawn)
    found = session_file.load(path)
    assert without_traces(found) == drawn
    for pin in found.pins:
        for key, values in TRACE.recent.items():
            np.testing.assert_array_equal(pin.trace.recent[key], values)


KEPT = KeptSession(
    experiment="linear-map",
    runs=(
        KeptRun(
            run=RunSpec(
                experiment="linear-map",
                params=LinearParams(step_size=0.3),
                seed=2,
                steps=40,
                changes=(Change(10, {"step_size": 0.5}), Change(20, nudge=Nudge(1e-3, 7))),
            ),
            cursor=30,
        ),
    ),
    pins=(
        KeptPin(experiment="linear-map", params=LinearParams(), seed=0, trace=TRACE, color="pin1"),
    ),
    story=KeptStory(STORY, 1, True),
)


def test_a_run_is_replayed_to_the_same_bits_and_files_are_equal(tmp_path: Path) -> None:
    session = replay.begin(KEPT.runs[0].run)
    replay.carry_out(KEPT.runs[0].run, session)
    session_file.save(tmp_path / "a.lyapunov", KEPT)
    run = session_file.load(tmp_path / "a.lyapunov").runs[0].run
    again = replay.begin(run)
    replay.carry_out(run, again, lambda n: again.advance(min(n, 3)))
    assert again.state.weights.tobytes() == session.state.weights.tobytes()
    session_file.save(tmp_path / "b.lyapunov", session_file.load(tmp_path / "a.lyapunov"))
    assert (tmp_path / "a.lyapunov").read_bytes() == (tmp_path / "b.lyapunov").read_bytes()


def test_learned_parameters_that_a_run_began_from_come_with_it(tmp_path: Path) -> None:
    start = {"z": np.array([0.1, 0.2])}
    kept = dataclasses.replace(KEPT.runs[0], run=dataclasses.replace(KEPT.runs[0].run, start=start))
    session_file.save(tmp_path / "a.lyapunov", dataclasses.replace(KEPT, runs=(kept,)))
    found = session_file.load(tmp_path / "a.lyapunov").runs[0].run.start
    assert found is not None and found["z"].tobytes() == start["z"].tobytes()


def parts(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as read:
        return {name: read.read(name) for name in read.namelist()}


def _manifest(**changes: Any) -> Callable[[dict[str, bytes]], None]:
    def change(members: dict[str, bytes]) -> None:
        table = json.loads(members["session.json"])
        members["session.json"] = json.dumps({**table, **changes}).encode()

    return change


def _put(name: str, data: bytes) -> Callable[[dict[str, bytes]], None]:
    return lambda members: members.__setitem__(name, data)


def _drop(name: str) -> Callable[[dict[str, bytes]], object]:
    return lambda members: members.pop(name)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_manifest(format=2), "newer program"),
        (_manifest(format=2, strange=1), "newer program"),
        (_manifest(strange=1), "strange"),
        (_manifest(experiment="mnist"), "mnist"),
        (_manifest(runs=[{"file": "runs/linear-map.toml", "cursor": 41}]), "cursor"),
        (_manifest(runs=[{"file": "../x.toml", "cursor": 0}]), "lacks ../x.toml"),
        (_manifest(look={"speed": -1.0}), "speed"),
        (_manifest(story={"place": 3}), "place"),
        (_put("session.json", b"{"), "JSON"),
        (_put("runs/linear-map.toml", b'experiment = "gone"'), "gone"),
        (_put("runs/linear-map.toml", b"\xff"), "UTF-8"),
        (_put("runs/other.toml", b""), "runs/other.toml"),
        (_put("pins/1.npz", b"no array"), "trace"),
        (_put("story.toml", b'title = "x"'), "scene"),
        (_drop("runs/linear-map.toml"), "lacks runs/linear-map.toml"),
        (_drop("session.json"), "lacks session.json"),
    ],
)
def test_what_is_no_session_is_refused_in_one_sentence(
    tmp_path: Path, change: Callable[[dict[str, bytes]], object], words: str
) -> None:
    path = tmp_path / "a.lyapunov"
    session_file.save(path, KEPT)
    members = parts(path)
    change(members)
    write_archive(path, members)
    with pytest.raises(InputError) as refused:
        session_file.load(path)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def _archive(*entries: tuple[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in entries:
            made.writestr(name, data)
    return file.getvalue()


@pytest.mark.parametrize("name", ["../a.toml", "/etc/a.toml", "a/b/c.toml", f"{'a' * 300}.npz"])
def test_a_part_that_is_no_name_of_a_file_is_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.lyapunov"
    path.write_bytes(_archive(("session.json", b"{}"), (name, b"")))
    with pytest.raises(InputError, match="names of their own") as refused:
        session_file.load(path)
    assert refused.value.value == name


def test_an_archive_that_climbs_out_or_unpacks_to_far_more_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "FREE", 2**18)
    path = tmp_path / "a.lyapunov"
    for data in (
        b"",
        b"PK\3\4 no archive",
        _archive(("../session.json", b"{}")),
        _archive(("/etc/x.toml", b"")),
        _archive(("session.json", bytes(2**18 + 1))),
    ):
        path.write_bytes(data)
        with pytest.raises(InputError):
            session_file.load(path)


def test_a_list_of_parts_is_not_read_before_it_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = _archive(("session.json", b"{}"))
    at = len(whole) - 22
    counts = whole[: at + 8] + b"\xff\xff\xff\xff" + whole[at + 12 :]
    size = whole[: at + 12] + (2**30).to_bytes(4, "little") + whole[at + 16 :]
    hidden = size[: at + 16] + b"PK\5\6" + size[at + 20 :]
    large = whole[:at] + b"PK\6\7" + bytes(16) + whole[at:]
    monkeypatch.setattr(archive.zipfile, "ZipFile", None)
    path = tmp_path / "a.lyapunov"
    for data in (counts, size, hidden, large, size[:-2] + b"\1\0x"):
        path.write_bytes(data)
        with pytest.raises(InputError, match="4096 parts"):
            session_file.load(path)


def test_a_full_folder_for_temporary_files_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.lyapunov"
    session_file.save(path, KEPT)
    before = path.read_bytes()

    def full(*_: object, **__: object) -> str:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(session_file.tempfile, "mkdtemp", full)
    for act in (lambda: session_file.save(path, KEPT), lambda: session_file.load(path)):
        with pytest.raises(LabError, match=r"temporary files.*No space left on device\.$"):
            act()
    assert path.read_bytes() == before


@given(st.integers(0, 10**6), st.integers(0, 255))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_file_is_refused_or_read(tmp_path: Path, place: int, byte: int) -> None:
    path = tmp_path / "a.lyapunov"
    if not (tmp_path / "whole").exists():
        session_file.save(tmp_path / "whole", KEPT)
    data = bytearray((tmp_path / "whole").read_bytes())
    data[place % len(data)] = byte
    path.write_bytes(data if byte % 2 else data[: place % len(data)])
    try:
        session_file.load(path)
    except InputError as error:
        assert "\n" not in str(error)


def test_an_experiment_is_known_by_its_run() -> None:
    assert KEPT.experiments == {get("linear-map").id}


@given(session=SESSIONS)
def test_sessions_can_be_compared_whatever_is_pinned(session: KeptSession) -> None:
    assert session == dataclasses.replace(session)
    others = tuple(dataclasses.replace(pin, trace=trace(3)) for pin in session.pins)
    assert (session == dataclasses.replace(session, pins=others)) is not bool(others)
