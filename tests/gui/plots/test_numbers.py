"""Texts, numbers, ticks and ranges of plots: pure functions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtGui import QGuiApplication

from engine.text.numbers import number, short, whole
from gui.plots.canvas.axes import Axis
from gui.plots.canvas.range import SHRINK_AFTER, CalmRange, Limits, data_ends, next_horizon
from gui.plots.canvas.ticks import linear_ticks, log_ticks, step_label
from gui.typeset.rich_text import fitting_label, label

THIN = "\u2009"


def test_a_label_that_does_not_fit_is_shortened(qapp) -> None:
    font = QGuiApplication.font()
    wide = label(r"a very long label with $\lambda^{1/L}$ in it", font)
    assert fitting_label("short", font, 500) is label("short", font)
    assert (
        fitting_label(r"a very long label with $\lambda^{1/L}$ in it", font, 100).size.width() < 110
    )
    assert wide.size.width() > 110


@pytest.mark.parametrize(
    ("value", "long", "brief"),
    [
        (0, "0", "0"),
        (-3.0, "−3", "−3"),
        (math.sqrt(2), "1.4142", "1.414"),
        (0.55, "0.55000", "0.55"),
        (12345.678, f"12{THIN}346", f"12{THIN}346"),
        (1e6, f"1{THIN}000{THIN}000", f"1{THIN}000{THIN}000"),
        (3.21e-5, "3.2100×10⁻⁵", "3.21×10⁻⁵"),
        (-2.5e-9, "−2.5000×10⁻⁹", "−2.5×10⁻⁹"),
        (1e12, "1.0000×10¹²", "10¹²"),
        (math.nan, "—", "—"),
        (-math.inf, "−∞", "−∞"),
    ],
)
def test_numbers_are_short_and_typeset(value: float, long: str, brief: str) -> None:
    assert number(value) == long
    assert short(value) == brief


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_written_number_is_the_number(value: float) -> None:
    text = number(value, 6).replace(THIN, "").replace("−", "-")
    mantissa, _, power = text.partition("×10")
    digits = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
    exponent = int(power.translate(digits)) if power else 0
    read = float(f"{mantissa}e{exponent}")
    assert read == pytest.approx(value, rel=1e-5, abs=1e-320)


def test_steps_are_written_with_spaces_or_a_suffix() -> None:
    assert whole(-1234567) == f"−1{THIN}234{THIN}567"
    assert step_label(20_000, 5_000) == f"20{THIN}000"
    assert step_label(1.5e6, 500_000) == f"1.5{THIN}M"
    assert step_label(3e9, 10**9) == f"3{THIN}G"
    assert step_label(1_000_200, 200) == f"1{THIN}000{THIN}200"


def test_linear_ticks_are_round_and_inside() -> None:
    ticks = linear_ticks(-0.13, 1.07, 5)
    assert ticks.places == pytest.approx((0.0, 0.5, 1.0))
    assert ticks.labels == ("0.0", "0.5", "1.0")
    assert linear_ticks(0, 7, 4, steps=True).labels == ("0", "2", "4", "6")
    assert linear_ticks(0, 1.2, 8, steps=True).labels == ("0", "1")
    assert linear_ticks(-4.4, 4.4, 3.9).labels == ("−4", "−2", "0", "2", "4")  # rather than "0"
    assert linear_ticks(0, 310, 3, steps=True).labels == ("0", "100", "200", "300")
    assert linear_ticks(-3e-7, 3e-7, 3).common == "×10⁻⁷"
    far = linear_ticks(1.41421356, 1.41421357, 4)
    assert far.common.endswith("+ 1.414213560")
    assert all(len(text) < 12 for text in far.labels)


@given(
    st.floats(-1e200, 1e200),
    st.floats(1e-9, 1e9),
    st.floats(2, 12),
    st.booleans(),
)
def test_ticks_never_fail_and_keep_inside(
    low: float, share: float, count: float, log: bool
) -> None:
    if log:
        low = low / 1e198
        high = low + max(share, 1e-3) % 300
    else:
        high = low + share * max(abs(low), 1e-200)
    if not low < high < 1e300:
        return
    ticks = (log_ticks if log else linear_ticks)(low, high, count)
    slack = 1e-6 * (high - low)
    assert all(low - slack <= place <= high + slack for place in ticks.places)
    assert len(ticks.labels) == len(ticks.places) < 60


def test_log_ticks_are_decades_or_parts_of_them() -> None:
    assert log_ticks(-16, 0, 5).labels == ("10⁻¹⁵", "10⁻¹⁰", "10⁻⁵", "1")
    assert log_ticks(-1, 1, 4).labels == ("0.1", "1", "10")
    assert log_ticks(0, 1, 5).labels == ("1", "2", "5", "10")
    assert len(log_ticks(-3, 0, 6).minor) == 24
    assert log_ticks(0.3, 0.4, 4).labels[:1] == ("2.0",)


def test_a_range_grows_generously_and_stays() -> None:
    calm = CalmRange()
    assert calm.follow((0.0, 1.0))
    first = calm.ends
    assert first[0] < 0 and first[1] > 1
    assert not calm.follow((0.2, 1.02))
    assert calm.follow((0.0, 2.0))
    assert calm.ends[1] > 2.5
    assert calm.ends[0] == first[0]
    grown = calm.ends
    assert not any(calm.follow((0.0, 2.0 + i / 100)) for i in range(40))
    assert calm.ends == grown


def test_a_range_grows_a_bounded_number_of_times() -> None:
    calm = CalmRange()
    changes = sum(calm.follow((0.0, 1.01**i)) for i in range(2000))  # to 4e8
    assert changes < 100


def test_a_range_shrinks_only_after_a_while_or_when_settled() -> None:
    calm = CalmRange()
    calm.follow((0.0, 10.0))
    assert not any(calm.follow((0.0, 1.0)) for _ in range(SHRINK_AFTER))
    assert calm.follow((0.0, 1.0))
    assert calm.ends[1] < 2
    calm.follow((0.0, 10.0))
    calm.settle()
    assert calm.follow((0.0, 1.0))
    assert calm.ends[1] < 2


def test_a_range_keeps_its_limits() -> None:
    calm = CalmRange(Limits(low=0.0, high=3.0))
    calm.follow((0.5, 1e12))
    assert calm.ends == (pytest.approx(0.375), 3.0)
    calm.follow((-5.0, -4.0))
    assert calm.ends[0] < calm.ends[1]
    fixed = CalmRange(Limits(fixed=(-1.0, 1.0)))
    assert not fixed.follow((0.0, 1e9))
    assert fixed.ends == (-1.0, 1.0)


@pytest.mark.parametrize("value", [0.0, 1.0, -1e-300, 1e300, 1e-12])
def test_a_single_value_gets_room(value: float) -> None:
    calm = CalmRange()
    calm.follow((value, value))
    low, high = calm.ends
    assert low < value < high
    assert high - value >= value - low - 1e-9 * abs(value), "there is room above"
    assert math.isfinite(high - low)


def test_no_empty_half_below_what_is_never_negative() -> None:
    calm = CalmRange()
    calm.follow((5.0, 10.0))
    calm.follow((0.0, 10.0))
    assert -1.0 < calm.ends[0] <= 0.0


def test_data_ends_ignore_what_is_not_finite() -> None:
    rows = np.array([[1.0, np.nan], [np.inf, -2.0]])
    assert data_ends([rows]) == (-2.0, 1.0)
    assert data_ends([np.array([]), np.array([np.nan])]) is None
    assert data_ends([np.array([0.0, -1.0, 1e-3, 10.0])], log=True) == (-3.0, 1.0)
    assert data_ends([np.array([0.0])], log=True) is None
    huge = data_ends([np.array([-1.7e308, 1.7e308])])
    assert huge is not None
    assert math.isfinite(huge[1] - huge[0])


@given(st.floats(0, 1e15))
def test_the_horizon_leaves_room(reached: float) -> None:
    horizon = next_horizon(reached)
    assert 1.039 * reached <= horizon <= max(40.0, 1.5 * reached)


def test_an_axis_of_nothing_but_zeros_has_no_scale() -> None:
    axis = Axis()
    axis.auto.follow((0.0, 0.0))
    low, high = axis.ends
    assert low < 0.0 < high
    assert axis.ticks(axis.ends, 5).labels == ("0",)
    axis.auto.follow((0.0, 0.15))
    assert axis.ends[1] == pytest.approx(0.15, rel=0.2), "not that of the zeros before"
    assert len(axis.ticks(axis.ends, 5).labels) > 2
    zoomed = Axis()
    zoomed.auto.follow((0.0, 0.0))
    zoomed.manual = (-2.0, 2.0)
    assert len(zoomed.ticks(zoomed.ends, 5).labels) > 2
