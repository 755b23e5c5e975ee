"""Studies as files: strict, one sentence for a fault, and read back as they were written."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.errors import InputError, LabError
from engine.core.paths import resource
from engine.core.registry import get
from engine.reproduce.carry import Options, spec_of
from engine.reproduce.catalogue import Collection, studies, study
from engine.reproduce.measures import MEASURES, compute
from engine.reproduce.study import Study
from engine.storage.documents import dumps, loads
from engine.text.mathtext import to_html, to_plain
from tests.engine.reproduce import documents

SMALL = """
id = "small"
title = "A small study"
section = "Section 1"
says = "It converges."

[[run]]
experiment = "least-squares"
preset = "figure-1"

[[check]]
what = "the error"
value = "run.final.error"
at_most = 1e-6
"""
COLLECTIONS: tuple[Collection, ...] = ("reproduce", "atlas")
EVERY = [(name, each) for name in COLLECTIONS for each in studies(name)]
IDS = [each.id for _, each in EVERY]


@given(documents.studies())
@settings(max_examples=30)
def test_a_study_is_read_back_as_it_was_written(drawn: Study) -> None:
    assert loads(Study, dumps(drawn), "study") == drawn


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('title = "A small study"\n', "", "no title"),
        ("says", "sayz", "no says"),
        ('title = "A small study"', 'title = "A"\nsubtitle = "B"', "'subtitle'"),
        ('experiment = "least-squares"', "experiment = 3", "run 1, experiment: 3"),
        ('id = "small"', 'id = "Small study"', "small letters, digits and hyphens"),
        ("at_most = 1e-6", "at_most = inf", "inf"),
        ("at_most = 1e-6", "at_most = 2020-01-01", "a date"),
        ("at_most = 1e-6", "", "either expected, rows"),
        ("at_most = 1e-6", "expected = 1.0", "tolerance or relative"),
        ("at_most = 1e-6", 'expected = 1.0\nequals = "x"', "either expected, rows"),
        ("run.final.error", "walk.final.error", "begin with one of run"),
        ("[[check]]", '[[run]]\nexperiment = "mnist"\n[[check]]', "its own"),
        ("at_most = 1e-6", 'at_most = 1e-6\nof = "whom"', "paper, corrected, reference"),
        ("[[run]]", "[[run", "TOML"),
        ('preset = "figure-1"', "steps = -4", "run 1, steps: -4"),
        ('preset = "figure-1"', "step = 4", "run 1: 'step'"),
    ],
)
def test_a_fault_is_named_in_one_sentence(old: str, new: str, named: str) -> None:
    assert old in SMALL
    with pytest.raises(InputError, match=named) as caught:
        loads(Study, SMALL.replace(old, new, 1), "small.toml")
    assert str(caught.value).count("\n") == 0
    assert "small.toml" in str(caught.value)


@given(st.data())
@settings(max_examples=150)
def test_a_damaged_file_is_refused_or_read(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(SMALL) - 1))
    end = data.draw(st.integers(place, min(place + 12, len(SMALL))))
    text = SMALL[:place] + data.draw(st.text(max_size=6)) + SMALL[end:]
    try:
        loads(Study, text, "small.toml")
    except LabError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize(("collection", "each"), EVERY, ids=IDS)
def test_a_study_of_the_program_can_be_carried_out(collection: Collection, each: Study) -> None:
    assert study(collection, each.id) is each
    assert resource(collection, f"{each.id}.toml").is_file()
    for quick in (True, False):
        for plan in each.run:
            run = spec_of(plan, Options(quick=quick, data="digits"))
            known = {view.id for view in get(run.experiment).views(run.params)}
            assert set(plan.pictures) <= known
    for each_computation in each.compute:
        function = MEASURES[each_computation.function]
        inspect.signature(function).bind(**each_computation.arguments)
    texts = [each.title, each.says, each.corrected, each.note, each.section, *each.assumptions]
    for text in texts:
        assert "$" not in to_plain(text)
        assert "\\" not in to_html(text)
    assert (collection == "atlas") == bool(each.citation)
    assert each.place == (f"{each.citation}, {each.section}" if each.citation else each.section)
    assert not each.citation or each.section[0].islower(), "it goes on after a comma"


def test_ids_are_unique() -> None:
    assert len(set(IDS)) == len(IDS)


def test_an_unknown_study_is_named() -> None:
    with pytest.raises(InputError, match="theorem-2"):
        study("reproduce", "theorem-9")


def test_a_measure_refuses_what_it_does_not_know() -> None:
    with pytest.raises(InputError, match="sweep"):
        compute("no-such-measure", {})
    with pytest.raises(InputError, match="depth"):
        compute("period-doublings", {"depth": 1, "target": 2.0})
    with pytest.raises(InputError, match="missing a required argument"):
        compute("period-doublings", {"depth": 2})


def test_a_file_of_ones_own_is_an_entry(tmp_path: Path) -> None:
    from engine.storage.documents import load

    path = tmp_path / "small.toml"
    path.write_text(SMALL, "utf-8")
    assert load(Study, path, "study").id == "small"
