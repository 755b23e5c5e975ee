"""The wording of the sources: docstrings that begin with a plain verb, names without stories."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = [ROOT / "main.py", *sorted((ROOT / "engine").rglob("*.py"))]
SOURCES += sorted((ROOT / "gui").rglob("*.py"))
VAGUE = re.compile(r"(Give|Say|Tell|Let|Have|Learn|Take up|Take over)s?\b|Ask (?!the user\b)")
STORIES = re.compile("told|mended|unsaid")


@pytest.fixture(scope="module")
def nodes() -> dict[Path, list[ast.AST]]:
    """Read all sources."""
    return {path: list(ast.walk(ast.parse(path.read_text("utf-8")))) for path in SOURCES}


def docstrings(nodes: list[ast.AST]) -> Iterator[tuple[int, str]]:
    """Find the docstrings of a file, and the texts below its constants, with their lines."""
    for node in nodes:
        value = node.value if isinstance(node, ast.Expr) else None
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield value.lineno, value.value


def identifiers(nodes: list[ast.AST]) -> Iterator[tuple[int, str]]:
    """Find all names that a file uses, with their lines."""
    for node in nodes:
        for field in ("id", "attr", "name", "asname", "arg"):
            name = getattr(node, field, None)
            if isinstance(name, str):
                yield getattr(node, "lineno", 0), name


@pytest.mark.parametrize(
    ("text", "is_vague"),
    [
        ("Give the step.", True),
        ("Tells the step.", True),
        ("Take over a layout.", True),
        ("Ask for a step.", True),
        ("Ask the user for a folder.", False),
        ("Return the step.", False),
        ("Given and sought.", False),
        ("Take the largest step.", False),
    ],
)
def test_vague_verbs_are_recognized(text: str, is_vague: bool) -> None:
    assert bool(VAGUE.match(text)) == is_vague


def test_docstrings_begin_with_a_plain_verb(nodes: dict[Path, list[ast.AST]]) -> None:
    texts = [
        (f"{path.relative_to(ROOT)}:{line}", text.lstrip())
        for path, found in nodes.items()
        for line, text in docstrings(found)
    ]
    assert len(texts) > 1000
    assert [f"{place} {text}" for place, text in texts if VAGUE.match(text)] == []


def test_names_tell_no_stories(nodes: dict[Path, list[ast.AST]]) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line} {name}"
        for path, each in nodes.items()
        for line, name in identifiers(each)
        if STORIES.search(name)
    ]
    assert found == []
