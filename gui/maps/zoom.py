"""The dialog that makes an animation of the way into a map, from all of it to the part shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QLabel,
    QWidget,
)

from engine.core.errors import LabError
from engine.maps.spec import MapSpec
from engine.text.numbers import short, whole
from gui.maps.history import Part
from gui.style import scaling
from gui.widgets.background import Background
from gui.widgets.dialog import Dialog
from gui.widgets.film_fields import FilmFields

if TYPE_CHECKING:
    from engine.core.ensemble import Progress
    from engine.maps.zooming import ZoomFilm


class ZoomDialog(Dialog):
    """Choose length, size, rate and format of a zoom, and where to.

    Parameters
    ----------
    spec : MapSpec
        The map; its axes are those of the whole.
    part : Part
        What is shown of it.

    Attributes
    ----------
    film : FilmFields
    outcome : QLabel
        What became of it, in one sentence.
    """

    def __init__(self, spec: MapSpec, part: Part, parent: QWidget | None = None) -> None:
        super().__init__("Animate the zoom", parent)
        self._spec, self._part = spec, part
        self._background = Background(self)
        self.film = FilmFields(seconds="6", size=(854, 480), rate=24)
        self.outcome = QLabel()
        hint = QLabel(
            f"The film goes from all of the map to {_ends(part)}. Every frame is computed "
            "anew, with the same settings; nothing is enlarged."
        )
        hint.setObjectName("hint")
        for label in (hint, self.outcome):
            label.setWordWrap(True)
        form = QFormLayout()
        self.film.add_to(form)
        self.column.addLayout(form)
        self.column.addWidget(self.film.hint)
        self.column.addWidget(hint)
        self.column.addWidget(self.outcome)
        self.column.addStretch(1)
        self.save_button = self.buttons.addButton("Save…", QDialogButtonBox.ButtonRole.ActionRole)
        self.save_button.clicked.connect(self._ask)
        self.finish(self.save_button)
        scaling.least(self, width=420)

    def _ask(self) -> None:
        suffix = self.film.suffix
        start = f"{self._spec.experiment}-{self._spec.kind}-zoom.{suffix}"
        chosen, _ = QFileDialog.getSaveFileName(self, "Animate the zoom", start, f"*.{suffix}")
        if chosen:
            self.save(Path(chosen))

    def save(self, path: Path) -> None:
        """Make the animation into a file, whose name gets the format's ending if it has none."""
        path = self.film.named(path)
        try:
            film = self._film()
        except LabError as error:
            self.outcome.setText(str(error))
            return
        self.save_button.setEnabled(False)
        self.outcome.setText("")
        self._background.start(
            f"Making {path.name}…",
            lambda progress: _make(film, path, progress),
            lambda done: self._on_made(path, film.frames, done),
            lambda: self._end("Cancelled; nothing was written."),
        )

    def _film(self) -> ZoomFilm:
        """Read the fields.

        Raises
        ------
        InputError
            If the length is no number, or too short or long.
        """
        from engine.maps.zooming import ZoomFilm

        film = ZoomFilm(
            whole=self._spec,
            x=self._part.x,
            y=self._part.y,
            size=self.film.size,
            rate=self.film.frames_a_second,
            seconds=self.film.length(),
        )
        assert film.frames
        return film

    def _on_made(self, path: Path, frames: int, done: bool | Exception) -> None:
        if isinstance(done, LabError):
            self._end(str(done))
        elif isinstance(done, Exception):
            self._end("Something failed; the window shows the details.")
            raise done
        else:
            self._end(f"Saved {path.name}: {whole(frames)} frames.")

    def _end(self, text: str) -> None:
        self.save_button.setEnabled(True)
        self.outcome.setText(text)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stop what is being made; nothing of it is left."""
        self._background.cancel()
        super().closeEvent(event)


def _make(film: ZoomFilm, path: Path, progress: Progress) -> bool:
    """Make an animation; called in the background."""
    from engine.core.interrupt import Interrupted, watched
    from engine.maps.catalogue import kind
    from engine.maps.making import pool_for
    from engine.maps.zooming import make

    try:
        with watched(progress):
            prepared = kind(film.whole.kind).prepare(film.whole)
            with pool_for(prepared) as pool:
                return make(film, path, pool, progress)
    except Interrupted:
        return False


def _ends(part: Part) -> str:
    return " and ".join(
        f"{axis.name} from {short(axis.low, 4)} to {short(axis.high, 4)}"
        for axis in (part.x, part.y)
    )
