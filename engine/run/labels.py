"""Names of runs by what distinguishes them, values worth a caption, and names of bounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from engine.core.registry import get
from engine.text.mathtext import plain_math
from engine.text.numbers import short

if TYPE_CHECKING:
    from engine.core.params import Params, ParamSpec


MAIN = "step_size"
"""The value by which a run is named before all others, where it can be changed while it runs."""
LONGEST_TEXT = 16
"""Letters of a text in the name of a run."""
LONGEST_LIST = 28
"""Letters of a list of numbers in the name of a run."""
MOST_NUMBERS = 4
"""Numbers of a list, and of a row, in the name of a run."""


def settings_text(params: Params, seed: int, others: Sequence[tuple[Params, int]] = ()) -> str:
    """Name what distinguishes a run from others of its experiment.

    Its step size, or else its first live value, comes first; then what differs from any of
    `others`, or, without others, from the defaults. More than four are cut off.
    """
    from engine.core.params import describe  # the window names runs before it can afford it

    specs = describe(type(params))
    values = {spec.name: getattr(params, spec.name) for spec in specs}
    live = [spec.name for spec in specs if spec.live]
    main = MAIN if MAIN in live else next(iter(live), "")
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
        return _shortened(_numbers(value), LONGEST_LIST)
    return _shortened(str(value), LONGEST_TEXT)


def _numbers(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(_numbers(each) for each in value[:MOST_NUMBERS])}" + (
            ", …]" if len(value) > MOST_NUMBERS else "]"
        )
    return short(value, 4)


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def worth_saying(params: Params) -> dict[str, Any]:
    """Return the values that a caption lists, by name; files' metadata has all of them.

    Left out are those without an effect, those that are empty or off, and those of folded groups
    that are as usual.
    """
    from engine.core.params import describe

    values = params.model_dump()
    return {
        spec.name: values[spec.name]
        for spec in describe(type(params))
        if spec.is_active(values)
        and not (values[spec.name] is None or values[spec.name] is False)
        and values[spec.name] not in ("", (), [])
        and not (spec.group in params.folded and values[spec.name] == spec.default)
    }


def named_bounds(experiment: str, params: Params) -> dict[str, float]:
    """Return the bounds of the theory by their names, which a number may be given in."""
    names: dict[str, float] = {}
    for bound in get(experiment).theory(params, None):
        if bound.value is not None:
            names |= {bound.id: bound.value, plain_math(bound.symbol): bound.value}
    return names
