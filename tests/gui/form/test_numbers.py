"""Steps, slider scales and texts of numbers, for every value a field can have."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.params import Params, param, parse_value, spec_of
from engine.core.registry import get
from engine.experiments.scalar_product.params import ScalarParams
from engine.text.numbers import exact_text, short
from gui.form.scale import SliderScale, clamp, is_log, shown_step, slider_scale, step_by

FINITE = st.floats(allow_nan=False, allow_infinity=False)
ORDINARY = st.floats(min_value=1e-12, max_value=1e12)


class Model(Params):
    free: float = param(0.0, "Any number.")
    positive: float = param(0.1, "A step.", gt=0, log=True)
    share: float = param(0.5, "A share.", ge=0, lt=1)
    count: int = param(3, "A count.", ge=1, le=1000)
    few: int = param(2, "A small count.", ge=1, le=8)
    wide: float = param(2.0, "A number with limits far away.", ge=-1e60, le=1e60)


def _spec(name: str):  # type: ignore[no-untyped-def]
    return spec_of(Model, name)


@given(FINITE)
def test_a_number_written_and_read_has_the_same_bits(value: float) -> None:
    text = exact_text(value)
    assert parse_value(_spec("free"), text).hex() == value.hex()
    assert parse_value(_spec("free"), text.replace("-", "−")) == value


@given(st.integers(min_value=-(10**15), max_value=10**15))
def test_a_whole_number_written_and_read_is_the_same(value: int) -> None:
    assert parse_value(_spec("count"), exact_text(value, whole=True)) == value


@given(st.integers(1, 200), st.integers(-9, -1))
def test_steps_up_and_down_from_a_round_number_come_back(count: int, exponent: int) -> None:
    value = 2.5
    for _ in range(min(count, 40)):
        value = step_by(value, 1, exponent)
    for _ in range(min(count, 40)):
        value = step_by(value, -1, exponent)
    if value < 10 and exponent < -1:
        assert value == 2.5


@given(ORDINARY, st.integers(-9, -1))
def test_a_step_is_relative_to_the_magnitude(value: float, exponent: int) -> None:
    after = step_by(value, 1, exponent)
    power = 10.0 ** math.floor(math.log10(value) + 1e-12)
    assert after > value
    assert after - value == pytest.approx(power * 10.0**exponent, rel=1e-5) or (
        value == pytest.approx(power * 10, rel=1e-9) or value == pytest.approx(power, rel=1e-9)
    )


@given(ORDINARY)
def test_a_positive_number_stepped_down_stays_positive(value: float) -> None:
    for _ in range(30):
        value = step_by(value, -1, -1)
    assert value > 0


def test_ten_steps_of_a_tenth_are_exact() -> None:
    value = 1.0
    for _ in range(10):
        value = step_by(value, 1, -1)
    assert value == 2.0
    assert step_by(1.0, -1, -1) == 0.99
    assert step_by(0.0, 1, -1, 0.5) == 0.01
    assert step_by(0.25, 1, -20) == pytest.approx(0.25 + 1e-10, abs=1e-14)


def test_limits_that_are_not_allowed_are_never_reached() -> None:
    assert clamp(_spec("share"), 1.2, 0.9) == 0.9
    assert clamp(_spec("share"), -1.0, 0.1) == 0.0
    assert clamp(_spec("positive"), 0.0, 1e-3) == 1e-3
    assert clamp(_spec("free"), math.inf, 2.0) == 2.0


@given(
    st.floats(1e-6, 1e3),
    st.floats(1.5, 1e6),
    st.booleans(),
    st.floats(0, 1),
)
def test_a_place_and_its_number_agree(low: float, ratio: float, log: bool, place: float) -> None:
    scale = SliderScale(low, low * ratio, log)
    value = scale.value(place, 10_000)
    assert low <= value <= low * ratio
    assert scale.position(value) == pytest.approx(place, abs=2e-3)


@given(ORDINARY, st.lists(ORDINARY, max_size=4))
def test_a_slider_reaches_its_value_and_all_marks(value: float, marks: list[float]) -> None:
    scale = slider_scale(_spec("positive"), value, marks)
    for number in [value, *marks]:
        assert scale.contains(number)
    assert scale.low > 0


@given(FINITE)
def test_a_linear_slider_reaches_its_value(value: float) -> None:
    scale = slider_scale(_spec("free"), value)
    assert math.isfinite(scale.high - scale.low) or abs(value) > 1e299
    assert 0 <= scale.position(value) <= 1


def test_scales_respect_limits() -> None:
    share = slider_scale(_spec("share"), 0.5)
    assert (share.low, share.log) == (0.0, False)
    assert 0.99 < share.high < 1
    count = slider_scale(_spec("count"), 3)
    assert (count.low, count.high, count.log, count.whole) == (1, 1000, True, True)
    few = slider_scale(_spec("few"), 3)
    assert (few.low, few.high, few.log) == (1, 8, False)
    assert [few.value(place / 7, 10_000) for place in range(8)] == [1, 2, 3, 4, 5, 6, 7, 8]
    wide = slider_scale(_spec("wide"), 2.0)
    assert (wide.low, wide.high) == (-5.0, 5.0)
    assert is_log(_spec("count")) and not is_log(_spec("few"))


def test_marks_are_well_apart() -> None:
    scale = slider_scale(_spec("positive"), 0.3, [0.25, 0.5])
    assert scale.position(0.5) - scale.position(0.25) > 0.08
    assert 0.2 < scale.position(0.25) < scale.position(0.5) < 0.9


def test_dragging_gives_short_numbers() -> None:
    scale = slider_scale(_spec("positive"), 0.3, [0.25, 0.5])
    for place in range(0, 10_001, 37):
        assert len(exact_text(scale.value(place / 10_000, 10_000))) <= 9


def test_numbers_for_reading() -> None:
    assert short(None, 6) == "—"
    assert short(math.inf, 6) == "∞"
    assert short(-1.5, 6) == "−1.5"
    assert short(1.23456789e-7, 6) == "1.23457×10⁻⁷"
    assert exact_text(3.0) == "3" and exact_text(1e300) == "1e+300"


def test_a_slider_at_its_end_reaches_further_the_next_time() -> None:
    for name in ("positive", "wide"):
        scale = slider_scale(_spec(name), 0.1)
        assert slider_scale(_spec(name), scale.high).high > scale.high


def test_half_of_the_track_is_where_bounds_decide() -> None:
    """The bounds are those of the scalar product at its defaults."""
    bounds = {
        bound.id: bound.value
        for bound in get("scalar-product").theory(ScalarParams(), None)
        if bound.value is not None
    }
    low, high = bounds["delta_c"], bounds["delta_max"]
    scale = slider_scale(spec_of(ScalarParams, "step_size"), 0.2, [low, high])
    assert scale.position(2.5 * high) - scale.position(low / 2) >= 0.5
    assert 0 < scale.low < low / 2 and 2.5 * high < scale.high


@pytest.mark.parametrize(
    ("shown", "after"),
    [
        (0.2, 0.201),
        (0.25, 0.251),
        (0.2137, 0.2138),
        (0.21374, 0.21375),
        (1.0345, 1.0346),
        (0.26456684199469993, 0.26556684199469993),
        (0.0, 0.01),
    ],
)
def test_a_step_is_in_the_last_digit_that_is_shown(shown: float, after: float) -> None:
    assert step_by(shown, 1, shown_step(shown)) == after


@given(st.floats(1e-9, 1e9), st.integers(1, 5))
def test_a_step_in_the_last_digit_leaves_as_many_digits(value: float, digits: int) -> None:
    rounded = float(f"{value:.{digits}g}")
    stepped = step_by(rounded, 1, shown_step(rounded))
    assert stepped > rounded
    assert float(f"{stepped:.6g}") == stepped
