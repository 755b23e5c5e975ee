"""Carrying out a study: its runs, computations and checks, in whatever process."""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli_w

import engine.experiments  # noqa: F401  registers the experiments
from engine.core.errors import InputError, LabError
from engine.core.packages import is_installed
from engine.core.params import build, update
from engine.core.registry import get
from engine.core.versions import versions
from engine.families.proofs.claims import without_time
from engine.figures.data import FigureData
from engine.reproduce import measures
from engine.reproduce.checking import MISSING, check, quantity
from engine.reproduce.findings import Computed, Findings, MadeRun, Picture, ShownClaim
from engine.reproduce.pictures import drawn
from engine.reproduce.study import RunPlan, Study
from engine.run import replay
from engine.run.analyst import complete
from engine.run.session import Session
from engine.run.spec import RunSpec
from engine.storage import presets, runfile, runfolder
from engine.storage.files import to_json
from engine.text.mathtext import to_plain

_KINDS = {"max_steps": "ended"}
"""Kinds of outcomes that have another name in a sentence."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a report was asked for.

    Attributes
    ----------
    quick : bool
        Whether runs are short and ensembles small.
    data : str
        Of MNIST; empty without.
    pictures : bool
        Whether figures are drawn.
    keep : str
        Folder for what long runs need to go on; empty where there is none. It changes nothing that
        is found.
    """

    quick: bool = False
    data: str = ""
    pictures: bool = True
    keep: str = ""


class StoppedError(Exception):
    """The study was stopped before its end."""


def carry_out(options: Options, study: Study, stop: threading.Event) -> Findings | None:
    """Carry out a study; a failure of one of its parts is a finding, too.

    Returns
    -------
    Findings or None
        None once `stop` is set.
    """
    begin = time.perf_counter()
    work = _Work(study, options, lambda *_: not stop.is_set())
    error = ""
    try:
        work.make()
    except StoppedError:
        return None
    except LabError as failure:
        error = str(failure)
    except Exception as failure:  # a report of all else is worth more than a traceback
        error = f"{type(failure).__name__}: {' '.join(str(failure).split())}"
    if stop.is_set():
        return None
    return dataclasses.replace(work.findings(), seconds=time.perf_counter() - begin, error=error)


def spec_of(plan: RunPlan, options: Options) -> RunSpec:
    """Return the run that a plan describes.

    Raises
    ------
    InputError
        For an unknown experiment, preset or parameter, or a value out of range.
    """
    experiment = get(plan.experiment)
    values: dict[str, Any] = {}
    seed, steps = plan.seed, plan.steps
    if plan.preset:
        preset = presets.preset(plan.experiment, plan.preset)
        values = preset.params.model_dump()
        seed = preset.seed if seed is None else seed
        steps = preset.steps if steps is None else steps
    values |= plan.params
    if options.quick:
        values |= plan.quick_params
        steps = steps if plan.quick_steps is None else plan.quick_steps
    if plan.from_data:
        values["data"] = options.data
    params = build(experiment.parameters, values)
    return RunSpec(experiment=experiment.id, params=params, seed=seed or 0, steps=steps)


@dataclass(slots=True)
class _Work:
    """A study being carried out."""

    study: Study
    options: Options
    go_on: Callable[..., bool]
    results: dict[str, Any] = field(default_factory=dict)
    runs: list[MadeRun] = field(default_factory=list)
    computed: list[Computed] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    checks: list[Any] = field(default_factory=list)
    proof_seconds: list[tuple[str, str]] = field(default_factory=list)

    def make(self) -> None:
        missing = [package for package in self.study.needs if not is_installed(package)]
        for plan in self.study.run:
            if missing or (plan.from_data and not self.options.data):
                self.results[plan.name] = MISSING
            else:
                self._run(plan)
        for each in self.study.compute:
            self._heed()
            if self.options.quick and each.full_only:
                self.results[each.name] = MISSING
                continue
            arguments = each.arguments | (each.quick_arguments if self.options.quick else {})
            self.results[each.name] = measures.compute(each.function, arguments)
            text = tomli_w.dumps(arguments).strip()
            self.computed.append(Computed(name=each.name, function=each.function, arguments=text))
        for formula in self.study.quantity:
            self.results[formula.name] = quantity(self.results, formula)
        for wanted in self.study.check:
            self.checks += check(self.results, wanted, quick=self.options.quick)

    def findings(self) -> Findings:
        return Findings(
            id=self.study.id,
            checks=tuple(self.checks),
            runs=tuple(self.runs),
            computed=tuple(self.computed),
            pictures=tuple(self.pictures),
            proof_seconds=tuple(self.proof_seconds),
        )

    def _heed(self) -> None:
        if not self.go_on():
            raise StoppedError

    def _run(self, plan: RunPlan) -> None:
        """Carry out a run as `main.py run` does, and keep what its `run.json` would hold."""
        run = spec_of(plan, self.options)
        with _resuming(run, self.options.keep, f"{self.study.id}-{plan.name}") as resumed:
            session = replay.begin(resumed)
            try:
                if not replay.in_chunks(resumed, session, self.go_on):
                    raise StoppedError
                self._take(plan, run, session)
            finally:
                session.close()

    def _take(self, plan: RunPlan, run: RunSpec, session: Session) -> None:
        """Take the results of a run that has ended."""
        experiment = session.experiment
        complete(experiment, session.params, session.state, self.go_on)
        ensemble = None
        if plan.ensemble:
            steps = replay.target_of(run)
            ensemble = experiment.ensemble(session.params, run.seed, steps, self.go_on)
        self._heed()
        result = runfolder.result_of(run, session, session.outcome(), ensemble)
        self.results[plan.name] = result
        self.runs.append(self._described(plan, run, result))
        self._draw(plan, session)

    def _described(self, plan: RunPlan, run: RunSpec, result: dict[str, Any]) -> MadeRun:
        claims = {claim["id"]: claim for claim in result["claims"]}
        for name in plan.claims:
            if name not in claims:
                rule = f"give some of {', '.join(claims)}"
                raise InputError(f"claims of the run {plan.name}", name, rule)
        outcome, which = result["outcome"], "first seed: " if plan.ensemble else ""
        kind = _KINDS.get(outcome["kind"], outcome["kind"])
        file = f"runs/{self.study.id}/{plan.name}.toml"
        return MadeRun(
            name=plan.name,
            title=_title(plan),
            experiment=run.experiment,
            outcome=to_plain(f"{which}{kind} at step {outcome['step']}: {outcome['message']}"),
            file_name=file,
            file=runfile.dumps(run),
            claims=tuple(self._shown(_title(plan), claims[name]) for name in plan.claims),
        )

    def _shown(self, run: str, claim: dict[str, Any]) -> ShownClaim:
        """Return a claim as the report shows it; the seconds that it tells are set apart."""
        lamps = tuple((lamp["name"], lamp["on"], lamp["detail"]) for lamp in claim["assumptions"])
        shown = {}
        for name in ("title", "source", "statement", "predicted", "measured", "note"):
            shown[name], seconds = without_time(claim[name])
            self.proof_seconds += [(f"{run}: {claim['title']}", each) for each in seconds]
        return ShownClaim(**shown, assumptions=lamps, verdict=str(claim["verdict"]))

    def _draw(self, plan: RunPlan, session: Session) -> None:
        if not plan.pictures:
            return
        views = {view.id: view for view in session.experiment.views(session.params)}
        data = FigureData.of(session)
        for name in plan.pictures:
            self._heed()
            if name not in views:
                rule = f"give some of {', '.join(views)}"
                raise InputError(f"pictures of the run {plan.name}", name, rule)
            if not self.options.pictures:
                continue
            view = views[name]
            prefix = f"{self.study.id}-{len(self.pictures) + 1}"
            caption = plan.caption or f"{_title(plan)}. {view.help}"
            self.pictures.append(
                Picture(title=view.title, caption=caption, svg=drawn(view, data, prefix))
            )


@contextmanager
def _resuming(run: RunSpec, keep: str, name: str) -> Iterator[RunSpec]:
    """Yield a run that goes on from its newest checkpoint, where its experiment makes any.

    They are kept until the block ends, in a folder of this run, its parameters and this program
    alone; after a failure they are not, as they may be at fault.
    """
    if not hasattr(run.params, "checkpoints"):
        yield run
        return
    if not keep:
        yield dataclasses.replace(run, params=update(run.params, checkpoints="off"))
        return
    depends = f"{runfile.dumps(run)}{to_json(versions())}".encode()
    folder = Path(keep) / f"{name}-{hashlib.sha256(depends).hexdigest()[:12]}"
    params = update(run.params, checkpoints=str(folder), resume=True)
    try:
        yield dataclasses.replace(run, params=params)
    except StoppedError:
        raise
    except Exception:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)


def _title(plan: RunPlan) -> str:
    return plan.title or plan.name.replace("-", " ").capitalize()
