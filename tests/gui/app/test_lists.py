"""The list of experiments and the list of pinned runs."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QCheckBox, QLabel, QToolButton
from pytestqt.qtbot import QtBot

from engine.core.listing import Listing
from engine.run.labels import settings_text
from gui.compare.pins import ROLES, Pins, PinsPanel
from gui.style.theme import DARK, LIGHT, Theme
from gui.window.experiment_panel import ExperimentPanel
from tests.gui.fakes import FakeExperiment, FakeParams, snapshot


class _Named:
    def __init__(self, number: int) -> None:
        self.id, self.title = f"other-{number}", f"Other {number}"
        self.listing = Listing(id=self.id, title=self.title, section="3.1", summary="Another one.")


@pytest.fixture
def panel(qtbot: QtBot) -> ExperimentPanel:
    made = ExperimentPanel([FakeExperiment(), _Named(1), _Named(2)])  # type: ignore[list-item]
    qtbot.addWidget(made)
    made.resize(220, 400)
    made.show()
    return made


def test_experiments_stand_under_their_section(panel: ExperimentPanel) -> None:
    texts = [panel.list.item(row).text() for row in range(panel.list.count())]
    assert texts == ["Section 2", "Parabola", "Section 3.1", "Other 1", "Other 2"]


def test_arrows_skip_the_headings(panel: ExperimentPanel, qtbot: QtBot) -> None:
    panel.select("fake")
    with qtbot.waitSignal(panel.experiment_browsed) as chosen:
        qtbot.keyClick(panel.list, Qt.Key.Key_Down)
    assert chosen.args == ["other-1"]
    assert panel.current_id == "other-1"


def test_a_click_chooses(panel: ExperimentPanel, qtbot: QtBot) -> None:
    place = panel.list.visualItemRect(panel.list.item(4)).center()
    with qtbot.waitSignal(panel.experiment_chosen) as chosen:
        qtbot.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert chosen.args == ["other-2"]


def test_selecting_by_program_says_nothing(panel: ExperimentPanel) -> None:
    said: list[str] = []
    panel.experiment_chosen.connect(said.append)
    panel.select("other-2")
    panel.select("no-such")
    assert panel.current_id == "other-2"
    assert said == []


def test_the_list_paints_in_both_states(panel: ExperimentPanel) -> None:
    panel.select("fake")
    selected = panel.grab().toImage()
    panel.select("other-2")
    assert panel.grab().toImage() != selected


@pytest.fixture
def pins() -> Pins:
    return Pins()


def test_pins_get_distinct_colours_in_turn(pins: Pins) -> None:
    made = [pins.add(snapshot()) for _ in ROLES]
    assert sorted(pin.color for pin in made) == sorted(ROLES)
    pins.remove(made[2].id)
    assert pins.add(snapshot()).color == made[2].color


def test_pins_belong_to_their_experiment(pins: Pins) -> None:
    pins.add(snapshot())
    pins.add(snapshot(experiment="other"))
    assert len(pins.of("fake")) == 1
    pins.clear("fake")
    assert pins.of("fake") == ()
    assert len(pins.of("other")) == 1


def test_a_label_names_what_differs() -> None:
    params = FakeParams(curvature=3.0, step_size=0.25, init="random", spread=0.5)
    text = settings_text(params, 4).replace("\u00a0", " ")
    assert text == "δ = 0.25, s = 3, Start = random, Spread = 0.5 …"
    assert "seed" not in settings_text(params, 0)
    assert settings_text(FakeParams(), 0) == "δ\u00a0=\u00a00.3"


def test_a_pin_is_labelled_by_what_differs_from_the_current_run_and_other_pins(pins: Pins) -> None:
    pins.set_current("fake", FakeParams(curvature=3.0), 4)
    pin = pins.add(snapshot(FakeParams(curvature=3.0, step_size=0.25), seed=4))
    assert pin.label.replace("\u00a0", " ") == "δ = 0.25"
    pins.set_current("fake", FakeParams(curvature=1.0), 5)
    assert pins.of("fake")[0].label.replace("\u00a0", " ") == "δ = 0.25, s = 3, seed = 4"
    pins.set_current("fake", FakeParams(curvature=3.0), 4)
    pins.add(snapshot(FakeParams(curvature=2.0), seed=4))
    assert "s\u00a0=\u00a03" in pins.of("fake")[0].label


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_no_pin_has_the_colour_of_a_series(theme: Theme) -> None:
    pins = [theme.color(role) for role in ROLES]
    assert len({color.name() for color in pins}) == len(ROLES)
    for color in pins:
        for other in theme.series:
            series = QColor(other)
            channels = ((color.red(), series.red()), (color.green(), series.green()))
            distance = sum(abs(a - b) for a, b in (*channels, (color.blue(), series.blue())))
            assert distance > 30


@pytest.fixture
def shown(qtbot: QtBot, pins: Pins) -> PinsPanel:
    made = PinsPanel(pins, lambda role: QColor("red"))
    qtbot.addWidget(made)
    made.resize(260, 300)
    made.set_experiment("fake")
    made.show()
    return made


def test_a_pin_is_hidden_and_unpinned_from_its_row(
    shown: PinsPanel, pins: Pins, qtbot: QtBot
) -> None:
    pins.add(snapshot(FakeParams(step_size=0.2)))
    assert not shown.empty.isVisible()
    shown.findChild(QCheckBox).click()
    assert [pin.visible for pin in pins.of("fake")] == [False]
    unpin = [w for w in shown.findChildren(QToolButton) if w.text() == "Unpin"]
    unpin[-1].click()  # of the newest row: the old ones go with the next event
    assert pins.of("fake") == ()
    assert shown.empty.isVisible()


def test_a_pins_settings_can_be_had_back(shown: PinsPanel, pins: Pins, qtbot: QtBot) -> None:
    pin = pins.add(snapshot(FakeParams(step_size=0.2)))
    buttons = [w for w in shown.findChildren(QToolButton) if w.text() == "Use settings"]
    with qtbot.waitSignal(shown.restore_requested) as asked:
        buttons[-1].click()
    assert asked.args == [pin]


def test_a_pin_gets_another_colour(shown: PinsPanel, pins: Pins) -> None:
    pins.add(snapshot())
    button = next(w for w in shown.findChildren(QToolButton) if w.menu() is not None)
    button.menu().actions()[6].trigger()
    assert pins.of("fake")[0].color == "pin7"


def test_rows_follow_the_experiment(shown: PinsPanel, pins: Pins) -> None:
    pins.add(snapshot())
    shown.set_experiment("other")
    labels = [w for w in shown.findChildren(QLabel, "") if w.isVisible() and w is not shown.empty]
    assert labels == []


def test_the_pin_button_asks(shown: PinsPanel, qtbot: QtBot) -> None:
    with qtbot.waitSignal(shown.pin_requested):
        shown.pin_button.click()
