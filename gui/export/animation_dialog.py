"""The dialog that makes animations of a run, beside the run, which goes on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from engine.core.params import ParamSpec, describe, parse_value
from engine.text.arithmetic import NumberError, read_whole
from engine.text.numbers import whole
from gui.export.animation_work import Wish, animate
from gui.export.folders import Folders
from gui.run.bridge import Bridge
from gui.run.control import RunControl
from gui.style import scaling
from gui.widgets.background import Background
from gui.widgets.dialog import Dialog
from gui.widgets.film_fields import FilmFields

if TYPE_CHECKING:
    from engine.run.session import Session
    from engine.run.snapshot import Snapshot
    from engine.run.spec import RunSpec

SHARE = (0.5, 1.75)
"""Ends of a sweep that are proposed, in units of a bound or of the value itself."""
FEW_STEPS = 100
"""Steps of the runs of a sweep where the run shown has made none."""


class AnimationDialog(Dialog):
    """Choose plots, what is gone through, size, rate and format, and where to.

    Parameters
    ----------
    control : RunControl
        Whose experiment's run is shown.
    bridge : Bridge
        To the engine thread, which says how the run was made.
    files : Folders
        Knows the folder last used.

    Attributes
    ----------
    what, course : QComboBox
    first, last : QLineEdit
    film : FilmFields
    outcome : QLabel
        What became of it, in one sentence.
    """

    def __init__(
        self, control: RunControl, bridge: Bridge, files: Folders, parent: QWidget | None = None
    ) -> None:
        super().__init__("Animation", parent)
        self._experiment = control.experiment
        self._control = control
        self._bridge = bridge
        self._files = files
        self._background = Background(self)
        self._views = self._experiment.views(control.params)
        self._swept = _numbers(control)
        self._steps = 0 if control.snapshot is None else control.snapshot.step
        self.what = _box("What to show", ["Page of all plots", *(v.title for v in self._views)])
        courses = ["This run, step by step", *(f"A sweep of {_name(s)}" for s in self._swept)]
        self.course = _box("What is gone through", courses)
        self.first, self.last = _field("From"), _field("To")
        self.film = FilmFields(seconds="10", size=(1280, 720), rate=30)
        self.outcome = QLabel()
        self.outcome.setWordWrap(True)
        self._lay_out()
        self.course.currentIndexChanged.connect(self._propose_ends)
        bridge.snapshot_ready.connect(self._follow)
        self._propose_ends()

    def _lay_out(self) -> None:
        form = QFormLayout()
        for name, widget in (
            ("Show", self.what),
            ("Go through", self.course),
            ("From", self.first),
            ("To", self.last),
        ):
            form.addRow(name, widget)
        self.film.add_to(form)
        self.column.addLayout(form)
        self.column.addWidget(self.film.hint)
        self.column.addWidget(self.outcome)
        self.column.addStretch(1)
        self.save_button = self.buttons.addButton("Save…", QDialogButtonBox.ButtonRole.ActionRole)
        self.save_button.clicked.connect(self._on_save)
        self.finish(self.save_button)
        scaling.least(self, width=440)

    @property
    def swept(self) -> ParamSpec | None:
        """The parameter that is swept; None where the run is shown."""
        index = self.course.currentIndex()
        return self._swept[index - 1] if index > 0 else None

    def _propose_ends(self) -> None:
        spec = self.swept
        if spec is None:
            ends = ("0", str(self._steps))
            tip = "A step of the run"
        else:
            ends = self._sweep_ends(spec)
            tip = "A number; bounds of the theory may be named, as in 0.5*delta_max"
        for field, text in zip((self.first, self.last), ends, strict=True):
            field.setText(text)
            field.setToolTip(tip)

    def _sweep_ends(self, spec: ParamSpec) -> tuple[str, str]:
        """Propose ends on both sides of a bound, or else of the value in force."""
        snapshot = self._control.snapshot
        theory = () if snapshot is None else snapshot.theory
        for bound in theory:
            if bound.field == spec.name and bound.value is not None and bound.value > 0:
                low, high = SHARE
                return f"{low:g}*{bound.id}", f"{high:g}*{bound.id}"
        value = float(getattr(self._control.params, spec.name))
        if spec.kind == "int":
            return str(max(int(value) - 2, int(spec.minimum or 0))), str(int(value) + 2)
        low, high = (value * SHARE[0], value * SHARE[1]) if value else (-1.0, 1.0)
        return f"{low:.6g}", f"{high:.6g}"

    def _follow(self, snapshot: Snapshot) -> None:
        """Keep the last step of the run as the proposed end while it goes on."""
        if snapshot.experiment != self._experiment.id:
            return
        before, self._steps = self._steps, snapshot.step
        if self.swept is None and self.last.text() == str(before):
            self.last.setText(str(snapshot.step))

    def _on_save(self) -> None:
        from engine.storage.files import safe_name

        suffix = self.film.suffix
        name = safe_name(f"{self._experiment.id}-animation") + f".{suffix}"
        start = str(Path(self._files.folder()) / name)
        chosen, _ = QFileDialog.getSaveFileName(self, "Animation", start, f"*.{suffix}")
        if chosen:
            self.save(Path(chosen))

    def save(self, path: Path) -> None:
        """Make the animation into a file, whose name gets the format's ending if it has none."""
        path = self.film.named(path)
        try:
            wish = self._wish(path)
        except LabError as error:
            self.outcome.setText(str(error))
            return
        self.save_button.setEnabled(False)
        self.outcome.setText(f"Making {path.name}…")
        params = self._control.params

        def described(session: Session) -> RunSpec:
            from engine.run.spec import RunSpec

            if session.experiment.id != self._experiment.id:
                raise LabError(
                    f"The run of {self._experiment.title} is not open any more; "
                    "open that experiment again."
                )
            run = RunSpec.of(session)
            return run if wish.name is None else wish.without_changes(run, params)

        self._bridge.peek(described, lambda run: self._begin(wish, run))

    def _wish(self, path: Path) -> Wish:
        """Read the fields.

        Raises
        ------
        InputError
            If one of them is no number that is allowed.
        """
        spec = self.swept
        index = self.what.currentIndex()
        return Wish(
            path=path,
            views=(self._views[index - 1].id,) if index > 0 else (),
            name=None if spec is None else spec.name,
            first=self._end("From", self.first.text(), spec),
            last=self._end("To", self.last.text(), spec),
            seconds=self.film.length(),
            size=self.film.size,
            rate=self.film.frames_a_second,
            steps=self._steps or FEW_STEPS,
        )

    def _end(self, field: str, text: str, spec: ParamSpec | None) -> float:
        if spec is None:
            try:
                return read_whole(text)
            except NumberError:
                raise InputError(field, text, f"give a step from 0 to {self._steps}") from None
        snapshot = self._control.snapshot
        theory = () if snapshot is None else snapshot.theory
        names = {bound.id: bound.value for bound in theory if bound.value is not None}
        return float(parse_value(spec, text.strip(), names))

    def _begin(self, wish: Wish, run: RunSpec | Exception) -> None:
        from shiboken6 import isValid

        if not isValid(self):  # closed meanwhile
            return
        if isinstance(run, Exception):
            self._end_with(run, "")
            return
        self._background.start(
            f"Making {wish.path.name}…",
            lambda progress: animate(wish, run, progress),
            lambda done: self._on_made(wish.path, done),
            self._on_cancelled,
        )

    def _on_cancelled(self) -> None:
        self._end_with(None, "Cancelled; nothing was written.")

    def _on_made(self, path: Path, done: int | Exception) -> None:
        if isinstance(done, Exception):
            self._end_with(done, "")
            return
        self._files.keep_folder(path)
        self._end_with(None, f"Saved {path.name}: {whole(done)} frames.")

    def _end_with(self, error: Exception | None, text: str) -> None:
        self.save_button.setEnabled(True)
        if isinstance(error, LabError):
            self.outcome.setText(str(error))
        elif error is not None:
            self.outcome.setText("Something failed; the window shows the details.")
            raise error
        else:
            self.outcome.setText(text)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stop what is being made; nothing of it is left."""
        self._background.cancel()
        super().closeEvent(event)


def _numbers(control: RunControl) -> list[ParamSpec]:
    """List the parameters that can be swept, those that change during a run first."""
    values = control.params.model_dump()
    found = [
        spec
        for spec in describe(type(control.params))
        if spec.kind in ("float", "int")
        and values[spec.name] is not None
        and spec.is_active(values)
        and not spec.for_ensemble
    ]
    return sorted(found, key=lambda spec: not spec.live)


def _name(spec: ParamSpec) -> str:
    from engine.text.mathtext import plain_math

    symbol = plain_math(spec.symbol)
    return f"{symbol}, {spec.label}" if symbol else spec.label


def _box(name: str, items: Any) -> QComboBox:
    box = QComboBox()
    box.setAccessibleName(name)
    box.addItems(list(items))
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(24)
    return box


def _field(name: str) -> QLineEdit:
    field = QLineEdit()
    field.setAccessibleName(name)
    return field
