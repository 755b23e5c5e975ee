"""A failure and its report: everything that helps to repeat it, nothing about the person."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.core.versions import NAME, versions

if TYPE_CHECKING:
    from engine.core.params import Params

_ROOT = Path(__file__).resolve().parents[2]
_QUOTED_PATH = re.compile(r'File "([^"]+)"')
_BEGIN = r"(?:~?/|[A-Za-z]:[/\\]|\\\\)"
_PATHS = (  # of any person; quoted ones may hold spaces, others have two parts at least
    re.compile(rf"""(?<=['"]){_BEGIN}[^'"\n]*[/\\]([^'"/\\\n]+)(?=['"])"""),
    re.compile(rf"""(?<![\w.…'"/]){_BEGIN}(?:[^\s'"/\\:,;]+[/\\]+)+([^\s'"/\\:,;]*)"""),
)


def without_paths(text: str) -> str:
    """Shorten the file names of a traceback to what lies inside a package, and hide all folders."""

    def shorten(match: re.Match[str]) -> str:
        return f'File "{_short(match.group(1))}"'

    text = _QUOTED_PATH.sub(shorten, text)
    for folder, name in ((_ROOT, "."), (Path.home(), "~")):
        if len(str(folder)) > 1:
            text = text.replace(str(folder), name)
    for pattern in _PATHS:
        text = pattern.sub(r"…/\1", text)
    return text


def _short(name: str) -> str:
    parts = Path(name).parts
    for marker in ("site-packages", "dist-packages"):
        if marker in parts:
            return "/".join(parts[parts.index(marker) + 1 :])
    try:
        return Path(name).resolve().relative_to(_ROOT).as_posix()
    except (ValueError, OSError):
        return "/".join(parts[-2:])


@dataclass(frozen=True, slots=True)
class Failure:
    """An error, and the settings that were in force when it happened.

    Attributes
    ----------
    traceback : str
        The traceback as text.
    experiment_id : str
        Id of the experiment that was open; empty if none was.
    params, seed
        Its settings; None if none was open.
    """

    traceback: str
    experiment_id: str = ""
    params: Params | None = None
    seed: int | None = None

    @property
    def last_line(self) -> str:
        """The traceback's last line: type and message of the error."""
        return self.traceback.strip().rpartition("\n")[2]

    def report(self) -> str:
        """Write what failed, under which settings, with which versions.

        File names are shortened and texts among the parameters that look like paths left out, so
        that a report can be sent to strangers.
        """
        values = {} if self.params is None else self.params.model_dump(mode="json")
        kept = {
            name: "(a path)" if isinstance(value, str) and re.search(r"[/\\]", value) else value
            for name, value in values.items()
        }
        lines = [
            f"{NAME}: report of a failure",
            "",
            f"experiment: {self.experiment_id or 'none'}",
            f"seed: {self.seed}",
            f"parameters: {json.dumps(kept, ensure_ascii=False)}",
            "",
            "versions:",
            *(f"  {name} {number}" for name, number in versions().items()),
            f"  frozen {bool(getattr(sys, 'frozen', False))}",
            "",
            without_paths(self.traceback).rstrip(),
            "",
        ]
        return "\n".join(lines)
