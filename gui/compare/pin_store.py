"""Pinned runs kept between starts: what was recorded in files, the rest among the settings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.core.errors import LabError
from gui.compare.pins import ROLES, Pin, Pins
from gui.settings import Settings

if TYPE_CHECKING:
    from engine.core.experiment import AbstractExperiment

MOST = 32
"""Pins of one experiment that are kept; more than a plot can distinguish."""


class PinStore:
    """Brings the pins of an experiment back when it is shown first, and keeps them.

    Whatever cannot be read is as if it were not there.

    Parameters
    ----------
    pins : Pins
    settings : Settings
        Beside whose file the records lie, a folder for each experiment.
    """

    def __init__(self, pins: Pins, settings: Settings) -> None:
        self._pins = pins
        self._settings = settings
        self._known: set[str] = set()
        self._files: dict[int, str] = {}

    def take_over(self, experiments: set[str]) -> None:
        """Take what is pinned now of these experiments as all there is."""
        self._known |= experiments

    def bring_back(self, experiment: AbstractExperiment[Any, Any]) -> None:
        """Pin again what was pinned of an experiment, once."""
        folder = self._folder(experiment.id)
        if experiment.id in self._known or folder is None:
            return
        self._known.add(experiment.id)
        stored = self._settings.object(f"pins/{experiment.id}")
        for entry in stored[:MOST] if isinstance(stored, list) else ():
            try:
                self._pin(experiment, folder, entry)
            except (LabError, KeyError, TypeError, ValueError, AttributeError, OSError):
                continue

    def _pin(self, experiment: AbstractExperiment[Any, Any], folder: Path, entry: Any) -> None:
        from engine.storage.recording import load_trace
        from gui.compare.results import from_table

        known = self._settings.checked_params(experiment, entry)
        name, color, visible = entry["file"], entry["color"], entry["visible"]
        if isinstance(color, str) and color.isdigit():  # kept when pins had the colours of series
            color = f"pin{color}"
        if known is None or color not in ROLES or not isinstance(visible, bool):
            return
        if Path(name).name != name:
            return  # it would lie in another folder
        trace = load_trace(folder / name)
        given, result, changes = entry.get("name", ""), entry.get("result"), entry.get("changes", 0)
        pin = self._pins.add_trace(
            experiment.id,
            *known,
            trace,
            color=color,
            visible=visible,
            name=given if isinstance(given, str) else "",
            result=None if result is None else from_table(result),
            changes=changes if type(changes) is int and changes >= 0 else 0,
        )
        self._files[pin.id] = name

    def save(self) -> None:
        """Write what is new, and forget what is pinned no longer; the settings are not synced."""
        for experiment_id in self._known | self._pins.experiments:
            folder = self._folder(experiment_id)
            if folder is not None:
                pins = self._pins.of(experiment_id)[-MOST:]
                entries = [entry for pin in pins if (entry := self._entry(folder, pin))]
                self._settings.set_object(f"pins/{experiment_id}", entries)

    def tidy(self) -> None:
        """Remove the records that the settings, now on the disk, name no longer."""
        for experiment_id in self._known | self._pins.experiments:
            folder = self._folder(experiment_id)
            stored = self._settings.object(f"pins/{experiment_id}")
            if folder is None or not folder.is_dir() or not isinstance(stored, list):
                continue
            named = {entry["file"] for entry in stored}
            for path in folder.glob("*.npz"):
                if path.name not in named:
                    path.unlink(missing_ok=True)

    def _entry(self, folder: Path, pin: Pin) -> dict[str, Any] | None:
        from engine.storage.recording import save_view

        name = self._files.get(pin.id, "")
        if not name:
            numbers = (number for number in range(1, 10**6))
            name = next(f"{n}.npz" for n in numbers if not (folder / f"{n}.npz").exists())
            try:
                folder.mkdir(parents=True, exist_ok=True)
                save_view(folder / name, pin.trace)
            except (LabError, OSError):
                return None  # without room or right to write it lives until the window closes
            self._files[pin.id] = name
        kept = {"file": name, "color": pin.color, "visible": pin.visible, "seed": pin.seed}
        if pin.name:
            kept["name"] = pin.name
        if pin.changes:
            kept["changes"] = pin.changes
        if pin.result is not None:
            kept["result"] = pin.result.to_table()
        return {**kept, "values": pin.params.model_dump(mode="json")}

    def _folder(self, experiment_id: str) -> Path | None:
        folder = self._settings.folder
        return None if folder is None else folder / "pins" / experiment_id
