"""Numbers as people type them: grouping, decimal signs, suffixes, arithmetic, and refusals."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import InputError
from engine.core.params import Params, build, param, parse_value, spec_of
from engine.text.arithmetic import (
    DEEPEST,
    NumberError,
    name_key,
    names_in,
    read_number,
    read_whole,
)
from engine.text.numbers import exact_text, number, short, short_below, whole

NAMES = {"delta_max": 0.25, r"δ_c": 0.125}
TYPED = st.text(alphabet="0123456789.,'_ eEkMGT+-−*/^()×·²⁻δabc\u2009", max_size=30)


class Model(Params):
    real: float = param(1.0, "A number.")
    count: int = param(1, "A count.")
    several: tuple[float, ...] = param((), "A list.")
    rows: tuple[tuple[float, ...], ...] = param((), "A matrix.")
    choice: bool = param(True, "A choice.")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0,5", 0.5),
        (",5", 0.5),
        ("1.", 1.0),
        ("1,5k", 1500.0),
        ("2.5 M", 2.5e6),
        ("1 382,5", 1382.5),
        ("1,382.5", 1382.5),
        ("1.382,5", 1382.5),
        ("1.382", 1.382),
        ("0,382", 0.382),
        ("12,345,678", 12345678.0),
        ("1.000.000", 1e6),
        ("1’382", 1382.0),
        ("−1\u2009382", -1382.0),
        ("1/3", 1 / 3),
        ("2*10^-3", 0.002),
        ("2·10⁻³", 0.002),
        ("3.2×10⁻⁵", 3.2e-5),
        ("10⁻⁵", 1e-5),
        ("-2^2", -4.0),
        ("2^0.5", math.sqrt(2)),
        ("2**-1", 0.5),
        ("2 (1 + 1/2)", 3.0),
        ("1.1*delta_max", 1.1 * 0.25),
        ("1.1 δ_max", 1.1 * 0.25),
        ("1.1δₘₐₓ", 1.1 * 0.25),
        ("2/3 delta_c", 0.125 * 2 / 3),
        ("delta_max/2", 0.125),
        ("0e999999999", 0.0),
    ],
)
def test_numbers_are_read_as_they_are_meant(text: str, value: float) -> None:
    assert read_number(text, NAMES) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,382", 1382),
        ("1 382", 1382),
        ("12,345,678", 12345678),
        ("1,5k", 1500),
        ("10^3", 1000),
        ("6/2", 3),
        ("1e5", 100_000),
        ("9" * 30, 10**30 - 1),
    ],
)
def test_whole_numbers_are_read_as_they_are_meant(text: str, value: int) -> None:
    assert read_whole(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1,2,3",
        "1,38,200",
        "12 3",
        "0 382",
        "1,382",
        "1,382k",
        "1,382e3",
        "1 382,5,5",
        "1.5 2",
        "1/0",
        "0^-1",
        "(-8)^(1/3)",
        "9^9^9",
        "1e999999999",
        "10^400",
        "nan",
        "inf",
        "delta_other",
        "__import__('os')",
        "1;2",
        "(" * 10_000,
        "(" * 400 + "1" + ")" * 400,
        "2^" * 400 + "2",
        "9" * 5000,
        "1..2",
        "k",
        "2(",
    ],
)
def test_what_is_no_one_number_is_refused(text: str) -> None:
    with pytest.raises(NumberError):
        read_number(text, NAMES)


@pytest.mark.parametrize("text", ["1,382", "1,382k"])
def test_a_refusal_says_how_to_write_either_number(text: str) -> None:
    with pytest.raises(NumberError) as caught:
        read_number(text)
    assert "1.382" in caught.value.hint and "1382" in caught.value.hint


def test_as_many_brackets_as_allowed_are_read() -> None:
    assert read_number("(" * DEEPEST + "1" + ")" * DEEPEST) == 1.0
    assert read_number("-" * 999 + "1") == -1.0


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_written_exactly_is_read_with_the_same_bits(value: float) -> None:
    assert read_number(exact_text(value)).hex() == value.hex()
    if value:
        assert read_number(f"({exact_text(value)})") == value


@given(st.floats(-1.7e308, 1.7e308), st.integers(2, 15))
def test_a_number_written_for_people_is_read_back(value: float, digits: int) -> None:
    for text in (number(value, digits), short(value, digits)):
        assert read_number(text) == pytest.approx(value, rel=10.0 ** (1 - digits), abs=1e-320)


@given(st.integers(-(10**40), 10**40))
def test_a_whole_number_written_for_people_is_read_back(value: int) -> None:
    assert read_whole(whole(value)) == value
    assert read_whole(exact_text(value, whole=True)) == value
    assert read_whole(f"{value:,}") == value


@given(TYPED | st.text(max_size=20))
def test_any_text_is_a_number_or_is_refused_in_one_sentence(text: str) -> None:
    for name in ("real", "count", "several", "rows"):
        try:
            build(Model, {name: parse_value(spec_of(Model, name), text, NAMES)})
        except InputError as error:
            assert error.field == name
            assert "\n" not in error.allowed
    names_in(text)


@pytest.mark.parametrize(
    "value",
    [10**400, -(10**400), 10**5000, [10**5000], "9" * 5000, "\ud800", 1e400, float("nan")],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("name", ["real", "count", "several", "rows", "choice"])
def test_numbers_beyond_reason_give_one_sentence(name: str, value: object) -> None:
    """Of a count any whole number is allowed, however long; its text is of the usual length."""
    if name == "count" and isinstance(value, int):
        assert build(Model, {name: value}).count == value
        return
    with pytest.raises(InputError) as caught:
        build(Model, {name: value})
    sentence = str(caught.value)
    assert sentence.startswith(f"{name}: ") and len(sentence) < 300
    sentence.encode()


def test_a_list_without_end_gives_one_sentence() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    for name in ("real", "several", "rows"):
        with pytest.raises(InputError) as caught:
            build(Model, {name: deep})
        assert len(str(caught.value)) < 300
    for brackets in ("[" * 100_000, "[" + "9" * 5000 + "]"):
        with pytest.raises(InputError):
            parse_value(spec_of(Model, "several"), brackets)
    while deep:
        deep = deep.pop()  # type: ignore[assignment]


def test_spellings_of_a_name_are_one() -> None:
    keys = {name_key(name) for name in ("delta_max", "δ_max", "δₘₐₓ", "δ_{max}")}
    assert keys == {"deltamax"}
    assert name_key("λ") == "lambda" and name_key("Λ") == "Lambda"
    assert names_in("1.1 δ_max + 2k") == {"deltamax"}
    assert names_in("1.5e3 M") == frozenset()


def test_a_refusal_of_an_unknown_name_lists_those_that_are_known() -> None:
    with pytest.raises(InputError, match="delta_max, δ_c"):
        parse_value(spec_of(Model, "real"), "1.1*delta_mx", NAMES)


def written(text: str) -> Decimal:
    """Return the exact number that a text stands for."""
    plain = text.replace("\u2009", "").replace("−", "-")
    if plain.startswith(("10", "-10")) and not plain.lstrip("-").isascii():
        plain = plain.replace("10", "1×10", 1)
    mantissa, _, power = plain.partition("×10")
    exponent = power.translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-"))
    return Decimal(f"{mantissa}e{exponent or 0}")


@given(
    st.floats(-1e300, 1e300, allow_subnormal=False) | st.floats(-1e4, 1e4, allow_subnormal=False),
    st.integers(2, 8),
)
def test_a_bound_is_written_rounded_down_in_its_last_digit(value: float, digits: int) -> None:
    made = written(short_below(value, digits))
    exact = Decimal(value)
    assert made <= exact
    assert exact - made <= abs(exact) * Decimal(10) ** (1 - digits) or abs(value) < 1e-290


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1999999, "0.1999"),
        (2.0, "2"),
        (0.99999, "0.9999"),
        (3.29999e-7, "3.299×10⁻⁷"),
        (-0.10001, "−0.1001"),
        (math.inf, "∞"),
    ],
)
def test_bounds_are_rounded_down(value: float, text: str) -> None:
    assert short_below(value, 4) == text
