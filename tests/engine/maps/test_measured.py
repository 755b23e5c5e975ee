"""What is said of the borders of a map: only what was measured, with its error."""

from __future__ import annotations

import json

import numpy as np
import pytest

from engine.maps import measured as measuring
from engine.maps.measured import measured, percent_with_error, with_error
from engine.maps.summary import summary
from engine.storage.files import to_json
from tests.engine.maps.logistic import Region, spec

STRAIGHT = (np.indices((256, 256)).sum(axis=0) > 250).astype(np.uint8)


def test_a_straight_border_has_dimension_1() -> None:
    found = measured(Region(spec("basin")), STRAIGHT)
    assert found.dimension is not None and found.uncertainty is not None and not found.reason
    assert abs(found.dimension.value - 1.0) <= max(3.0 * found.dimension.error, 0.01)
    assert len(found.sentences) == 2 and "±" in found.sentences[0]
    assert set(found.shares) == {0, 1}


@pytest.mark.parametrize(
    ("outcome", "word"),
    [(np.zeros((256, 256), np.uint8), "too short"), (STRAIGHT[:40, :40], "too short")],
)
def test_without_a_border_nothing_is_claimed(outcome: np.ndarray, word: str) -> None:
    found = measured(Region(spec("basin")), outcome)
    assert found.dimension is None and word in found.reason


def test_the_borders_of_undecided_cells_are_none() -> None:
    outcome = np.where(STRAIGHT, 3, 0).astype(np.uint8)
    found = measured(Region(spec("basin")), outcome)
    assert found.dimension is None is found.uncertainty and "undecided" in found.reason
    assert found.shares


def test_maps_that_are_too_large_are_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "MOST_CELLS", 100)
    assert "at most 100" in measured(Region(spec("basin")), STRAIGHT).reason


def test_the_table_of_a_map_holds_the_fits() -> None:
    table = summary(Region(spec("basin")), {"outcome": STRAIGHT}, 1.0)
    made = json.loads(to_json(table))
    assert made["borders"]["box_dimension"]["scales"][0] == 4.0
    assert made["classes"][0]["error"] > 0.0
    assert "borders" not in summary(Region(spec()), {"outcome": STRAIGHT}, 1.0)


def test_numbers_have_the_digits_of_their_errors() -> None:
    assert with_error(1.26149, 0.0204) == "1.261 ± 0.020"
    assert with_error(1.0, 0.0) == "1"
    assert percent_with_error(0.19483, 0.0003) == "19.48 ± 0.03 %"
