"""Values worth a caption, and names of runs that hold lists."""

from __future__ import annotations

from typing import Any

from engine.core.params import Params, param
from engine.run.labels import settings_text, worth_saying


class Some(Params):
    """A parameter of each sort."""

    folded = ("More",)
    size: float = param(0.5, "Size.", group="Main")
    weights: tuple[float, ...] = param((), "Weights.", symbol="w[0]", group="Main")
    prove: bool = param(False, "Prove.", group="Main")
    words: str = param("", "Words.", group="Main")
    zero: float = param(0.0, "Zero.", group="Main")
    every: int = param(64, "Every.", group="More")


def test_a_caption_leaves_out_what_is_empty_off_or_folded() -> None:
    assert worth_saying(Some()) == {"size": 0.5, "zero": 0.0}
    said: dict[str, Any] = worth_saying(Some(prove=True, weights=(1.0,), every=8))
    assert set(said) == {"size", "zero", "prove", "weights", "every"}


def test_a_list_in_a_name_is_written_as_its_numbers() -> None:
    text = settings_text(Some(weights=(0.25, -2.0)), 0).replace("\u00a0", " ")
    assert "[0.25, −2]" in text or "[0.25, -2]" in text
    long = settings_text(Some(weights=tuple(k / 8 for k in range(50))), 0)
    assert "…" in long and len(long) < 60
