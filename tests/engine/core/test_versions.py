"""The versions of packages, read without parsing their metadata."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

import pytest

from engine.core.versions import PACKAGES, versions


@pytest.mark.parametrize("package", PACKAGES)
def test_a_version_is_that_of_the_metadata(package: str) -> None:
    try:
        expected: str | None = version(package)
    except PackageNotFoundError:
        expected = None
    assert versions().get(package) == expected
