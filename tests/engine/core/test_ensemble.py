"""Summing up many runs."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest

from engine.core import ensemble
from engine.storage.columns import cell
from engine.storage.files import to_json


@pytest.mark.parametrize("steps", [0, 1, 7, 1000])
def test_checkpoints_begin_at_0_and_end_at_the_last(steps):
    points = ensemble.checkpoints(steps, 50)
    assert points[0] == 0
    assert points[-1] == steps
    assert len(points) <= 50
    assert (np.diff(points) > 0).all()


def test_bands_count_a_diverged_run_as_the_worst():
    values = np.array([[1.0, 1.0], [2.0, np.nan], [3.0, 3.0], [4.0, np.nan], [5.0, 5.0]])
    quantiles, alive = ensemble.bands(values, (0.25, 0.5, 1.0))
    np.testing.assert_array_equal(quantiles, [[2.0, 3.0], [3.0, 5.0], [5.0, np.nan]])
    np.testing.assert_array_equal(alive, [1.0, 0.6])


def test_bands_equal_numpys_where_nothing_diverged():
    values = np.random.default_rng(0).random((11, 4))
    quantiles, _ = ensemble.bands(values, (0.1, 0.33, 0.9))
    np.testing.assert_allclose(quantiles, np.quantile(values, (0.1, 0.33, 0.9), axis=0))


@pytest.mark.parametrize(
    ("count", "total", "words"),
    [
        (46, 50, "92 % (46 of 50)"),
        (1, 1, "100 % (1 of 1)"),
        (0, 20, "0 % (0 of 20)"),
        (1, 200, "0.5 % (1 of 200)"),
        (999, 1000, "99.9 % (999 of 1000)"),
        (9999, 10_000, "99.99 % (9999 of 10000)"),
        (100, 200, "50 % (100 of 200)"),
    ],
)
def test_a_share_is_told_from_a_count_and_stored_as_the_number_it_is(count, total, words):
    flags = np.arange(total) < count
    share = ensemble.fraction(flags)
    assert share.words == words
    assert share == float(np.mean(flags))
    assert json.loads(to_json({"share": share})) == {"share": count / total}
    assert cell(share) == repr(count / total)
    assert copy.deepcopy(share).words == words


def test_summaries():
    assert ensemble.fraction([True, False]) == 0.5
    assert ensemble.fraction([]) is None
    assert ensemble.median([1.0, np.nan, 3.0]) == 2.0
    assert ensemble.median([np.nan]) is None
