"""Pinned runs: kept as ghosts on the plots, to compare others with."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QColor, QEnterEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QMenu,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine.run.labels import settings_text
from engine.run.snapshot import Snapshot
from gui.style import scaling
from gui.style.icons import IconButton, swatch

if TYPE_CHECKING:
    from engine.core.params import Params
    from engine.run.trace import TraceView
    from engine.storage.comparison import Result

LONGEST_NAME = 80
"""Letters of a name."""
ROLES = tuple(f"pin{number}" for number in range(1, 9))
"""Colours given to pins in turn; those of series stay the live run's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A pinned run: what is needed to draw it and to go back to its settings.

    Attributes
    ----------
    label : str
        Names the settings in which it differs from the current run or from other pins.
    name : str
        What the user calls it, or nothing.
    result : Result or None
        What came out, None where that is not known.
    changes : int
        How often it was changed or pushed while it ran; `params` are those at its end.
    """

    id: int
    experiment: str
    label: str
    color: str
    params: Params
    seed: int
    trace: TraceView
    visible: bool = True
    name: str = ""
    result: Result | None = None
    changes: int = 0

    @property
    def title(self) -> str:
        """What it is called: by the user, or else by its settings."""
        return self.name or self.label


class Pins(QObject):
    """The pinned runs of all experiments, in an order of the user's.

    Attributes
    ----------
    changed : Signal
        Pins came, went, or are shown otherwise.
    marked : Signal
        Another pin, or none, is to stand out in the plots.
    """

    changed = Signal()
    marked = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pins: tuple[Pin, ...] = ()
        self._numbers = itertools.count(1)
        self._current: dict[str, tuple[Params, int]] = {}
        self._mark: int | None = None

    def set_current(self, experiment_id: str, params: Params, seed: int) -> None:
        """Label the pins of an experiment by what differs from its current run."""
        self._current[experiment_id] = params, seed
        self._set(self._pins)

    @property
    def all(self) -> tuple[Pin, ...]:
        """The pins of all experiments, those of each in their order."""
        return self._pins

    def of(self, experiment_id: str) -> tuple[Pin, ...]:
        """List the pins of an experiment."""
        return tuple(pin for pin in self._pins if pin.experiment == experiment_id)

    def add(self, snapshot: Snapshot) -> Pin:
        """Pin a run as it is."""
        from gui.compare.results import result_of

        return self.add_trace(
            snapshot.experiment,
            snapshot.params,
            snapshot.seed,
            snapshot.trace,
            result=result_of(snapshot),
            changes=len(snapshot.changes),
        )

    @property
    def experiments(self) -> set[str]:
        """The ids of the experiments of which runs are pinned."""
        return {pin.experiment for pin in self._pins}

    def add_trace(
        self,
        experiment: str,
        params: Params,
        seed: int,
        trace: TraceView,
        color: str = "",
        visible: bool = True,
        name: str = "",
        result: Result | None = None,
        changes: int = 0,
    ) -> Pin:
        """Pin what was recorded of a run, in the colour used least unless one is given."""
        used = [pin.color for pin in self.of(experiment)]
        pin = Pin(
            id=next(self._numbers),
            experiment=experiment,
            label=settings_text(params, seed),
            color=color or min(ROLES, key=lambda role: (used.count(role), ROLES.index(role))),
            params=params,
            seed=seed,
            trace=trace,
            visible=visible,
            name=name,
            result=result,
            changes=changes,
        )
        self._set((*self._pins, pin))
        return self._pins[-1]

    def remove(self, pin_id: int) -> None:
        """Unpin a run."""
        self._set(tuple(pin for pin in self._pins if pin.id != pin_id))

    def clear(self, experiment_id: str) -> None:
        """Unpin all runs of an experiment."""
        self._set(tuple(pin for pin in self._pins if pin.experiment != experiment_id))

    def show(self, pin_id: int, visible: bool) -> None:
        """Draw a pin or leave it out."""
        self._replace(pin_id, visible=visible)

    def recolor(self, pin_id: int, role: str) -> None:
        """Change the colour of a pin."""
        self._replace(pin_id, color=role)

    def rename(self, pin_id: int, name: str) -> None:
        """Call a pin something else; nothing brings back the name of its settings."""
        self._replace(pin_id, name=" ".join(name.split())[:LONGEST_NAME])

    def move(self, pin_id: int, by: int) -> None:
        """Move a pin up (by < 0) or down among those of its experiment."""
        pin = next((pin for pin in self._pins if pin.id == pin_id), None)
        if pin is None:
            return
        own = list(self.of(pin.experiment))
        place = own.index(pin)
        own.insert(min(max(place + by, 0), len(own) - 1), own.pop(place))
        others = tuple(each for each in self._pins if each.experiment != pin.experiment)
        self._set((*others, *own))

    @property
    def mark(self) -> int | None:
        """The pin that stands out in the plots."""
        return self._mark

    def set_mark(self, pin_id: int | None) -> None:
        """Make a pin stand out in the plots, or none."""
        if pin_id != self._mark:
            self._mark = pin_id
            self.marked.emit()

    def _replace(self, pin_id: int, **changes: Any) -> None:
        self._set(
            tuple(
                dataclasses.replace(pin, **changes) if pin.id == pin_id else pin
                for pin in self._pins
            )
        )

    def _set(self, pins: tuple[Pin, ...]) -> None:
        pins = tuple(self._labelled(pin, pins) for pin in pins)
        if pins != self._pins:
            self._pins = pins
            self.changed.emit()

    def _labelled(self, pin: Pin, pins: tuple[Pin, ...]) -> Pin:
        """Return a pin labelled by what distinguishes it from the current run and other pins."""
        current = self._current.get(pin.experiment)
        others = [(p.params, p.seed) for p in pins if p.experiment == pin.experiment and p != pin]
        others += [] if current is None else [current]
        label = settings_text(pin.params, pin.seed, others)
        return pin if label == pin.label else dataclasses.replace(pin, label=label)


class _Row(QWidget):
    """The row of a pin, which stands out in the plots while the mouse is on it."""

    def __init__(self, pin_id: int, pins: Pins) -> None:
        super().__init__()
        self._pin_id = pin_id
        self._pins = pins

    def enterEvent(self, event: QEnterEvent) -> None:
        """Make the run stand out."""
        super().enterEvent(event)
        self._pins.set_mark(self._pin_id)

    def leaveEvent(self, event: QEvent) -> None:
        """Make it a run like the others."""
        super().leaveEvent(event)
        self._pins.set_mark(None)


class PinsPanel(QWidget):
    """The pinned runs of the experiment shown: colour, visibility, go back to, unpin.

    Parameters
    ----------
    pins : Pins
        The model.
    color_of : callable
        Returns the colour of a role in the theme.

    Attributes
    ----------
    pin_requested : Signal
        The run shown is to be pinned.
    restore_requested : Signal(Pin)
        The settings of a pin are to be applied.
    compare_requested : Signal
        The table of all runs is wanted.
    """

    pin_requested = Signal()
    compare_requested = Signal()
    restore_requested = Signal(object)

    def __init__(
        self, pins: Pins, color_of: Callable[[str], QColor], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._pins = pins
        self._color_of = color_of
        self._experiment = ""
        self.pin_button = IconButton("pin", "Pin this run", "Keep this run on the plots (P)")
        self.pin_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.pin_button.clicked.connect(self.pin_requested)
        self.compare_button = IconButton("table", "Compare", "Compare runs in a table")
        self.compare_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.compare_button.clicked.connect(self.compare_requested)
        self.empty = QLabel("A pinned run stays on the plots, to compare others with.")
        self.empty.setWordWrap(True)
        self.empty.setObjectName("hint")
        scaling.margins(self.empty, 8, 0, 8, 8)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._rows = QWidget()
        self._layout = QVBoxLayout(self._rows)
        scaling.margins(self._layout, 4, 0, 4, 4)
        self._layout.setSpacing(0)
        self._layout.addStretch(1)
        scroll = self._scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setWidget(self._rows)
        layout = QVBoxLayout(self)
        scaling.margins(layout, 4, 4, 4, 4)
        scaling.spacing(layout, 4)
        head = QHBoxLayout()
        scaling.spacing(head, 4)
        head.addWidget(self.pin_button)
        head.addWidget(self.compare_button)
        head.addStretch(1)
        layout.addLayout(head)
        layout.addWidget(self.empty, 1)
        layout.addWidget(scroll, 1)
        scroll.hide()  # until there are pins
        pins.changed.connect(self.refresh)

    def set_experiment(self, experiment_id: str) -> None:
        """Show the pins of another experiment."""
        self._experiment = experiment_id
        self.refresh()

    def refresh(self) -> None:
        """Show the pins anew, for example in the colours of another theme."""
        while self._layout.count() > 1:
            item = self._layout.takeAt(0)
            row = None if item is None else item.widget()
            if row is not None:
                row.hide()
                row.deleteLater()
        pins = self._pins.of(self._experiment)
        for index, pin in enumerate(pins):
            self._layout.insertWidget(index, self._row(pin))
        self.empty.setVisible(not pins)
        self._scroll.setVisible(bool(pins))

    def _row(self, pin: Pin) -> QWidget:
        row = _Row(pin.id, self._pins)
        row.setObjectName("pinRow")
        shown = QCheckBox()
        shown.setChecked(pin.visible)
        shown.setAccessibleName(f"Show {pin.title}")
        shown.setToolTip("Draw this run")
        shown.toggled.connect(lambda on: self._pins.show(pin.id, on))
        label = QLabel(pin.title)
        label.setToolTip(f"{pin.label}\nto step {pin.trace.last}")
        label.setWordWrap(True)
        label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        back = IconButton("restore", "Use settings", "Go back to these settings", size=16)
        back.clicked.connect(lambda: self.restore_requested.emit(pin))
        remove = IconButton("close", "Unpin", "Unpin this run", size=16)
        remove.clicked.connect(lambda: self._pins.remove(pin.id))
        buttons = QHBoxLayout()
        scaling.spacing(buttons, 4)
        buttons.addWidget(shown)
        buttons.addWidget(self._color_button(pin))
        buttons.addStretch(1)
        buttons.addWidget(back)
        buttons.addWidget(remove)
        layout = QVBoxLayout(row)  # beside the buttons a narrow dock would have no room for it
        scaling.margins(layout, 4, 2, 0, 2)
        layout.setSpacing(0)
        layout.addWidget(label)
        layout.addLayout(buttons)
        return row

    def _color_button(self, pin: Pin) -> QToolButton:
        button = QToolButton()
        button.setAutoRaise(True)
        button.setIcon(swatch(self._color_of(pin.color), self))
        button.setAccessibleName(f"Colour of {pin.title}")
        button.setToolTip("Choose another colour")
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(button)
        for number, role in enumerate(ROLES, start=1):
            action = menu.addAction(swatch(self._color_of(role), self), f"Colour {number}")
            action.triggered.connect(
                lambda checked=False, role=role: self._pins.recolor(pin.id, role)
            )
        button.setMenu(menu)
        return button
