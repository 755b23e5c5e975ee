"""At most one start in flight, whatever is asked and whenever the engine answers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gui.run.gate import Admitted, Gate

START = st.tuples(st.just("start"), st.sampled_from(["a", "a", "a", "b"]))
EVENTS = st.lists(st.one_of(START, st.just(("send", "")), st.just(("picture", ""))), max_size=60)


class Engine:
    """Carries out what the gate admits, and keeps a log of it."""

    def __init__(self) -> None:
        self.gate = Gate()
        self.log: list[tuple[int, str]] = []
        self.in_flight: list[str] = []
        self.asked: list[tuple[int, str]] = []

    def ask(self, kind: str, experiment: str) -> None:
        number = len(self.asked)
        if kind == "start":
            self.asked.append((number, experiment))

            def start() -> None:
                if self.in_flight and self.in_flight[-1] != experiment:
                    self.in_flight.clear()  # overtaken by another experiment
                self.in_flight.append(experiment)
                self.log.append((number, experiment))

            self._carry_out(self.gate.start(experiment, start))
        elif kind == "send":
            self.asked.append((number, ""))
            self._carry_out(self.gate.send(lambda: self.log.append((number, ""))))
        elif self.in_flight:
            self.in_flight.clear()
            self._carry_out(self.gate.begun())

    def _carry_out(self, admitted: Admitted) -> None:
        self.gate, commands = admitted
        for command in commands:
            command()


@given(events=EVENTS)
def test_one_start_is_in_flight_and_nothing_changes_its_order(
    events: list[tuple[str, str]],
) -> None:
    engine = Engine()
    for kind, experiment in events:
        engine.ask(kind, experiment)
        # A start that waited is handed over with the start of another experiment, which overtakes.
        assert len(engine.in_flight) <= 1
        assert bool(engine.gate.in_flight) == bool(engine.in_flight)
    while engine.in_flight:
        engine.ask("picture", "")
    assert engine.gate == Gate()
    numbers = [number for number, _ in engine.log]
    assert numbers == sorted(numbers)
    starts = [number for number, experiment in engine.asked if experiment]
    newest = starts[-1] if starts else -1
    expected = [entry for entry in engine.asked if entry[0] >= newest]
    assert [entry for entry in engine.log if entry[0] >= newest] == expected


@given(moves=st.integers(1, 200), pictures=st.integers(1, 20))
def test_a_drag_begins_a_run_a_picture(moves: int, pictures: int) -> None:
    engine = Engine()
    for move in range(moves):
        engine.ask("start", "a")
        if move % pictures == pictures - 1:
            engine.ask("picture", "")
    made = moves // pictures
    assert made <= len(engine.log) <= made + 1


def test_a_start_that_waits_is_known_to_the_engine_before_another_experiment() -> None:
    """Else the older run of the first experiment could be resumed."""
    engine = Engine()
    for kind, experiment in [("start", "a"), ("start", "a"), ("send", ""), ("start", "b")]:
        engine.ask(kind, experiment)
    assert engine.log == [(0, "a"), (1, "a"), (2, ""), (3, "b")]
    assert engine.gate == Gate("b")
