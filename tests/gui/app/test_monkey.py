"""A random user finds nothing wrong; by hand `python -m tests.gui.monkey` looks for much longer."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QApplication

from tests.gui.monkey import Monkey, tamed

ONLY = ("scalar-product", "least-squares", "double-scalar")
"""Experiments whose kernels other tests compile anyway."""
ACTIONS = 200
CHECKED = 5
"""Every so many actions what is shown is compared with the run."""


def test_a_random_user_finds_nothing_wrong(qapp: QApplication, tmp_path: Path) -> None:
    monkey = Monkey(11, tmp_path, ONLY, patience=0.2)
    try:
        with tamed(monkey):
            for number in range(ACTIONS):
                monkey.act(number)
                if number % CHECKED == 0:
                    monkey.check()
            monkey.check()
    finally:
        monkey.close()
