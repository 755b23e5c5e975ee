"""Whatever a command refuses, it leaves no folder behind."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.cli import commands

AXES = ("--x", "step_size=0.1:0.4:3")
GIVEN: dict[tuple[str, ...], tuple[str, ...]] = {
    ("run",): ("least-squares",),
    ("map", "orbit"): ("scalar-product", *AXES),
    ("map", "basin"): ("scalar-product",),
    ("map", "stability"): ("scalar-product", *AXES),
    ("map", "trainability"): ("least-squares", *AXES),
    ("map", "branches"): ("scalar-product", "--x", "step_size=0.1:0.4"),
    ("animate",): ("least-squares",),
    ("compare",): ("gone.toml", "lost.toml"),
    ("reproduce",): ("--quick",),
}
NOTHING = "@?"
"""What no option allows."""


def parsers(
    parser: argparse.ArgumentParser, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], argparse.ArgumentParser]]:
    """Yield the commands without commands of their own, with what names them."""
    below = [each for each in parser._actions if isinstance(each, argparse._SubParsersAction)]
    if not below:
        yield path, parser
    for action in below:
        for name, sub in action.choices.items():
            yield from parsers(sub, (*path, name))


def refused() -> Iterator[tuple[str, ...]]:
    """Yield commands that write a folder, each with one option that has no allowed value."""
    for path, parser in parsers(commands._parser()):
        options = [each for each in parser._actions if each.option_strings and each.nargs != 0]
        names = [each.option_strings[-1] for each in options]
        if path in GIVEN:
            for name in names:
                if name != "--out":
                    yield (*path, *GIVEN[path], name, NOTHING)


@pytest.mark.parametrize(
    "command", list(refused()), ids=lambda each: f"{' '.join(each[:2])} {each[-2]}"
)
def test_what_is_refused_leaves_nothing(
    command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    status = commands.main([*command, "--out", str(tmp_path / "above" / "out")])
    assert status in (commands.BAD_INPUT, commands.FAILED)
    assert not list(tmp_path.iterdir())
