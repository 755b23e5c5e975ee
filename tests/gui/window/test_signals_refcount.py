"""PySide6 6.12 on CPython 3.11 loses a reference to True at every emit and ends by aborting.

The count belongs to the whole process: a module that the typesetter's thread imports meanwhile adds
thousands of references, a collection of garbage removes some. So it is taken in a process that does
nothing else.
"""

from __future__ import annotations

import subprocess
import sys

EMITS = 50_000
COUNTING = f"""
import gc
import sys

from PySide6.QtCore import QObject, Signal

class Emitter(QObject):
    flagged = Signal(bool)
    named = Signal(object, bool)

emitter = Emitter()
seen = 0

def count(*values):
    global seen
    seen += values[-1] is True

emitter.flagged.connect(count)
emitter.named.connect(count)
gc.collect()
gc.disable()
before = sys.getrefcount(True)
for _ in range({EMITS}):
    emitter.flagged.emit(True)
    emitter.named.emit(None, True)
print(seen, sys.getrefcount(True) - before)
"""


def test_signals_keep_the_reference_count_of_true() -> None:
    child = subprocess.run(
        [sys.executable, "-c", COUNTING], capture_output=True, text=True, check=False
    )
    assert child.returncode == 0, child.stderr
    seen, gained = map(int, child.stdout.split())
    assert seen == 2 * EMITS
    assert abs(gained) < 10
