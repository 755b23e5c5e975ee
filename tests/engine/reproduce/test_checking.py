"""Values among results, and what they are compared with."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import InputError
from engine.reproduce.checking import MISSING, check, look_up, quantity
from engine.reproduce.study import Check, Quantity

RESULTS = {
    "run": {
        "final": {"error": 0.25, "kind": "converged", "orbit": [1.0, 3.0]},
        "claims": [{"id": "theorem-1", "verdict": "holds"}],
    },
    "absent": MISSING,
}


def one(**given: Any) -> Any:
    (made,) = check(RESULTS, Check(what="it", **given), quick=False)
    return made


def test_paths_go_through_tables_lists_and_ids() -> None:
    assert look_up(RESULTS, "run.final.orbit.1") == 3.0
    assert look_up(RESULTS, "run.claims.theorem-1.verdict") == "holds"
    assert look_up(RESULTS, "absent.final.error") is None


@pytest.mark.parametrize("path", ["run.finale", "run.final.orbit.2", "run.final.error.x", "x"])
def test_a_path_that_leads_nowhere_is_named(path: str) -> None:
    with pytest.raises(InputError, match="give one of"):
        look_up(RESULTS, path)


@given(value=st.floats(-1e9, 1e9), wanted=st.floats(-1e9, 1e9), tolerance=st.floats(0, 1e9))
def test_a_number_is_near_within_its_tolerance(
    value: float, wanted: float, tolerance: float
) -> None:
    plan = Check(what="it", value="run.x", expected=wanted, tolerance=tolerance)
    (made,) = check({"run": {"x": value}}, plan, quick=False)
    assert made.holds == (abs(value - wanted) <= tolerance)


def test_limits_texts_and_formulas() -> None:
    assert one(value="run.final.error", at_least=0.25, at_most=0.25).holds
    assert not one(value="run.final.error", at_most=0.2).holds
    assert one(value="run.final.kind", equals="converged").holds
    assert not one(value="run.final.kind", differs="converged").holds
    assert one(value="run.final.error", expected="1/4", tolerance=0.0).holds


def test_a_truth_value_is_no_number() -> None:
    results = {"run": {"yes": True, "one": 1}}
    (made,) = check(results, Check(what="it", value="run.yes", equals=1), quick=False)
    assert made.holds is False
    with pytest.raises(InputError, match="finite number"):
        list(check(results, Check(what="it", value="run.yes", at_most=2.0), quick=False))


def test_what_was_not_measured_decides_nothing() -> None:
    made = one(value="absent.final.error", at_most=1.0)
    assert (made.holds, made.value) == (None, None)
    plan = Check(what="it", value="run.final.error", at_most=1.0, full_only=True)
    (left_out,) = check(RESULTS, plan, quick=True)
    assert left_out.holds is None


def test_a_quantity_is_computed_from_measured_values() -> None:
    plan = Quantity(name="gap", formula="2/x - 1", of={"x": "run.final.error"})
    assert quantity(RESULTS, plan) == 7.0
    absent = Quantity(name="gap", formula="x", of={"x": "absent.final"})
    assert quantity(RESULTS, absent) is MISSING
    with pytest.raises(InputError, match="give a formula"):
        quantity(RESULTS, Quantity(name="gap", formula="__import__('os')", of={}))
