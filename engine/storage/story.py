r"""Stories: scenes that the window plays one after the other, read from a TOML file.

::

    title = "From one number to a network"
    author = "A. Lecturer"

    [[scene]]
    title = "One number too far"
    experiment = "least-squares"
    preset = "figure-1"            # optional; then params change single values of it
    params = { step_size = 0.19 }
    views = ["portrait"]           # plots that are shown; without it, the usual ones
    text = "Descent on a bowl: $w[k+1] = w[k] - \\delta \\nabla f(w[k])$."
    do = "Drag the start."
    ask = "What happens beyond $\\delta = 0.2$?"   # answered before the text goes on
    reveal = "Every run leaves."
    steps = 100                    # made at once when the scene opens
    play = true                    # goes on playing
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, model_validator

from engine.core.errors import InputError
from engine.core.params import Params, build
from engine.core.paths import resource
from engine.core.registry import get
from engine.storage import presets
from engine.storage.documents import Document, load

TOUR = "tour.toml"
"""The story that comes with the program."""
_LINE = "give one line of at most 200 characters"
_TEXT = "give a text of at most 2000 characters"

Line = Annotated[str, Field(min_length=1, max_length=200)]
Text = Annotated[str, Field(max_length=2000)]


class Scene(Document):
    """One scene: what runs, what is said of it, and what the viewer should do."""

    title: Line = Field(description=_LINE)
    experiment: str = Field(max_length=60, description="give the id of an experiment")
    preset: str = Field("", max_length=60, description="give the id of one of its presets")
    params: dict[str, Any] = Field({}, description="give a table of names and values")
    seed: int | None = Field(None, ge=0, lt=2**63, description="give a whole number from 0")
    views: tuple[str, ...] = Field((), max_length=30, description="give a list of ids of plots")
    text: Text = Field(min_length=1, description=_TEXT)
    do: Text = Field("", description=_TEXT)
    ask: Text = Field("", description=_TEXT)
    reveal: Text = Field("", description=_TEXT)
    steps: int = Field(0, ge=0, le=10**7, description="give a whole number from 0 to 10000000")
    speed: float | None = Field(
        None, gt=0, le=1e6, description="give steps per drawn frame, a number > 0"
    )
    play: bool = Field(True, description="give true or false")

    @model_validator(mode="after")
    def _asks_and_reveals(self) -> Scene:
        """Refuse a question without an answer, and an answer to none."""
        if bool(self.ask) != bool(self.reveal):
            raise InputError("ask", self.ask, "give both a question and what it reveals, or none")
        return self

    def chosen(self) -> tuple[Params, int]:
        """Return the parameters and the seed of the scene.

        Raises
        ------
        InputError
            For an unknown experiment, preset, parameter or a value out of range.
        """
        experiment = get(self.experiment)
        values: dict[str, Any] = {}
        seed = self.seed
        if self.preset:
            preset = presets.preset(self.experiment, self.preset)
            values = preset.params.model_dump()
            seed = preset.seed if seed is None else seed
        return build(experiment.parameters, {**values, **self.params}), seed or 0

    @property
    def pace(self) -> float | None:
        """Steps per drawn frame: its own, else that of its preset."""
        if self.speed is not None or not self.preset:
            return self.speed
        return presets.preset(self.experiment, self.preset).speed


class Story(Document):
    """A title and scenes in their order."""

    title: Line = Field(description=_LINE)
    author: str = Field("", max_length=200, description=_LINE)
    scene: tuple[Scene, ...] = Field(
        min_length=1, max_length=200, description="give a list of one table or more"
    )


def open_story(path: Path) -> Story:
    """Read a story from a file, and check every scene of it.

    Raises
    ------
    InputError
        Naming the first scene that cannot be shown, and why.
    FileError
        If the file cannot be read.
    """
    story = load(Story, path, "story")
    check_story(story, path.name)
    return story


def check_story(story: Story, what: str) -> None:
    """Check every scene of a story; `what` names its file.

    Raises
    ------
    InputError
        Naming the first scene that cannot be shown, and why.
    """
    for number, scene in enumerate(story.scene, 1):
        try:
            params, _ = scene.chosen()
            known = [view.id for view in get(scene.experiment).views(params)]
            for name in scene.views:
                if name not in known:
                    raise InputError("views", name, f"give some of {', '.join(known)}")
        except InputError as error:
            where = f"{what}, scene {number}, {error.field}"
            raise InputError(where, error.value, error.allowed) from None


@cache
def tour() -> Story:
    """Read the tour that comes with the program."""
    return open_story(resource("stories", TOUR))
