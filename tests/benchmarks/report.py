"""What was measured: as JSON, as a table, as a figure, and compared with what was before."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks.timing import Measurement, slope

Results = Mapping[str, Sequence[Measurement]]
"""Measurements by benchmark."""
CHANGED = 0.1
"""Share by which a median must differ to be called a change."""


def to_json(machine: Mapping[str, Any], quick: bool, results: Results) -> str:
    """Return everything that was measured as JSON, the medians and slopes spelled out."""
    table = {
        "machine": dict(machine),
        "quick": quick,
        "measurements": {
            name: [{**dataclasses.asdict(one), "median": one.median} for one in found]
            for name, found in results.items()
        },
        "slopes": {name: slopes(found) for name, found in results.items() if slopes(found)},
    }
    return json.dumps(table, indent=1) + "\n"


def from_json(text: str) -> dict[str, list[Measurement]]:
    """Return the measurements that `to_json` wrote."""
    fields = {field.name for field in dataclasses.fields(Measurement)}
    return {
        name: [
            Measurement(
                **{
                    **{k: v for k, v in one.items() if k in fields},
                    "samples": tuple(one["samples"]),
                }
            )
            for one in found
        ]
        for name, found in json.loads(text)["measurements"].items()
    }


def slopes(found: Iterable[Measurement]) -> dict[str, float]:
    """Return how cost grows with size, as log–log slopes by job and kind of size."""
    groups: dict[str, list[Measurement]] = {}
    for one in found:
        if one.size is not None:
            groups.setdefault(f"{one.name}, over {one.along}", []).append(one)
    return {
        name: slope([float(one.size or 0) for one in group], [one.median for one in group])
        for name, group in groups.items()
        if len(group) > 1
    }


def lines(found: Sequence[Measurement]) -> list[str]:
    """Return a line of text for every measurement and slope of a benchmark."""
    made = []
    for one in found:
        size = f" ({one.along} = {one.size:g})" if one.size is not None else ""
        text = f"  {one.name + size:48} {_number(one.median):>12} {one.unit:9}"
        if one.peer and one.times_as_fast is not None:
            text += f" ours is {one.times_as_fast:.4g} x as fast"
        if one.of_limit is not None:
            text += f" {one.of_limit:.2f} of {one.limit}"
        made.append(text.rstrip())
    return made + [f"  {name}: slope {value:.2f}" for name, value in slopes(found).items()]


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


def compare(before: Results, now: Results) -> list[str]:
    """Return a line for every measurement that is in both, its change marked where it is one."""
    made = []
    for name, found in now.items():
        known = {(one.name, one.size): one for one in before.get(name, ())}
        for one in found:
            former = known.get((one.name, one.size))
            if former is None or former.unit != one.unit or one.peer:
                continue
            ratio = one.median / former.median
            speed = ratio if one.is_rate else 1 / ratio
            mark = "faster" if speed > 1 + CHANGED else "SLOWER" if speed < 1 - CHANGED else ""
            size = f" ({one.along} = {one.size:g})" if one.size is not None else ""
            made.append(
                f"  {name}: {one.name}{size}: {speed:.2f} x as fast as before {mark}".rstrip()
            )
    return made


def draw(path: Path, results: Results) -> None:
    """Draw how many times as fast ours is as each peer, and costs over sizes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 5), layout="constrained")
    left, right = figure.subplots(1, 2)
    peers = [
        (f"{name}: {one.name}", one.times_as_fast)
        for name, found in results.items()
        for one in found
        if one.peer and one.times_as_fast is not None
    ]
    if peers:
        left.barh([label for label, _ in peers], [times for _, times in peers], color="#2a6fbb")
        left.axvline(1.0, color="#55555a", linewidth=0.8)
        left.set_xscale("log")
    left.invert_yaxis()
    left.set_title("Times as fast as a peer")
    for name, found in results.items():
        for along in dict.fromkeys(one.along for one in found if one.size is not None):
            group = [one for one in found if one.along == along and one.size is not None]
            sizes, medians = [one.size for one in group], [one.median for one in group]
            right.loglog(sizes, medians, "o-", label=f"{name} over {along}")
    right.set_title("Cost over size")
    right.set_xlabel("size")
    right.set_ylabel("median")
    if right.lines:
        right.legend(fontsize=8)
    figure.savefig(path)
