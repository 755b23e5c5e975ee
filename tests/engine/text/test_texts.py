"""Every text that people read is typeset or written in plain letters: none shows raw TeX."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.cli import headless
from engine.core.params import describe, update
from engine.core.registry import get
from engine.core.views import View
from engine.experiments import EXPERIMENTS
from engine.run.session import Session
from engine.storage.presets import presets
from engine.text.mathtext import to_html, to_plain

RAW = re.compile(r"\\|[^\W\d]_|_\{|\$|<su[bp]>")
"""A backslash, an underscore after a letter, and dollars or tags that nobody took away."""
HELP = sorted(Path("resources/help").glob("*.md"))
KEYS = {"id", "key", "keys", "drawable"}
"""Fields of views that are no texts, like those whose names end with `_key`."""

Text = tuple[str, str]
"""Where a text is from, and the text."""


def of_fields(where: str, item: Any, *names: str) -> Iterator[Text]:
    for name in names:
        yield f"{where}: {name}", getattr(item, name)


def of_claims(where: str, claims: Any) -> Iterator[Text]:
    for claim in claims:
        here = f"{where}: claim {claim.id}"
        names = ("title", "source", "statement", "predicted", "measured", "note")
        yield from of_fields(here, claim, *names)
        for lamp in claim.assumptions:
            yield from of_fields(here, lamp, "name", "detail")


def of_views(where: str, views: tuple[View, ...]) -> Iterator[Text]:
    for view in views:
        for field in dataclasses.fields(view):
            value = getattr(view, field.name)
            for part in value if isinstance(value, tuple) else (value,):
                here = f"{where}: view {view.id}: {field.name}"
                if field.name in KEYS or field.name.endswith("_key"):
                    continue
                if isinstance(part, str):
                    yield here, part
                elif hasattr(part, "label"):
                    yield here, part.label


def of_arrays(where: str, observation: Any) -> Iterator[Text]:
    """Find the texts in lists and tables; a table's cells may be numbers."""
    for key, value in observation.items():
        rows = value if isinstance(value, list | tuple) else [value]
        for row in rows:
            for cell in row if isinstance(row, list | tuple) else [row]:
                if isinstance(cell, str):
                    yield f"{where}: {key}", cell


def of_run(where: str, experiment: Any, params: Any, seed: int) -> Iterator[Text]:
    """Return the texts of a run at its start and after a few steps, and of an ensemble."""
    session = Session(experiment, params, seed)
    try:
        for count in (0, 5):
            session.advance(count)
            state, recent = session.state, session.recent()
            for bound in experiment.theory(params, state):
                here = f"{where}: bound {bound.id}"
                yield from of_fields(here, bound, "name", "source", "note")
                yield here, f"${bound.symbol}$ ${bound.formula}$ ${bound.measured_symbol}$"
            yield from of_claims(where, experiment.claims(params, state, recent))
            yield from of_fields(where, session.outcome(), "message", "phase", "orbit_of")
            yield from of_arrays(where, experiment.observe(state, recent))
        yield from of_views(where, experiment.views(params))
    finally:
        session.close()
    if experiment.has_ensemble:
        few = {"ensemble": 3} | ({"searches": 4} if hasattr(params, "searches") else {})
        made = experiment.ensemble(update(params, **few), seed, 5, lambda *_: True)
        yield from of_claims(f"{where}: ensemble", made.claims)
        yield from of_views(f"{where}: ensemble", made.views)
        yield from of_arrays(f"{where}: ensemble", made.observation)
        told = headless.describe(
            {
                "experiment": "",
                "outcome": {"kind": "max_steps", "step": 0, "message": ""},
                "theory": [],
                "claims": [],
                "final": {"ensemble": made.summary},
            }
        )
        yield f"{where}: summary", told.partition("\n")[2]


def of_experiment(experiment_id: str) -> Iterator[Text]:
    experiment: Any = get(experiment_id)
    yield from of_fields(experiment_id, experiment.listing, "title", "section", "summary")
    yield from of_fields(experiment_id, experiment, "why_no_nudge")
    for spec in describe(experiment.parameters):
        yield from of_fields(
            f"{experiment_id}: {spec.name}", spec, "label", "help", "unit", "group"
        )
    cases = [("default", experiment.parameters(), 0)]
    for preset in presets(experiment_id):
        yield from of_fields(f"{experiment_id}: {preset.id}", preset, "title", "description")
        cases.append((preset.id, preset.params, preset.seed))
    for name, params, seed in cases:
        if experiment_id == "mnist":
            params = update(params, data="digits", checkpoints="off", device="cpu")
            params = update(params, filters=2, width=2, depth=2, batch_size=50)
        yield from of_run(f"{experiment_id}: {name}", experiment, params, seed)


@pytest.mark.parametrize("experiment_id", [listed.id for listed in EXPERIMENTS])
def test_no_text_of_an_experiment_is_raw(experiment_id: str) -> None:
    found = set(of_experiment(experiment_id))
    assert len({text for _, text in found}) > 50
    for where, text in sorted(found):
        assert text.count("$") % 2 == 0, (where, text)
        assert not RAW.search(to_plain(text)), (where, text)
        shown = re.sub(r"</?(?:i|sub|sup)>", "", to_html(text))
        assert not RAW.search(shown), (where, text)


@pytest.mark.parametrize("path", HELP, ids=[path.stem for path in HELP])
def test_no_help_is_raw(path: Path) -> None:
    """Outside formulas and names of parameters, which stand in code."""
    text = path.read_text(encoding="utf-8")
    rest = re.sub(r"`[^`]*`|!\[[^\]]*\]\([^)]*\)|\$\$.*?\$\$", "", text, flags=re.DOTALL)
    assert rest.count("$") % 2 == 0
    for line in rest.splitlines():
        outside = "".join(line.split("$")[0::2])
        assert not RAW.search(outside) and "^" not in outside, line
        assert not RAW.search(to_plain(line)), line


@pytest.mark.parametrize(
    ("text", "in_plain", "in_html"),
    [
        (
            "δ between δ_c and δ_max",
            "δ between δc and δₘₐₓ",
            "δ between δ<sub>c</sub> and δ<sub>max</sub>",
        ),
        ("|w_i[k]| ≤ ρ^k", "|wᵢ[k]| ≤ ρᵏ", "|w<sub>i</sub>[k]| ≤ ρ<sup>k</sup>"),
        ("R^(1/L) of W_L", "R^(1/L) of WL", "R<sup>1/L</sup> of W<sub>L</sub>"),
        ("2^((L−2)/L) < 1", "2^((L−2)/L) < 1", "2<sup>(L−2)/L</sup> &lt; 1"),
        ("Π_{j≠i} w*_j²", "Π(j≠i) w*ⱼ²", "Π<sub>j≠i</sub> w*<sub>j</sub>²"),
        (
            "X X^T, x^2, w^(2−L)",
            "X Xᵀ, x², w²⁻ᴸ",
            "X X<sup>T</sup>, x<sup>2</sup>, w<sup>2−L</sup>",
        ),
        (
            "step_size, a_b_c, my_file_2.csv, ^",
            "step_size, a_b_c, my_file_2.csv, ^",
            "step_size, a_b_c, my_file_2.csv, ^",
        ),
        ("a & b", "a & b", "a &amp; b"),
    ],
)
def test_scripts_are_small(text: str, in_plain: str, in_html: str) -> None:
    assert to_plain(text) == in_plain
    assert to_html(text) == in_html
