"""Curves of flips and folds over two parameters, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from engine.analysis.branch import Event
from engine.analysis.carrier import SystemCarrier
from engine.analysis.curves import Sheet, follow_curve, is_on
from engine.analysis.family import Frame
from tests.engine.analysis.test_critical import Plain

LOWS, HIGHS = np.array([-1.0, -0.6]), np.array([2.0, 0.6])


def henon(a: float, b: float) -> Plain:
    return Plain(
        coordinates=("x", "y"),
        varied=(),
        of=lambda z: np.array([a - z[0] ** 2 + b * z[1], z[0]]),
        slope=lambda z: np.array([[-2.0 * z[0], b], [1.0, 0.0]]),
    )


def _sheet() -> Sheet:
    return Sheet(SystemCarrier(henon, LOWS, HIGHS), LOWS, HIGHS, Frame(2))


def test_the_flip_of_the_henon_map() -> None:
    """A fixed point flips where a = 3 (1 - b)²/4, at x = (1 - b)/2."""
    curve = follow_curve(_sheet(), Event.FLIP, np.array([0.5, 0.5]), np.array([0.75, 0.0]), 1)
    assert curve is not None
    a, b = curve.parameters.T
    assert a == pytest.approx(0.75 * (1.0 - b) ** 2, abs=1e-9)
    assert b.min() < -0.55 and b.max() > 0.55
    assert np.all(curve.coefficients > 0.0)
    assert is_on(curve, np.array([0.75 * 0.9**2, 0.1]), LOWS, HIGHS)
    assert not is_on(curve, np.array([0.0, 0.1]), LOWS, HIGHS)


def test_the_fold_of_the_henon_map() -> None:
    """Two fixed points meet where a = -(1 - b)²/4."""
    curve = follow_curve(_sheet(), Event.FOLD, np.array([-0.5, -0.5]), np.array([-0.25, 0.0]), 1)
    assert curve is not None
    a, b = curve.parameters.T
    assert a == pytest.approx(-0.25 * (1.0 - b) ** 2, abs=1e-9)
    assert np.isnan(curve.coefficients).all()


def test_a_point_that_is_on_no_curve_gives_none() -> None:
    sheet = _sheet()
    nowhere = np.array([np.nan, 0.0])
    assert follow_curve(sheet, Event.FLIP, nowhere, np.array([0.5, 0.0]), 1) is None
