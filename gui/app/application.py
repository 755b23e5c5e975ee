"""The program with a window: options, start, and what happens to errors nobody caught."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from engine.cli.output import report
from engine.system import display, libraries
from gui.app.ending import EndRequests, end_at_once, leave
from gui.app.options import parser

if TYPE_CHECKING:
    import argparse

    from PySide6.QtWidgets import QApplication

    from gui.window.main_window import MainWindow

SWITCH_SECONDS = 0.001
"""How long one thread keeps the interpreter while another waits; Python's own 5 ms are a third
of a frame."""
PLATFORM = "QT_QPA_PLATFORM"


def application() -> QApplication:
    """Make the Qt application, or give the one there is."""
    from PySide6.QtWidgets import QApplication

    from engine.core.versions import NAME, VERSION
    from gui.app.collector import Collector
    from gui.app.fonts import ensure_fonts

    known = QApplication.instance()
    if isinstance(known, QApplication):
        return known
    app = QApplication(sys.argv[:1])
    app.setApplicationName("lyapunov-lab")
    app.setApplicationDisplayName(NAME)
    app.setApplicationVersion(VERSION)
    app.setDesktopFileName("lyapunov-lab")
    ensure_fonts(app)
    Collector(app)
    return app


def problem_with_qt(*, offscreen: bool = False) -> str:
    """Choose Qt's platform, and return why it cannot start, in one sentence; nothing if it can.

    Parameters
    ----------
    offscreen : bool
        Whether nobody has to see the window: where there is no display, Qt then draws into memory.
    """
    choice = display.choose()
    if offscreen and not choice.has_display:
        choice = display.choose({**os.environ, PLATFORM: "offscreen"})
    if not choice.problem:
        if choice.platform:
            os.environ[PLATFORM] = choice.platform
        try:
            import PySide6.QtWidgets  # noqa: F401
        except ImportError as error:
            absent = libraries.missing(choice.platform.partition(";")[0].partition(":")[0])
            reason = " ".join(str(error).split())
            return libraries.sentence(absent) if absent else f"Qt cannot be loaded: {reason}"
    return choice.problem


def prepare_process() -> None:
    """Shorten Python's switch interval, so that the engine's thread hardly delays the window's."""
    sys.setswitchinterval(SWITCH_SECONDS)


def run(argv: Sequence[str] = ()) -> int:
    """Open the window, run until it is closed, and leave no thread of it behind."""
    return leave(main(argv))


def main(argv: Sequence[str] = ()) -> int:
    """Open the window and run until it is closed."""
    options = parser().parse_args(list(argv))
    problem = problem_with_qt(offscreen=options.startup_time)
    if problem:
        return report(problem, 1)
    requests = EndRequests(early=lambda: end_at_once(0))
    try:
        return _run(options, requests)
    finally:
        requests.stop()
        sys.excepthook = sys.__excepthook__


def _run(options: argparse.Namespace, requests: EndRequests) -> int:
    prepare_process()
    app = application()
    from PySide6.QtCore import QEvent

    from gui.app.naming import experiment_named_by
    from gui.app.starting import Start
    from gui.settings import Settings, default_path
    from gui.window.main_window import MainWindow

    window = MainWindow(Settings(None if options.fresh else default_path()))
    requests.hold()
    path = options.open or options.file
    window.restore(first=experiment_named_by(path) if path else "")
    if options.theme:
        window.theme_choice.set(options.theme)
    catch_errors(window)
    start = Start(
        window,
        keeps_formulas=not options.fresh,
        path=path,
        prints_times=options.startup_time,
    )

    def end() -> None:
        window.close()
        app.exit()  # also out of the loop of a dialog, and if the window was not shown yet

    def save_and_end() -> None:
        with contextlib.suppress(Exception):  # whatever the program was about
            window.state.save()
        end_at_once(0)

    requests.watch(end, save_and_end)
    window.show()
    code = app.exec()
    window.deleteLater()  # now, and not in whatever order the interpreter ends
    app.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    return code or start.status


def catch_errors(window: MainWindow) -> None:
    """Show an error nobody caught in a bar of the window, and print it on standard error."""

    def show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        sys.__excepthook__(kind, error, trace)
        window.report_failure("".join(traceback.format_exception(kind, error, trace)))

    sys.excepthook = show
