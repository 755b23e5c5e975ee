"""No claim holds on numbers that are not finite."""

from __future__ import annotations

import dataclasses
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import engine.experiments  # noqa: F401  registers them
from engine.core import registry
from engine.core.claims import Claim, Lamp, Verdict
from engine.core.params import build
from engine.core.sound import is_sound, sound
from engine.run.session import Session
from tests.engine.linear_map import LinearMap, LinearParams

_BAD = st.sampled_from([math.nan, math.inf, -math.inf])


def _claim(verdict: Verdict, measured: str = "1", detail: str = "") -> Claim:
    return Claim(
        id="one",
        title="One",
        source="test",
        statement="It is one.",
        assumptions=(Lamp("it is", True, detail),),
        predicted="1",
        measured=measured,
        verdict=verdict,
        note="Said.",
    )


@given(
    verdict=st.sampled_from(Verdict),
    values=st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=5),
    bad=st.none() | _BAD,
    place=st.integers(0, 4),
    text=st.sampled_from(["1", "nan", "error nan", "-nan of 2", "nanometres", "banana"]),
    of_lamp=st.booleans(),
)
def test_a_verdict_stands_where_all_numbers_are_finite_and_there_alone(
    verdict: Verdict,
    values: list[float],
    bad: float | None,
    place: int,
    text: str,
    of_lamp: bool,
) -> None:
    if bad is not None:
        values[place % len(values)] = bad
    claim = _claim(verdict, detail=text) if of_lamp else _claim(verdict, measured=text)
    (found,) = sound((claim,), {"a": np.zeros(2), "b": np.array(values)})
    if bad is None and text in ("1", "nanometres", "banana"):
        assert found == claim
    else:
        decided = verdict in (Verdict.HOLDS, Verdict.VIOLATED)
        assert found.verdict is (Verdict.UNDECIDED if decided else verdict)
        assert found.note.endswith(claim.note)


class Sure(LinearMap):  # type: ignore[misc]
    """Says that its claim holds whatever there is."""

    def claims(self, params, state, recent):  # type: ignore[no-untyped-def]
        return (_claim(Verdict.HOLDS),)


@given(bad=st.none() | _BAD)
def test_every_experiment_is_watched_over(bad: float | None) -> None:
    fake = Sure()
    state = fake.init(LinearParams(), 0)
    if bad is not None:
        state = dataclasses.replace(state, weights=np.array([1.0, bad]))
    (claim,) = fake.claims(LinearParams(), state, {"error": np.ones(1)})
    assert claim.verdict is (Verdict.HOLDS if bad is None else Verdict.UNDECIDED)


@pytest.mark.parametrize("listed", registry.entries(), ids=lambda listed: listed.id)
def test_the_claims_of_every_experiment_pass_through_it(listed: registry.Listed) -> None:
    assert is_sound(type(listed.load()).claims)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_nothing_holds_of_networks_that_are_not_finite(bad: float) -> None:
    experiment = registry.get("convex-shape")
    session = Session(experiment, build(experiment.parameters, {"picture": "decomposition"}), 0)
    session.advance(experiment.steps(session.params))
    state: Any = session.state
    before = experiment.claims(session.params, state, session.recent())
    assert any(claim.verdict is Verdict.HOLDS for claim in before)
    first, *others = state.networks
    broken = dataclasses.replace(first, c=np.full_like(first.c, bad))
    state = dataclasses.replace(state, networks=(broken, *others))
    claims = experiment.claims(session.params, state, session.recent())
    assert all(claim.verdict not in (Verdict.HOLDS, Verdict.VIOLATED) for claim in claims)


def test_no_warning_of_a_library_is_printed(tmp_path: Path) -> None:
    """As the program is started; in these tests warnings are errors."""
    (tmp_path / "sitecustomize.py").write_text(
        "import atexit, warnings\natexit.register(lambda: warnings.warn('a library', stacklevel=1))"
    )
    root = Path(__file__).parents[3]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONWARNINGS": ""}
    done = subprocess.run(
        [sys.executable, str(root / "main.py"), "list"],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    assert done.stderr == "" and "convex-shape" in done.stdout
