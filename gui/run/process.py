"""The running program as the operating system sees it: its age and its memory."""

from __future__ import annotations

import os
import sys
import time

_LOADED = time.perf_counter()


def seconds_since_start() -> float:
    """Measure the age of this process in seconds, the interpreter's own start included.

    On Linux from the kernel's record (10 ms resolution), on Windows from the process times;
    elsewhere from the moment this module was loaded, which leaves out the interpreter's start.
    """
    measured = None
    if sys.platform.startswith("linux"):
        measured = _age_on_linux()
    elif sys.platform == "win32":
        measured = _age_on_windows()
    return time.perf_counter() - _LOADED if measured is None else measured


def _age_on_linux() -> float | None:
    try:
        with open("/proc/self/stat", "rb") as file:
            # The command name may hold spaces and brackets, so fields count from its end.
            fields = file.read().rpartition(b")")[2].split()
        started = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        return time.clock_gettime(time.CLOCK_BOOTTIME) - started
    except (OSError, ValueError, IndexError):
        return None


def _age_on_windows() -> float | None:
    if sys.platform != "win32":
        return None
    import ctypes
    from ctypes import wintypes

    times = [wintypes.FILETIME() for _ in range(4)]
    kernel = ctypes.windll.kernel32
    kernel.GetCurrentProcess.restype = wintypes.HANDLE
    handle = wintypes.HANDLE(kernel.GetCurrentProcess())
    if not kernel.GetProcessTimes(handle, *(ctypes.byref(item) for item in times)):
        return None
    created = times[0].dwHighDateTime << 32 | times[0].dwLowDateTime
    # FILETIME counts 100 ns since 1601, which is 11,644,473,600 s before the Unix epoch.
    return time.time() - (created / 1e7 - 11_644_473_600)


HELD = {
    "linux": "Memory that the program holds, without files of libraries, "
    "which the system can drop from RAM and read again",
    "darwin": "The most memory that the program has had in RAM so far",
}.get(sys.platform, "Memory of the program in RAM")
"""What `held_bytes` measures, which depends on what the system reports."""


def held_bytes() -> int | None:
    """Measure the memory this process holds (see `HELD`); None where the system does not say."""
    if sys.platform.startswith("linux"):
        return _pages_on_linux(with_files=False)
    return resident_bytes()


def resident_bytes() -> int | None:
    """Measure the memory this process has in RAM; None where the system does not report it."""
    if sys.platform.startswith("linux"):
        return _pages_on_linux(with_files=True)
    if sys.platform == "win32":
        return _resident_on_windows()
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _pages_on_linux(*, with_files: bool) -> int | None:
    """Return the bytes in RAM; without those of files, of which the kernel counts the unchanged."""
    try:
        with open("/proc/self/statm", "rb") as file:
            resident, of_files = map(int, file.read().split()[1:3])
        return (resident if with_files else resident - of_files) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None


def _resident_on_windows() -> int | None:
    if sys.platform != "win32":
        return None
    import ctypes
    from ctypes import wintypes

    class Counters(ctypes.Structure):
        _fields_ = (
            ("cb", wintypes.DWORD),
            ("PageFaultCount", wintypes.DWORD),
            *(
                (name, ctypes.c_size_t)
                for name in (
                    "PeakWorkingSetSize",
                    "WorkingSetSize",
                    "QuotaPeakPagedPoolUsage",
                    "QuotaPagedPoolUsage",
                    "QuotaPeakNonPagedPoolUsage",
                    "QuotaNonPagedPoolUsage",
                    "PagefileUsage",
                    "PeakPagefileUsage",
                )
            ),
        )

    counters = Counters()
    counters.cb = ctypes.sizeof(counters)
    kernel = ctypes.windll.kernel32
    kernel.GetCurrentProcess.restype = wintypes.HANDLE
    handle = wintypes.HANDLE(kernel.GetCurrentProcess())
    if not kernel.K32GetProcessMemoryInfo(handle, ctypes.byref(counters), counters.cb):
        return None
    return int(counters.WorkingSetSize)
