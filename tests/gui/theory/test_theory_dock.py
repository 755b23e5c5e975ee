"""The theory panel, driven with snapshots and clicks."""

from __future__ import annotations

import dataclasses
import gc
import weakref
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from engine.core.claims import Bound, Claim, Lamp, Verdict
from engine.core.outcome import Exponent, Outcome, OutcomeKind, Standing
from engine.run.snapshot import Snapshot, Status
from engine.text.mathtext import plain_math
from engine.theory.optimisers import OPTIMISERS
from gui.style.ink import ink
from gui.theory.bounds import defined_by
from gui.theory.dock import TheoryPanel
from gui.theory.header import style_of
from gui.theory.meter import StabilityMeter
from gui.theory.stability import stability_of
from gui.widgets.glyphs import LAMPS, OUTCOMES, STANDINGS, VERDICTS, Badge, draw_glyph
from gui.widgets.words import Figure, Words
from tests.gui.fakes import FakeParams, snapshot

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def panel(qtbot: QtBot) -> TheoryPanel:
    panel = TheoryPanel()
    qtbot.addWidget(panel)
    panel.resize(320, 900)
    panel.show()
    return panel


def outcome(**fields: Any) -> Outcome:
    known = {"kind": OutcomeKind.CONVERGING, "step": 10, "message": "The error shrinks."}
    return Outcome(**{**known, **fields})


def test_the_head_says_how_the_run_stands(panel: TheoryPanel) -> None:
    panel.show_snapshot(
        snapshot(
            outcome=outcome(
                kind=OutcomeKind.OSCILLATING,
                phase="period 2",
                period=2,
                orbit=(1.15194996, 1.57835139),
                orbit_of="w",
                lyapunov=-0.2231435,
                message="The weights jump between two points.",
            )
        )
    )
    head = panel.header
    assert head.badge.text() == "period 2"
    assert head.badge.role == "accent" and head.badge.glyph == "wave"
    assert head.period.text() == "2"
    assert head.lyapunov.text() == "−0.2231 per step"
    assert head.orbit.text() == "1.15195, 1.57835"
    assert head._names[head.orbit].text() == "Orbit of w"
    assert head.step.text() == "k = 10"
    assert head.message.text() == "The weights jump between two points."


@pytest.mark.parametrize(
    ("phase", "standing", "role"),
    [
        ("monotone", Standing.NEARING_MINIMUM, "good"),
        ("converging to 0, sublinearly", Standing.NEARING_SADDLE, "warning"),
        ("settling", Standing.SETTLING, "muted"),
        ("converging to 0, as a text alone", Standing.OPEN, "good"),
    ],
)
def test_green_is_kept_for_what_approaches_the_target(
    panel: TheoryPanel, phase: str, standing: Standing, role: str
) -> None:
    stands = outcome(kind=OutcomeKind.CONVERGING, phase=phase, standing=standing)
    panel.show_snapshot(snapshot(outcome=stands))
    assert panel.header.badge.text() == phase
    assert (panel.header.badge.role, panel.header.badge.glyph) == (role, "fall")


@pytest.mark.parametrize("standing", Standing)
@pytest.mark.parametrize("kind", [OutcomeKind.CONVERGED, OutcomeKind.CONVERGING])
def test_each_standing_has_its_colour_and_shape(standing: Standing, kind: OutcomeKind) -> None:
    """A triangle warns of rest that is not safe, a falling line of what is on its way."""
    known = {
        Standing.SETTLING: ("muted", "fall"),
        Standing.NEARING_SADDLE: ("warning", "fall"),
        Standing.AT_SADDLE: ("warning", "warning"),
        Standing.AT_NO_MINIMUM: ("warning", "warning"),
        Standing.AT_UNSTABLE_MINIMUM: ("warning", "warning"),
    }
    style = style_of(outcome(kind=kind, standing=standing))
    assert style == known.get(standing, OUTCOMES[kind])
    assert (style[1] == "warning") is standing.is_precarious
    assert (style[0] == "warning") is (standing.is_precarious or standing.is_elsewhere)


def test_an_exponent_shows_its_standard_error_and_its_directions(panel: TheoryPanel) -> None:
    along = Exponent(value=0.043, error=0.0011, of="with the weights kept equal")
    across = Exponent(value=-0.02, of="with the weights drawn apart")
    panel.show_snapshot(snapshot(outcome=outcome(lyapunov=0.043, exponents=(along, across))))
    label = panel.header.lyapunov
    assert label.text() == "0.043 ± 0.0011 per step"
    assert "kept equal" in label.toolTip() and "drawn apart" in label.toolTip()


def test_the_lyapunov_exponent_stands_where_an_experiment_has_one(panel: TheoryPanel) -> None:
    header = panel.header
    header.wipe()
    panel.show_snapshot(snapshot(outcome=outcome(lyapunov=None)))
    panel.flush()
    assert not header.lyapunov.isVisible()
    panel.show_snapshot(snapshot(outcome=outcome(lyapunov=-0.5)))
    panel.flush()
    assert header.lyapunov.isVisible()
    panel.show_snapshot(snapshot(outcome=outcome(lyapunov=None)))
    panel.flush()
    assert header.lyapunov.isVisible() and header.lyapunov.text() == "—", "nothing jumps"


def test_period_and_orbit_come_with_the_first_cycle_and_stay(panel: TheoryPanel) -> None:
    panel.show_snapshot(snapshot())
    assert not panel.header.period.isVisible() and panel.header.lyapunov.isVisible()
    panel.show_snapshot(snapshot(outcome=outcome(period=2, orbit=(1.0, 2.0))))
    panel.flush()
    assert panel.header.period.isVisible() and panel.header.orbit.isVisible()
    panel.show_snapshot(snapshot())
    panel.flush()
    assert panel.header.period.isVisible() and panel.header.period.text() == "—"
    panel.clear()
    panel.show_snapshot(snapshot(run_id=2))
    assert not panel.header.period.isVisible()


def test_divergence_names_its_step(panel: TheoryPanel) -> None:
    panel.show_snapshot(snapshot(FakeParams(step_size=5.0), steps=100))
    assert panel.header.badge.text().startswith("diverged at k = ")
    assert panel.header.badge.role == "bad"
    assert panel.header.period.text() == "—"


def test_a_long_phase_wraps_and_nothing_is_cut_at_the_side(panel: TheoryPanel) -> None:
    badge = panel.header.badge
    panel.show_snapshot(snapshot(outcome=outcome(phase="monotone")))
    QApplication.processEvents()
    line = badge.height()
    long = "double diverged at k = 123, single diverged at k = 45"
    panel.show_snapshot(snapshot(outcome=outcome(phase=long), run_id=2))
    QApplication.processEvents()
    panel.flush()
    QApplication.processEvents()
    assert badge.text() == long
    assert badge.height() > 1.5 * line
    assert panel.area.widget().width() == panel.area.viewport().width()


def test_rest_that_is_not_safe_is_a_warning(panel: TheoryPanel) -> None:
    """The kind of the run stays "converged"; what is seen is that it will not stay there."""
    unstable = "on an unstable minimum"
    for phase, standing, role, glyph in (
        (unstable, Standing.AT_UNSTABLE_MINIMUM, "warning", "warning"),
        ("at rest at 0", Standing.AT_SADDLE, "warning", "warning"),
        ("converged (monotone)", Standing.AT_MINIMUM, "good", "check"),
    ):
        stands = outcome(kind=OutcomeKind.CONVERGED, phase=phase, standing=standing)
        panel.header.show_snapshot(snapshot(outcome=stands))
        badge = panel.header.badge
        assert (badge.text(), badge.role, badge.glyph) == (phase, role, glyph)
        assert ("Nudge it (U)" in panel.header.message.text()) is (phase == unstable)


def test_every_kind_of_phase_lamp_and_verdict_has_colour_shape_and_word(qtbot: QtBot) -> None:
    assert set(OUTCOMES) == set(OutcomeKind)
    assert set(VERDICTS) == set(Verdict)
    assert set(LAMPS) == {True, False, None}
    assert len({shape for _, shape in VERDICTS.values()}) == len(VERDICTS)
    assert len({shape for _, shape, _ in LAMPS.values()}) == 3
    badge = Badge()
    qtbot.addWidget(badge)
    for role, shape in (*OUTCOMES.values(), *VERDICTS.values(), *STANDINGS.values()):
        badge.show_word("word", role, shape)
        badge.grab()
    assert callable(draw_glyph)


def test_bounds_show_prediction_beside_measurement(panel: TheoryPanel) -> None:
    panel.show_snapshot(snapshot(FakeParams(curvature=4.0)))
    rows = panel.bounds.rows
    assert list(rows) == ["delta_c", "delta_max", "stability", "prop3"]
    largest = rows["delta_max"]
    assert largest.value.value == 0.5 and largest.value.text() == "0.5"
    assert largest.measured.isVisible() and largest.measured.text() == "0.5"
    assert largest.formula.formula == r"\delta_{\max} = \frac{2}{s}"
    assert largest.symbol.formula == r"{\delta_{\max}}"
    assert largest.source.text() == "Proposition 1, eq. (1)"
    assert not rows["delta_c"].measured.isVisible()
    assert rows["prop3"].value.text() == "does not apply"
    assert not rows["prop3"].use.isEnabled()
    assert not rows["stability"].use.isVisible()


def test_a_formula_is_made_an_equation_only_once() -> None:
    def bound(formula: str, value: float | None = 1.0) -> Bound:
        return Bound(id="b", name="", symbol=r"\delta_c", value=value, source="", formula=formula)

    assert defined_by(bound(r"\frac{1}{s}")) == r"\delta_c = \frac{1}{s}"
    assert defined_by(bound(r"\delta_c=\frac{1}{s}")) == r"\delta_c=\frac{1}{s}"
    assert defined_by(bound(r"S\leq 2/\delta")) == r"S\leq 2/\delta"
    assert defined_by(bound(r"\sum_{i=1}^{L_{j=2}} x")) == r"\delta_c = \sum_{i=1}^{L_{j=2}} x"
    assert defined_by(bound("")) == ""
    assert defined_by(bound("", None)) == r"\delta_c"


def test_a_click_copies_a_value_in_full(panel: TheoryPanel, qtbot: QtBot) -> None:
    panel.show_snapshot(snapshot(FakeParams(curvature=3.0)))
    value = panel.bounds.rows["delta_max"].value
    assert value.text() == "0.666667"
    QGuiApplication.clipboard().clear()
    qtbot.mouseClick(value, LEFT)
    assert QGuiApplication.clipboard().text() == repr(2 / 3)


def test_a_value_can_be_used(panel: TheoryPanel, qtbot: QtBot) -> None:
    panel.show_snapshot(snapshot(FakeParams(curvature=3.0)))
    with qtbot.waitSignal(panel.value_wanted) as wanted:
        qtbot.mouseClick(panel.bounds.rows["delta_max"].use, LEFT)
    assert wanted.args == ["step_size", 2 / 3]


def test_notes_unfold(panel: TheoryPanel, qtbot: QtBot) -> None:
    panel.show_snapshot(snapshot())
    row = panel.bounds.rows["delta_max"]
    assert not row.note.isVisible()
    qtbot.mouseClick(row.arrow, LEFT)
    assert row.note.isVisible()
    assert row.note.text() == "Beyond it no equilibrium is stable."
    row.arrow.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(row.arrow, Qt.Key.Key_Space)
    assert not row.note.isVisible()
    assert not panel.bounds.rows["delta_c"].arrow.isVisible()


def test_claims_unfold_with_lamps_and_numbers(panel: TheoryPanel, qtbot: QtBot) -> None:
    panel.show_snapshot(snapshot(FakeParams(method="momentum")))
    card = panel.claims.cards["proposition-1"]
    assert card.badge.text() == "does not apply"
    assert card.lamps.accessibleName() == "1 of 2 assumptions hold"
    assert "plain gradient descent: does not hold" in card.lamps.toolTip()
    assert not card.body.isVisible()
    qtbot.mouseClick(card.title, LEFT)
    assert card.body.isVisible()
    assert [line.dot.accessibleName() for line in card.lines] == [
        "curvature is positive: holds",
        "plain gradient descent: does not hold",
    ]
    assert card.lines[0].detail.text() == "s = 2"
    assert card.predicted.text() == "converges"
    assert card.measured.text().startswith("w = ")
    assert not card.note.isVisible()


def test_unfolded_parts_stay_so_over_runs_and_experiments(panel: TheoryPanel) -> None:
    panel.show_snapshot(snapshot())
    panel.claims.cards["proposition-1"].arrow.click()
    panel.bounds.rows["delta_max"].arrow.click()
    panel.clear()
    panel.show_snapshot(snapshot(run_id=2))
    assert panel.claims.cards["proposition-1"].body.isVisible()
    assert panel.bounds.rows["delta_max"].note.isVisible()
    other = Claim(
        id="other",
        title="Other",
        source="",
        statement="",
        assumptions=(),
        predicted="",
        measured="",
        verdict=Verdict.UNDECIDED,
    )
    panel.show_snapshot(snapshot(run_id=3, claims=(other,)))
    panel.flush()
    panel.show_snapshot(snapshot(run_id=4))
    panel.flush()
    assert panel.claims.cards["proposition-1"].body.isVisible()


def test_snapshots_at_the_screens_rate_set_few_texts(
    panel: TheoryPanel, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = [snapshot(steps=10 + n, frame=n, status=Status.RUNNING) for n in range(60)]
    shown: list[int] = []
    show = panel.header.show_snapshot
    monkeypatch.setattr(panel.header, "show_snapshot", lambda s: (shown.append(s.frame), show(s)))
    for picture in pictures:
        panel.show_snapshot(picture)
    assert shown == [0]
    qtbot.waitUntil(lambda: shown == [0, 59])
    assert panel.header.step.text() == "k = 69"


def test_only_what_changed_is_touched(panel: TheoryPanel, monkeypatch: pytest.MonkeyPatch) -> None:
    panel.show_snapshot(snapshot())
    widgets = panel.findChildren(QWidget)
    touched: list[str] = []
    monkeypatch.setattr(QLabel, "setText", lambda label, text: touched.append(text))
    panel.show_snapshot(snapshot(frame=1))
    panel.flush()
    assert touched == []
    assert panel.findChildren(QWidget) == widgets
    panel.show_snapshot(snapshot(frame=2, steps=11))
    panel.flush()
    assert len(touched) <= 3
    assert panel.findChildren(QWidget) == widgets


def test_a_hidden_panel_waits(panel: TheoryPanel) -> None:
    panel.hide()
    panel.show_snapshot(snapshot())
    assert panel.bounds.rows == {}
    panel.show()
    assert list(panel.bounds.rows)


def test_a_restart_does_not_flicker_but_an_end_empties(panel: TheoryPanel, qtbot: QtBot) -> None:
    panel.show_snapshot(snapshot())
    rows = dict(panel.bounds.rows)
    panel.clear()
    panel.show_snapshot(snapshot(run_id=2))
    assert panel.bounds.rows == rows and panel.bounds.isVisible()
    panel.clear()
    assert panel.bounds.isVisible()
    qtbot.waitUntil(lambda: not panel.bounds.isVisible())
    assert panel.header.badge.text() == "not started"
    assert panel.empty.isVisible() and not panel.claims.isVisible()


def test_stability_is_found_where_it_is() -> None:
    params = FakeParams(step_size=0.3, curvature=2.0)
    measured, predicted, spread = stability_of(snapshot(params))
    assert measured == pytest.approx(0.3) and predicted == pytest.approx(0.3)
    assert spread == (measured, measured)
    bare = snapshot(params, theory=())
    assert stability_of(bare)[:2] == (pytest.approx(0.3), None)
    largest = Bound(id="delta_max", name="", symbol="", value=0.5, source="", field="step_size")
    assert stability_of(snapshot(params, theory=(largest,)))[1] == pytest.approx(0.6)
    empty = dataclasses.replace(bare, trace=dataclasses.replace(bare.trace, recent={}))
    assert stability_of(empty)[0] == pytest.approx(0.3)  # from the observation
    nothing = dataclasses.replace(empty, observation={})
    assert stability_of(nothing) == (None, None, (0.0, 0.0))


def test_stability_belongs_to_the_step_that_is_shown() -> None:
    picture = snapshot(steps=10)
    series = np.arange(11.0)
    series[8] = np.nan
    trace = dataclasses.replace(picture.trace, recent={"stability": series})
    at = dataclasses.replace(picture, trace=trace, theory=(), cursor=4)
    assert stability_of(at) == (4.0, None, (2.0, 4.0))
    assert stability_of(dataclasses.replace(at, cursor=8))[0] == 7.0
    wide = np.stack([series, 2 * series], axis=1)
    trace = dataclasses.replace(picture.trace, recent={"stability": wide})
    assert stability_of(dataclasses.replace(at, trace=trace))[0] == 8.0


@given(
    around=st.lists(st.floats(0.1, 1.9), min_size=2, max_size=8),
    before=st.integers(0, 40),
    settled=st.integers(1, 60),
    value=st.floats(0.1, 1.9),
)
def test_the_range_reaches_over_the_limit_only_while_it_is_crossed(
    around: list[float], before: int, settled: int, value: float
) -> None:
    cycle = np.resize(np.array([*around, 0.5, 1.5]), before + 4 * (len(around) + 2))
    rows = np.append(cycle, np.full(settled, value))
    low, high = stability_of(with_stability(rows[: cycle.size]))[2]
    assert low <= 0.5 and high >= 1.5
    quiet = settled > 2 * (len(around) + 2)
    low, high = stability_of(with_stability(rows))[2]
    assert low <= value <= high
    if quiet:
        assert not low <= 1 < high


def test_the_range_begins_after_the_last_change() -> None:
    rows = np.array([0.5, 1.5, 0.5, 1.5, 0.5, 0.6])
    assert stability_of(with_stability(rows))[2] == (0.5, 1.5)
    assert stability_of(with_stability(rows, since=4))[2] == (0.5, 0.6)
    assert stability_of(with_stability(rows, since=5))[2] == (0.6, 0.6)


def with_stability(rows: NDArray[np.float64], since: int | None = None) -> Snapshot:
    """Return a picture of a run at the last of some values of its stability."""
    picture = snapshot(steps=10)
    trace = dataclasses.replace(picture.trace, recent={"stability": rows}, recent_first=0)
    return dataclasses.replace(
        picture, trace=trace, theory=(), cursor=rows.size - 1, outcome=outcome(since=since)
    )


def test_the_last_experiments_theory_is_gone_at_once(panel: TheoryPanel) -> None:
    panel.show_snapshot(snapshot())
    panel.forget()
    assert panel.empty.isVisible() and not panel.claims.isVisible()
    assert panel.header.badge.text() == "not started"
    panel.show_snapshot(snapshot(run_id=2))
    assert panel.claims.isVisible()


def test_the_meter_moves_calmly_and_says_its_numbers(qtbot: QtBot) -> None:
    meter = StabilityMeter()
    qtbot.addWidget(meter)
    meter.resize(300, meter.sizeHint().height())
    meter.show()
    meter.show_values(0.5, 0.6, (0.4, 0.5))
    assert meter._shown == (0.5, 0.4, 0.5)
    assert meter.accessibleName() == ("Stability, δ S/2, limit 1; measured 0.5; predicted 0.6")
    meter.show_values(1.5, 0.6, (0.4, 1.5))
    qtbot.waitUntil(lambda: meter._shown == (1.5, 0.4, 1.5))
    calm = meter.grab().toImage()
    meter.show_values(3.0, None, (3.0, 3.0))
    meter.hide()
    assert meter._shown == (3.0, 3.0, 3.0)
    assert meter.grab().toImage() != calm
    assert "predicted" not in meter.accessibleName()


def test_the_meter_compares_with_the_limit_of_the_optimiser(qtbot: QtBot) -> None:
    meter = StabilityMeter()
    qtbot.addWidget(meter)
    meter.show_values(0.5, None, (0.4, 0.5))
    for name, described in OPTIMISERS.items():
        meter.show_optimiser(described)
        assert plain_math(described.ratio) in meter.accessibleName()
        assert described.sentence in meter.toolTip()
        assert (meter.verdict == "stable") == described.can_rest
        assert ("δ S/2," in meter.accessibleName()) == (name == "gradient-descent")


@pytest.mark.parametrize(
    ("measured", "spread", "verdict"),
    [
        (0.73, (0.73, 0.9), "stable"),
        (1.0, (0.9, 1.0), "stable"),
        (1.2, (1.1, 1.4), "unstable"),
        (0.73, (0.73, 1.37), "crossing 1"),
        (None, (0.0, 0.0), ""),
    ],
)
def test_the_meter_calls_an_orbit_across_the_limit_neither_stable_nor_unstable(
    qtbot: QtBot, measured: float | None, spread: tuple[float, float], verdict: str
) -> None:
    meter = StabilityMeter()
    qtbot.addWidget(meter)
    meter.show_values(measured, None, spread)
    assert meter.verdict == verdict


@pytest.mark.parametrize("standing", Standing)
def test_the_meter_calls_nothing_stable_but_a_minimum(qtbot: QtBot, standing: Standing) -> None:
    """At w = 0 the sharpness is 0, and yet a push leads away: the value is no praise there."""
    meter = StabilityMeter()
    qtbot.addWidget(meter)
    verdicts = []
    for value in (0.0, 1.2):
        meter.show_values(value, None, (value, value), standing=standing)
        verdicts.append(meter.verdict)
    if standing.is_elsewhere:
        assert verdicts == ["no minimum", "no minimum"]
    else:
        assert verdicts == ["stable" if standing.is_by_minimum else "below 1", "unstable"]
    for words in (meter.accessibleName(), meter.toolTip()):
        assert ("no minimum" in words) is standing.is_elsewhere


def _colours(meter: StabilityMeter) -> set[str]:
    image = meter.grab().toImage()
    places = ((x, y) for x in range(image.width()) for y in range(image.height()))
    return {image.pixelColor(x, y).name() for x, y in places}


def test_neither_green_nor_red_is_shown_of_what_is_no_minimum(qtbot: QtBot) -> None:
    meter = StabilityMeter()
    qtbot.addWidget(meter)
    meter.resize(300, meter.sizeHint().height())
    good, bad, warning, muted = (ink(role).name() for role in ("good", "bad", "warning", "muted"))
    meter.show_values(0.5, None, (0.4, 0.6))
    assert good in _colours(meter) and warning not in _colours(meter)
    meter.show_values(0.5, None, (0.4, 0.6), standing=Standing.AT_SADDLE)
    assert {warning, muted} <= _colours(meter)
    assert not {good, bad} & _colours(meter)
    meter.show_values(1.5, None, (1.5, 1.5), standing=Standing.AT_SADDLE)
    assert not {good, bad} & _colours(meter)
    meter.show_values(1.5, None, (1.5, 1.5), standing=Standing.AT_UNSTABLE_MINIMUM)
    assert {good, bad} <= _colours(meter)


def test_the_head_tells_the_meter_where_the_run_stands(panel: TheoryPanel) -> None:
    stands = outcome(kind=OutcomeKind.CONVERGED, phase="at rest at 0", standing=Standing.AT_SADDLE)
    panel.show_snapshot(snapshot(steps=5, outcome=stands))
    assert panel.header.meter.verdict == "no minimum"


def test_texts_can_be_selected_and_hold_no_mathtext(panel: TheoryPanel) -> None:
    claim = snapshot().claims[0]
    claim = dataclasses.replace(
        claim, statement=r"stable only if $\delta \leq 2/S$", note="An erratum."
    )
    panel.show_snapshot(snapshot(claims=(claim,)))
    card = panel.claims.cards["proposition-1"]
    assert card.statement.text() == "stable only if δ ≤ 2/S"
    flags = card.statement.label.textInteractionFlags()
    assert flags & Qt.TextInteractionFlag.TextSelectableByMouse
    assert card.note.words.text() == "An erratum."


def test_lamps_come_and_go(panel: TheoryPanel) -> None:
    claim = snapshot().claims[0]
    for count in (3, 1, 0, 2):
        lamps = tuple(Lamp(f"lamp {n}", [True, False, None][n]) for n in range(count))
        panel.show_snapshot(snapshot(claims=(dataclasses.replace(claim, assumptions=lamps),)))
        panel.flush()
        lines = panel.claims.cards["proposition-1"].lines
        assert [line.text.text() for line in lines] == [lamp.name for lamp in lamps]


def test_a_number_keeps_its_place(qtbot: QtBot) -> None:
    figure = Figure()
    qtbot.addWidget(figure)
    figure.show_value("S", 0.123456789)
    width = figure.sizeHint().width()
    figure.show_value("S", 0.5)
    assert figure.sizeHint().width() == width
    figure.show_value("S", None, "does not apply")
    assert not figure.isEnabled() and figure.text() == "does not apply"
    qtbot.mouseClick(figure, LEFT)


def test_a_steady_text_keeps_its_height(qtbot: QtBot) -> None:
    words = Words(steady=True)
    qtbot.addWidget(words)
    words.say("one two three four five six seven eight nine ten")
    words.resize(120, 20)
    tall = words.heightForWidth(120)
    words.say("one")
    assert words.heightForWidth(120) == tall
    words.forget_height()
    assert words.heightForWidth(120) < tall


@pytest.mark.parametrize("width", [280, 320, 460])
def test_nothing_is_clipped(panel: TheoryPanel, width: int) -> None:
    panel.show_snapshot(snapshot(FakeParams(curvature=0.123456789)))
    panel.resize(width, 700)
    for card in panel.claims.cards.values():
        card.arrow.click()
    QApplication.processEvents()
    body = panel.area.widget()
    assert body is not None
    assert body.width() <= panel.area.viewport().width()
    for label in body.findChildren(QLabel):
        parent = label.parentWidget()
        if label.isVisible() and parent is not None:
            assert parent.rect().contains(label.geometry()), label.text()
            assert label.height() >= label.heightForWidth(label.width())


def test_every_control_has_a_name(panel: TheoryPanel) -> None:
    panel.show_snapshot(snapshot())
    for widget in panel.findChildren(QWidget):
        reachable = widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        if reachable and widget.isVisible() and "QScroll" not in type(widget).__name__:
            assert widget.accessibleName(), widget


def test_the_panel_is_freed(qtbot: QtBot) -> None:
    panel = TheoryPanel()
    panel.show()
    panel.show_snapshot(snapshot())
    gone = weakref.ref(panel)
    panel.close()
    panel.deleteLater()
    del panel
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("status", [Status.COMPILING, Status.PAUSED, Status.RUNNING])
def test_before_the_first_step_nothing_has_converged_yet(
    panel: TheoryPanel, status: Status
) -> None:
    panel.show_snapshot(snapshot(steps=0, status=status))
    head = panel.header
    assert (head.badge.text(), head.badge.role) == ("not started", "muted")
    assert head.meter.verdict == "at the start"
    panel.show_snapshot(snapshot(steps=1, status=Status.PAUSED, frame=1))
    panel.flush()
    assert (head.badge.text(), head.badge.role) == ("monotone", "good")
    assert head.meter.verdict == "stable"


def test_a_run_that_ended_before_its_first_step_says_how(panel: TheoryPanel) -> None:
    panel.show_snapshot(
        snapshot(
            steps=0,
            status=Status.FINISHED,
            outcome=Outcome(kind=OutcomeKind.DIVERGED, step=0, message=""),
        )
    )
    assert (panel.header.badge.text(), panel.header.badge.role) == ("diverged", "bad")


def test_the_heading_of_the_claims_names_no_source(panel: TheoryPanel) -> None:
    """Each claim names its own: those on networks are not of the paper."""
    assert "paper" not in panel.claims_heading.text().lower()
