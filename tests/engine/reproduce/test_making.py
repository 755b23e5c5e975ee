"""A report that is broken off goes on; what it holds does not depend on how it was made."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from engine.cli import commands as cli
from engine.core.errors import InputError
from engine.executors.threads import Threads
from engine.reproduce import making, store
from engine.reproduce.carry import Options
from engine.reproduce.catalogue import study
from engine.reproduce.report import files
from engine.storage.files import FileError

ROOT = Path(__file__).resolve().parents[3]
STUDIES = ("figure-2", "smooth-convex")
KILLED = 9
MAKE = """
import os, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from tests.engine.reproduce.test_making import made
left, replace = [int(sys.argv[3])], os.replace

def killed_in_time(source, target):
    left[0] -= 1
    if not left[0]:
        os._exit(9)  # as a kill: nothing is cleaned up
    replace(source, target)

os.replace = killed_in_time
made(Path(sys.argv[2]))
"""


def chosen() -> list[making.Study]:
    atlas = {"smooth-convex"}
    return [study("atlas" if name in atlas else "reproduce", name) for name in STUDIES]


def made(folder: Path) -> making.Made | None:
    """Make a report on some studies and write its files."""
    folder = store.prepare(folder)
    with Threads(1) as pool:
        found = making.make(folder, chosen(), Options(quick=True), pool, lambda *_: True)
    if found is not None:
        files.write(folder, found)
    return found


def content(folder: Path) -> dict[str, str]:
    """Return the files of a report but for times."""
    return {
        path.relative_to(folder).as_posix(): without_times(path.read_text("utf-8"))
        for path in folder.rglob("*")
        if path.is_file() and path.parent.name != store.PARTS
    }


def without_times(text: str) -> str:
    text = re.sub(r'"seconds": [0-9.e+-]+', '"seconds": 0', text)
    return re.sub(r"added up: [^<\n]*", "added up", text)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a report that nothing disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    assert made(folder) is not None
    return folder


def test_a_refused_scheduler_leaves_no_folder(tmp_path: Path) -> None:
    out = tmp_path / "report"
    command = ["reproduce", "--quick", "--scheduler", "foo", "--out", str(out)]
    assert cli.main(command) == 2
    assert not out.exists()


MOMENTS = random.Random(7).sample(range(1, 11), 5)
"""Five among the ten renames of a report: parts, run files, pictures and its three texts."""


@pytest.mark.parametrize("at", MOMENTS)
def test_a_killed_report_goes_on_to_the_same_end(tmp_path: Path, whole: Path, at: int) -> None:
    folder = tmp_path / "report"
    command = [sys.executable, "-c", MAKE, str(ROOT), str(folder), str(at)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == KILLED
    assert made(folder) is not None
    left = {name: text for name, text in content(folder).items() if not name.endswith(".tmp")}
    assert left == content(whole)


def test_kept_studies_are_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(tmp_path)
    monkeypatch.setattr(making, "carry_out", None)
    again = made(tmp_path)
    assert again is not None
    assert list(again.findings) == list(STUDIES)


@pytest.mark.parametrize("damage", ["", "{}", '{"key": 1}', "[1, 2", "\x00", "digit"])
def test_a_damaged_part_is_made_again(tmp_path: Path, whole: Path, damage: str) -> None:
    made(tmp_path)
    path = tmp_path / store.PARTS / "figure-2.json"
    text = path.read_text("utf-8")
    path.write_text(text.replace('"holds": true', '"holds": false', 1) if damage else damage)
    if damage and damage != "digit":
        path.write_text(damage)
    assert made(tmp_path) is not None
    assert content(tmp_path) == content(whole)


def test_a_part_of_other_options_is_made_again() -> None:
    figure, mnist = study("reproduce", "figure-2"), study("reproduce", "figure-5")
    assert store.key_of(figure, Options(quick=True)) != store.key_of(figure, Options())
    assert store.key_of(figure, Options(data="x")) == store.key_of(figure, Options())
    assert store.key_of(mnist, Options(data="x")) != store.key_of(mnist, Options())


def test_a_stopped_report_keeps_what_is_done(tmp_path: Path) -> None:
    folder = store.prepare(tmp_path / "report")

    def go_on(done: float, text: str) -> bool:
        assert 0.0 <= done <= 1.0
        return text.startswith("0 ")

    with Threads(1) as pool:
        assert making.make(folder, chosen(), Options(quick=True), pool, go_on) is None
    assert len(list((folder / store.PARTS).glob("*.json"))) >= 1


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(InputError, match="of a report"):
        store.prepare(tmp_path)


def test_a_full_disk_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise FileError(tmp_path / "figure-2.json", "written", "No space left on device")

    monkeypatch.setattr(store, "keep", full)
    with pytest.raises(FileError, match="No space left"):
        made(tmp_path / "report")


def test_the_page_stands_alone(whole: Path) -> None:
    page = (whole / files.PAGE).read_text("utf-8")
    assert "<script" not in page
    assert not re.search(r'(?:src|href)="(?!#|data:)', page)
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(set(ids)) == len(ids)
    assert set(re.findall(r'(?:url\(|href=")#([^")]+)', page)) <= set(ids)


def test_results_are_strict_json(whole: Path) -> None:
    def refuse(name: str) -> None:
        raise AssertionError(name)

    table = json.loads((whole / files.RESULTS).read_text("utf-8"), parse_constant=refuse)
    assert [each["id"] for each in table["studies"]] == list(STUDIES)
    assert table["surprises"] == []
    for each in table["studies"]:
        for run in each["runs"]:
            assert (whole / run["file_name"]).is_file()
        for picture in each["pictures"]:
            assert (whole / picture).is_file()


def test_a_run_file_of_the_report_repeats_its_run(whole: Path) -> None:
    from engine.storage import runfile

    run = runfile.load(whole / "runs" / "figure-2" / "bowl.toml")
    assert run.experiment == "convex-shape"
