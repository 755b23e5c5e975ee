"""The question whether a Python file of the user may be executed."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QDialogButtonBox, QGridLayout, QLabel, QPushButton, QWidget

from engine.core.errors import LabError, Refusal
from engine.core.params import Params
from engine.storage import user_code
from engine.storage.user_code import UserCode
from gui.run.bridge import Bridge
from gui.run.control import RunControl
from gui.style import scaling
from gui.widgets.dialog import Dialog

WARNING = (
    "This run needs the network that the file makes, so its code has to be executed. It can then "
    "do all that you can do on this machine: read, change and send files."
)
LASTING = (
    "Execute it only if you know what it does. The answer holds until the program is closed or the "
    "file changes."
)
WIDTH = 640


class TrustDialog(Dialog):
    """Shows the whole path and the hash of a file.

    Attributes
    ----------
    trusted : Signal
        The user wants the file to be executed.
    """

    trusted = Signal()

    def __init__(self, code: UserCode, parent: QWidget | None) -> None:
        super().__init__("Execute this file?", parent)
        self.setModal(True)
        self.column.addWidget(_label(WARNING))
        self.path = _label(breakable(str(code.path)), selectable=True)
        self.path.setAccessibleName("Path of the file")
        self.hash = _label(breakable(code.sha256), selectable=True)
        self.hash.setAccessibleName("Hash of the file")
        facts = QGridLayout()
        scaling.spacing(facts, 6)
        for row, (name, label) in enumerate((("File", self.path), ("SHA-256", self.hash))):
            caption = QLabel(name)
            caption.setObjectName("hint")
            facts.addWidget(caption, row, 0, Qt.AlignmentFlag.AlignTop)
            facts.addWidget(label, row, 1)
        facts.setColumnStretch(1, 1)
        self.column.addLayout(facts)
        self.column.addWidget(_label(LASTING))
        self.column.addStretch(1)
        self.buttons.setStandardButtons(QDialogButtonBox.StandardButton.Close)
        self.refuse = self.buttons.button(QDialogButtonBox.StandardButton.Close)
        self.refuse.setText("Do not execute")
        self.execute = QPushButton("Execute")
        self.buttons.addButton(self.execute, QDialogButtonBox.ButtonRole.ActionRole)
        self.execute.clicked.connect(self._on_trusted)
        self.finish()
        self.refuse.setFocus()  # Space must not execute what nobody has read
        scaling.least(self, width=WIDTH)
        self.resize(scaling.whole(WIDTH), self.column.totalHeightForWidth(scaling.whole(WIDTH)))

    def _on_trusted(self) -> None:
        self.trusted.emit()
        self.close()


class TrustQuestion(QObject):
    """Asks when a run was refused because its file is not trusted, and then begins it.

    A file that was declined is asked about again only when the same settings are tried again, as by
    Play, or other code is met.
    """

    def __init__(self, control: RunControl, bridge: Bridge, window: QWidget | None) -> None:
        super().__init__(window)
        self._control, self._window = control, window
        self._dialog: TrustDialog | None = None
        self._declined: tuple[UserCode, Params] | None = None
        bridge.rejected.connect(self._on_rejected)

    @property
    def dialog(self) -> TrustDialog | None:
        """The open question."""
        return self._dialog

    def _on_rejected(self, reason: Refusal | str) -> None:
        if isinstance(reason, Refusal) and self._dialog is None and self._control.has_experiment:
            code = self._wanted(reason.field)
            if code is not None and not self._was_declined(code):
                self._ask(code)

    def _wanted(self, field: str) -> UserCode | None:
        """Return the file of a field that is not trusted; None if that is not what was refused."""
        path = self._control.experiment.code_files(self._control.params).get(field)
        if path is None:
            return None
        try:
            code = user_code.read(path, field)
        except LabError:  # the refusal says so
            return None
        return None if user_code.is_trusted(code) else code

    def _was_declined(self, code: UserCode) -> bool:
        """Return whether a file was declined, and is met again only as other settings change."""
        params = self._control.params
        declined, self._declined = self._declined, None
        if declined is None or declined[0] != code or declined[1] == params:
            return False
        self._declined = code, params
        return True

    def _ask(self, code: UserCode) -> None:
        self._dialog = dialog = TrustDialog(code, self._window)
        self._declined = code, self._control.params
        dialog.trusted.connect(lambda: self._trust(code))
        dialog.finished.connect(self._on_closed)
        dialog.destroyed.connect(self._on_closed)
        dialog.open()

    def _trust(self, code: UserCode) -> None:
        self._declined = None
        user_code.trust(code)
        self._control.reset()

    def _on_closed(self) -> None:
        self._dialog = None


def breakable(text: str) -> str:
    """Return a text that a label can break anywhere, with letters that do not print escaped."""
    printed = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
    return "\u200b".join(printed)


def _label(text: str, *, selectable: bool = False) -> QLabel:
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    if selectable:
        label.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
    return label
