"""What every dialog that makes a film asks for: its length, size, rate and format."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtWidgets import QComboBox, QFormLayout, QLabel, QLineEdit

from engine.core.errors import InputError
from engine.text.arithmetic import NumberError, read_number

SIZES = ((640, 360), (854, 480), (1280, 720), (1920, 1080))
RATES = (10, 15, 24, 30, 50)
HINTS = {
    "MP4": "A film for slides and pages; plays everywhere, sharpest for its size.",
    "GIF": "Runs on its own in any document, over and over; files grow with what moves.",
    "WebP": "As a GIF, without loss and often smaller; for web pages.",
}
"""The formats, each with what it is good for."""


class FilmFields:
    """The fields of a film.

    Parameters
    ----------
    seconds : str
    size : (int, int)
        One of `SIZES`.
    rate : int
        One of `RATES`.

    Attributes
    ----------
    seconds : QLineEdit
    pixels, rate, format : QComboBox
    hint : QLabel
        What the format is good for.
    """

    def __init__(self, *, seconds: str, size: tuple[int, int], rate: int) -> None:
        self.seconds = QLineEdit(seconds)
        self.seconds.setAccessibleName("Seconds")
        self.pixels = _box("Size", [f"{width} × {height}" for width, height in SIZES])
        self.pixels.setCurrentIndex(SIZES.index(size))
        self.rate = _box("Frames a second", map(str, RATES))
        self.rate.setCurrentText(str(rate))
        self.format = _box("Format", HINTS)
        self.hint = QLabel()
        self.hint.setObjectName("hint")
        self.hint.setWordWrap(True)
        self.format.currentTextChanged.connect(lambda name: self.hint.setText(HINTS[name]))
        self.hint.setText(HINTS[self.format.currentText()])

    def add_to(self, form: QFormLayout) -> None:
        """Add a row for each field."""
        for field in (self.seconds, self.pixels, self.rate, self.format):
            form.addRow(field.accessibleName(), field)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return SIZES[self.pixels.currentIndex()]

    @property
    def frames_a_second(self) -> int:
        """The rate that is chosen."""
        return int(self.rate.currentText())

    @property
    def suffix(self) -> str:
        """The ending of the file, without a dot."""
        return self.format.currentText().lower()

    def length(self) -> float:
        """Read the seconds.

        Raises
        ------
        InputError
            If they are no number.
        """
        text = self.seconds.text()
        try:
            return read_number(text)
        except NumberError:
            raise InputError("Seconds", text, "give a number of seconds") from None

    def named(self, path: Path) -> Path:
        """Return a path with the ending of the format, added if it has another or none."""
        if path.suffix.lower() == f".{self.suffix}":
            return path
        return path.with_name(f"{path.name}.{self.suffix}")


def _box(name: str, items: Iterable[str]) -> QComboBox:
    box = QComboBox()
    box.setAccessibleName(name)
    box.addItems(list(items))
    return box
