"""Names: of runs, by what distinguishes them, and of bounds that a number may be given in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from engine.core.registry import get
from engine.text.mathtext import plain_math
from engine.text.numbers import short

if TYPE_CHECKING:
    from engine.core.params import Params, ParamSpec


def settings_text(params: Params, seed: int, others: Sequence[tuple[Params, int]] = ()) -> str:
    """Name what distinguishes a run from others of its experiment.

    Its first live value comes first; then what differs from any of `others`, or, without others,
    from the defaults. More than four are cut off.
    """
    from engine.core.params import describe  # the window names runs before it can afford it

    specs = describe(type(params))
    values = {spec.name: getattr(params, spec.name) for spec in specs}
    main = next((spec.name for spec in specs if spec.live), "")
    parts: list[str] = []
    for spec in specs:
        value = values[spec.name]
        known = [getattr(other, spec.name, spec.default) for other, _ in others]
        if spec.name == main:
            parts.insert(0, _named(spec, value))
        elif any(value != other for other in known or [spec.default]) and spec.is_active(values):
            parts.append(_named(spec, value))
    if any(seed != other for _, other in others) or (seed and not others):
        parts.append(f"seed\u00a0=\u00a0{seed}")
    return ", ".join(parts[:4]) + (" …" if len(parts) > 4 else "")


def _named(spec: ParamSpec, value: Any) -> str:
    # Kept together where a narrow list breaks the line.
    return f"{plain_math(spec.symbol) or spec.label}\u00a0=\u00a0{_short(spec, value)}"


def _short(spec: ParamSpec, value: Any) -> str:
    if spec.kind == "float":
        return short(value, 5)
    if spec.kind in ("floats", "matrix"):
        return f"[{len(value)}]"
    text = str(value)
    return text if len(text) <= 16 else text[:15] + "…"


def named_bounds(experiment: str, params: Params) -> dict[str, float]:
    """Return the bounds of the theory by their names, which a number may be given in."""
    names: dict[str, float] = {}
    for bound in get(experiment).theory(params, None):
        if bound.value is not None:
            names |= {bound.id: bound.value, plain_math(bound.symbol): bound.value}
    return names
