"""Making a report: studies carried out by a pool of workers, kept as they are done."""

from __future__ import annotations

import dataclasses
import queue
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from engine.core.claims import Verdict
from engine.core.ensemble import Progress
from engine.executors.cluster import Cluster
from engine.executors.executor import Executor
from engine.reproduce import store
from engine.reproduce.carry import Options, carry_out
from engine.reproduce.findings import Findings
from engine.reproduce.study import Study

POLL = 0.1
"""Seconds between two looks at whether to go on."""
MOST_AHEAD = 0.9
"""Share of the work under way that is shown as done before it is."""


@dataclass(frozen=True, slots=True)
class Made:
    """What a report is made of: its studies in their order, and what was found in each."""

    studies: tuple[Study, ...]
    options: Options
    findings: Mapping[str, Findings]

    def surprises(self) -> list[str]:
        """List the studies that failed, or whose verdicts are not those on record."""
        found = []
        for study in self.studies:
            what = self.findings[study.id]
            expected = {"paper": study.expect.printed, "corrected": study.expect.corrected}
            agree = all(not on or on == what.verdict(of) for of, on in expected.items())
            off_record = what.verdict("reference") is Verdict.VIOLATED
            if what.error or not agree or off_record:
                found.append(study.id)
        return found


def make(
    folder: Path,
    studies: Sequence[Study],
    options: Options,
    pool: Executor,
    progress: Progress,
    *,
    anew: bool = False,
) -> Made | None:
    """Carry out studies and keep their findings in a folder; those kept before are taken as found.

    Parameters
    ----------
    folder : Path
        From `store.prepare`.
    studies : sequence of Study
    options : Options
    pool : Executor
        Processes, or workers elsewhere; closed by the caller.
    progress : callable
        Called about ten times a second with the share done.
    anew : bool
        Whether what was kept before is left aside.

    Returns
    -------
    Made or None
        None where `progress` asked to stop; what was finished is kept.

    Raises
    ------
    LabError
        If a file cannot be written or the pool fails.
    """
    keys = {study.id: store.key_of(study, options) for study in studies}
    found: dict[str, Findings] = {}
    for study in () if anew else studies:
        before = store.kept(folder, study.id, keys[study.id])
        if before is not None:
            found[study.id] = before
    left = [study for study in studies if study.id not in found]
    left.sort(key=lambda study: -_seconds(study, options))
    clock = _Clock({study.id: _seconds(study, options) for study in left}, pool.workers)
    here = "" if isinstance(pool, Cluster) else str(folder / store.PARTS)
    working = dataclasses.replace(options, keep=here)
    with _answers(left, working, pool) as (answers, stop):
        while len(found) < len(studies):
            text = f"{len(found)} of {len(studies)} studies"
            if not progress(clock.share(), text):
                stop.set()
                return None
            try:
                answer = answers.get(timeout=POLL)
            except queue.Empty:
                continue
            if isinstance(answer, Exception):
                raise answer
            if answer is None:  # no more will come
                return None
            study, findings = answer
            clock.done(study.id)
            store.keep(folder, keys[study.id], findings)
            found[study.id] = findings
    progress(1.0, f"{len(studies)} of {len(studies)} studies")
    return Made(tuple(studies), options, found)


def _seconds(study: Study, options: Options) -> float:
    """Return about how long a study takes on one core."""
    base = study.seconds if options.quick else study.full_seconds or study.seconds
    runs = [plan for plan in study.run if plan.from_data and options.data]
    return base + sum(plan.quick_seconds if options.quick else plan.seconds for plan in runs)


class _Clock:
    """Estimates the share of the work that is done, also between the ends of two studies.

    The studies are taken up in their order, as many at a time as there are workers; a study that is
    left alone has all cores.

    Parameters
    ----------
    seconds : mapping of str to float
        By the id of a study, in the order in which they are taken up.
    workers : int
    """

    def __init__(self, seconds: Mapping[str, float], workers: int) -> None:
        self._seconds = dict(seconds)
        self._total = sum(seconds.values()) or 1.0
        self._workers = max(workers, 1)
        self._waiting = list(seconds)
        self._ahead: dict[str, float] = {}
        self._done = self._shown = 0.0
        self._since = time.monotonic()
        self._take_up()

    def _take_up(self) -> None:
        while self._waiting and len(self._ahead) < self._workers:
            self._ahead[self._waiting.pop(0)] = 0.0

    def done(self, name: str) -> None:
        """Note that a study is done."""
        self._done += self._seconds[name]
        if name in self._waiting:  # another one was slow to begin
            self._waiting.remove(name)
        self._ahead.pop(name, None)
        self._take_up()

    def share(self) -> float:
        """Return the share done, which never falls."""
        now = time.monotonic()
        passed, self._since = now - self._since, now
        passed *= self._workers / max(len(self._ahead), 1)
        for name, ahead in self._ahead.items():
            self._ahead[name] = min(ahead + passed, MOST_AHEAD * self._seconds[name])
        share = (self._done + sum(self._ahead.values())) / self._total
        self._shown = max(self._shown, share)
        return min(self._shown, 1.0)


_Answer = tuple[Study, Findings] | Exception | None


@contextmanager
def _answers(
    studies: Sequence[Study], options: Options, pool: Executor
) -> Iterator[tuple[queue.Queue[_Answer], threading.Event]]:
    """Carry out studies in the pool from a thread, so that the calling one can look at a button."""
    answers: queue.Queue[_Answer] = queue.Queue()
    stop = threading.Event()

    def work() -> None:
        try:
            for study, findings in pool.run(carry_out, options, studies, stop):
                if findings is not None:
                    answers.put((study, findings))
        except Exception as error:  # raised again by the thread that waits
            answers.put(error)
        answers.put(None)

    thread = threading.Thread(target=work, name="engine-reproduce")
    thread.start()
    try:
        yield answers, stop
    finally:
        stop.set()
        thread.join()
