"""What the README and its neighbours promise is there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from engine.cli import animate
from engine.cli import commands as cli
from engine.core.params import build, parse_setting
from engine.core.registry import get
from engine.experiments import EXPERIMENTS

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    links = re.findall(r"\]\(([^)]+)\)", text)
    for link in links:
        assert link.startswith("https://") or (ROOT / link).is_file(), link


@pytest.mark.parametrize("page", PAGES)
def test_named_files_are_there(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    for name in re.findall(r"`((?:engine|gui|tests|resources|\.ci)/[\w./-]*)`", text):
        assert (ROOT / name).exists(), name


def test_commands_of_the_readme_are_understood() -> None:
    text = (ROOT / "README.md").read_text("utf-8").replace("\\\n", " ")
    commands = [shlex.split(line, comments=True) for line in re.findall(r"main\.py (.+)", text)]
    runs = [words for words in commands if words[:1] == ["run"] and words[1] in _ids()]
    assert runs
    for words in runs:
        options = cli._parser().parse_args(words)
        model = get(options.what).parameters
        build(model, dict(parse_setting(model, setting) for setting in options.set))


def test_animations_of_the_readme_can_be_made() -> None:
    """The moving picture is there, and its command and all others like it are accepted."""
    text = (ROOT / "README.md").read_text("utf-8").replace("\\\n", " ")
    commands = [shlex.split(line, comments=True) for line in re.findall(r"main\.py (.+)", text)]
    films = [words for words in commands if words[:1] == ["animate"] and words[1] in _ids()]
    assert films
    for words in films:
        made = animate.film_of(cli._parser().parse_args(words))
        assert made.shots
    pictures = [words[-1] for words in films if words[-1].startswith("resources/")]
    assert pictures
    for name in pictures:
        assert f"]({name})" in text
        assert (ROOT / name).stat().st_size < 2_000_000


def _ids() -> set[str]:
    return {experiment.id for experiment in EXPERIMENTS}


def test_ci_runs_the_checks() -> None:
    text = (ROOT / ".ci" / "run").read_text("utf-8")
    assert "pip install uv && uv run pytest" in text
    for check in (
        "ruff check",
        "ruff format --check",
        "mypy",
        "lint-imports",
        "main.py smoke",
        ".ci/package",
    ):
        assert check in text
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111
