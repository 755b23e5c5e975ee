"""The report of a failure: everything that helps to repeat it, nothing about the person."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from engine.core.params import Params
from engine.core.versions import NAME, versions

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


def crash_report(
    traceback_text: str, experiment_id: str, params: Params | None, seed: int | None
) -> str:
    """Write a report: what failed, under which settings, with which versions.

    File names are shortened and texts among the parameters that look like paths left out, so that
    a report can be sent to strangers.
    """
    values = {} if params is None else params.model_dump(mode="json")
    kept = {
        name: "(a path)" if isinstance(value, str) and re.search(r"[/\\]", value) else value
        for name, value in values.items()
    }
    version_lines = [f"  {name} {number}" for name, number in versions().items()]
    lines = [
        f"{NAME}: report of a failure",
        "",
        f"experiment: {experiment_id or 'none'}",
        f"seed: {seed}",
        f"parameters: {json.dumps(kept, ensure_ascii=False)}",
        "",
        "versions:",
        *version_lines,
        f"  frozen {bool(getattr(sys, 'frozen', False))}",
        "",
        without_paths(traceback_text).rstrip(),
        "",
    ]
    return "\n".join(lines)
