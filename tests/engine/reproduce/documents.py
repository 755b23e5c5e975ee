"""Drawn studies, for round trips."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from engine.reproduce.study import Check, Computation, Expectation, Quantity, RunPlan, Study

lines = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=30)
names = st.from_regex(r"[a-z0-9]{1,6}(-[a-z0-9]{1,5})?", fullmatch=True)
numbers = st.floats(-1e300, 1e300, allow_nan=False)
plain = st.one_of(numbers, st.integers(-(2**53), 2**53), lines, st.booleans())
tables = st.dictionaries(lines, st.one_of(plain, st.lists(plain, max_size=3)), max_size=3)


def runs(name: str) -> st.SearchStrategy[RunPlan]:
    return st.builds(
        RunPlan,
        name=st.just(name),
        experiment=names,
        preset=names,
        seed=st.none() | st.integers(0, 2**63 - 1),
        steps=st.none() | st.integers(0, 10**9),
        params=tables,
        quick_params=tables,
        ensemble=st.booleans(),
        claims=st.lists(names, max_size=3).map(tuple),
        pictures=st.lists(names, max_size=3).map(tuple),
        caption=lines,
    )


def checks(name: str) -> st.SearchStrategy[Check]:
    path = st.just(f"{name}.final.error")
    common: dict[str, Any] = {
        "what": lines,
        "of": st.sampled_from(["paper", "corrected", "reference"]),
        "full_only": st.booleans(),
    }
    return st.one_of(
        st.builds(
            Check,
            value=path,
            expected=numbers | lines,
            tolerance=st.floats(0, 1e9),
            **common,
        ),
        st.builds(Check, value=path, at_least=numbers, at_most=st.none() | numbers, **common),
        st.builds(Check, value=path, equals=lines | st.booleans() | st.integers(-9, 9), **common),
        st.builds(
            Check,
            rows=st.lists(st.tuples(lines, path, numbers), min_size=1, max_size=3).map(tuple),
            relative=st.floats(0, 1e9),
            **common,
        ),
    )


@st.composite
def studies(draw: st.DrawFn) -> Study:
    made = draw(st.lists(names, min_size=3, max_size=3, unique=True))
    return Study(
        id=draw(names),
        title=draw(lines),
        order=draw(st.integers(-9, 9)),
        section=draw(lines),
        citation=draw(lines | st.just("")),
        wording=draw(st.sampled_from(["stated", "recomputed"])),
        says=draw(lines),
        assumptions=tuple(draw(st.lists(lines, max_size=3))),
        corrected=draw(lines | st.just("")),
        expect=draw(st.builds(Expectation, printed=st.sampled_from(["", "holds", "violated"]))),
        seconds=draw(st.floats(1e-3, 1e3)),
        run=(draw(runs(made[0])),),
        compute=(Computation(name=made[1], function=draw(names), arguments=draw(tables)),),
        quantity=(Quantity(name=made[2], formula=draw(lines), of={"x": f"{made[0]}.final"}),),
        check=tuple(draw(st.lists(checks(made[0]), min_size=1, max_size=3))),
    )
