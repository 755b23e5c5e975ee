"""What makes maps for a window: coarse at first, bit-equal at the end, cancelled at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from engine.core.compiled import Compiling as CompilingHow
from engine.core.compiled import NotCompiled, compiling
from engine.executors.threads import Threads
from engine.maps.axis import Axis
from engine.maps.colors import PAPER
from engine.maps.kind import Prepared
from engine.maps.live.level import Level
from engine.maps.live.live_map import LiveMap
from engine.maps.making import made
from engine.maps.shown import Look, MapFailed, MapShown, MapWaits
from engine.maps.spec import MapSpec
from engine.maps.tiles import Tile
from tests.engine.maps.logistic import Inline, LogisticKind, Region, spec

LOOK = Look(PAPER)


class Watch:
    """A live map and all that it published, in order; every picture is taken at once."""

    def __init__(self, live: LiveMap) -> None:
        self.live = live
        self.news: list[MapShown | MapWaits | MapFailed] = []
        self.came = threading.Condition()
        put = live.mailbox.put

        def keep(item: MapShown | MapWaits | MapFailed) -> None:
            put(item)
            with self.came:
                self.news.append(item)
                self.came.notify_all()

        live.mailbox.put = keep  # type: ignore[method-assign]

    def wait(self, condition: Callable[[MapShown | MapWaits | MapFailed], bool]) -> Any:
        """Return the first item that meets a condition."""
        with self.came:
            found = self.came.wait_for(lambda: [n for n in self.news if condition(n)], 30)
        assert found
        return found[0]

    def done(self, number: int) -> MapShown:
        """Return the finished map of a request."""
        return self.wait(
            lambda n: n.number == number and isinstance(n, MapShown) and n.state == "done"
        )


@pytest.fixture
def kinds() -> dict[str, LogisticKind]:
    return {"stability": LogisticKind(), "orbit": LogisticKind("orbit")}


@pytest.fixture
def watch(kinds: dict[str, LogisticKind]) -> Iterator[Watch]:
    live = LiveMap(lambda kind: kinds[kind], lambda prepared, scheduler: Threads(2))
    yield Watch(live)
    assert live.close()


@pytest.mark.parametrize("kind", ["stability", "orbit"])
@pytest.mark.parametrize("shape", [(64, 48), (97, 53), (1, 1), (300, 2)])
def test_the_finished_map_is_that_made_at_once(
    watch: Watch, kinds: dict[str, LogisticKind], kind: Any, shape: tuple[int, int]
) -> None:
    wanted = spec(kind, *shape, steps=60)
    shown = watch.done(watch.live.make(wanted, LOOK))
    whole = made(kinds[kind].prepare(wanted), Inline(), threading.Event())
    assert shown.stride == 1 and shown.known.all() and shown.done == 1.0
    for name, values in whole.items():
        np.testing.assert_array_equal(shown.arrays[name].reshape(values.shape), values)


def test_pictures_come_coarse_to_fine_and_each_cell_is_that_of_the_finished_map(
    kinds: dict[str, LogisticKind],
) -> None:
    watch = Watch(LiveMap(lambda kind: kinds[kind], lambda prepared, scheduler: Inline()))
    number = watch.live.make(spec(columns=320, rows=200, steps=60), LOOK)
    last = watch.done(number)
    strides = [n.stride for n in watch.news if isinstance(n, MapShown)]
    assert strides == sorted(strides, reverse=True) and strides[0] > 1
    first = watch.news[0]
    assert isinstance(first, MapShown) and first.known.all() and first.seconds_left is not None
    rows, columns = first.known.shape
    s = first.stride
    np.testing.assert_array_equal(
        first.arrays["outcome"], last.arrays["outcome"][::s, ::s][:rows, :columns]
    )
    assert watch.live.close()


class Compiling:
    """A process that compiles until it is told that it has."""

    def __init__(self, kind: LogisticKind, is_endless: bool) -> None:
        self._kind, self._is_endless = kind, is_endless
        self.compiled: set[str] = set()
        self.is_closed = False

    def is_at_work(self) -> bool:
        self.compiled.add(f"kernel {len(self.compiled)}")
        return self._is_endless or len(self.compiled) < 4

    def close(self) -> None:
        self._kind.prepare = type(self._kind).prepare.__get__(self._kind)
        self.is_closed = True


@pytest.mark.parametrize("is_endless", [False, True])
def test_kernels_that_lack_are_compiled_by_another_process_that_ends_with_a_cancel(
    watch: Watch,
    kinds: dict[str, LogisticKind],
    monkeypatch: pytest.MonkeyPatch,
    is_endless: bool,
) -> None:
    process = Compiling(kinds["stability"], is_endless)
    monkeypatch.setattr("engine.maps.live.kernels.Compiler", lambda *args: process)
    monkeypatch.setattr("engine.maps.live.kernels.NEWS", 0.001)

    def lacks(wanted: MapSpec) -> Prepared:
        assert compiling() is CompilingHow.NEVER
        raise NotCompiled("follow")

    monkeypatch.setattr(kinds["stability"], "prepare", lacks)
    number = watch.live.make(spec(columns=32, rows=20, steps=60), LOOK)
    waits = watch.wait(lambda n: isinstance(n, MapWaits))
    assert waits.compiled > 0 and waits.state == "making"
    if is_endless:
        watch.live.cancel()
        watch.wait(lambda n: isinstance(n, MapWaits) and n.state == "cancelled")
        assert not any(isinstance(n, MapShown) for n in watch.news)
    else:
        watch.done(number)
    assert process.is_closed


def test_curves_that_the_cells_show_come_with_the_last_cell(
    watch: Watch, kinds: dict[str, LogisticKind]
) -> None:
    wanted = spec(columns=320, rows=200, steps=60)
    last = watch.done(watch.live.make(wanted, LOOK))
    assert all(n.found == () for n in watch.news if isinstance(n, MapShown) and n.state != "done")
    (curve,), (whole,) = last.found, kinds["stability"].prepare(wanted).found(last.arrays)
    np.testing.assert_array_equal(curve.y, whole.y)
    assert curve.label not in [each.label for each in last.overlays]


def test_hover_reads_the_nearest_computed_cell(watch: Watch) -> None:
    shown = watch.done(watch.live.make(spec(steps=60), LOOK))
    cell = shown.cell(2.5, 0.3)
    assert cell is not None and cell["outcome"] == 0
    assert shown.prepared.hover(cell).startswith("fixed point")
    assert shown.color_at(2.5, 0.3).startswith("#")
    assert shown.cell(5.0, 0.3) is None and shown.cell(2.5, -0.1) is None


class Gate:
    """Holds up jobs until it is opened."""

    def __init__(self) -> None:
        self.reached, self.open = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.reached.set()
        assert self.open.wait(30)


def test_a_new_request_ends_the_one_before(
    watch: Watch, kinds: dict[str, LogisticKind], monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()

    def prepare(wanted: MapSpec) -> Prepared:
        return Region(wanted, gate if wanted.x.low == 2.0 else None)

    monkeypatch.setattr(kinds["stability"], "prepare", prepare)
    first = watch.live.make(spec(steps=60), LOOK)
    assert gate.reached.wait(30)
    other = spec(steps=60)
    second = watch.live.make(
        MapSpec(
            kind=other.kind,
            experiment=other.experiment,
            params=other.params,
            x=Axis(name="rate", low=2.5, high=3.5, count=64),
            y=other.y,
            steps=60,
        ),
        LOOK,
    )
    gate.open.set()
    shown = watch.done(second)
    assert shown.spec.x.low == 2.5
    assert not [n for n in watch.news if n.number == first and getattr(n, "done", 0) == 1.0]


@pytest.mark.parametrize("goes", [6, 9, 20])
def test_a_cancelled_map_goes_on_from_what_is_made(
    watch: Watch, kinds: dict[str, LogisticKind], monkeypatch: pytest.MonkeyPatch, goes: int
) -> None:
    jobs, stuck = threading.Semaphore(goes), threading.Event()
    wanted, counts = spec(steps=60), list[int]()

    def gate() -> None:
        if not jobs.acquire(blocking=False):
            stuck.set()
            while not watch.live._stop.is_set():
                watch.live._stop.wait(1.0)

    def prepare(wanted: MapSpec) -> Prepared:
        region = Region(wanted, gate)
        region.cells_a_job = 100
        return region

    def put(level: Level, tile: Tile, cells: Any) -> None:
        counts.append(tile.count)
        whole_put(level, tile, cells)

    whole_put = Level.put
    monkeypatch.setattr(Level, "put", put)
    monkeypatch.setattr(kinds["stability"], "prepare", prepare)
    number = watch.live.make(wanted, LOOK)
    assert stuck.wait(30)
    watch.live.cancel()
    shown = watch.wait(lambda n: n.number == number and getattr(n, "state", "") == "cancelled")
    assert 0.0 < shown.done < 1.0 and shown.known.any()
    before = sum(counts)
    assert before == round(shown.done * 64 * 48)
    jobs.release(10**6)
    again = watch.done(watch.live.make(wanted, LOOK))
    assert sum(counts) == 64 * 48  # none was made twice
    assert again.seconds > shown.seconds > 0.0
    whole = made(Region(wanted), Inline(), threading.Event())
    for name, values in whole.items():
        np.testing.assert_array_equal(again.arrays[name], values)


def test_going_back_computes_nothing_again(
    watch: Watch, kinds: dict[str, LogisticKind], monkeypatch: pytest.MonkeyPatch
) -> None:
    watch.done(watch.live.make(spec(steps=60), LOOK))
    monkeypatch.setattr(kinds["stability"], "prepare", None)  # would fail if it were called
    again = watch.done(watch.live.make(spec(steps=60), LOOK))
    assert again.known.all()


def test_another_end_of_the_observable_draws_anew_and_computes_nothing(
    watch: Watch, kinds: dict[str, LogisticKind], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = watch.done(watch.live.make(spec("orbit", steps=60), LOOK))
    monkeypatch.setattr(kinds["orbit"], "prepare", None)
    look = Look(PAPER, ends=(0.4, 0.6), rows=77)
    watch.live.show(look)
    shown = watch.wait(lambda n: isinstance(n, MapShown) and n.look == look)
    assert shown.picture.rgba.shape == (77, 64, 4) and shown.number == first.number


def test_a_refused_map_says_what_is_allowed(watch: Watch) -> None:
    wanted = spec()
    wide = Axis(name="rate", low=2.0, high=40.0, count=8)
    number = watch.live.make(
        MapSpec(
            kind="stability",
            experiment="logistic",
            params=wanted.params,
            x=wide,
            y=wanted.y,
            steps=9,
        ),
        LOOK,
    )
    failure = watch.wait(lambda n: n.number == number)
    assert isinstance(failure, MapFailed)
    assert "rate" in str(failure.error) and not failure.traceback


def test_an_error_in_a_map_is_a_traceback_and_the_next_map_is_made(
    watch: Watch, kinds: dict[str, LogisticKind], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(kinds["stability"], "prepare", lambda wanted: 1 / 0)
        number = watch.live.make(spec(), LOOK)
        failure = watch.wait(lambda n: n.number == number)
    assert isinstance(failure, MapFailed) and "ZeroDivisionError" in failure.traceback
    assert watch.done(watch.live.make(spec(steps=30), LOOK)).known.all()


def test_answers_wait_for_the_window(watch: Watch) -> None:
    got: list[Any] = []
    watch.live.ask(lambda: 6 * 7, got.append)
    watch.live.ask(lambda: 1 // 0, got.append)
    for _ in range(2):
        watch.live.answers.get(timeout=30)()
    assert got[0] == 42 and isinstance(got[1], ZeroDivisionError)
