"""The figures of a run in a folder: which files, drawn where, and what a cancel leaves."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from pathlib import Path

import pytest

import engine.experiments  # noqa: F401  registers the experiments
from engine.core import registry
from engine.core.ensemble import Ensemble
from engine.core.params import build
from engine.core.views import BarView
from engine.figures import album, painters, paper
from engine.figures.album import save_sheets
from engine.figures.data import FigureData
from engine.figures.formats import FORMATS
from engine.figures.painters import Painters
from engine.figures.sheets import Look, Sheet, ensemble_sheets, files_of, sheets_of
from engine.run.session import Session

SVG = Look(("svg",))
PROCESSES = 2


@pytest.fixture
def session() -> Iterator[Session]:
    experiment = registry.get("least-squares")
    made = Session(experiment, build(experiment.parameters, {}), 0)
    made.advance(40)
    yield made
    made.close()


@pytest.fixture
def sheets(session: Session) -> list[Sheet]:
    return sheets_of(FigureData.of(session), session.experiment)


def test_all_views_and_the_page_are_written(
    session: Session, sheets: list[Sheet], tmp_path: Path
) -> None:
    names = save_sheets(tmp_path / "figures", sheets, SVG)
    views = session.experiment.views(session.params)
    assert names == [*(f"{view.id}.svg" for view in views), "page.svg"]
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == sorted(names)


def test_an_ensemble_has_figures_of_its_own(session: Session) -> None:
    bars = BarView(
        id="fit",
        title="Fit",
        categories_key="c",
        keys=("v",),
        labels=("l",),
        colors=("1",),
        y_label="",
    )
    ensemble = Ensemble(columns={}, summary={}, observation={"c": ["a"], "v": [1.0]}, views=(bars,))
    (sheet,) = ensemble_sheets(FigureData.of(session), ensemble)
    assert sheet.stem == "ensemble-fit"
    assert sheet.data.title.endswith("ensemble")


@pytest.mark.slow
def test_processes_draw_the_same_files(
    sheets: list[Sheet], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = [sheets[0], sheets[-1]]
    monkeypatch.delattr(album, "files_of")  # nothing is left to draw here
    told: list[tuple[float, str]] = []

    def progress(done: float, text: str) -> bool:
        told.append((done, text))
        return True

    look = Look(FORMATS)
    with Painters(PROCESSES) as crew:
        names = save_sheets(tmp_path, few, look, progress, crew)
        assert not multiprocessing.active_children()
    assert names == [f"{sheet.stem}.{kind}" for sheet in few for kind in FORMATS]
    for sheet in few:
        for kind, content in zip(FORMATS, files_of(sheet, look), strict=True):
            assert (tmp_path / f"{sheet.stem}.{kind}").read_bytes() == content
    assert told[0] == (0.0, "figures: 0 of 2 drawn")
    assert told[-1][0] < 1.0 and told == sorted(told)


@pytest.mark.parametrize("count", [0, 1])
def test_a_cancel_leaves_whole_files_and_no_process(
    count: int, sheets: list[Sheet], tmp_path: Path
) -> None:
    with Painters(count) as crew:
        names = save_sheets(tmp_path, sheets, SVG, lambda done, text: False, crew)
        assert not multiprocessing.active_children()
    assert names == [] == list(tmp_path.iterdir())


def test_a_cancel_half_way_keeps_what_is_drawn(sheets: list[Sheet], tmp_path: Path) -> None:
    names = save_sheets(tmp_path, sheets, SVG, lambda done, text: done == 0.0)
    assert names == [path.name for path in tmp_path.iterdir()] == [f"{sheets[0].stem}.svg"]


def test_an_interrupt_ends_the_processes(sheets: list[Sheet], tmp_path: Path) -> None:
    def interrupted(done: float, text: str) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), Painters(1) as crew:
        save_sheets(tmp_path, sheets, SVG, interrupted, crew)
    assert not multiprocessing.active_children()
    assert list(tmp_path.iterdir()) == []


def test_what_a_dead_process_leaves_is_drawn_here(sheets: list[Sheet], tmp_path: Path) -> None:
    with Painters(1) as crew:
        crew.start()

        def progress(done: float, text: str) -> bool:
            for process in multiprocessing.active_children():
                process.kill()
            return True

        names = save_sheets(tmp_path, sheets[:1], SVG, progress, crew)
    assert names == [f"{sheets[0].stem}.svg"]
    assert (tmp_path / names[0]).read_bytes() == files_of(sheets[0], SVG)[0]


def test_an_error_of_a_drawing_is_raised_here(
    sheets: list[Sheet], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ArithmeticError("no such figure")

    monkeypatch.setattr(paper, "draw", broken)
    assert painters._files(sheets[0], SVG) is None
    with pytest.raises(ArithmeticError, match="no such figure"):
        save_sheets(tmp_path, sheets[:1], SVG)


def test_a_machine_of_one_core_starts_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(painters, "cores", lambda: 1)
    with Painters.for_sheets(18) as crew:
        crew.start()
        assert not multiprocessing.active_children()
    monkeypatch.setattr(painters, "cores", lambda: 64)
    assert Painters.for_sheets(3)._wanted == 0
    assert Painters.for_sheets(18)._wanted == painters.MOST
