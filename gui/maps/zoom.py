"""The dialog that makes an animation of the way into a map, from all of it to the part shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QLabel,
    QLineEdit,
    QWidget,
)

from engine.core.errors import InputError, LabError
from engine.maps.spec import MapSpec
from engine.text.arithmetic import NumberError, read_number
from engine.text.numbers import whole
from gui.maps.history import Part
from gui.style import scaling
from gui.widgets.background import Background
from gui.widgets.dialog import Dialog

if TYPE_CHECKING:
    from engine.core.ensemble import Progress
    from engine.maps.zooming import ZoomFilm

SIZES = ((640, 360), (960, 540), (1280, 720), (1920, 1080))
RATES = (10, 15, 24, 30)
FORMATS = ("MP4", "GIF", "WebP")


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
    seconds : QLineEdit
    pixels, rate, format : QComboBox
    outcome : QLabel
        What became of it, in one sentence.
    """

    def __init__(self, spec: MapSpec, part: Part, parent: QWidget | None = None) -> None:
        super().__init__("Animate the zoom", parent)
        self._spec, self._part = spec, part
        self._background = Background(self)
        self.seconds = QLineEdit("6")
        self.seconds.setAccessibleName("Seconds")
        self.pixels, self.rate, self.format = QComboBox(), QComboBox(), QComboBox()
        for box, name, items in (
            (self.pixels, "Size", [f"{width} × {height}" for width, height in SIZES]),
            (self.rate, "Frames a second", [str(rate) for rate in RATES]),
            (self.format, "Format", FORMATS),
        ):
            box.setAccessibleName(name)
            box.addItems(list(items))
        self.pixels.setCurrentIndex(1)
        self.rate.setCurrentText("24")
        self.outcome = QLabel()
        hint = QLabel(
            f"The film goes from all of the map to {_ends(part)}. Every frame is computed "
            "anew, with the same settings; nothing is enlarged."
        )
        hint.setObjectName("hint")
        for label in (hint, self.outcome):
            label.setWordWrap(True)
        form = QFormLayout()
        for text, field in (
            ("Seconds", self.seconds),
            ("Size", self.pixels),
            ("Frames a second", self.rate),
            ("Format", self.format),
        ):
            form.addRow(text, field)
        self.column.addLayout(form)
        self.column.addWidget(hint)
        self.column.addWidget(self.outcome)
        self.column.addStretch(1)
        self.save_button = self.buttons.addButton("Save…", QDialogButtonBox.ButtonRole.ActionRole)
        self.save_button.clicked.connect(self._ask)
        self.finish(self.save_button)
        scaling.least(self, width=420)

    def _ask(self) -> None:
        suffix = self.format.currentText().lower()
        start = f"{self._spec.experiment}-{self._spec.kind}-zoom.{suffix}"
        chosen, _ = QFileDialog.getSaveFileName(self, "Animate the zoom", start, f"*.{suffix}")
        if chosen:
            self.save(Path(chosen))

    def save(self, path: Path) -> None:
        """Make the animation into a file, whose name gets the format's ending if it has none."""
        suffix = self.format.currentText().lower()
        if path.suffix.lower() != f".{suffix}":
            path = path.with_name(f"{path.name}.{suffix}")
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

        text = self.seconds.text()
        try:
            seconds = read_number(text)
        except NumberError:
            raise InputError("Seconds", text, "give a number of seconds") from None
        film = ZoomFilm(
            whole=self._spec,
            x=self._part.x,
            y=self._part.y,
            size=SIZES[self.pixels.currentIndex()],
            rate=int(self.rate.currentText()),
            seconds=seconds,
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
        f"{axis.name} from {axis.low:.4g} to {axis.high:.4g}" for axis in (part.x, part.y)
    )
