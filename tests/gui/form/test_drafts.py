"""Values that wait to be put in force."""

from __future__ import annotations

import pytest

from engine.core.errors import InputError
from gui.form.drafts import Drafts
from tests.gui.fakes import FakeParams


def test_all_that_waits_is_taken_together() -> None:
    drafts = Drafts()
    drafts.give("init", "list", False)
    drafts.give("depth", 2, False)
    drafts.give("start", (1.0, 2.0), False)
    after, taken = drafts.attempt(FakeParams(), {"start"})
    assert after == FakeParams(init="list", depth=2, start=(1.0, 2.0))
    assert set(taken) == {"init", "depth", "start"}


def test_the_newest_is_taken_alone_if_another_is_bad() -> None:
    drafts = Drafts()
    drafts.give("step_size", -1.0, False)
    drafts.give("depth", 7, False)
    after, taken = drafts.attempt(FakeParams(), {"depth"})
    assert after == FakeParams(depth=7) and taken == ("depth",)
    with pytest.raises(InputError, match="step_size"):
        drafts.attempt(FakeParams(), {"step_size"})


def test_marks_stand_until_their_cause_is_gone() -> None:
    drafts = Drafts()
    drafts.misread("curvature")
    drafts.give("depth", 2, True)
    drafts.blame({"depth"}, "start")
    assert drafts.marked == {"curvature", "start"} and drafts.moving == {"depth"}
    drafts.forget({"depth"})
    assert drafts.marked == {"curvature"} and not drafts.moving and not drafts.values
    drafts.give("curvature", 3.0, False)
    assert not drafts.marked
