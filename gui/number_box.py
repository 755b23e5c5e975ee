"""A spin box for counts of steps: large whole numbers, typed as 1000, 1 000, 1e5 or 10k."""

from __future__ import annotations

import re

from PySide6.QtGui import QValidator
from PySide6.QtWidgets import QAbstractSpinBox, QDoubleSpinBox, QWidget

from gui import format

_PARTIAL = re.compile(r"\d*\.?\d*([eE]\+?\d*|[kM])?")
_FACTORS = {"k": 1e3, "M": 1e6}


def parse_count(text: str) -> int | None:
    """Read a whole number as a person types it; None if it is not one."""
    plain = re.sub(r"[\s,'\u2009\u00a0\u202f]", "", text)
    factor = _FACTORS.get(plain[-1:], 1.0)
    try:
        number = float(plain[:-1] if factor > 1 else plain) * factor
    except ValueError:
        return None
    return int(number) if number.is_integer() and 0 <= number <= 2**53 else None


class CountBox(QDoubleSpinBox):
    """A whole number from `minimum` to 2⁵³, with its thousands apart."""

    def __init__(self, minimum: int = 0, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setDecimals(0)
        self.setRange(minimum, 2**53)
        self.setStepType(QAbstractSpinBox.StepType.AdaptiveDecimalStepType)
        self.setKeyboardTracking(False)

    @property
    def count(self) -> int:
        """The number."""
        return int(self.value())

    def show_count(self, number: int) -> None:
        """Show a number without saying that it was edited."""
        if number != self.count:
            blocked = self.blockSignals(True)
            self.setValue(number)
            self.blockSignals(blocked)

    def textFromValue(self, value: float) -> str:
        """Write the thousands apart."""
        return format.count(int(value))

    def valueFromText(self, text: str) -> float:
        """Read what was typed."""
        return float(parse_count(text) or 0)

    def validate(self, text: str, pos: int) -> tuple[QValidator.State, str, int]:
        """Say whether the text is a count, or can become one."""
        number = parse_count(text)
        if number is not None and number >= self.minimum():
            return QValidator.State.Acceptable, text, pos
        plain = re.sub(r"[\s,'\u2009\u00a0\u202f]", "", text)
        partial = _PARTIAL.fullmatch(plain) is not None
        state = QValidator.State.Intermediate if partial else QValidator.State.Invalid
        return state, text, pos
