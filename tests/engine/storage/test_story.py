"""Stories: the tour that ships, strict reading, and round trips."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.errors import InputError, LabError
from engine.storage.documents import dumps, loads
from engine.storage.story import Scene, Story, open_story, tour
from engine.text.mathtext import to_html, to_plain
from tests.engine.reproduce.documents import lines, names, tables

SMALL = """
title = "A small story"

[[scene]]
title = "One"
experiment = "least-squares"
preset = "figure-1"
views = ["portrait"]
text = "A bowl."
ask = "Does it stay?"
reveal = "It does."
"""


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    asks = draw(st.booleans())
    return Scene(
        title=draw(lines),
        experiment=draw(names),
        preset=draw(names | st.just("")),
        params=draw(tables),
        seed=draw(st.none() | st.integers(0, 2**63 - 1)),
        views=tuple(draw(st.lists(names, max_size=3))),
        text=draw(lines),
        do=draw(lines | st.just("")),
        ask=draw(lines) if asks else "",
        reveal=draw(lines) if asks else "",
        steps=draw(st.integers(0, 10**7)),
        speed=draw(st.none() | st.floats(1e-3, 1e6)),
        play=draw(st.booleans()),
    )


@given(st.builds(Story, title=lines, author=lines, scene=st.tuples(scenes(), scenes())))
@settings(max_examples=30)
def test_a_story_is_read_back_as_it_was_written(drawn: Story) -> None:
    assert loads(Story, dumps(drawn), "story") == drawn


def test_the_tour_goes_from_one_number_to_mnist_in_ten_scenes() -> None:
    scenes_of_tour = tour().scene
    assert len(scenes_of_tour) == 10
    assert scenes_of_tour[0].experiment == "least-squares"
    assert scenes_of_tour[-1].experiment == "mnist"
    assert sum(bool(scene.ask) for scene in scenes_of_tour) >= 4
    for scene in scenes_of_tour:
        scene.chosen()
        assert scene.views
        for text in (scene.text, scene.do, scene.ask, scene.reveal):
            assert "$" not in to_plain(text)
            assert "\\" not in to_html(text)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("least-squares", "most-squares", "scene 1, experiment"),
        ("figure-1", "figure-9", "scene 1, preset"),
        ('"portrait"', '"landscape"', "scene 1, views"),
        ('reveal = "It does."', "", "both a question"),
        ('text = "A bowl."', "", "no text"),
        ("[[scene]]", "[[scenes]]", "scene"),
        ('preset = "figure-1"', "params = { step_size = -1 }", "scene 1, step_size"),
        ('preset = "figure-1"', "steps = 1.5", "scene 1, steps"),
    ],
)
def test_a_fault_is_named_with_its_scene(tmp_path: Path, old: str, new: str, named: str) -> None:
    assert old in SMALL
    path = tmp_path / "small.toml"
    path.write_text(SMALL.replace(old, new, 1), "utf-8")
    with pytest.raises(InputError, match=named) as caught:
        open_story(path)
    assert "\n" not in str(caught.value)


@given(st.data())
@settings(max_examples=60)
def test_a_damaged_story_is_refused_or_read(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(SMALL) - 1))
    text = SMALL[:place] + data.draw(st.text(max_size=6)) + SMALL[place + 3 :]
    try:
        loads(Story, text, "small.toml")
    except LabError as error:
        assert "\n" not in str(error)


def test_the_example_of_the_help_can_be_played(tmp_path: Path) -> None:
    from engine.core.paths import resource

    text = resource("help", "stories.md").read_text("utf-8")
    example = text.partition("```toml\n")[2].partition("```")[0]
    path = tmp_path / "example.toml"
    path.write_text(example, "utf-8")
    assert len(open_story(path).scene) >= 2
