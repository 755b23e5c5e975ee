"""Commands that recompute publications: `reproduce` and `atlas`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cli.output import DONE, FAILED, INTERRUPTED
from engine.cli.terminal import Interrupt, progress_line
from engine.core.errors import InputError
from engine.storage.files import to_json
from engine.text.mathtext import to_plain

if TYPE_CHECKING:
    from engine.reproduce.findings import Findings
    from engine.reproduce.study import Study

MOST_WORKERS = 256


def configure_reproduce(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `reproduce`."""
    add = parser.add_argument
    add("--out", metavar="DIR", required=True, help="folder of the report; one begun there goes on")
    add("--quick", action="store_true", help="shorter runs and smaller ensembles: minutes")
    add("--data", metavar="DIR", default="", help="mnist, or a folder of its IDX files")
    add(
        "--only",
        metavar="STUDY",
        action="append",
        default=[],
        help="make only this study; may be given several times",
    )
    add("--workers", metavar="N", type=int, help="processes at the same time (default: cores)")
    add("--scheduler", metavar="ADDRESS", default="", help="of a Dask cluster, as tcp://host:8786")
    add("--anew", action="store_true", help="compute again what the folder has already")


def reproduce(options: argparse.Namespace) -> int:
    """Make a report on the paper and on later literature."""
    from engine.executors.choice import pool as workers_for
    from engine.reproduce import making, store
    from engine.reproduce.carry import Options
    from engine.reproduce.report import files
    from engine.reproduce.report.words import summary

    wanted = Options(quick=options.quick, data=options.data)
    if wanted.data:
        _check_data(wanted.data)
    studies = list(_chosen(options.only))
    if options.workers is not None and not 1 <= options.workers <= MOST_WORKERS:
        rule = f"give a whole number from 1 to {MOST_WORKERS}"
        raise InputError("--workers", options.workers, rule)
    folder = store.check(Path(options.out))
    with (
        workers_for(
            has_threads=False, scheduler=options.scheduler, workers=options.workers
        ) as pool,
        Interrupt() as interrupt,
        progress_line(sys.stderr) as show,
    ):
        made = making.make(
            store.prepare(folder),
            studies,
            wanted,
            pool,
            lambda done, text: show(done, text) and interrupt.go_on,
            anew=options.anew,
        )
    if made is None:
        print("stopped; the same command goes on with the studies that are left", file=sys.stderr)
        return INTERRUPTED
    names = files.write(folder, made)
    for study in made.studies:
        print(_line(study, made.findings[study.id]))
    print(summary(made))
    print(f"Written to {options.out}: {', '.join(names)}")
    return FAILED if made.surprises() else DONE


def _check_data(data: str) -> None:
    """Refuse data that cannot be read before anything is computed."""
    from engine.experiments.mnist import datasets

    datasets.load(data)


def _chosen(only: list[str]) -> Iterator[Study]:
    """Return the studies that were asked for, the paper's first."""
    from engine.reproduce.catalogue import studies

    every = (*studies("reproduce"), *studies("atlas"))
    known = [study.id for study in every]
    for name in only:
        if name not in known:
            raise InputError("--only", name, f"give some of {', '.join(known)}")
    return (study for study in every if not only or study.id in only)


def _line(study: Study, found: Findings) -> str:
    from engine.reproduce.report.words import verdicts

    said = "; ".join(f"{whose}: {verdict}" for whose, verdict in verdicts(found))
    return f"{study.id:22}  {found.error or said}"


def configure_atlas(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `atlas`."""
    add = parser.add_argument
    add("entry", nargs="?", metavar="ENTRY|FILE", help="an entry's id, or a file of your own")
    add("--quick", action="store_true", help="shorter runs")
    add("--json", action="store_true", help="print JSON")


def atlas(options: argparse.Namespace) -> int:
    """List the atlas of later literature, or recompute one of its entries."""
    import threading

    from engine.reproduce.carry import Options, carry_out
    from engine.reproduce.catalogue import studies

    if options.entry is None:
        _list(options.json)
        return DONE
    study = _entry(options.entry)
    missing = [entry.id for entry in studies("atlas") if entry.id == study.id]
    with Interrupt() as interrupt:
        stop = threading.Event()
        found = carry_out(Options(quick=options.quick), study, stop)
        if found is None or not interrupt.go_on:
            return INTERRUPTED
    if options.json:
        table = found.as_table()
        table["pictures"] = len(found.pictures)
        print(to_json(table))
    else:
        print(_in_words(study, found, is_own=not missing))
    failed = found.error or any(check.holds is False for check in found.checks)
    return FAILED if failed else DONE


def _list(as_json: bool) -> None:
    from engine.reproduce.catalogue import studies

    listed = studies("atlas")
    if as_json:
        kept = ("id", "title", "citation", "section", "wording", "says")
        print(to_json([{name: getattr(each, name) for name in kept} for each in listed]))
        return
    width = max((len(each.id) for each in listed), default=0)
    for each in listed:
        print(f"{each.id:{width}}  {to_plain(each.title)} ({to_plain(each.citation)})")


def _entry(text: str) -> Study:
    from engine.reproduce.catalogue import study
    from engine.reproduce.study import Study as Model
    from engine.storage.documents import load

    path = Path(text)
    if path.suffix == ".toml" or len(path.parts) > 1:
        return load(Model, path, "ENTRY")
    return study("atlas", text)


def _in_words(study: Study, found: Findings, *, is_own: bool) -> str:
    from engine.reproduce.report.words import WORDING, mark

    lines = [f"{study.id}: {study.title}" + (" (your own)" if is_own else "")]
    lines += [f"  {study.place}"]
    lines += [f"  {WORDING[study.wording]}: {' '.join(study.says.split())}"]
    lines += [f"  Assumes: {'; '.join(study.assumptions)}"] if study.assumptions else []
    for check in found.checks:
        measured = check.measured or check.why
        lines.append(f"  {mark(check.holds)} {check.what}: {measured} (expected {check.expected})")
    lines += [f"  It could not be carried out: {found.error}"] if found.error else []
    return to_plain("\n".join(lines))
