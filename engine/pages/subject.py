"""What a page shows: a run of the scalar network or of a typed loss."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.core.errors import InputError
from engine.core.params import update
from engine.core.registry import get
from engine.expressions.functions import KINKED, Op
from engine.pages.derivatives import curve_of, gradient_of
from engine.pages.lines import Function
from engine.pages.steps import LOOKS_AHEAD, MEMORYLESS, NUMBERS, functions_of
from engine.run.replay import target_of
from engine.text.mathtext import html_math, plain_math, to_plain
from engine.theory.optimisers import describe
from engine.theory.optimisers.law import DescentLaw, Place

if TYPE_CHECKING:
    from engine.core.experiment import AbstractExperiment
    from engine.core.params import Params
    from engine.core.system import Dial
    from engine.experiments.own_loss.params import OwnLossParams
    from engine.experiments.scalar_product.params import ScalarParams
    from engine.run.notes import Note
    from engine.run.spec import RunSpec

EXPERIMENTS = ("scalar-product", "own-loss")
"""Those whose runs a page can make."""
_ALLOWED = "give a run of scalar-product or own-loss: a page makes these"
LIMIT = 1e12
"""Magnitude of a weight beyond which a run has diverged, in units of its scale."""
LEAST_STEPS, MOST_STEPS = 50, 2000
"""Steps that a page shows at first; its reader may ask for more."""
MOST_CURVED, MOST_BENT = 6, 500
"""Variables and operations up to which a page has the Hessian, and critical step sizes with it."""
MOST_KEPT = 0.9999
"""Largest part of a mean, or of the last step, that a page keeps."""
DEEPEST = 64
"""Depth up to which period doublings are looked for."""
SMOOTH = ("gradient-descent", "heavy-ball", "nesterov")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a page shows.

    Attributes
    ----------
    title, summary : str
        Plain text.
    formula : str
        HTML of the step, or nothing.
    law : DescentLaw
        How its runs move.
    functions : tuple of Function
        The loss and its derivatives, and the step.
    limit, most_product : float
        Magnitudes of weights and of their product beyond which a run has diverged.
    powers : tuple of int
        Weights of the scalar network that each variable stands for; empty for a typed loss.
    sign : int
        Sign of their product where all variables are positive.
    steps : int
        Steps that are shown at first.
    marks : tuple of mapping
        Step sizes in units of the largest stable one, see `_doublings`.
    remarks : tuple of str
        What of the run the page leaves out, in sentences.
    notes : tuple of mapping
        The user's notes: ``plot`` of the page, or nothing, ``title`` of the plot that they are on,
        ``x``, ``y`` and ``text``.
    """

    title: str
    summary: str
    formula: str
    law: DescentLaw
    functions: tuple[Function, ...]
    limit: float
    most_product: float
    powers: tuple[int, ...]
    sign: int
    steps: int
    marks: tuple[Mapping[str, Any], ...]
    remarks: tuple[str, ...]
    notes: tuple[Mapping[str, Any], ...] = ()

    @property
    def setting(self) -> Mapping[str, Any]:
        """What the page's script needs, as plain values."""
        law, setting = self.law, self.law.setting
        operations = np.concatenate([law.tape.shared[:, 0], law.tape.rows[:, 0]])
        controls = [_control(dial, law.places[dial.name], law) for dial in law.dials]
        return {
            "title": self.title,
            "summary": self.summary,
            "optimiser": describe(setting.optimiser).title,
            "smooth": setting.optimiser in SMOOTH and setting.schedule.is_constant,
            "memoryless": setting.optimiser in MEMORYLESS and setting.schedule.is_constant,
            "constantStep": setting.schedule.is_constant and setting.optimiser != "polyak",
            "method": setting.optimiser,
            "variables": [
                {"html": html_math(law.labels[name]), "text": plain_math(law.labels[name])}
                for name in law.variables
            ],
            "start": law.start.tolist(),
            "constants": law.constants.tolist(),
            "numbers": [_finite(getattr(setting, name)) for name in NUMBERS],
            "scales": list(setting.scales),
            "controls": [control for control in controls if control is not None],
            "limit": self.limit,
            "steps": self.steps,
            "marks": list(self.marks),
            "remarks": list(self.remarks),
            "notes": list(self.notes),
            "kinks": any(Op(op) in KINKED for op in operations.tolist()),
            "curved": any(each.name == "curve" for each in self.functions),
        }

    @property
    def constants(self) -> Mapping[str, Any]:
        """Numbers that the written functions and the run name, by name."""
        data = self.law.data
        rows = 0 if data is None else int(data.shape[1])
        return {
            "LOOKS_AHEAD": self.law.setting.optimiser in LOOKS_AHEAD,
            "MOST_PRODUCT": self.most_product,
            "POWERS": list(self.powers),
            "SIGN": self.sign,
            "ROWS": rows,
            "OPERATIONS": len(self.law.tape.shared) + len(self.law.tape.rows) * rows,
            "D": [] if data is None else data.tolist(),
        }


def subject_of(run: RunSpec) -> Subject:
    """Return what a page of a run shows.

    Raises
    ------
    InputError
        If a page cannot make the run; the sentence names what it can.
    """
    experiment = get(run.experiment)
    if experiment.id not in EXPERIMENTS:
        raise InputError("page", experiment.id, _ALLOWED)
    params, remarks = _in_force(experiment, run)
    rule = _step_rule(params)
    if rule != "fixed":
        allowed = "give fixed: a page makes no steps whose size depends on the curvature"
        raise InputError("step_rule", rule, allowed)
    law = experiment.law(params, run.seed)
    if not isinstance(law, DescentLaw):
        allowed = "give a start with at most 20 different magnitudes: a page has a number for each"
        raise InputError("init", getattr(params, "init", experiment.id), allowed)
    steps = min(max(target_of(run), LEAST_STEPS), MOST_STEPS)
    from engine.experiments.own_loss.params import OwnLossParams
    from engine.experiments.scalar_product.params import ScalarParams

    if isinstance(params, ScalarParams):
        made = _scalar(experiment.title, params, law, steps, remarks)
    else:
        assert isinstance(params, OwnLossParams)
        made = _typed(params, law, steps, remarks)
    titles = {view.id: to_plain(view.title) for view in experiment.views(params)}
    return dataclasses.replace(made, notes=tuple(_note(each, titles, made) for each in run.notes))


def _note(note: Note, titles: Mapping[str, str], subject: Subject) -> Mapping[str, Any]:
    """Return a note as the page has it: on its plot of the same axes, if there is one."""
    is_scalar, count = bool(subject.powers), len(subject.law.variables)
    same = {"weights": "weights", "cobweb": "cobweb"}
    if is_scalar:
        same |= {"error": "error"} | ({"orbit-diagram": "orbit"} if count == 1 else {})
    else:
        same |= {"loss": "error"} | ({"landscape": "plane"} if count == 1 else {})
        if subject.law.setting.lowest_loss == 0.0:
            same["excess"] = "error"
    return {
        "plot": same.get(note.view, ""),
        "title": titles.get(note.view, note.view),
        "x": note.x,
        "y": note.y,
        "text": to_plain(note.text),
    }


def refusal_of(experiment: str) -> str:
    """Return why an experiment has no pages, as a sentence; nothing where it has."""
    return "" if experiment in EXPERIMENTS else str(InputError("page", experiment, _ALLOWED))


def _step_rule(params: Params) -> str:
    """Return the rule of the step size, where the optimiser reads it."""
    setting = getattr(params, "setting", None)
    return str(getattr(params, "step_rule", "fixed") if setting is None else setting.rule)


def _in_force(
    experiment: AbstractExperiment[Any, Any], run: RunSpec
) -> tuple[Params, tuple[str, ...]]:
    """Return the parameters that a run ends with, and what of the run they leave out."""
    params, remarks = run.params, []
    values = {name: value for change in run.changes for name, value in change.values.items()}
    if run.changes:
        params = update(params, **values) if values else params
        remarks.append(
            "The run was changed while it went on; the page makes it with its last settings from "
            "step 0."
        )
    if run.start is not None:
        weights = tuple(map(float, run.start["weights"].tolist()))
        given = {"start": weights} if experiment.id == "own-loss" else {"weights": weights}
        more = {} if experiment.id == "own-loss" else {"init": "list"}
        params = update(params, **given, **more, noise=0.0)
    return params, tuple(remarks)


def _functions(law: DescentLaw) -> tuple[Function, ...]:
    size = len(law.variables)
    made = (gradient_of(law.tape), *functions_of(law.setting, size))
    has_curve = size <= MOST_CURVED and law.tape.operations <= MOST_BENT
    return (*made, curve_of(law.tape)) if has_curve else made


def _control(dial: Dial, place: Place, law: DescentLaw) -> dict[str, Any] | None:
    """Return a dial as the page has it; None for what a page cannot change."""
    if place.field is not None and place.field not in NUMBERS:
        return None
    target: dict[str, Any]
    most, high = dial.most, dial.high
    if place.field in ("momentum", "square_decay"):  # below 1
        most, high = min(most, MOST_KEPT), min(high, MOST_KEPT)
    if place.field is not None:
        target = {"number": NUMBERS.index(place.field)}
    elif place.constant is not None:
        target = {"constant": place.constant}
    else:
        target = {"variables": list(place.variables)}
    return {
        "id": dial.name,
        "html": html_math(dial.label),
        "text": plain_math(dial.label),
        "value": dial.value,
        "low": dial.low,
        "high": high,
        "least": _finite(dial.least),
        "most": _finite(most),
        "log": dial.log and dial.low > 0.0,
        "group": "start" if dial.is_start else "parameters",
        **target,
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


# the scalar network


def _scalar(
    title: str, params: ScalarParams, law: DescentLaw, steps: int, remarks: tuple[str, ...]
) -> Subject:
    powers = tuple(round(1.0 / scale) for scale in law.setting.scales)
    formula = (
        r"w_i[k+1] = w_i[k] - \delta\sigma\,(w_1 w_2 \cdots w_L - \lambda)\,\partial_i(w_1 \cdots"
        r" w_L)"
    )
    if params.has_momentum:
        formula = r"f(w) = \frac{\sigma}{2}(w_1 w_2 \cdots w_L - \lambda)^2"
    return Subject(
        title=title,
        summary=_summary(params, powers),
        formula=html_math(formula),
        law=_without_copies(law),
        functions=_functions(law),
        limit=LIMIT * max(1.0, params.root),
        most_product=LIMIT * max(1.0, abs(params.target)),
        powers=powers,
        sign=-1 if _is_negative(law) else 1,
        steps=steps,
        marks=_doublings(params, powers, _is_negative(law)),
        remarks=remarks,
    )


def _summary(params: ScalarParams, powers: Sequence[int]) -> str:
    made = f"{params.depth} numbers whose product should become λ, by "
    made += f"{describe(params.optimiser).title}."
    equal = [f"{power}" for power in powers if power > 1]
    if equal:
        made += " A variable stands for all weights of the same magnitude"
        made += f": {', '.join(equal)} of {params.depth}."
    return made


def _is_negative(law: DescentLaw) -> bool:
    """Return whether the product of the weights is that of the variables with another sign."""
    return bool((law.tape.shared[:, 0] == Op.NEG).any())


def _without_copies(law: DescentLaw) -> DescentLaw:
    """Keep one dial of the start for every variable, whichever weights it stands for."""
    seen: set[tuple[int, ...]] = set()
    dials = []
    for dial in law.dials:
        at = law.places[dial.name].variables
        if at and at in seen:
            continue
        if at:
            seen.add(at)
        dials.append(dial)
    return dataclasses.replace(law, dials=tuple(dials))


def _doublings(
    params: ScalarParams, powers: Sequence[int], is_negative: bool
) -> tuple[Mapping[str, Any], ...]:
    """Return where cycles of equal weights double their period, in units of delta_max.

    Each mark has ``x``, ``text``, and ``momentum`` where it holds for this momentum alone.
    """
    from engine.experiments.scalar_product import period_doubling

    depth = params.depth
    alike = len(powers) == 1 and not is_negative
    if not alike or not 2 <= depth <= DEEPEST or params.target <= 0.0:
        return ()
    if params.optimiser == "heavy-ball":
        unit = 1.0 + params.momentum
        x = period_doubling.heavy_ball_doubling(depth, params.momentum) / unit
        return ({"x": x, "text": "period 4", "momentum": params.momentum},)
    if params.optimiser != "gradient-descent":
        return ()
    found = period_doubling.doublings(depth, 4)[1:]
    made = [{"x": x, "text": f"period {2 ** (i + 2)}"} for i, x in enumerate(found)]
    return (*made, {"x": period_doubling.crisis(depth), "text": "w < 0"})


# a typed loss


def _typed(params: OwnLossParams, law: DescentLaw, steps: int, remarks: tuple[str, ...]) -> Subject:
    means = {
        "function": "A typed loss",
        "least-squares": "The mean of r²/2 over rows of data",
        "logistic": "The mean logistic loss over rows of data",
    }
    reach = max(1.0, float(abs(law.start).max()))
    return Subject(
        title=f"f({', '.join(plain_math(law.labels[name]) for name in law.variables[:6])}"
        f"{', …' if len(law.variables) > 6 else ''}) = {params.function}",
        summary=f"{means[params.minimise]}, by {describe(params.optimiser).title}.",
        formula="",
        law=law,
        functions=_functions(law),
        limit=LIMIT * reach,
        most_product=0.0,
        powers=(),
        sign=1,
        steps=steps,
        marks=(),
        remarks=remarks,
    )
