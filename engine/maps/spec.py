"""All that a map depends on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from engine.core.params import Params
from engine.maps.axis import Axis

KindId = Literal["orbit", "basin", "stability", "trainability"]
KINDS: tuple[KindId, ...] = ("orbit", "basin", "stability", "trainability")


@dataclass(frozen=True, slots=True, kw_only=True)
class MapSpec:
    """All that a map depends on, whoever makes it.

    Attributes
    ----------
    kind : {"orbit", "basin", "stability", "trainability"}
    experiment : str
        Public id.
    params : Params
        Of every cell, but for what the axes vary.
    seed : int
    x, y : Axis
        `y` of an orbit diagram is the observable's axis: it decides nothing but the picture.
    steps : int
        Steps of a run after which it is left undecided; those left out before an orbit is drawn.
    options : mapping of str to float
        What only this kind has, see `Kind.options`.
    """

    kind: KindId
    experiment: str
    params: Params
    seed: int = 0
    x: Axis
    y: Axis
    steps: int
    options: Mapping[str, float] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns; row 0 has the least y."""
        return self.y.count, self.x.count

    def as_table(self) -> dict[str, Any]:
        """Return what `map.json` holds of it, JSON-ready."""
        axes = {
            key: {
                "name": axis.name,
                "low": axis.low,
                "high": axis.high,
                "count": axis.count,
                "log": axis.log,
            }
            for key, axis in (("x", self.x), ("y", self.y))
        }
        return {
            "kind": self.kind,
            "experiment": self.experiment,
            "params": self.params.model_dump(mode="json"),
            "seed": self.seed,
            **axes,
            "steps": self.steps,
            "options": dict(self.options),
        }
