"""What the window remembers between starts, in an INI file that may be missing or damaged."""

from __future__ import annotations

import base64
import binascii
import json
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QByteArray, QSettings

from engine.core.errors import InputError

if TYPE_CHECKING:
    from engine.core.experiment import AbstractExperiment
    from engine.core.params import Params

LOCKED_SECONDS = 0.2
"""Age from which on a lock without an owner was left by a program that was killed making it."""
RECENT = 8
"""Recent files kept."""
_LONGEST = 1_000_000
"""Characters of a value beyond which it is taken for damage."""


def default_path() -> Path:
    """Return the file in the user's configuration folder."""
    import platformdirs

    return platformdirs.user_config_path("lyapunov-lab", appauthor=False) / "settings.ini"


def _remove_dead_lock(path: Path) -> None:
    """Remove a lock of the file that names no owner, for which Qt would wait half a minute.

    A program writes its name into its lock a moment after it made it.
    """
    lock = path.with_name(f"{path.name}.lock")
    try:
        with lock.open("rb") as file:
            owner = file.read(32).partition(b"\n")[0].strip()
            age = time.time() - os.fstat(file.fileno()).st_mtime
        if not owner.isdigit() and not 0 <= age < LOCKED_SECONDS:
            lock.unlink(missing_ok=True)
    except OSError:
        return  # none is there, as nearly always


class Settings:
    """Typed access to the file; whatever cannot be read is as if it were not there.

    Values are kept as plain texts (bytes in base64, objects in JSON), so that reading a damaged
    or forged file can at worst give a wrong text, which is then checked.

    Parameters
    ----------
    path : Path or None
        The file, or None to remember nothing.

    Attributes
    ----------
    folder : Path or None
        Where the file is.
    """

    def __init__(self, path: Path | None) -> None:
        if path is not None:
            _remove_dead_lock(path)
        self._store = None if path is None else QSettings(str(path), QSettings.Format.IniFormat)
        self._memory: dict[str, str] = {}
        self.folder = None if path is None else path.parent

    def text(self, key: str, default: str = "") -> str:
        """Read a text."""
        value = self._memory.get(key)
        if value is None and self._store is not None:
            try:
                stored = self._store.value(key)
            except (RuntimeError, SystemError, ValueError, TypeError, EOFError):
                return default  # a typed value that Qt cannot turn into an object
            value = stored if isinstance(stored, str) and len(stored) < _LONGEST else None
        return default if value is None else value

    def set_text(self, key: str, value: str) -> None:
        """Remember a text; one that is known already is not written again."""
        if self.text(key, "\0") == value:
            return
        self._memory[key] = value
        if self._store is not None:
            self._store.setValue(key, value)

    def blob(self, key: str) -> QByteArray:
        """Read bytes; empty if there are none."""
        try:
            return QByteArray(base64.b64decode(self.text(key), validate=True))
        except (binascii.Error, ValueError):
            return QByteArray()

    def set_blob(self, key: str, value: QByteArray | bytes) -> None:
        """Remember bytes."""
        data = value.data() if isinstance(value, QByteArray) else value
        self.set_text(key, base64.b64encode(data).decode("ascii"))

    def object(self, key: str) -> Any:
        """Read a JSON value; None if there is none."""
        try:
            return json.loads(self.text(key, "null"))
        except (ValueError, RecursionError):
            return None

    def set_object(self, key: str, value: Any) -> None:
        """Remember a JSON value."""
        self.set_text(key, json.dumps(value))

    def flag(self, key: str, default: bool) -> bool:
        """Read a yes or no."""
        value = self.object(key)
        return value if isinstance(value, bool) else default

    def params(self, experiment: AbstractExperiment[Any, Any]) -> tuple[Params, int] | None:
        """Read an experiment's last parameters and seed, if they are still allowed."""
        return self.checked_params(experiment, self.object(f"params/{experiment.id}"))

    @staticmethod
    def checked_params(
        experiment: AbstractExperiment[Any, Any], stored: Any
    ) -> tuple[Params, int] | None:
        """Make parameters and seed of ``{"seed": …, "values": …}``, if they are still allowed."""
        from engine.core.params import build

        try:
            seed, values = stored["seed"], stored["values"]
            if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**63:
                return None
            return build(experiment.parameters, values), seed
        except (InputError, KeyError, TypeError, AttributeError, ValueError):
            return None

    def set_params(self, experiment_id: str, params: Params, seed: int) -> None:
        """Remember an experiment's parameters and seed."""
        values = params.model_dump(mode="json")
        self.set_object(f"params/{experiment_id}", {"seed": seed, "values": values})

    def recent_files(self) -> list[Path]:
        """List the files opened or saved last that still exist, the newest first."""
        stored = self.object("recent")
        names: Iterable[Any] = stored if isinstance(stored, list) else []
        found = []
        for name in names:
            try:
                if isinstance(name, str) and Path(name).exists():
                    found.append(Path(name))
            except (OSError, ValueError):
                continue
        return found[:RECENT]

    def add_recent_file(self, path: Path) -> None:
        """Put a file at the head of the recent ones."""
        path = path.resolve()
        others = [item for item in self.recent_files() if item != path]
        self.set_object("recent", [str(item) for item in [path, *others][:RECENT]])

    def save(self) -> bool:
        """Write the file; returns False if it could not be written."""
        if self._store is None:
            return True
        self._store.sync()
        return self._store.status() is not QSettings.Status.AccessError
