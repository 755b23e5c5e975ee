"""The ensemble panel: many runs at once, as a summary, pictures and a table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from engine.core.ensemble import Ensemble, Share
from engine.core.errors import LabError
from engine.core.experiment import AbstractExperiment
from engine.core.params import Params
from engine.run.snapshot import Snapshot
from engine.text.numbers import duration, whole
from gui.ensemble.table import EnsembleTable, readable_key, text_of
from gui.style import scaling
from gui.theory.claims import ClaimsColumn
from gui.widgets.cards import Card
from gui.widgets.controls import QuietScrollArea
from gui.widgets.focus import FieldLabel
from gui.widgets.labels import InkLabel
from gui.widgets.number_box import LARGEST, CountField
from gui.widgets.words import SMALL, Figure, Words, heading

USUAL_RUNS = 20
"""Runs that are offered while the parameters ask for a single one, which is no ensemble."""


class SummaryCard(Card):
    """The numbers that sum an ensemble up; a click on one copies it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout()
        scaling.across(self._grid, 8)
        scaling.down(self._grid, 2)
        self._grid.setColumnStretch(0, 1)
        self.column.addLayout(self._grid)
        self.figures: dict[str, Figure | Words] = {}

    def show_summary(self, summary: Mapping[str, Any]) -> None:
        """Show name and value of every entry but tables, which the pictures have."""
        self._clear()
        right = Qt.AlignmentFlag.AlignRight
        shown = {key: value for key, value in summary.items() if not _is_table(value)}
        for row, (key, value) in enumerate(shown.items()):
            name = InkLabel(readable_key(key), "muted")
            scaling.font(name, SMALL)
            name.setWordWrap(True)
            if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
                figure = Figure()
                figure.show_value(readable_key(key), value, text=_words_of_share(value))
                self._grid.addWidget(name, row, 0)
                self._grid.addWidget(figure, row, 1, right)
                self.figures[key] = figure
            else:
                words = Words(fine=True)
                words.say(text_of(value))
                words.name(readable_key(key))
                self._grid.addWidget(name, row, 0, Qt.AlignmentFlag.AlignTop)
                self._grid.addWidget(words, row, 1)
                self.figures[key] = words

    def _clear(self) -> None:
        self.figures = {}
        while self._grid.count():
            item = self._grid.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.hide()
                widget.deleteLater()


def _words_of_share(value: object) -> str:
    """Write a share of runs so that no one takes it for a count; nothing for other numbers."""
    return text_of(value) if isinstance(value, Share) else ""


def _is_table(value: object) -> bool:
    """Return whether a value is rows of names and numbers, which are too long for the card."""
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


class EnsemblePanel(QWidget):
    """Requests an ensemble, shows how far it is, and what came of it.

    Attributes
    ----------
    runs_edited : Signal(object)
        The user wants so many runs: a value for the parameter ``ensemble``.
    run_requested : Signal(object)
        The user wants the ensemble run for so many steps.
    cancel_requested : Signal
        The user wants it stopped.
    ensemble_shown : Signal(Ensemble)
        Another ensemble is shown; its pictures are for the area given to `set_pictures`.
    message_requested : Signal(str)
        One sentence for the status bar.
    refused, error_cleared : Signal(str)
        One sentence on a number that is not allowed; the sentence that is no longer true.
    """

    runs_edited = Signal(object)
    run_requested = Signal(object)
    cancel_requested = Signal()
    ensemble_shown = Signal(object)
    message_requested = Signal(str)
    refused = Signal(str)
    error_cleared = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ensemble: Ensemble | None = None
        self._pictures: QWidget | None = None
        self._in_force = self._total = 0
        self._asked = self._is_rejected = self._is_cancelling = False
        self.runs = CountField(USUAL_RUNS, 1, keeps=True)
        self.runs.setAccessibleName("Runs")
        self.runs.setToolTip("Runs, each with a seed of its own")
        self.steps = CountField(1000, 1, keeps=True)
        self.steps.setAccessibleName("Steps each")
        self.steps.setToolTip("Steps of each run: 1000, 1e5, 10k")
        self.run = self._button("Run", "Make all runs", primary=True)
        self.cancel = self._button("Cancel", "Stop, and keep the runs that are done")
        self.cancel.setEnabled(False)
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress of the ensemble")
        self.state = Words("muted", fine=True)
        self.summary = SummaryCard()
        self.claims = ClaimsColumn()
        self.table = EnsembleTable()
        self.export = self._button("Export CSV…", "Write the table to a file")
        self.count = InkLabel("", "muted")
        self._results = QWidget()
        self._lay_out()
        for field in (self.runs, self.steps):
            field.refused.connect(self.refused)
            field.error_cleared.connect(self.error_cleared)
        self.runs.edited.connect(self._on_runs_edited)
        self.run.clicked.connect(self._on_run_clicked)
        self.cancel.clicked.connect(self._on_cancel_clicked)
        self.export.clicked.connect(self._on_export_clicked)
        self._show_progress(None, None, "")

    def set_experiment(self, experiment: AbstractExperiment[Any, Any], params: Params) -> None:
        """Make ready for another experiment."""
        for field in (self.runs, self.steps):
            field.forget()
        self._set_limits(type(params))
        self.steps.show_count(experiment.default_steps)
        self.show_ensemble(None)
        self._asked = False
        self._show_runs(params)
        self._show_progress(None, None, "")

    def set_pictures(self, area: QWidget) -> None:
        """Add the widget that draws an ensemble's pictures; hidden while there are none."""
        self._pictures = area
        scaling.least(area, height=240)
        self._picture_column.addWidget(area)
        area.setVisible(self._ensemble is not None and bool(self._ensemble.views))

    @property
    def ensemble(self) -> Ensemble | None:
        """The ensemble that is shown."""
        return self._ensemble

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show progress, and the ensemble when it is done; cheap when nothing changed."""
        self._show_runs(snapshot.params)
        text = "" if snapshot.progress is None else snapshot.message
        self._show_progress(snapshot.progress, snapshot.seconds_left, text)
        if snapshot.ensemble is not None and snapshot.ensemble is not self._ensemble:
            self.show_ensemble(snapshot.ensemble)

    def show_ensemble(self, ensemble: Ensemble | None) -> None:
        """Show an ensemble, or none."""
        if ensemble is self._ensemble and ensemble is not None:
            return
        self._ensemble = ensemble
        self._results.setVisible(ensemble is not None)
        if self._pictures is not None:
            self._pictures.setVisible(ensemble is not None and bool(ensemble.views))
        if ensemble is None:
            self.table.set_columns({})
            return
        self.summary.show_summary(ensemble.summary)
        self.claims.show_claims(ensemble.claims)
        self.claims.setVisible(bool(ensemble.claims))
        self.table.set_columns(ensemble.columns)
        rows = self.table.source.rowCount()
        made = f"{whole(rows)} run{'' if rows == 1 else 's'}"
        if ensemble.cancelled:
            if rows < self._total:
                made = f"{whole(rows)} of {whole(self._total)} runs"
            self.state.say(f"Cancelled: {made} made")
        self.count.setText(made + (", cancelled" if ensemble.cancelled else ""))
        self.state.setVisible(ensemble.cancelled)
        self.ensemble_shown.emit(ensemble)

    def export_to(self, path: Path) -> None:
        """Write the table as CSV, or for pgfplots where the name ends in .dat.

        Raises
        ------
        FileError
            If the file cannot be written.
        """
        from engine.storage.runfolder import save_table

        if self._ensemble is not None:
            save_table(path, self._ensemble.columns)

    def _lay_out(self) -> None:
        self._lay_out_results()
        buttons = QHBoxLayout()
        scaling.spacing(buttons, 8)
        buttons.addWidget(self.run, 1)
        buttons.addWidget(self.cancel, 1)
        body = QWidget()
        column = QVBoxLayout(body)
        scaling.margins(column, 12, 10, 12, 12)
        scaling.spacing(column, 8)
        column.addLayout(self._asking())
        column.addLayout(buttons)
        column.addWidget(self.bar)
        column.addWidget(self.state)
        column.addWidget(self._results, 1)
        column.addStretch(0)
        area = QuietScrollArea()
        area.setWidget(body)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(area)
        scaling.least(self, width=280)

    def _asking(self) -> QGridLayout:
        asking = QGridLayout()
        scaling.across(asking, 8)
        scaling.down(asking, 4)
        asking.setColumnStretch(0, 1)
        asking.setColumnStretch(1, 1)
        for place, (name, field) in enumerate((("Runs", self.runs), ("Steps each", self.steps))):
            asking.addWidget(FieldLabel(name, field), 0, place)
            asking.addWidget(field, 1, place)
        return asking

    def _lay_out_results(self) -> None:
        results = QVBoxLayout(self._results)
        results.setContentsMargins(0, 0, 0, 0)
        scaling.spacing(results, 8)
        results.addWidget(heading("Summary"))
        results.addWidget(self.summary)
        self._picture_column = QVBoxLayout()
        results.addLayout(self._picture_column)
        results.addWidget(self.claims)
        line = QHBoxLayout()
        line.addWidget(heading("Runs"))
        line.addWidget(self.count)
        line.addStretch(1)
        line.addWidget(self.export)
        results.addLayout(line)
        results.addWidget(self.table, 1)
        self._results.hide()

    def _button(self, text: str, tip: str, primary: bool = False) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(tip)
        button.setAccessibleName(f"{text.rstrip('…')} ensemble")
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        if primary:
            button.setProperty("primary", True)
        return button

    def _set_limits(self, model: type[Params]) -> None:
        """Limit the number of runs to what the parameter allows."""
        from engine.core.params import describe

        spec = next((spec for spec in describe(model) if spec.name == "ensemble"), None)
        if spec is not None:
            low, high = spec.minimum, spec.maximum
            self.runs.set_limits(int(low or 1), LARGEST if high is None else int(high))

    def _show_runs(self, params: Params) -> None:
        """Show the number of runs in force, or a usual one where none was ever asked for."""
        runs = getattr(params, "ensemble", None)
        if not isinstance(runs, int):
            return
        self._in_force = runs
        self._total = runs * max(1, len(getattr(params, "step_sizes", ()) or ()))
        alone = runs == 1 and not self._asked and not getattr(params, "step_sizes", ())
        self.runs.show_count(USUAL_RUNS if alone else runs)

    def _on_runs_edited(self, runs: int) -> None:
        before, self._asked, self._in_force = self._in_force, True, runs
        self._is_rejected = False
        self.runs_edited.emit(runs)
        if self._is_rejected:
            self._in_force = before

    def reject_runs(self) -> None:
        """Note that the number of runs just given is not allowed together with the rest."""
        self._is_rejected = True

    def _show_progress(self, done: float | None, left: float | None, text: str) -> None:
        busy = done is not None
        if busy and self._is_cancelling:
            return  # what is still finished does not count as progress
        self._is_cancelling = False
        if self.run.isEnabled() == busy:
            self.run.setEnabled(not busy)
            self.cancel.setEnabled(busy)
        self.bar.setVisible(busy)
        is_cancelled = self._ensemble is not None and self._ensemble.cancelled
        self.state.setVisible(busy or is_cancelled)
        if done is None:
            return
        self.bar.setValue(round(1000 * done))
        parts = [f"{100 * done:.0f} %", text]
        if left is not None:
            parts.append(f"{duration(left)} left")
        self.state.say(" · ".join(part for part in parts if part))

    def _on_cancel_clicked(self) -> None:
        """Stop the bar at once: runs that are under way may take their time to end."""
        self._is_cancelling = True
        self.cancel.setEnabled(False)
        self.bar.hide()
        self.state.say("Cancelling…")
        self.cancel_requested.emit()

    def _on_run_clicked(self) -> None:
        for field in (self.runs, self.steps):
            if field.is_refused:
                field.refuse()
                return
        self.runs.commit()
        self.steps.commit()
        if self.runs.count != self._in_force:  # the usual number, which is no one's choice yet
            self._on_runs_edited(self.runs.count)
        if self.runs.count != self._in_force:
            return  # it was not allowed, and a message shows why
        self.run_requested.emit(self.steps.count)

    def _on_export_clicked(self) -> None:
        dialog = QFileDialog(self, "Export the table of runs")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters(["Comma-separated values (*.csv)", "For pgfplots (*.dat)"])
        dialog.setDefaultSuffix("csv")
        dialog.selectFile("ensemble.csv")
        dialog.fileSelected.connect(self._on_file_selected)
        dialog.open()

    def _on_file_selected(self, path: str) -> None:
        try:
            self.export_to(Path(path))
        except LabError as error:
            self.message_requested.emit(str(error))
        else:
            self.message_requested.emit(f"{Path(path).name} is written.")
