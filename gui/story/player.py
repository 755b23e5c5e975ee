"""Playing a story: which scene is shown, and how the window comes to show it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from engine.core.errors import LabError
from gui.run.control import RunControl
from gui.story.card import StoryCard

if TYPE_CHECKING:
    from engine.storage.session_file import KeptStory
    from engine.storage.story import Scene, Story


class StoryPlayer(QObject):
    """Goes through the scenes of a story.

    A scene with a question waits for it to be answered: the first step forward reveals the answer,
    the second one goes on.

    Parameters
    ----------
    card : StoryCard
        Shows a scene.
    control : RunControl
        Begins its run.
    open_experiment : callable
        Opens an experiment by its id.
    set_speed : callable
        Sets the speed, in steps per drawn frame.
    show_views : callable
        Shows these plots and no others; the usual ones if there are none.

    Attributes
    ----------
    refused : Signal(str)
        One sentence on why a story or a scene cannot be shown.
    playing_changed : Signal(bool)
        A story began or ended.
    """

    refused = Signal(str)
    playing_changed = Signal(bool)

    def __init__(
        self,
        card: StoryCard,
        control: RunControl,
        *,
        open_experiment: Callable[[str], None],
        set_speed: Callable[[float], None],
        show_views: Callable[[Sequence[str]], None],
    ) -> None:
        super().__init__(card)
        self._card = card
        self._control = control
        self._open = open_experiment
        self._set_speed = set_speed
        self._show_views = show_views
        self._story: Story | None = None
        self._place = 0
        self._is_revealed = False
        card.next_requested.connect(self.forward)
        card.reveal_requested.connect(self.reveal)
        card.back_requested.connect(self.back)
        card.close_requested.connect(self.leave)

    @property
    def is_playing(self) -> bool:
        """Whether a story is shown."""
        return self._story is not None

    @property
    def scene(self) -> Scene | None:
        """The scene that is shown."""
        return None if self._story is None else self._story.scene[self._place]

    def play_tour(self) -> None:
        """Play the story that comes with the program."""
        from engine.storage.story import tour

        self.play(tour())

    def play_file(self, path: Path) -> None:
        """Play a story from a file."""
        from engine.storage.story import open_story

        try:
            story = open_story(path)
        except LabError as error:
            self.refused.emit(str(error))
        else:
            self.play(story)

    def play(self, story: Story) -> None:
        """Play a story from its first scene."""
        self._story = story
        self.playing_changed.emit(True)
        self._go(0)

    def kept(self) -> KeptStory | None:
        """Return the story that is played, and where, for a session file."""
        if self._story is None:
            return None
        from engine.storage.session_file import KeptStory

        return KeptStory(self._story, self._place, self._is_revealed)

    def take_up(self, kept: KeptStory) -> None:
        """Go on with a story where it was left, beside the run that there is."""
        self._story, self._place, self._is_revealed = kept.story, kept.place, kept.revealed
        self.playing_changed.emit(True)
        self._show_card()

    def forward(self) -> None:
        """Reveal the answer if a question waits for it, else go to the next scene or the end."""
        scene = self.scene
        if self._story is None or scene is None:
            return
        if scene.ask and not self._is_revealed:
            self.reveal()
        elif self._place + 1 < len(self._story.scene):
            self._go(self._place + 1)
        else:
            self.leave()

    def back(self) -> None:
        """Go to the scene before."""
        if self._story is not None and self._place > 0:
            self._go(self._place - 1)

    def reveal(self) -> None:
        """Show the answer to the scene's question."""
        self._is_revealed = True
        self._show_card()

    def leave(self) -> None:
        """End the story; the run stays."""
        if self._story is None:
            return
        self._story = None
        self._card.hide()
        self._show_views(())
        self.playing_changed.emit(False)

    def _go(self, place: int) -> None:
        self._place, self._is_revealed = place, False
        scene = self.scene
        if scene is None:
            return
        self._show_card()
        try:
            params, seed = scene.chosen()
            self._open(scene.experiment)
            pace = scene.pace
        except LabError as error:
            self.refused.emit(str(error))
            return
        if pace is not None:
            self._set_speed(pace)
        self._control.restore(params, seed, f"scene “{scene.title}”")
        self._control.reset(play=scene.play and not scene.steps)
        if scene.steps:
            self._control.run(scene.steps)
        self._show_views(scene.views)

    def _show_card(self) -> None:
        if self._story is not None:
            scenes = self._story.scene
            scene = scenes[self._place]
            number = self._place + 1
            self._card.show_scene(scene, number, len(scenes), revealed=self._is_revealed)
