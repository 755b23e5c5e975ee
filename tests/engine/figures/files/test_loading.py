"""What matplotlib says while it loads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
SLOW = """
import threading
class At(threading.Timer):
    def __init__(self, interval, function, *rest, **more):
        super().__init__(0.0, function, *rest, **more)
    def start(self):
        self.function()
threading.Timer = At
from engine.figures.files.loading import load_matplotlib
load_matplotlib()
import logging
logging.getLogger("matplotlib.font_manager").warning("another word")
"""


def test_nothing_is_said_while_fonts_are_looked_for(tmp_path: Path) -> None:
    """The line comes after five seconds, here at once; other warnings stay."""
    environment = {**os.environ, "MPLCONFIGDIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", SLOW],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert list(tmp_path.glob("fontlist*")), "no fonts were looked for"
    assert done.stderr == "another word\n"
